/**
 * Writes of users to events, with the messages that follow from them: one write of an account after the other,
 * so that two programs that save the same event at the same time don't invite its participants twice, and a
 * write that the store refuses notifies nobody.
 *
 * @module
 */
import type { Groupware } from "../store/groupware/groupware.ts";
import {
  type Collection,
  type Condition,
  GroupwareError,
  type NewObject,
  type ObjectRow,
} from "../store/groupware/types.ts";
import type { Series } from "../mail/calendar/series.ts";
import { organizerOf } from "../mail/calendar/itip.ts";
import { type CalendarObject, seriesIndex, storedSeriesInTurns } from "./objects.ts";
import { type Author, noting } from "./event_notes.ts";
import type { Scheduler } from "./scheduling.ts";

/** The owner of a calendar as the author of a change. */
export const byOwner = (account: string): Author => ({
  account,
  owner: true,
  address: "",
  name: "",
});

/** A user with write access, as the author of a change. */
export const byGuest = (account: string): Author => ({ ...byOwner(account), owner: false });

/** The last write of an account with notifications. */
const last = new WeakMap<Groupware, Promise<void>>();

/** Runs writes with notifications one after the other. */
async function afterOthers<T>(groupware: Groupware, fn: () => Promise<T>): Promise<T> {
  const before = last.get(groupware);
  const { promise, resolve } = Promise.withResolvers<void>();
  last.set(groupware, promise);
  try {
    await before;
    return await fn();
  } finally {
    resolve();
    if (last.get(groupware) === promise) last.delete(groupware);
  }
}

/** How often a write is restarted because another one came in between. */
const attempts = 5;

/** Where an event is written, and for whom. */
export interface EventPlace {
  scheduler: Scheduler;
  /** Owner of the calendar, in whose name participants are notified. */
  account: string;
  g: Groupware;
  collection: Collection;
}

export interface WrittenEvent {
  row: ObjectRow;
  created: boolean;
  /** The stored event differs from the given one: statuses of participants were added. */
  changed: boolean;
  series: Series;
}

const hasPeople = (series: Series) => organizerOf(series.calendar) !== undefined;

/** Whether a stored object may concern others; imported ones have no tag. */
async function concernsOthers(groupware: Groupware, row: ObjectRow): Promise<boolean> {
  if (row.scheduleTag !== "") return true;
  try {
    return hasPeople(await storedSeriesInTurns(groupware, row));
  } catch {
    return false;
  }
}

/**
 * Stores an event of a calendar and notifies its participants; on disk when it resolves.
 * @throws GroupwareError, SchedulingError: then nobody was notified
 */
export async function writeEvent(
  place: EventPlace,
  object: CalendarObject,
  condition: Condition = {},
): Promise<WrittenEvent> {
  const { g, collection } = place;
  const { name, series } = object;
  const check = () => g.checkPut(collection.id, name, object.index.uid, condition);
  /** Requires that the existing object has not changed since it was read. */
  const asBefore = (before: ObjectRow | undefined): Condition =>
    before === undefined ? { ifNoneMatch: "*" } : { ifMatch: [before.etag] };
  for (let i = 0;; i++) {
    const before = check();
    try {
      if (!hasPeople(series) && !(before && await concernsOthers(g, before))) {
        // Concerns nobody else: such writes share their transactions.
        const told = noting(g, byOwner(place.account), before);
        const done = await g.put(collection.id, { ...object, scheduleTag: "" }, asBefore(before));
        await told(done.row);
        return { ...done, changed: false, series };
      }
      return await afterOthers(g, async () => {
        const now = check();
        const told = noting(g, byOwner(place.account), now);
        const s = await place.scheduler.write({
          account: place.account,
          g,
          collection,
          before: now,
          after: { content: object.content, series },
          reply: true,
        });
        const stored = {
          name,
          content: s.content,
          index: s.changed ? seriesIndex(s.series) : object.index,
          scheduleTag: s.scheduleTag,
        };
        const done = await g.put(collection.id, stored, asBefore(now)).catch((err) => {
          // An answer arrived by mail meanwhile: participants already know of the event, and the user's write
          // is the last.
          const raced = err instanceof GroupwareError && err.kind === "condition";
          if (!raced || condition.ifMatch !== undefined) throw err;
          return g.put(collection.id, stored, condition);
        });
        await told(done.row);
        return { ...done, changed: s.changed, series: s.series };
      });
    } catch (err) {
      const raced = err instanceof GroupwareError && err.kind === "condition";
      if (!raced || i >= attempts) throw err;
      // If the caller's own condition fails now, that is the result.
    }
  }
}

/**
 * Removes an object of a calendar, and notifies its participants.
 * @param reply whether the organizer is notified that the invitation is declined
 * @throws GroupwareError: then nobody was notified
 */
export async function removeEvent(
  place: EventPlace,
  name: string,
  o: { condition?: Condition; reply?: boolean } = {},
): Promise<void> {
  const { g, collection } = place;
  const condition = o.condition ?? {};
  const row = g.checkRemove(collection.id, name, condition);
  if (!await concernsOthers(g, row)) {
    const told = noting(g, byOwner(place.account), row);
    await g.remove(collection.id, name, condition);
    await told(undefined);
    return;
  }
  await afterOthers(g, async () => {
    const before = g.checkRemove(collection.id, name, condition);
    const told = noting(g, byOwner(place.account), before);
    await place.scheduler.remove({
      account: place.account,
      g,
      collection,
      before,
      after: undefined,
      reply: o.reply ?? true,
    });
    await g.remove(collection.id, name, condition);
    await told(undefined);
  });
}

/**
 * Stores an event without notifying its participants: for drafts, and for writes of users other than the owner,
 * as nobody sends mail in somebody else's name. On disk when it resolves.
 * @throws GroupwareError
 */
export async function putEvent(
  g: Groupware,
  collection: Collection,
  object: NewObject,
  condition: Condition,
  by: Author,
): Promise<{ row: ObjectRow; created: boolean }> {
  const told = noting(g, by, g.object(collection.id, object.name));
  const done = await g.put(collection.id, object, condition);
  await told(done.row);
  return done;
}

/** Removes an event without notifying its participants. @throws GroupwareError */
export async function dropEvent(
  g: Groupware,
  collection: Collection,
  name: string,
  condition: Condition,
  by: Author,
): Promise<void> {
  const told = noting(g, by, g.object(collection.id, name));
  await g.remove(collection.id, name, condition);
  await told(undefined);
}

/** Moves an event to another calendar of its owner. @throws GroupwareError */
export async function moveEvent(
  g: Groupware,
  from: ObjectRow,
  to: { collectionId: number; name: string; overwrite: boolean },
  by: Author,
): Promise<{ row: ObjectRow; created: boolean }> {
  const told = noting(g, by, from);
  const done = await g.move(from, to.collectionId, to.name, { overwrite: to.overwrite });
  await told(done.row);
  return done;
}
