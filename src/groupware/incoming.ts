/**
 * iTIP messages that arrive for an account, from this server or by mail (RFC 6638 §4, RFC 6047): applies them
 * to its calendars, and notes them in its inbox.
 *
 * @module
 */
import { createHash, randomUUID } from "node:crypto";
import {
  addressOf,
  attendeesOf,
  organizerOf,
  partsOf,
  readMessage,
  withAnswer,
  withCancellation,
  withInvitation,
  withReply,
} from "../mail/calendar/itip.ts";
import { ObjectError, parseCalendar } from "../mail/calendar/object.ts";
import type { Series } from "../mail/calendar/series.ts";
import {
  type Component,
  FormatError,
  param,
  unescapeText,
  writeComponent,
} from "../mail/contentline/component.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import { GroupwareError, type ObjectRow } from "../store/groupware/types.ts";
import { calendarObject, seriesIndex, storedSeries } from "./objects.ts";
import { defaultCalendar } from "./default_calendar.ts";
import type { Author } from "./event_notes.ts";
import { byOwner, putEvent } from "./event_writes.ts";

/** Most messages kept in the inbox; the oldest are removed. */
const maxInbox = 500;
/** Most characters of a comment that are kept. */
const maxComment = 2000;
/** How often a change is retried because another one came first. */
const attempts = 5;

/** Recipient and sender of a message. */
export interface Arrival {
  g: Groupware;
  /** Whether an address is the account's. */
  mine: (address: string) => boolean;
  /** The verified sender, lower case; undefined if unknown. */
  from: string | undefined;
  /** What the message's part says its method is, if it came by mail. */
  method?: string;
  /** The local account of an address, if any. */
  accountOf?: (address: string) => string | undefined;
}

/** A new tag for an event that others changed. */
export const newTag = () => randomUUID().replaceAll("-", "").slice(0, 20);

/** The object of an event in the account's calendars. */
function stored(groupware: Groupware, uid: string): { row: ObjectRow; series: Series } | undefined {
  const row = groupware.eventsByUid(uid)[0];
  if (row === undefined) return undefined;
  try {
    return { row, series: storedSeries(groupware, row) };
  } catch {
    return undefined;
  }
}

/** The existing object after a message; undefined for no change. @param by who must have sent it */
function outcome(
  arrival: Arrival,
  method: string,
  message: Series,
  there: Series | undefined,
): { calendar: Component; keepTag: boolean } | undefined {
  const known = there && organizerOf(there.calendar);
  // RFC 5546 §3.2.3 requires it in answers too; Exchange's have none.
  const organizer = organizerOf(message.calendar) ?? (method === "REPLY" ? known : undefined);
  if (organizer === undefined) return undefined;
  const by = addressOf(organizer);
  const right = there === undefined || known !== undefined && addressOf(known) === by;
  if (!right) return undefined;
  const people = attendeesOf(message.calendar);
  switch (method) {
    case "REQUEST": {
      if (arrival.mine(by) || ![...people.keys()].some(arrival.mine)) return undefined;
      // A new invitation changes nothing existing; an update must come from the organizer.
      if (there !== undefined && arrival.from !== by) return undefined;
      const calendar = withInvitation(there, message);
      return calendar && { calendar, keepTag: false };
    }
    case "CANCEL": {
      if (there === undefined || arrival.mine(by) || arrival.from !== by) return undefined;
      const calendar = withCancellation(there, message);
      return calendar && { calendar, keepTag: false };
    }
    case "REPLY": {
      if (there === undefined || !arrival.mine(by) || arrival.from === undefined) return undefined;
      const calendar = withReply(there, message, arrival.from);
      // RFC 6638 §3.2.10: an answer isn't a change that the organizer's clients must examine.
      return calendar && { calendar, keepTag: true };
    }
    default:
      return undefined;
  }
}

function objectName(uid: string): string {
  return /^[\w.@-]{1,100}$/.test(uid)
    ? `${uid}.ics`
    : `${createHash("sha256").update(uid).digest("hex").slice(0, 32)}.ics`;
}

/** The author of a message, as far as known. */
function authorOf(arrival: Arrival, method: string, message: Series): Author {
  const p = method === "REPLY"
    ? attendeesOf(message.calendar).get(arrival.from ?? "")
    : organizerOf(message.calendar);
  const address = p ? addressOf(p) : arrival.from ?? "";
  const said = partsOf(message.calendar)[0]?.properties.find((x) => x.name === "COMMENT");
  return {
    account: arrival.accountOf?.(address),
    owner: false,
    address,
    name: p && param(p, "CN") || address,
    comment: said ? unescapeText(said.value).slice(0, maxComment) : "",
  };
}

/** Applies a message to a calendar; false if it changes nothing. On disk when it resolves. */
async function apply(arrival: Arrival, method: string, message: Series): Promise<boolean> {
  const { g } = arrival;
  for (let i = 0; i < attempts; i++) {
    const there = stored(g, message.uid);
    const made = outcome(arrival, method, message, there?.series);
    if (made === undefined) return false;
    const collection = there ? g.collectionById(there.row.collectionId) : defaultCalendar(g);
    if (collection === undefined) return false;
    const content = new TextEncoder().encode(writeComponent(made.calendar));
    const name = there?.row.name ?? objectName(message.uid);
    const object = calendarObject(name, content);
    const scheduleTag = made.keepTag && there?.row.scheduleTag ? there.row.scheduleTag : newTag();
    try {
      await putEvent(
        g,
        collection,
        { ...object, scheduleTag },
        there ? { ifMatch: [there.row.etag] } : { ifNoneMatch: "*" },
        authorOf(arrival, method, message),
      );
      return true;
    } catch (err) {
      if (!(err instanceof GroupwareError && err.kind === "condition")) throw err;
    }
  }
  return false;
}

/** Notes a message in the inbox, for programs that read it. */
async function note(groupware: Groupware, message: Series, content: Uint8Array): Promise<void> {
  const inbox = groupware.collection("calendars", "inbox");
  if (inbox === undefined) return;
  const name = `${randomUUID()}.ics`;
  // Several messages may concern one event: the inbox isn't indexed by UID.
  const index = { ...seriesIndex(message), uid: `${message.uid} ${name}` };
  await groupware.put(inbox.id, { name, content, index });
  const rows = groupware.objects(inbox.id);
  const old = rows.sort((x, y) => x.createseq - y.createseq)
    .slice(0, Math.max(0, rows.length - maxInbox));
  for (const row of old) await groupware.remove(inbox.id, row.name).catch(() => {});
}

/**
 * Applies a message; its changes are on disk when it resolves.
 * @returns the method that was applied; undefined for no change
 */
export async function takeMessage(
  arrival: Arrival,
  content: Uint8Array | string,
): Promise<{ method: string; uid: string } | undefined> {
  let read;
  try {
    read = readMessage(parseCalendar(content));
    if (read === undefined) return undefined;
    // RFC 6047 §2.4: one that says two things says nothing.
    if ((arrival.method ?? read.method).trim().toUpperCase() !== read.method) return undefined;
    if (!await apply(arrival, read.method, read.series)) return undefined;
  } catch (err) {
    // Unreadable or invalid messages are ignored.
    if (err instanceof ObjectError || err instanceof FormatError) return undefined;
    throw err;
  }
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await note(arrival.g, read.series, bytes);
  return { method: read.method, uid: read.series.uid };
}

/**
 * Notes an answer of the account that was sent by mail: in the event in its calendar, created from the
 * invitation if missing. On disk when it resolves.
 * @param status such as "accepted"
 * @param account the account that answers
 */
export async function noteAnswer(
  arrival: Arrival,
  invitation: string,
  address: string,
  status: string,
  account: string,
): Promise<void> {
  await takeMessage(arrival, invitation);
  const uid = uidOf(invitation);
  for (let i = 0; uid !== undefined && i < attempts; i++) {
    const there = stored(arrival.g, uid);
    if (there === undefined) return;
    const calendar = withAnswer(there.series.calendar, address.toLowerCase(), status.toUpperCase());
    const content = new TextEncoder().encode(writeComponent(calendar));
    try {
      const object = calendarObject(there.row.name, content);
      const collection = arrival.g.collectionById(there.row.collectionId);
      if (collection === undefined) return;
      const condition = { ifMatch: [there.row.etag] };
      const stored = { ...object, scheduleTag: newTag() };
      await putEvent(arrival.g, collection, stored, condition, byOwner(account));
      return;
    } catch (err) {
      if (err instanceof ObjectError) return;
      if (!(err instanceof GroupwareError && err.kind === "condition")) throw err;
    }
  }
}

function uidOf(invitation: string): string | undefined {
  try {
    return readMessage(parseCalendar(invitation))?.series.uid;
  } catch (err) {
    if (err instanceof ObjectError || err instanceof FormatError) return undefined;
    throw err;
  }
}
