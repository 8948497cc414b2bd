/**
 * Memory of connections as a budget of the whole process. The memory of each (unread input, output that its
 * peer has not accepted yet) is counted as it changes. Above the budget, connections that hold most are closed
 * first, and new ones are refused; those with mail in progress are spared as long as others can be closed.
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
/** A connection with mail in progress is closed only above this. */
const maxHeldWithMail = 160 * mib;
/** A connection that holds less is not worth closing. */
const worthShedding = 4096;

/**
 * Resident bytes above which no new connections are accepted: half of the available memory, but at least 512
 * MiB and at most 4 GiB.
 */
const maxResident = Math.min(4096 * mib, Math.max(512 * mib, (memoryLimit() ?? 4096 * mib) / 2));
/** Milliseconds for which a measured resident size is valid. */
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

/** The memory of one connection. */
export class Share {
  readonly protocol: string;
  readonly #shed: () => void;
  #held = 0;
  /** Mail is in progress and should be finished. */
  mail = false;

  /** @param shed closes the connection and releases its memory immediately; must not throw. */
  constructor(protocol: string, shed: () => void) {
    this.protocol = protocols.includes(protocol) ? protocol : "other";
    this.#shed = shed;
    shares.add(this);
  }

  /** Bytes held now. */
  get held(): number {
    return this.#held;
  }

  /** Counts more bytes as held; fewer if negative. */
  add(bytes: number): void {
    this.#held += bytes;
    if (!shares.has(this)) return;
    total += bytes;
    if (total > maxHeld && !scheduled) {
      scheduled = true;
      queueMicrotask(shedMost);
    }
  }

  /** Called when the connection is gone. */
  end(): void {
    if (shares.delete(this)) total -= this.#held;
  }

  /** Closes the connection because memory is short. */
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

/** True if new connections must be refused because memory is short. */
export function memoryShort(): boolean {
  if (total > maxHeld) return true;
  const now = performance.now();
  if (now - residentAt > residentFor) {
    residentAt = now;
    resident = memoryUse().resident;
  }
  return resident > maxResident;
}
