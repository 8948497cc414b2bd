/** Creating, changing and removing events (jmap-calendars §5.8), and notifying participants. @module */
import {
  byGuest,
  byOwner,
  dropEvent,
  moveEvent,
  putEvent,
  removeEvent,
  writeEvent,
} from "../../groupware/event_writes.ts";
import { newTag } from "../../groupware/incoming.ts";
import {
  calendarObjectInTurns,
  maxObjectSize,
  storedSeriesInTurns,
} from "../../groupware/objects.ts";
import { SchedulingError } from "../../groupware/scheduling.ts";
import { ObjectError } from "../../mail/calendar/object.ts";
import type { Series } from "../../mail/calendar/series.ts";
import { writeComponent } from "../../mail/contentline/component.ts";
import { eventFromSeries, type JsonObject, overrideOf } from "../../mail/jscalendar/from_ical.ts";
import { eventProblems } from "../../mail/jscalendar/schema.ts";
import { EventError } from "../../mail/jscalendar/event_error.ts";
import { calendarOf, patched, refuseTooMany } from "../../mail/jscalendar/to_ical.ts";
import {
  inOneForm,
  namesOfClient,
  VersionError,
  withBothNames,
  withoutTaken,
} from "../../mail/jscalendar/versions.ts";
import { giveWay } from "../../platform/turns.ts";
import { type Collection, type Condition, GroupwareError } from "../../store/groupware/types.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import type { MethodContext } from "../core/method.ts";
import { applyPatch, sameJson } from "../core/patch.ts";
import { notFound, resolveId } from "../core/set.ts";
import { utcDateOf } from "../core/types.ts";
import { collectionZone } from "../groupware/collection_object.ts";
import { collectionOfId, idOf, requireWrite, type View } from "../groupware/collections.ts";
import {
  changesForOthers,
  checkOverrides,
  checkReachable,
  withAttachments,
} from "./event_rules.ts";
import { eventOfId, hasDate, serverProperties } from "./events.ts";
import { defaultAddress } from "./participant_identities.ts";
import { withUtcTimes } from "./utc_times.ts";

/** Properties that clients can't set. */
const fixedProperties = serverProperties.filter((p) => p !== "utcStart" && p !== "utcEnd");
/** How often a change is restarted because another one came in between. */
const attempts = 10;

/** The one calendar of an event. @throws SetError invalidProperties, forbidden */
function calendarIn(ctx: MethodContext, view: View, value: unknown): Collection {
  const wrong = (why: string) => invalidProperties(["calendarIds"], why);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong("the calendar is missing");
  }
  const ids = Object.entries(value);
  if (ids.length !== 1 || ids[0][1] !== true) throw wrong("an event is in one calendar");
  const id = resolveId(ctx, ids[0][0]);
  const c = id === undefined ? undefined : collectionOfId(view, id);
  if (c === undefined) throw wrong("there is no such calendar");
  requireWrite(view, c);
  return c;
}

/** The SetError for a refusal by the store, the format or scheduling. */
function refused(view: View, err: unknown, given: JsonObject, uid = ""): never {
  if (err instanceof EventError) {
    throw invalidProperties(namesOfClient(err.names, given), err.message);
  }
  if (err instanceof ObjectError) throw new SetError("invalidProperties", err.message);
  const exists = () => {
    const there = view.g.eventsByUid(uid)[0];
    return new SetError(
      "alreadyExists",
      "there is an event with this uid",
      there === undefined ? {} : { existingId: idOf("calendars", "object", there.id) },
    );
  };
  if (err instanceof SchedulingError) {
    if (err.rule === "unique-scheduling-object-resource") throw exists();
    throw invalidProperties(["participants"], err.message);
  }
  if (!(err instanceof GroupwareError)) throw err;
  switch (err.kind) {
    case "uidConflict":
      throw exists();
    case "uidChanged":
      throw invalidProperties(["uid"], err.message);
    case "full":
      throw new SetError("overQuota", err.message);
    case "missing":
      throw notFound();
    case "private":
      throw new SetError("forbidden", err.message);
    default:
      throw err;
  }
}

/** @param given the client's input, whose names are used in problem reports */
function check(event: JsonObject, given: JsonObject): void {
  const problems = eventProblems(event);
  if (problems.length === 0) return;
  const names = namesOfClient(problems.map((p) => p.name), given);
  throw invalidProperties(
    names,
    problems.map((p, i) => `${names[i]}: ${p.problem}`).join("; ").slice(0, 1000),
  );
}

/** The client's input, which may use the names of either version. @throws SetError invalidProperties */
function inOwnNames(before: JsonObject, event: JsonObject): JsonObject {
  try {
    refuseTooMany(before, event);
    return inOneForm(before, event);
  } catch (err) {
    if (err instanceof VersionError || err instanceof EventError) {
      throw invalidProperties(err.names, err.message);
    }
    throw err;
  }
}

const isMine = (ctx: MethodContext, account: string, uri: unknown): boolean => {
  const address = typeof uri === "string" ? uri.replace(/^mailto:/i, "") : "";
  const at = address.lastIndexOf("@");
  return at > 0 &&
    ctx.s.config.mayUseFrom(account, address.slice(0, at), address.slice(at + 1)) === "yes";
};

/** Makes the user the organizer if others are invited and there is no organizer. */
function withOrganizer(ctx: MethodContext, view: View, event: JsonObject): JsonObject {
  const people = event.participants as Record<string, JsonObject> | undefined;
  if (people === undefined || Object.keys(people).length === 0 || event.replyTo !== undefined) {
    return event;
  }
  const imip = defaultAddress(ctx.s, view.access.account.name);
  return imip === undefined ? event : { ...event, replyTo: { imip } };
}

/** Whether the account is where an event comes from: nobody else is its organizer. */
function isOrigin(ctx: MethodContext, view: View, event: JsonObject): boolean {
  const organizer = (event.replyTo as JsonObject | undefined)?.imip;
  return organizer === undefined || isMine(ctx, view.access.account.name, organizer);
}

/** jmap-calendars §5.8: what is in somebody else's calendar is hidden from nobody who sees that. */
function checkPrivacy(view: View, privacy: unknown): void {
  if (view.access.own || privacy === undefined || privacy === null || privacy === "public") return;
  throw invalidProperties(["privacy"], "in a calendar of somebody else events are public");
}

const author = ({ access }: View) =>
  access.own ? byOwner(access.user.account) : byGuest(access.user.account);

/** Stores an event, and notifies its participants on request. On disk when it resolves. */
async function store(
  ctx: MethodContext,
  view: View,
  collection: Collection,
  name: string,
  event: JsonObject,
  o: { before?: Series; condition: Condition; tells: boolean; scheduleTag?: string },
) {
  const calendar = calendarOf(event, Date.now(), o.before);
  const content = new TextEncoder().encode(writeComponent(calendar));
  if (content.length > maxObjectSize) {
    throw new SetError("tooLarge", `an event has at most ${maxObjectSize} bytes`);
  }
  const object = await calendarObjectInTurns(name, content);
  const account = view.access.account.name;
  // Nobody sends mail in somebody else's name: a user with only write rights doesn't invite. Drafts notify
  // nobody.
  if (o.tells && event.isDraft !== true && view.access.own) {
    const place = { scheduler: ctx.s.scheduler, account, g: view.g, collection };
    return await writeEvent(place, object, o.condition);
  }
  const scheduleTag = event.replyTo === undefined ? "" : o.scheduleTag || newTag();
  const stored = { ...object, scheduleTag };
  const done = await putEvent(view.g, collection, stored, o.condition, author(view));
  return { ...done, changed: false, series: object.series };
}

/** Creates an event; returns the properties that the client doesn't know. @throws SetError */
export async function createEvent(
  ctx: MethodContext,
  view: View,
  object: JsonObject,
  tells: boolean,
): Promise<JsonObject> {
  const { calendarIds, isDraft, utcStart, utcEnd, ...written } = object;
  const given = inOwnNames({}, written);
  const fixed = fixedProperties.filter((p) => p in given);
  if (fixed.length > 0) throw invalidProperties(fixed, "the server sets these");
  if (isDraft !== undefined && typeof isDraft !== "boolean") {
    throw invalidProperties(["isDraft"], "isDraft is true or false");
  }
  const c = calendarIn(ctx, view, calendarIds);
  if (c.components.length > 0 && !c.components.includes("VEVENT")) {
    throw invalidProperties(["calendarIds"], "this calendar takes no events");
  }
  checkPrivacy(view, given.privacy);
  const zone = collectionZone(view, c);
  const whole = Object.fromEntries(Object.entries(given).filter(([, x]) => x !== null));
  const sent = await withAttachments(
    ctx,
    view,
    withUtcTimes(whole, { utcStart, utcEnd }, Object.keys(given), zone),
  );
  const now = utcDateOf(Date.now());
  const preset: JsonObject = { "@type": "Event", uid: crypto.randomUUID(), created: now };
  check(sent, written);
  checkOverrides(sent);
  // Of many in a request each takes some milliseconds.
  await giveWay();
  const event = withOrganizer(ctx, view, {
    ...preset,
    ...sent,
    ...isDraft === true ? { isDraft } : {},
  });
  const origin = isOrigin(ctx, view, event);
  if (origin) {
    event.updated = now;
    // Both in UTC, and in the same form.
    if (String(event.created) > now) event.created = now;
  }
  if (tells && isDraft !== true && view.access.own) {
    checkReachable(event, (uri) => isMine(ctx, view.access.account.name, uri));
  }
  const uid = event.uid as string;
  try {
    if (view.g.eventsByUid(uid).length > 0) throw new GroupwareError("uidConflict", "it is there");
    const { row } = await store(ctx, view, c, `${crypto.randomUUID()}.ics`, event, {
      condition: { ifNoneMatch: "*" },
      tells,
    });
    const told: JsonObject = Object.fromEntries(
      Object.entries(
        withBothNames({ ...preset, ...event.replyTo ? { replyTo: event.replyTo } : {} }),
      )
        .filter(([k]) => k !== "@type" && !(k in sent) && !(k in written)),
    );
    for (const k of ["start", "duration", "timeZone"]) {
      if (sent[k] !== undefined && !(k in given)) told[k] = sent[k];
    }
    for (const k of ["updated", "created", "links"]) {
      if (event[k] !== undefined && !sameJson(event[k], written[k])) told[k] = event[k];
    }
    return {
      id: idOf("calendars", "object", row.id),
      ...told,
      baseEventId: null,
      ...isDraft === undefined ? { isDraft: false } : {},
      isOrigin: origin,
    };
  } catch (err) {
    return refused(view, err, written, uid);
  }
}

/** The event with one of its dates changed. */
function withDate(master: JsonObject, recurrenceId: string, instance: JsonObject): JsonObject {
  const overrides = { ...master.recurrenceOverrides as JsonObject };
  overrides[recurrenceId] = instance.excluded === true
    ? { excluded: true }
    : overrideOf(master, instance, recurrenceId);
  if (Object.keys(overrides[recurrenceId] as JsonObject).length === 0) {
    // Like all other dates.
    delete overrides[recurrenceId];
  }
  const { recurrenceOverrides: _o, ...rest } = master;
  return Object.keys(overrides).length === 0 ? rest : { ...rest, recurrenceOverrides: overrides };
}

/** Changes an event, or one of its dates; null if the result is exactly as requested. @throws SetError */
export async function updateEvent(
  ctx: MethodContext,
  view: View,
  id: string,
  patch: JsonObject,
  tells: boolean,
): Promise<JsonObject | null> {
  for (let i = 0;; i++) {
    const found = eventOfId(view, id);
    if (found === undefined) throw notFound();
    const { row, collection, recurrenceId } = found;
    requireWrite(view, collection);
    const series = await storedSeriesInTurns(view.g, row);
    const read = eventFromSeries(series);
    if (read === undefined) throw notFound();
    const { isDraft: draft, ...master } = read;
    const wasDraft = draft === true;
    if (recurrenceId !== undefined && (!row.recurring || !hasDate(series, master, recurrenceId))) {
      throw notFound();
    }
    const override = (master.recurrenceOverrides as Record<string, JsonObject> | undefined)
      ?.[recurrenceId ?? ""];
    const shownEvent = recurrenceId === undefined
      ? master
      : patched(master, recurrenceId, override ?? {});
    const calendarIds = { [idOf("calendars", "collection", collection.id)]: true };
    const shown = withBothNames({ ...shownEvent, calendarIds, isDraft: wasDraft });
    const fixed = Object.keys(patch).filter((k) => fixedProperties.includes(k.split("/")[0]));
    if (fixed.length > 0) throw invalidProperties(fixed, "the server sets these");
    const { utcStart, utcEnd, ...given } = patch;
    const changed = withoutTaken(applyPatch(shown, given), given);
    const { calendarIds: ids, isDraft, ...rest } = inOwnNames(shown, changed);
    // jmap-calendars §5.1: once participants were notified, an event can't become a draft again.
    if (typeof isDraft !== "boolean" || isDraft && !wasDraft) {
      throw invalidProperties(["isDraft"], "an event is a draft from its beginning, or never");
    }
    if (recurrenceId !== undefined && isDraft !== wasDraft) {
      throw invalidProperties(["isDraft"], "all dates of an event are drafts, or none");
    }
    const sent = await withAttachments(
      ctx,
      view,
      withUtcTimes(
        Object.fromEntries(Object.entries(rest).filter(([, x]) => x !== null)),
        { utcStart, utcEnd },
        Object.keys(given),
        collectionZone(view, collection),
      ),
    );
    if (!sameJson(sent.privacy, master.privacy)) checkPrivacy(view, sent.privacy);
    if (sent.uid !== master.uid) throw invalidProperties(["uid"], "the uid of an event stays");
    const target = sameJson(ids, calendarIds) ? collection : calendarIn(ctx, view, ids);
    if (recurrenceId !== undefined && target.id !== collection.id) {
      throw invalidProperties(["calendarIds"], "one date can't leave its event");
    }
    check(sent, given);
    checkOverrides(sent);
    const next = recurrenceId === undefined ? sent : withDate(master, recurrenceId, sent);
    const differs = isDraft !== wasDraft || !sameJson(next, master);
    if (!differs && target.id === collection.id) return null;
    const told: JsonObject = {};
    const event = withOrganizer(ctx, view, { ...next, ...isDraft ? { isDraft } : {} });
    const origin = isOrigin(ctx, view, event);
    // An invitation has the times and numbers of its organizer, by which later ones are told from earlier ones.
    if (differs && origin) event.updated = utcDateOf(Date.now());
    const sequence = Number(master.sequence ?? 0);
    if (origin && changesForOthers(master, next) && Number(event.sequence ?? 0) <= sequence) {
      event.sequence = sequence + 1;
    }
    if (tells && !isDraft && differs && view.access.own) {
      checkReachable(event, (uri) => isMine(ctx, view.access.account.name, uri));
    }
    if (recurrenceId === undefined) {
      const utcNames = utcStart === undefined && utcEnd === undefined
        ? []
        : ["start", "duration", "timeZone"];
      for (const k of utcNames) if (!sameJson(event[k], master[k])) told[k] = event[k];
      for (const k of ["updated", "sequence", "replyTo"]) {
        if (!sameJson(event[k], next[k])) told[k] = event[k];
      }
      if (!sameJson(sent.links, rest.links)) told.links = sent.links;
      const organizer = (told.replyTo as JsonObject | undefined)?.imip;
      if (organizer !== undefined) told.organizerCalendarAddress = organizer;
    }
    try {
      let etag = row.etag;
      if (target.id !== collection.id) {
        const free = view.g.object(target.id, row.name) === undefined;
        const name = free ? row.name : `${crypto.randomUUID()}.ics`;
        const to = { collectionId: target.id, name, overwrite: false };
        const moved = await moveEvent(view.g, row, to, author(view));
        etag = moved.row.etag;
      }
      if (differs) {
        const name = view.g.objectById(row.id)?.name ?? row.name;
        await store(ctx, view, target, name, event, {
          before: series,
          condition: { ifMatch: [etag] },
          tells,
          scheduleTag: row.scheduleTag,
        });
      }
      return Object.keys(told).length === 0 ? null : told;
    } catch (err) {
      const raced = err instanceof GroupwareError && err.kind === "condition";
      if (!raced || i >= attempts) return refused(view, err, patch, row.uid);
    }
  }
}

/** Removes an event, or one of its dates. @throws SetError */
export async function destroyEvent(
  ctx: MethodContext,
  view: View,
  id: string,
  tells: boolean,
): Promise<void> {
  const found = eventOfId(view, id);
  if (found === undefined) throw notFound();
  const { row, collection, recurrenceId } = found;
  requireWrite(view, collection);
  if (recurrenceId !== undefined) {
    await updateEvent(ctx, view, id, { excluded: true }, tells);
    return;
  }
  try {
    if (tells && view.access.own) {
      const account = view.access.account.name;
      const place = { scheduler: ctx.s.scheduler, account, g: view.g, collection };
      await removeEvent(place, row.name);
    } else await dropEvent(view.g, collection, row.name, {}, author(view));
  } catch (err) {
    refused(view, err, {});
  }
}
