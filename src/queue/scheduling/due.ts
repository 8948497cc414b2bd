/**
 * Which delivery starts next.
 *
 * What is due is found through the table of destinations, whatever the queue's length. Dead destinations
 * must not keep living ones waiting, however many messages there are for them:
 * - a delivery whose server is silent does not count as one of those that work, in whatever phase it is; of
 *   such there may be many more, as they only wait, and they have to make room in the end (see runs.ts);
 * - destinations where nobody could be reached the last time get a part of the places only;
 * - the others are taken from both ends, the longest due and the latest, in turns;
 * - some places are only for what got due just now: so a new message starts at once even if thousands
 *   before it turn out to be for dead destinations, each of which takes a while to show that it is.
 *
 * @module
 */
import type { Db } from "../../store/database/database.ts";
import { priorities } from "../types.ts";

/** Deliveries that work, without those that got due just now, and to one destination. */
export const maxDeliveries = 50;
export const maxPerDestination = 10;
/** Deliveries that work or wait for a server. */
export const maxRunning = 500;
/** Of these, to destinations where nobody was reached the last time. */
export const maxFailing = 100;
/** Working places that such destinations can't have. */
const reserved = 20;
/** Working places, beyond the others, and running places that only what got due just now can have. */
const workingForNew = 10;
export const runningForNew = 50;
/** Milliseconds for which something got due just now. */
const newFor = 5_000;

/** What runs now. */
export interface Running {
  /** Deliveries by destination. */
  byDestination: ReadonlyMap<string, number>;
  all: number;
  /** Without those whose server is silent. */
  working: number;
  failing: number;
}

/** A destination that something is due for. */
export interface DueDestination {
  domain: string;
  priority: number;
  failing: boolean;
}

/** The next destination to deliver to; undefined if nothing is due, or there is no place. */
export function nextDue(
  db: Db,
  now: number,
  running: Running,
  latest: boolean,
): DueDestination | undefined {
  if (running.working >= maxDeliveries + workingForNew || running.all >= maxRunning) {
    return undefined;
  }
  const onlyNew = running.working >= maxDeliveries || running.all >= maxRunning - runningForNew;
  const full = [...running.byDestination].filter(([, n]) => n >= maxPerDestination).map(([d]) => d);
  const living: Wanted = {
    failing: false,
    after: onlyNew ? now - newFor : undefined,
    now,
    full,
    latest: latest || onlyNew,
  };
  for (const priority of priorities) {
    const domain = find(db, priority, living);
    if (domain !== undefined) return { domain, priority, failing: false };
  }
  if (
    onlyNew || running.working >= maxDeliveries - reserved || running.failing >= maxFailing
  ) return undefined;
  const failing: Wanted = { failing: true, after: undefined, now, full, latest: false };
  for (const priority of priorities) {
    const domain = find(db, priority, failing);
    if (domain !== undefined) return { domain, priority, failing: true };
  }
  return undefined;
}

/** What is looked for among the destinations. */
interface Wanted {
  failing: boolean;
  /** Due after this time, if it matters, and not after now. */
  after: number | undefined;
  now: number;
  /** Destinations at their limit: few, as many as deliveries fill. */
  full: readonly string[];
  /** The latest due, not the longest. */
  latest: boolean;
}

function find(db: Db, priority: number, wanted: Wanted): string | undefined {
  const rows = db.all(
    "SELECT domain FROM destinations WHERE priority = ? AND failing = ? AND due > ? AND due <= ? " +
      `ORDER BY due ${wanted.latest ? "DESC" : "ASC"} LIMIT ?`,
    priority,
    wanted.failing ? 1 : 0,
    wanted.after ?? -1,
    wanted.now,
    wanted.full.length + 1,
  ) as [string][];
  return rows.find(([d]) => !wanted.full.includes(d))?.[0];
}

/** The earliest time after now at which something gets due. */
export function nextTime(db: Db, now: number): number | undefined {
  let first: number | undefined;
  for (const priority of priorities) {
    for (const failing of [0, 1]) {
      const [due] = db.get(
        "SELECT min(due) FROM destinations WHERE priority = ? AND failing = ? AND due > ?",
        priority,
        failing,
        now,
      )!;
      if (due !== null && (first === undefined || due < first)) first = due;
    }
  }
  return first;
}
