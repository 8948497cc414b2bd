/**
 * Memory of connections as a budget of the whole process. What each holds (input that nobody has read yet,
 * output that its peer has not taken yet) is counted as it changes. Above the budget those that hold most
 * are closed first, and new ones are refused; those that have mail under way are spared as long as others
 * can be closed.
 *
 * @module
 */
import { counter, gauge } from "../metrics/mod.ts";
import { memoryLimit, memoryUse } from "../platform/process.ts";

const mib = 1024 * 1024;

/** Bytes that all connections together may hold. */
export const maxHeld = 96 * mib;
/** Shedding ends below this. */
const heldAfterShedding = 64 * mib;
/** With mail under way a connection is closed only above this. */
const maxHeldWithMail = 160 * mib;
/** A connection that holds less is not worth closing. */
const worthShedding = 4096;

/**
 * Resident bytes above which no new connections are taken on: half of the memory that there is, but at
 * least 512 MiB and at most 4 GiB.
 */
const maxResident = Math.min(4096 * mib, Math.max(512 * mib, (memoryLimit() ?? 4096 * mib) / 2));
/** Milliseconds for which a look at the resident size is good. */
const residentFor = 500;

const protocols = [
  "smtp",
  "submission",
  "submissions",
  "imap",
  "imaps",
  "pop3",
  "pop3s",
  "managesieve",
  "scanner",
  "http",
  "https",
  "other",
];

const shed = counter(
  "mox_connections_shed_total",
  "Connections closed because connections together held too much memory, by protocol.",
  { protocol: protocols },
);
gauge(
  "mox_connections_held_bytes",
  "Memory that connections hold: input not read yet, output not taken yet.",
  [],
  (g) => g.set(total),
);

const shares = new Set<Share>();
let total = 0;
let scheduled = false;

/** What one connection holds. */
export class Share {
  readonly protocol: string;
  readonly #shed: () => void;
  #held = 0;
  /** Mail is under way that is to be finished. */
  mail = false;

  /** @param shed closes the connection and lets go of what it holds, at once; must not throw. */
  constructor(protocol: string, shed: () => void) {
    this.protocol = protocols.includes(protocol) ? protocol : "other";
    this.#shed = shed;
    shares.add(this);
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** So many bytes more, or fewer, are held. */
  add(bytes: number): void {
    this.#held += bytes;
    if (!shares.has(this)) return;
    total += bytes;
    if (total > maxHeld && !scheduled) {
      scheduled = true;
      queueMicrotask(shedMost);
    }
  }

  /** The connection is gone. */
  end(): void {
    if (shares.delete(this)) total -= this.#held;
  }

  /** Closes the connection, for want of memory. */
  shed(): void {
    shed.inc({ protocol: this.protocol });
    this.end();
    this.#shed();
  }
}

function shedMost(): void {
  scheduled = false;
  if (total <= maxHeld) return;
  const most = [...shares].filter((s) => s.held >= worthShedding)
    .sort((a, b) => Number(a.mail) - Number(b.mail) || b.held - a.held);
  for (const s of most) {
    if (total <= heldAfterShedding || (s.mail && total <= maxHeldWithMail)) return;
    s.shed();
  }
}

let residentAt = -Infinity;
let resident = 0;

/** True if new connections are to be refused for want of memory. */
export function memoryShort(): boolean {
  if (total > maxHeld) return true;
  const now = performance.now();
  if (now - residentAt > residentFor) {
    residentAt = now;
    resident = memoryUse().resident;
  }
  return resident > maxResident;
}
