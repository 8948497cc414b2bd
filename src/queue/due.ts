/**
 * Which delivery starts next.
 *
 * What is due is found through the table of destinations, whatever the queue's length. Dead destinations
 * must not keep living ones waiting, however many messages there are for them:
 * - a delivery whose server is silent does not count as one of those that work, in whatever phase it is; of
 *   such there may be many more, as they only wait, and they have to make room in the end (see runs.ts);
 * - destinations where nobody could be reached the last time get a part of the places only;
 * - the others are taken from both ends, the longest due and the latest: so a new message starts at
 *   once even if thousands before it turn out to be for dead destinations.
 *
 * @module
 */
import type { Db } from "../store/database.ts";
import { priorities } from "./types.ts";

/** Deliveries that work, and to one destination. */
export const maxDeliveries = 50;
export const maxPerDestination = 10;
/** Deliveries that work or wait for a server. */
export const maxRunning = 500;
/** Of these, to destinations where nobody was reached the last time. */
export const maxFailing = 100;
/** Working places that such destinations can't have. */
const reserved = 20;
/** Running places that only the latest due can have. */
const reservedForLatest = 50;

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
  if (running.working >= maxDeliveries || running.all >= maxRunning) return undefined;
  const full = [...running.byDestination].filter(([, n]) => n >= maxPerDestination).map(([d]) => d);
  const fromEnd = latest || running.all >= maxRunning - reservedForLatest;
  for (const priority of priorities) {
    const domain = find(db, priority, false, now, full, fromEnd);
    if (domain !== undefined) return { domain, priority, failing: false };
  }
  if (running.working >= maxDeliveries - reserved || running.failing >= maxFailing) {
    return undefined;
  }
  for (const priority of priorities) {
    const domain = find(db, priority, true, now, full, false);
    if (domain !== undefined) return { domain, priority, failing: true };
  }
  return undefined;
}

function find(
  db: Db,
  priority: number,
  failing: boolean,
  now: number,
  full: readonly string[],
  fromEnd: boolean,
): string | undefined {
  // Destinations at their limit are few: as many as deliveries fill.
  const rows = db.all(
    "SELECT domain FROM destinations WHERE priority = ? AND failing = ? AND due <= ? " +
      `ORDER BY due ${fromEnd ? "DESC" : "ASC"} LIMIT ?`,
    priority,
    failing ? 1 : 0,
    now,
    full.length + 1,
  ) as [string][];
  return rows.find(([d]) => !full.includes(d))?.[0];
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
