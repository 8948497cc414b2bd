/** CalendarEventNotification (jmap-calendars §7): changes by others in calendars that a user sees. @module */
import * as v from "valibot";
import { forGuests } from "../../groupware/reduced.ts";
import { parseCalendarInTurns } from "../../mail/calendar/object.ts";
import { Series } from "../../mail/calendar/series.ts";
import { eventFromSeries, type JsonObject } from "../../mail/jscalendar/from_ical.ts";
import { withBothNames } from "../../mail/jscalendar/versions.ts";
import type { EventChange } from "../../store/groupware/types.ts";
import { accountIdOf } from "../core/access.ts";
import type { Access } from "../core/method.ts";
import {
  conditionReader,
  createdEntries,
  isWithin,
  latestFirst,
} from "../core/notification_query.ts";
import { differencePatch } from "../core/patch.ts";
import { type Comparator, meets, readFilter } from "../core/query.ts";
import { id, utcDateOf } from "../core/types.ts";
import { groupwareView, idOf, shownCollections } from "../groupware/collections.ts";
import { objectId, type ObjectType, type StoredObject } from "../objects/store.ts";
import type { JmapServices } from "../services.ts";

/** Most notifications kept per user and account; the oldest are removed. */
const maxKept = 500;
/** Most characters of an event stored in a notification; of a larger event only small values are stored. */
const maxEvent = 16_000;
const maxValue = 1000;
/** Most accounts notified of one change. */
const maxReaders = 200;

export const eventNotificationProperties = [
  "id",
  "created",
  "changedBy",
  "comment",
  "type",
  "calendarEventId",
  "isDraft",
  "event",
  "eventPatch",
];

/** A stored notification. */
export interface EventNotification {
  created: string;
  changedBy: {
    name: string;
    email: string | null;
    principalId: string | null;
    calendarAddress: string | null;
  };
  comment: string | null;
  type: EventChange["kind"];
  calendarEventId: string;
  isDraft?: boolean;
  event: JsonObject;
  eventPatch?: JsonObject;
  /** The calendar; the user may no longer have rights on it. */
  calendarId: string;
}

/** Properties whose change alone isn't worth a notification. */
const unimportant = new Set(["updated", "sequence", "prodId"]);

/** Where a user's notifications about an account's calendars are stored. */
export function notificationsOf(access: Access): { account: string; type: ObjectType } {
  return {
    account: access.user.account,
    type: access.own ? "event" : `event/${access.account.name}`,
  };
}

async function eventOf(content: Uint8Array | undefined): Promise<JsonObject | undefined> {
  if (content === undefined) return undefined;
  try {
    return eventFromSeries(new Series(await parseCalendarInTurns(content)));
  } catch {
    // Unreadable: there is nothing to report.
    return undefined;
  }
}

/** An object reduced to its small values, if it is large as a whole. */
function small(object: JsonObject): JsonObject {
  if (JSON.stringify(object).length <= maxEvent) return object;
  return Object.fromEntries(
    Object.entries(object).filter(([k, x]) => k.length + JSON.stringify(x).length <= maxValue)
      .slice(0, maxEvent / maxValue),
  );
}

/** The notification of a change; undefined if there is nothing to report. */
async function notificationOf(
  s: Pick<JmapServices, "config">,
  change: EventChange,
): Promise<EventNotification | undefined> {
  const { by } = change;
  const eventId = idOf("calendars", "object", change.id);
  const [before, after] = [await eventOf(change.before), await eventOf(change.after)];
  if ((change.kind === "destroyed" ? before : after) === undefined) return undefined;
  const calendarId = idOf("calendars", "collection", change.collectionId);
  const placed = (event: JsonObject | undefined, calendar?: number): JsonObject | undefined =>
    event && {
      ...withBothNames(event),
      calendarIds: { [idOf("calendars", "collection", calendar ?? change.collectionId)]: true },
    };
  const was = placed(before, change.wasIn);
  const is = placed(after, change.collectionId);
  const patch = change.kind === "updated" ? differencePatch(was ?? {}, is!) : undefined;
  if (patch && Object.keys(patch).every((k) => unimportant.has(k))) return undefined;
  const address = by.address !== ""
    ? by.address
    : by.account !== undefined
    ? s.config.accountAddresses(by.account)[0] ?? ""
    : "";
  const name = by.name || s.config.account(by.account ?? "")?.FullName || address || by.account;
  const { isDraft, ...event } = (change.kind === "created" ? is : was ?? is)!;
  return {
    created: utcDateOf(Date.now()),
    changedBy: {
      name: (name ?? "").slice(0, 255),
      email: address === "" ? null : address.slice(0, 1000),
      principalId: by.account === undefined ? null : accountIdOf(by.account),
      calendarAddress: address === "" ? null : `mailto:${address}`.slice(0, 1000),
    },
    comment: change.comment === "" ? null : change.comment,
    type: change.kind,
    calendarEventId: eventId,
    ...change.kind === "destroyed" ? {} : { isDraft: (after?.isDraft ?? isDraft) === true },
    event: small({ id: eventId, ...event }),
    ...patch ? { eventPatch: small(patch) } : {},
    calendarId,
  };
}

/**
 * Whether others than the owner of the calendar are told: not if the event is private before or after the change, as a
 * notification has all of it (jmap-calendars §7).
 */
function isForOthers(change: EventChange): boolean {
  return [change.before, change.after].every((content) =>
    content === undefined || forGuests(content).privacy === "public"
  );
}

/** Notifies everybody who sees the calendar, except the author of the change. On disk when it resolves. */
export async function noteEventChange(
  s: Pick<JmapServices, "config" | "objects">,
  owner: string,
  change: EventChange,
): Promise<void> {
  const { by } = change;
  const eventId = idOf("calendars", "object", change.id);
  const typeFor = (account: string): ObjectType => account === owner ? "event" : `event/${owner}`;
  // jmap-calendars §7.1: a user who changes an event has seen its earlier notifications.
  if (by.account !== undefined) {
    const type = typeFor(by.account);
    const seen = s.objects.find(by.account, type, "calendarEventId", eventId);
    for (const n of seen) await s.objects.remove(by.account, type, n);
  }
  const told = new Set([owner, ...change.readers].slice(0, maxReaders));
  if (by.account !== undefined) told.delete(by.account);
  if (told.size === 0) return;
  const forOthers = isForOthers(change);
  if (!forOthers && !told.has(owner)) return;
  const value = await notificationOf(s, change);
  if (value === undefined) return;
  for (const account of told) {
    // For accounts on another node nothing is stored here.
    if (account !== owner && !forOthers || !s.config.isHere(account)) continue;
    await s.objects.add(account, typeFor(account), value, maxKept);
  }
}

/** Notifications about calendars that the user still sees. */
export async function eventNotifications(
  s: Pick<JmapServices, "objects">,
  access: Access,
): Promise<StoredObject<EventNotification>[]> {
  const { account, type } = notificationsOf(access);
  const all = s.objects.list<EventNotification>(account, type);
  if (access.own || all.length === 0) return all;
  const view = await groupwareView(access, "calendars");
  const shown = new Set(shownCollections(view).map((c) => idOf("calendars", "collection", c.id)));
  return all.filter((n) => shown.has(n.value.calendarId));
}

/** The form for clients. */
export function shownNotification(
  { id, value: { calendarId: _, ...value } }: StoredObject<EventNotification>,
): Record<string, unknown> {
  return { id: objectId("event", id), ...value };
}

const readCondition = conditionReader(v.strictObject({
  ...createdEntries,
  type: v.optional(v.nullable(v.picklist(["created", "updated", "destroyed"]))),
  calendarEventIds: v.optional(v.nullable(v.array(id))),
}));

/** Ids of those that match a filter, in order. @throws MethodError */
export function queryEventNotifications(
  all: readonly StoredObject<EventNotification>[],
  q: { filter?: Record<string, unknown> | null; sort?: Comparator[] | null },
): string[] {
  const filter = readFilter(q.filter, readCondition);
  const isReversed = latestFirst(q.sort);
  // Their numbers are in order of creation.
  const found = all.filter(({ value }) =>
    meets(filter, (c) =>
      isWithin(value.created, c) &&
      (!c.type || c.type === value.type) &&
      (!c.calendarEventIds || c.calendarEventIds.includes(value.calendarEventId)))
  ).map((x) => objectId("event", x.id));
  return isReversed ? found.reverse() : found;
}
