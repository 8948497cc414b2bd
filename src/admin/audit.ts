/**
 * The audit log: each change by an administrator, with who made it, from where, and the values before and after. An
 * append-only file in the data folder, one JSON object a line; when it is large a new one is started, and the
 * previous one is kept.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { join } from "node:path";
import type { Config, Dynamic } from "../config/mod.ts";
import { Log } from "../log/mod.ts";

/** Name of the file, and of the previous one. */
export const auditFile = "audit.jsonl";
const olderFile = "audit.1.jsonl";
/** Bytes above which a new file is started. */
const maxBytes = 8 * 1024 * 1024;
/** Configuration changes in an entry, and characters of a value. */
const maxChanges = 100;
const maxValue = 300;

/** Who acts. */
export interface Actor {
  /** "administrator", "command line", or an account. */
  who: string;
  /** A network address, or another origin. */
  from: string;
}

/** A changed value. "" means none. */
export interface AuditChange {
  /** Such as "Accounts.ann.LoginDisabled". */
  what: string;
  before: string;
  after: string;
}

export interface AuditEntry extends Actor {
  /** Milliseconds since the epoch. */
  time: number;
  /** The call or command. */
  action: string;
  /** Its arguments, without secrets. */
  details: string;
  changes: AuditChange[];
}

interface Acting extends Actor {
  changes: AuditChange[];
}

const acting = new AsyncLocalStorage<Acting>();

/** Names whose values are secret; lists of users ("text", "table") contain passwords. */
const secret =
  /password|current|totp|code|^key$|secret|token|authorization|certificate|hash|message|^text$|^table$/i;

/** A value as JSON, without secrets, shortened. */
export function auditText(value: unknown): string {
  const text = JSON.stringify(value, (name, v) => {
    if (secret.test(name) && v !== "" && v !== null && v !== undefined) return "***";
    if (v instanceof Map) return Object.fromEntries(v);
    return v;
  }) ?? "";
  return text.length > maxValue ? `${text.slice(0, maxValue)}…` : text;
}

/** The differences between two values, by path. */
export function auditChanges(before: unknown, after: unknown, path = ""): AuditChange[] {
  const out: AuditChange[] = [];
  compare(before, after, path, out);
  return out;
}

function entries(v: unknown): Map<string, unknown> | undefined {
  if (v instanceof Map) return v;
  if (v === null || typeof v !== "object" || Array.isArray(v)) return undefined;
  return new Map(Object.entries(v));
}

function compare(before: unknown, after: unknown, path: string, out: AuditChange[]): void {
  if (before === after || out.length >= maxChanges) return;
  const [b, a] = [entries(before), entries(after)];
  if (b && a) {
    for (const name of new Set([...b.keys(), ...a.keys()])) {
      compare(b.get(name), a.get(name), path === "" ? name : `${path}.${name}`, out);
    }
    return;
  }
  const hidden = secret.test(path.slice(path.lastIndexOf(".") + 1));
  const shown = (v: unknown) => v === undefined ? "" : hidden ? "***" : auditText(v);
  if (!hidden && shown(before) === shown(after)) return;
  out.push({ what: path, before: shown(before), after: shown(after) });
}

export class AuditLog {
  readonly #dir: string;
  readonly #log = new Log("audit");
  readonly #now: () => number;
  /** One after the other. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(dataDir: string, now: () => number = Date.now) {
    this.#dir = dataDir;
    this.#now = now;
  }

  /** Records changes in domains.conf: as part of the current action, or as an edit of the file. */
  follow(config: Config): () => void {
    let last: Dynamic = config.dynamic;
    return config.onChange((_change, edited) => {
      const changes = auditChanges(last, config.dynamic);
      last = config.dynamic;
      const now = acting.getStore();
      if (now && !edited) now.changes.push(...changes);
      else {
        const [who, from] = edited ? ["editor", "domains.conf"] : ["server", ""];
        this.add({ who, from, action: "edit", details: "", changes });
      }
    });
  }

  /**
   * Runs somebody's action, and records it if it succeeds, with its changes to the configuration.
   * @param details its arguments; secrets are left out
   * @param onlyChanges record it only if it changed the configuration
   */
  async run<T>(
    actor: Actor,
    action: string,
    details: unknown,
    fn: () => T | Promise<T>,
    onlyChanges = false,
  ): Promise<T> {
    const now: Acting = { ...actor, changes: [] };
    const result = await acting.run(now, async () => await fn());
    if (now.changes.length > 0 || !onlyChanges) {
      this.add({ ...actor, action, details: auditText(details), changes: now.changes });
    }
    return result;
  }

  /** Adds an entry. */
  add(e: Omit<AuditEntry, "time">): void {
    const entry: AuditEntry = { time: this.#now(), ...e };
    this.#log.info("change", {
      who: e.who,
      from: e.from,
      action: e.action,
      details: e.details || undefined,
      changes: e.changes.length || undefined,
    });
    this.#writing = this.#writing.then(() => this.#append(entry)).catch((err) =>
      this.#log.error("writing the audit log", { err: err as Error })
    );
  }

  async #append(entry: AuditEntry): Promise<void> {
    const path = join(this.#dir, auditFile);
    const size = await Deno.stat(path).then((s) => s.size, () => 0);
    if (size > maxBytes) await Deno.rename(path, join(this.#dir, olderFile));
    const f = await Deno.open(path, { append: true, create: true, mode: 0o600 });
    try {
      const bytes = new TextEncoder().encode(`${JSON.stringify(entry)}\n`);
      for (let at = 0; at < bytes.length;) at += await f.write(bytes.subarray(at));
      await f.syncData();
    } finally {
      f.close();
    }
  }

  /** The last entries, latest first. Damaged lines are skipped. */
  async list(limit: number): Promise<AuditEntry[]> {
    await this.#writing;
    const found: AuditEntry[] = [];
    for (const name of [auditFile, olderFile]) {
      const text = await Deno.readTextFile(join(this.#dir, name)).catch((err) => {
        if (err instanceof Deno.errors.NotFound) return "";
        throw err;
      });
      const lines = text.trimEnd().split("\n").slice(-limit);
      for (const line of lines.reverse()) {
        if (found.length >= limit) return found;
        try {
          found.push(JSON.parse(line));
        } catch {
          // From a power loss while writing.
        }
      }
    }
    return found;
  }

  /** Resolves when everything is written. */
  async close(): Promise<void> {
    await this.#writing;
  }
}
