/**
 * Invitations received by mail (iTIP, RFC 5546; iMIP, RFC 6047): reading and answering them. The format itself
 * (RFC 5545) is read and written by ical.js.
 *
 * @module
 */
import ICAL from "ical.js";
import { instant } from "./zone.ts";

/** Most characters of a calendar that are read, and most attendees. */
const maxText = 100_000;
const maxAttendees = 500;

/** An invitee or the organizer. */
export interface Person {
  name: string;
  address: string;
  /** The RFC 5545 name in lower case: "accepted", "declined", "tentative", "needs-action", … */
  status: string;
}

/** An event described in a message. */
export interface Invitation {
  /** Lower case: "request", "reply", "cancel", "publish", … */
  method: string;
  uid: string;
  sequence: number;
  summary: string;
  location: string;
  description: string;
  /** Milliseconds since the epoch; for a whole day, its start in UTC. */
  start: number;
  end: number;
  allDay: boolean;
  /** Whether it recurs. */
  recurring: boolean;
  cancelled: boolean;
  organizer: Person | undefined;
  attendees: Person[];
}

/** Possible answers to an invitation (RFC 5545 §3.2.12). */
export type Answer = "accepted" | "tentative" | "declined";

const plainAddress = (value: unknown) => String(value ?? "").replace(/^mailto:/i, "").trim();

function person(property: ICAL.Property): Person {
  return {
    name: String(property.getParameter("cn") ?? ""),
    address: plainAddress(property.getFirstValue()),
    status: String(property.getParameter("partstat") ?? "needs-action").toLowerCase(),
  };
}

/**
 * The valid content lines (RFC 5545 §3.1). Programs leave out values, and break texts without a space before
 * the continuation: one such line must not hide the whole invitation.
 */
function contentLines(text: string): string {
  return text.replaceAll(/\r?\n[ \t]/g, "").split(/\r?\n/)
    .filter((line) => /^[A-Za-z0-9-]+[;:]/.test(line) && line.includes(":")).join("\r\n");
}

function parsed(text: string): { calendar: ICAL.Component; event: ICAL.Component } | undefined {
  if (text.length > maxText) return undefined;
  try {
    const calendar = new ICAL.Component(ICAL.parse(contentLines(text)));
    const event = calendar.getFirstSubcomponent("vevent");
    return event === null ? undefined : { calendar, event };
  } catch {
    return undefined;
  }
}

/** Reads the event of a calendar; undefined if there is none, or it is invalid. */
export function readInvitation(text: string): Invitation | undefined {
  const found = parsed(text);
  if (found === undefined) return undefined;
  const { calendar, event } = found;
  try {
    const at = (name: string) => {
      const p = event.getFirstProperty(name);
      return p === null ? undefined : instant(calendar, p);
    };
    const start = at("dtstart");
    if (start === undefined) return undefined;
    const first = event.getFirstPropertyValue("dtstart");
    const allDay = first instanceof ICAL.Time && first.isDate;
    const ended = at("dtend");
    const duration = event.getFirstPropertyValue("duration");
    const end = ended !== undefined
      ? ended
      : duration instanceof ICAL.Duration
      ? start + duration.toSeconds() * 1000
      : start + (allDay ? 86_400_000 : 0);
    const words = (name: string, max: number) =>
      String(event.getFirstPropertyValue(name) ?? "").trim().slice(0, max);
    const organizer = event.getFirstProperty("organizer");
    return {
      method: String(calendar.getFirstPropertyValue("method") ?? "publish").toLowerCase(),
      uid: words("uid", 1000),
      sequence: Number(event.getFirstPropertyValue("sequence") ?? 0) || 0,
      summary: words("summary", 1000),
      location: words("location", 1000),
      description: words("description", 5000),
      start,
      end,
      allDay,
      recurring: event.getFirstProperty("rrule") !== null,
      cancelled: words("status", 20).toLowerCase() === "cancelled",
      organizer: organizer === null ? undefined : person(organizer),
      attendees: event.getAllProperties("attendee").slice(0, maxAttendees).map(person),
    };
  } catch {
    return undefined;
  }
}

/**
 * The answer of an invitee, as a calendar with METHOD:REPLY (RFC 5546 §3.2.3).
 * @returns undefined if it can't be answered
 */
export function answerInvitation(
  text: string,
  me: { name: string; address: string },
  answer: Answer,
  now = new Date(),
): string | undefined {
  const found = parsed(text);
  if (found === undefined) return undefined;
  const { event } = found;
  const reply = new ICAL.Component("vcalendar");
  reply.addPropertyWithValue("prodid", "-//mox//webmail//EN");
  reply.addPropertyWithValue("version", "2.0");
  reply.addPropertyWithValue("method", "REPLY");
  const answered = new ICAL.Component("vevent");
  // Only the properties that identify the event: RFC 5546 §3.2.3 requires these.
  for (
    const name of ["uid", "recurrence-id", "sequence", "organizer", "dtstart", "dtend", "summary"]
  ) {
    const p = event.getFirstProperty(name);
    if (p === null) continue;
    const copy = new ICAL.Property(structuredClone(p.toJSON()));
    // The zone isn't included: times are in UTC.
    const value = copy.getFirstValue();
    if (value instanceof ICAL.Time && !value.isDate) {
      const at = instant(found.calendar, p);
      if (at !== undefined) {
        copy.removeParameter("tzid");
        copy.setValue(ICAL.Time.fromJSDate(new Date(at), true));
      }
    }
    answered.addProperty(copy);
  }
  answered.addPropertyWithValue("dtstamp", ICAL.Time.fromJSDate(now, true));
  const attendee = new ICAL.Property("attendee");
  attendee.setParameter("partstat", answer.toUpperCase());
  if (me.name !== "") attendee.setParameter("cn", me.name);
  attendee.setValue(`mailto:${me.address}`);
  answered.addProperty(attendee);
  reply.addSubcomponent(answered);
  return `${reply.toString()}\r\n`;
}
