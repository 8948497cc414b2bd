/**
 * Which delivery starts next.
 *
 * Due messages are found through the table of destinations, whatever the queue's length. Dead destinations must
 * not hold up live ones, however many messages they have:
 * - a delivery whose server is silent, in any phase, does not count as working; there may be many more of
 *   these, as they only wait, and in the end they must make room (see runs.ts);
 * - destinations where no server was reached the last time get only part of the places;
 * - the others are taken from both ends, the longest due and the most recently due, in turns;
 * - some places are reserved for messages that have just become due: so a new message starts immediately even
 *   if thousands before it go to dead destinations, each of which takes a while to be recognised.
 *
 * @module
 */
import type { Db } from "../../store/database/database.ts";
import { priorities } from "../types.ts";

/** Working deliveries, without those that have just become due, and those to one destination. */
export const maxDeliveries = 50;
export const maxPerDestination = 10;
/** Deliveries that are working or waiting for a server. */
export const maxRunning = 500;
/** Of these, deliveries to destinations where no server was reached the last time. */
export const maxFailing = 100;
/** Working places that are closed to such destinations. */
const reserved = 20;
/** Additional working places, and running places, reserved for messages that have just become due. */
const workingForNew = 10;
export const runningForNew = 50;
/** Milliseconds during which a message counts as having just become due. */
const newFor = 5_000;

/** What is running now. */
export interface Running {
  /** Deliveries by destination. */
  byDestination: ReadonlyMap<string, number>;
  all: number;
  /** Without those whose server is silent. */
  working: number;
  failing: number;
}

/** A destination with something due. */
export interface DueDestination {
  domain: string;
  priority: number;
  failing: boolean;
}

/** The next destination to deliver to; undefined if nothing is due, or there is no free place. */
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

/** What to look for among the destinations. */
interface Wanted {
  failing: boolean;
  /** Due after this time, if given, and not after now. */
  after: number | undefined;
  now: number;
  /** Destinations at their limit: only as many as running deliveries can fill. */
  full: readonly string[];
  /** The most recently due instead of the longest due. */
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

/** The earliest time after now at which something becomes due. */
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
