/**
 * The messages between organizers and attendees (iTIP, RFC 5546): invitations, cancellations and answers.
 *
 * @module
 */
import {
  changedProperty,
  type Component,
  newProperty,
  param,
  type Property,
  property,
  valueOf,
} from "../contentline/component.ts";
import { newCalendar } from "./freebusy.ts";
import {
  addressOf,
  attendeeIn,
  datesWithout,
  organizerOf,
  partsOf,
  repliedParam,
  zonesOf,
} from "./itip.ts";
import type { Series } from "./series.ts";
import { formatUtc, parseTime } from "./time.ts";
import { withZoneDescriptions } from "./zone_component.ts";

/** Parameters meant only for a client and its own server (RFC 6638 §7). */
const ownParams = {
  "SCHEDULE-AGENT": undefined,
  "SCHEDULE-STATUS": undefined,
  "SCHEDULE-FORCE-SEND": undefined,
  [repliedParam]: undefined,
};

const clean = (p: Property): Property =>
  p.params.some((x) => x.name in ownParams) ? changedProperty(p, p.value, ownParams) : p;

/**
 * A component as sent to others: without alarms and parameters for the own server, and with what a message must
 * have and a stored event needn't repeat: the organizer (RFC 5546 §3.2, §3.4).
 */
function forOthers(series: Series, component: Component, now: number): Component {
  const properties = component.properties.filter((p) =>
    p.name !== "DTSTAMP" && !p.name.startsWith("X-MOX-")
  )
    .map((p) => p.name === "ATTENDEE" || p.name === "ORGANIZER" ? clean(p) : p);
  return {
    name: component.name,
    properties: [
      newProperty("DTSTAMP", formatUtc(now)),
      ...properties,
      ...organizerLacking(series, component),
    ],
    components: [],
  };
}

/** The organizer of an event for a component that doesn't repeat it. */
function organizerLacking(series: Series, component: Component): Property[] {
  const p = organizerOf(series.calendar);
  return p === undefined || property(component, "ORGANIZER") !== undefined ? [] : [clean(p)];
}

/** A message with descriptions of the zones that its times name: those who get it may not know them. */
function message(series: Series, components: Component[], method: string): Component {
  const first = series.master ?? components[0];
  const start = property(first, "DTSTART");
  const about = start && parseTime(start.value.trim())?.wall;
  const calendar = newCalendar([...zonesOf(series.calendar), ...components], method);
  return withZoneDescriptions(calendar, about ?? Date.now());
}

/**
 * A component that asks those for an answer who haven't given one, unless its program says that none is wanted:
 * programs that leave this to servers don't say so themselves.
 */
function askingForAnswers(c: Component): Component {
  const isOpen = (p: Property) =>
    p.name === "ATTENDEE" && param(p, "RSVP") === undefined &&
    (param(p, "PARTSTAT") ?? "NEEDS-ACTION").toUpperCase() === "NEEDS-ACTION";
  return {
    ...c,
    properties: c.properties.map((p) =>
      isOpen(p) ? changedProperty(p, p.value, { RSVP: "TRUE" }) : p
    ),
  };
}

/** The invitation for an address (METHOD:REQUEST); undefined if none of the components invites them. */
export function invitationFor(series: Series, address: string, now: number): Component | undefined {
  const parts = partsOf(series.calendar).filter((c) => attendeeIn(c, address) !== undefined);
  if (parts.length === 0) return undefined;
  const out = datesWithout(series, address);
  const sent = parts.map((c) => {
    const other = askingForAnswers(forOthers(series, c, now));
    // RFC 5546 §3.2.2: the title may be empty, but not missing.
    if (property(c, "SUMMARY") === undefined) other.properties.push(newProperty("SUMMARY", ""));
    if (property(c, "RECURRENCE-ID") === undefined) other.properties.push(...out);
    return other;
  });
  return message(series, sent, "REQUEST");
}

/** Tells an attendee that an event is cancelled, or that they are no longer invited (METHOD:CANCEL). */
export function cancellationFor(series: Series, address: string, now: number): Component {
  const invited = partsOf(series.calendar).filter((c) => attendeeIn(c, address) !== undefined);
  const parts =
    (invited.some((c) => property(c, "RECURRENCE-ID") === undefined)
      ? invited.filter((c) => property(c, "RECURRENCE-ID") === undefined)
      : invited).map((component) => {
        const other = forOthers(series, component, now);
        const sequence = Number(valueOf(component, "SEQUENCE") ?? 0) || 0;
        const left = other.properties.filter((p) =>
          !["STATUS", "SEQUENCE", "RRULE", "RDATE", "EXDATE"].includes(p.name) &&
          (p.name !== "ATTENDEE" || addressOf(p) === address)
        );
        return {
          ...other,
          properties: [
            ...left,
            newProperty("STATUS", "CANCELLED"),
            newProperty("SEQUENCE", String(sequence + 1)),
          ],
        };
      });
  return message(series, parts, "CANCEL");
}

/** What an answer has of its event. How far a task is belongs to it (RFC 5546 §3.4.3). */
const ofAnswers = [
  "UID",
  "ORGANIZER",
  "RECURRENCE-ID",
  "SEQUENCE",
  "DTSTART",
  "DTEND",
  "DUE",
  "DURATION",
  "SUMMARY",
];
const ofTasks = ["STATUS", "PERCENT-COMPLETE", "COMPLETED"];

/**
 * The answer of an attendee (METHOD:REPLY), with the answered components.
 * @param comments texts that go with it
 */
export function replyOf(
  series: Series,
  address: string,
  parts: readonly Component[],
  now: number,
  status?: string,
  comments: readonly Property[] = [],
): Component {
  const answered = parts.map((component): Component => {
    const me = attendeeIn(component, address)!;
    return {
      name: component.name,
      properties: [
        newProperty("DTSTAMP", formatUtc(now)),
        ...component.properties.filter((p) =>
          ofAnswers.includes(p.name) || component.name === "VTODO" && ofTasks.includes(p.name)
        ).map(clean),
        ...organizerLacking(series, component),
        ...comments,
        clean(
          status === undefined
            ? me
            : changedProperty(me, me.value, { PARTSTAT: status, RSVP: undefined }),
        ),
      ],
      components: [],
    };
  });
  return message(series, answered, "REPLY");
}
