/** Events that the page creates, changes and removes; people are notified as for any client (RFC 6638). @module */
import {
  type CalendarObject,
  calendarObject,
  maxObjectSize,
  storedSeries,
} from "../../../groupware/objects.ts";
import {
  byGuest,
  byOwner,
  dropEvent,
  moveEvent,
  putEvent,
  removeEvent,
  writeEvent,
} from "../../../groupware/event_writes.ts";
import { type Scheduler, SchedulingError } from "../../../groupware/scheduling.ts";
import { changedEvent, FormError, newEvent } from "../../../mail/calendar/event_change.ts";
import {
  answeredDate,
  changedDate,
  changedFollowing,
  divided,
  withoutDate,
} from "../../../mail/calendar/event_dates.ts";
import { addressOf, attendeesOf, organizerOf, withAnswer } from "../../../mail/calendar/itip.ts";
import { ObjectError } from "../../../mail/calendar/object.ts";
import type { Series } from "../../../mail/calendar/series.ts";
import {
  type Component,
  FormatError,
  param,
  writeComponent,
} from "../../../mail/contentline/component.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import {
  type Collection,
  type Condition,
  GroupwareError,
  type ObjectRow,
} from "../../../store/groupware/types.ts";
import type { CallChecked, CallResponse } from "../../../../webmail/api/mod.ts";
import { HttpError, UserError } from "../../http/mod.ts";
import { missing } from "../errors.ts";
import { calendarOf, eventRow, zoneOf } from "./reading.ts";

export interface WriteContext {
  /** Whose calendars they are. */
  account: string;
  /** Who writes to them, if not their owner. */
  guest: string | undefined;
  g: Groupware;
  scheduler: Scheduler;
  mine: (address: string) => boolean;
  /** Who invites; the address is "" for an account without one. */
  me: { name: string; address: string };
}

/** An event that somebody has changed since it was read. */
const changedMeanwhile = () =>
  new HttpError(409, "the event has changed meanwhile: open it again to see what it is now");

/** What an error is for the person at the page. */
export function rethrowCalendar(err: unknown): never {
  if (
    err instanceof FormError || err instanceof ObjectError || err instanceof FormatError ||
    err instanceof SchedulingError
  ) throw new UserError(err.message, { cause: err });
  if (!(err instanceof GroupwareError)) throw err;
  if (err.kind === "condition") throw changedMeanwhile();
  if (err.kind === "missing") throw missing("event");
  throw new UserError(err.message, { cause: err });
}

/** The event's organizer, if not the user. */
export function foreignOrganizer(series: Series, mine: (a: string) => boolean) {
  const p = organizerOf(series.calendar);
  return p === undefined || addressOf(p) === "" || mine(addressOf(p)) ? undefined : p;
}

/** The user's address among the invitees. */
export function invitedAs(calendar: Component, mine: (a: string) => boolean): string | undefined {
  return [...attendeesOf(calendar).keys()].find(mine);
}

/** The event of a request, as it was when the page read it. @throws HttpError */
function unchanged(
  groupware: Groupware,
  o: { calendarId: number; name: string; etag: string },
): ObjectRow {
  const row = eventRow(groupware, o.calendarId, o.name);
  if (row.etag !== o.etag) throw changedMeanwhile();
  return row;
}

/** People whom the last write couldn't notify (RFC 6638 §3.2.9). */
function notInvited(series: Series): string[] {
  const found = new Set<string>();
  for (const c of series.calendar.components) {
    for (const p of c.properties) {
      if (p.name === "ATTENDEE" && /^[35]/.test(param(p, "SCHEDULE-STATUS") ?? "")) {
        found.add(addressOf(p));
      }
    }
  }
  return [...found];
}

/** A calendar that the user may change. @throws HttpError, UserError */
function writable({ g, guest }: WriteContext, id: number): Collection {
  const collection = calendarOf(g, id);
  if (guest === undefined) return collection;
  const rights = g.rightsOf(id, guest);
  if (rights === undefined) throw missing("calendar");
  if (rights !== "write") throw new UserError("you may read this calendar, and not change it");
  return collection;
}

/** An event of a calendar that the user may change. @throws HttpError, UserError */
function changeable(
  context: WriteContext,
  o: { calendarId: number; name: string; etag: string },
): ObjectRow {
  writable(context, o.calendarId);
  return unchanged(context.g, o);
}

/** Refuses a guest's change of what others are invited to: nobody tells people in another's name. @throws UserError */
function checkGuest({ guest, account, mine }: WriteContext, series: Series): void {
  const others = foreignOrganizer(series, mine) !== undefined ||
    [...attendeesOf(series.calendar).keys()].some((a) => !mine(a));
  if (guest === undefined || !others) return;
  throw new UserError(`others are invited to this event: only ${account} can change it`);
}

/** Writes an event, and notifies its people unless a guest writes. */
async function put(
  { scheduler, account, guest, g }: WriteContext,
  collection: Collection,
  object: CalendarObject,
  condition: Condition,
): Promise<{ row: ObjectRow; series: Series }> {
  if (guest === undefined) {
    return await writeEvent({ scheduler, account, g, collection }, object, condition);
  }
  const scheduleTag = g.object(collection.id, object.name)?.scheduleTag ?? "";
  const stored = { ...object, scheduleTag };
  const { row } = await putEvent(g, collection, stored, condition, byGuest(guest));
  return { row, series: object.series };
}

/** Removes an event, and notifies its people unless a guest removes it. */
async function drop(
  { scheduler, account, guest, g }: WriteContext,
  collection: Collection,
  name: string,
  condition: Condition,
): Promise<void> {
  if (guest !== undefined) return await dropEvent(g, collection, name, condition, byGuest(guest));
  await removeEvent({ scheduler, account, g, collection }, name, { condition });
}

/** Creates or changes an event. On disk when it resolves. */
export async function saveEvent(
  context: WriteContext,
  checked: CallChecked<"CalendarEventSave">,
): Promise<CallResponse<"CalendarEventSave">> {
  const { g, guest } = context;
  const zone = zoneOf(checked.zone);
  const collection = writable(context, checked.calendarId);
  let before = checked.old === null ? undefined : changeable(context, checked.old);
  const options = { zone, now: Date.now(), mine: context.mine, me: context.me };
  if (checked.event.people.some((a) => !context.mine(a)) && context.me.address === "") {
    throw new UserError(
      guest === undefined
        ? "your account has no address to invite from"
        : "nobody can be invited in the name of another account",
    );
  }
  let calendar: Component | undefined;
  if (before === undefined) {
    calendar = newEvent(crypto.randomUUID(), checked.event, options);
  } else {
    const series = storedSeries(g, before, zone);
    if (foreignOrganizer(series, context.mine) !== undefined) {
      throw new UserError("only its organizer can change this event");
    }
    checkGuest(context, series);
    if (checked.part?.following === true) {
      return await saveFollowing(context, checked, before, series, checked.part.date);
    }
    calendar = checked.part === null
      ? changedEvent(series, checked.event, options)
      : changedDate(series, checked.part.date, checked.event, options);
  }
  const content = calendar && bytesOf(calendar);
  const name = before?.name ?? `${crypto.randomUUID()}.ics`;
  // Checked before anything is done.
  const object = content && calendarObject(name, content, zone);
  if (before !== undefined && before.collectionId !== collection.id) {
    if (
      g.object(collection.id, before.name) !== undefined ||
      g.objectByUid(collection.id, before.uid) !== undefined
    ) throw new UserError("the other calendar has this event already");
    const to = { collectionId: collection.id, name: before.name, overwrite: false };
    await moveEvent(g, before, to, guest ? byGuest(guest) : byOwner(context.account));
    before = g.object(collection.id, before.name);
    if (before === undefined) throw missing("event");
  }
  if (content === undefined || object === undefined) {
    return { name: before!.name, etag: before!.etag, untold: [] };
  }
  const condition: Condition = before ? { ifMatch: [before.etag] } : { ifNoneMatch: "*" };
  const done = await put(context, collection, object, condition);
  return { name, etag: done.row.etag, untold: notInvited(done.series) };
}

/** A calendar of an event as bytes. @throws HttpError */
function bytesOf(calendar: Component): Uint8Array {
  const content = new TextEncoder().encode(writeComponent(calendar));
  if (content.length > maxObjectSize) {
    throw new HttpError(413, `an event has at most ${maxObjectSize} bytes`);
  }
  return content;
}

/**
 * Changes a date of a series and all that follow: they become an event of their own, and the series ends before them.
 * The new one is stored first, so that nothing is lost should the other write fail.
 */
async function saveFollowing(
  context: WriteContext,
  checked: CallChecked<"CalendarEventSave">,
  row: ObjectRow,
  series: Series,
  date: number,
): Promise<CallResponse<"CalendarEventSave">> {
  const { g } = context;
  const zone = zoneOf(checked.zone);
  const uid = crypto.randomUUID();
  const { mine, me } = context;
  const halves = changedFollowing(series, date, checked.event, {
    zone,
    now: Date.now(),
    mine,
    me,
    uid,
  });
  if (halves === undefined) return { name: row.name, etag: row.etag, untold: [] };
  const fresh = calendarObject(`${uid}.ics`, bytesOf(halves.rest), zone);
  const old = halves.before && calendarObject(row.name, bytesOf(halves.before), zone);
  const collection = calendarOf(g, checked.calendarId);
  const done = await put(context, collection, fresh, { ifNoneMatch: "*" });
  const from = calendarOf(g, row.collectionId);
  const condition = { ifMatch: [row.etag] };
  try {
    if (old === undefined) await drop(context, from, row.name, condition);
    else await put(context, from, old, condition);
  } catch (err) {
    await drop(context, collection, fresh.name, {});
    throw err;
  }
  return { name: fresh.name, etag: done.row.etag, untold: notInvited(done.series) };
}

/** Answers an invitation, or one date of it. On disk when it resolves. */
export async function answerEvent(
  context: WriteContext,
  checked: CallChecked<"CalendarEventAnswer">,
): Promise<void> {
  const { g, scheduler, account } = context;
  const before = unchanged(g, checked);
  const series = storedSeries(g, before);
  const me = invitedAs(series.calendar, context.mine);
  if (foreignOrganizer(series, context.mine) === undefined || me === undefined) {
    throw new UserError("this event invites none of your addresses");
  }
  const status = checked.answer.toUpperCase();
  const calendar = checked.date === null
    ? withAnswer(series.calendar, me, status)
    : answeredDate(series, checked.date, me, status);
  const place = { scheduler, account, g, collection: calendarOf(g, checked.calendarId) };
  await writeEvent(place, calendarObject(checked.name, bytesOf(calendar)), {
    ifMatch: [before.etag],
  });
}

/** Removes an event. On disk when it resolves. */
export async function deleteEvent(
  context: WriteContext,
  checked: CallChecked<"CalendarEventDelete">,
): Promise<void> {
  const { g } = context;
  const before = changeable(context, checked);
  const collection = calendarOf(g, checked.calendarId);
  if (context.guest !== undefined) checkGuest(context, storedSeries(g, before));
  const condition = { ifMatch: [before.etag] };
  if (checked.part !== null) {
    const series = storedSeries(g, before);
    if (foreignOrganizer(series, context.mine) !== undefined) {
      throw new UserError("only its organizer can change this event");
    }
    const { date, following } = checked.part;
    const left = following
      ? divided(series, date, series.uid, Date.now()).before
      : withoutDate(series, date, Date.now());
    if (left !== undefined) {
      await put(context, collection, calendarObject(checked.name, bytesOf(left)), condition);
      return;
    }
  }
  await drop(context, collection, checked.name, condition);
}
