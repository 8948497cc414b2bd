/**
 * The health of a server: problems for an administrator, for `mox status`, the admin API and monitoring;
 * and whether it can accept mail, for load balancers.
 *
 * @module
 */
import { join } from "node:path";
import type { Config } from "../config/mod.ts";
import { registry } from "../metrics/mod.ts";
import { freeSpace } from "../platform/files.ts";
import type { Queue } from "../queue/mod.ts";
import { lastBackup } from "../store/backup/last_backup.ts";

/** Its severity. */
export type HealthState = "ok" | "warning" | "critical";

export interface HealthCheck {
  /** Such as "disk". */
  name: string;
  state: HealthState;
  text: string;
}

/** Sources of the checks. */
export interface HealthSources {
  config: Config;
  queue: Queue;
  certificates: () => readonly {
    name: string;
    notAfter: number | undefined;
    error: string | undefined;
  }[];
  /** External scanners: since when each is unavailable, if it is. */
  scanners?: () => readonly { name: string; error: string | undefined; since: number }[];
  /** Whether the node has a standby, and whether it follows. */
  standby?: () => "none" | "follows" | "away";
  now?: () => number;
  /** Free bytes in the data folder; for tests. */
  free?: () => Promise<number>;
}

const dayMs = 86_400_000;
/** Free bytes below which there is a warning, and below which no mail is accepted. */
const littleRoom = { warning: 5e9, critical: 1e9, none: 50e6 };
/** Milliseconds after which a due message should have been tried. */
const overdue = { warning: 15 * 60_000, critical: 2 * 3_600_000 };
/** Milliseconds before a certificate's expiry. */
const ends = { warning: 14 * dayMs, critical: 3 * dayMs };
/** Milliseconds after which a backup is too old, if backups are made. */
const oldBackup = 8 * dayMs;

const check = (name: string, state: HealthState, text: string): HealthCheck => ({
  name,
  state,
  text,
});

const size = (bytes: number) =>
  bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.round(bytes / 1e6)} MB`;
const days = (ms: number) => `${Math.floor(ms / dayMs)} days`;
const minutes = (ms: number) => `${Math.floor(ms / 60_000)} minutes`;

async function disk(s: Pick<HealthSources, "config" | "free">): Promise<HealthCheck> {
  const free = await (s.free?.() ?? freeSpace(s.config.dataDir));
  const state = free < littleRoom.critical
    ? "critical"
    : free < littleRoom.warning
    ? "warning"
    : "ok";
  return check("disk", state, `${size(free)} free for ${s.config.dataDir}`);
}

function queue({ queue: q }: HealthSources, now: number): HealthCheck {
  const [first] = q.list({ hold: false }, { sort: "next", limit: 1 });
  const late = first === undefined ? 0 : now - first.nextAttempt;
  const count = `${q.count()} messages, ${q.count({ hold: true })} of them on hold`;
  if (late < overdue.warning) return check("queue", "ok", count);
  return check(
    "queue",
    late < overdue.critical ? "warning" : "critical",
    `${count}; the first should have been tried ${minutes(late)} ago`,
  );
}

function certificates(sources: HealthSources, now: number): HealthCheck[] {
  return sources.certificates().map(({ name, notAfter, error }) => {
    const what = `certificate ${name}`;
    if (notAfter === undefined) {
      return check(what, "critical", `is missing${error ? `: ${error}` : ""}`);
    }
    const left = notAfter - now;
    if (left < 0) return check(what, "critical", "has ended");
    const state = left < ends.critical ? "critical" : left < ends.warning ? "warning" : "ok";
    return check(what, state, `ends in ${days(left)}`);
  });
}

function scanners(sources: HealthSources, now: number): HealthCheck[] {
  return (sources.scanners?.() ?? []).map(({ name, error, since }) => {
    const what = `scanner ${name}`;
    if (error === undefined) return check(what, "ok", since === 0 ? "not asked yet" : "answers");
    return check(what, "critical", `away for ${minutes(now - since)}: ${error}`);
  });
}

function standby(sources: HealthSources): HealthCheck[] {
  const state = sources.standby?.() ?? "none";
  if (state === "none") return [];
  return [
    state === "follows"
      ? check("standby", "ok", "follows this node")
      : check("standby", "warning", "is away: what comes now is here only"),
  ];
}

async function backup(sources: HealthSources, now: number): Promise<HealthCheck> {
  const last = await lastBackup(sources.config.dataDir);
  if (last === undefined) return check("backup", "ok", "none was noted");
  if (last.ended === null) return check("backup", "ok", `to ${last.destination} runs`);
  const age = now - last.ended;
  const when = age < dayMs ? "today" : `${days(age)} ago`;
  if (!last.ok) return check("backup", "critical", `failed ${when}: ${last.text}`);
  return check("backup", age > oldBackup ? "warning" : "ok", `was made ${when}`);
}

/** Values of a metric. */
async function values(name: string) {
  return (await registry.getSingleMetric(name)?.get())?.values ?? [];
}

async function errors(): Promise<HealthCheck> {
  const count = (await values("mox_panic_total")).reduce((n, v) => n + v.value, 0);
  return count === 0
    ? check("errors", "ok", "no unhandled errors since the start")
    : check("errors", "warning", `${count} unhandled errors since the start: see the log`);
}

async function blockLists(): Promise<HealthCheck> {
  const all = await values("mox_dnsbl_ips_success");
  const on = all.filter((v) => v.value === 0).map((v) => `${v.labels.ip} on ${v.labels.zone}`);
  if (on.length > 0) return check("block lists", "critical", on.join(", "));
  return check("block lists", "ok", all.length === 0 ? "not asked yet" : "on none");
}

/** All problems, the most serious first. */
export async function serverHealth(sources: HealthSources): Promise<HealthCheck[]> {
  const now = (sources.now ?? Date.now)();
  const all = [
    await disk(sources),
    queue(sources, now),
    ...certificates(sources, now),
    ...scanners(sources, now),
    ...standby(sources),
    await backup(sources, now),
    await errors(),
    await blockLists(),
  ];
  return worstFirst(all);
}

function worstFirst(all: HealthCheck[]): HealthCheck[] {
  const order: readonly HealthState[] = ["critical", "warning", "ok"];
  return all.sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
}

/** State of a standby's copy of its node. */
export interface CopyState {
  node: string;
  connected: boolean;
  /** Time as of which the copy is complete, by the node's clock; 0 while it isn't. */
  upToDate: number;
}

/** Problems of a standby, the most serious first. */
export async function standbyHealth(
  s: Pick<HealthSources, "config" | "free">,
  { node, connected, upToDate }: CopyState,
): Promise<HealthCheck[]> {
  const whole = upToDate > 0;
  const at = new Date(upToDate).toISOString().slice(0, 19).replace("T", " ");
  const copy = whole ? `the copy is what ${node} had at ${at} UTC` : "there is no whole copy yet";
  return worstFirst([
    connected
      ? check("node", whole ? "ok" : "warning", whole ? `follows ${node}` : copy)
      : check("node", "warning", `${node} can't be followed just now: ${copy}`),
    await disk(s),
  ]);
}

/** The highest severity. */
export function worstState(checks: readonly HealthCheck[]): HealthState {
  return (["critical", "warning"] as const).find((s) => checks.some((c) => c.state === s)) ?? "ok";
}

/**
 * Why the server can't accept mail now: a data folder that can't be written, or is full. Undefined if it can.
 */
export async function whyNotReady(
  s: Pick<HealthSources, "config" | "free">,
): Promise<string | undefined> {
  const probe = join(s.config.dataPath("tmp"), "ready");
  try {
    await Deno.writeTextFile(probe, "", { mode: 0o600 });
    const free = await (s.free?.() ?? freeSpace(s.config.dataDir));
    return free < littleRoom.none ? "the disk is full" : undefined;
  } catch {
    return "the data folder can't be written";
  }
}
