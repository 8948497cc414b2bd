/**
 * Events that several people share (iTIP, RFC 5546): the people of an event, the messages between organizers
 * and attendees, and how a message changes an event.
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
import { instanceComponent } from "./output.ts";
import { Series } from "./series.ts";
import { formatUtc, parseTime } from "./time.ts";

/** Address of ORGANIZER or ATTENDEE, lower case; "" if it isn't a mail address. */
export function addressOf(p: Property): string {
  const m = /^mailto:(.+)$/i.exec(p.value.trim());
  if (m === null) return param(p, "EMAIL")?.toLowerCase() ?? "";
  try {
    return decodeURIComponent(m[1]).toLowerCase();
  } catch {
    return m[1].toLowerCase();
  }
}

/** The components of the event, without zones. */
export const partsOf = (calendar: Component): Component[] =>
  calendar.components.filter((c) => c.name !== "VTIMEZONE");

/**
 * Whether an object is a draft (isDraft of JMAP, which iCalendar has no property for): nobody is notified of
 * it.
 */
export const isDraftEvent = (calendar: Component): boolean =>
  partsOf(calendar).some((component) =>
    component.properties.some((p) =>
      p.name === "JSPROP" && param(p, "JSPTR") === "isDraft" && p.value.trim() === "true"
    )
  );

/** The organizer of an object; undefined if there is none. */
export function organizerOf(calendar: Component): Property | undefined {
  for (const c of partsOf(calendar)) {
    const p = property(c, "ORGANIZER");
    if (p !== undefined) return p;
  }
  return undefined;
}

/** Whether all components that have an organizer have the same (RFC 6638 §3.2.4.2). */
export function sameOrganizer(calendar: Component): boolean {
  const found = new Set(
    partsOf(calendar).flatMap((component) => {
      const p = property(component, "ORGANIZER");
      return p === undefined ? [] : [addressOf(p)];
    }),
  );
  return found.size <= 1;
}

/** Attendees by address: the first property of each. */
export function attendeesOf(calendar: Component): Map<string, Property> {
  const found = new Map<string, Property>();
  for (const c of partsOf(calendar)) {
    for (const p of c.properties) {
      if (p.name !== "ATTENDEE") continue;
      const address = addressOf(p);
      if (address !== "" && !found.has(address)) found.set(address, p);
    }
  }
  return found;
}

/** The attendee property of an address in a component. */
function attendeeIn(component: Component, address: string): Property | undefined {
  return component.properties.find((p) => p.name === "ATTENDEE" && addressOf(p) === address);
}

/** The key of an instance: "" for the whole series. */
const instanceKey = (series: Series, component: Component): string => {
  const p = property(component, "RECURRENCE-ID");
  if (p === undefined) return "";
  const t = parseTime(p.value.trim(), param(p, "TZID") ?? "");
  return t === undefined ? p.value.trim() : t.date ? `D${t.wall}` : String(series.instant(t));
};

/** Parameters meant only for a client and its own server (RFC 6638 §7). */
const ownParams = {
  "SCHEDULE-AGENT": undefined,
  "SCHEDULE-STATUS": undefined,
  "SCHEDULE-FORCE-SEND": undefined,
};

const clean = (p: Property): Property =>
  p.params.some((x) => x.name in ownParams) ? changedProperty(p, p.value, ownParams) : p;

/** A component as sent to others: without alarms and parameters for the own server. */
function forOthers(component: Component, now: number): Component {
  const properties = component.properties.filter((p) =>
    p.name !== "DTSTAMP" && !p.name.startsWith("X-MOX-")
  )
    .map((p) => p.name === "ATTENDEE" || p.name === "ORGANIZER" ? clean(p) : p);
  return {
    name: component.name,
    properties: [newProperty("DTSTAMP", formatUtc(now)), ...properties],
    components: [],
  };
}

const zonesOf = (calendar: Component) => calendar.components.filter((c) => c.name === "VTIMEZONE");

/**
 * The dates to which somebody invited to a series is not invited (RFC 5546 §3.2.2.6), as EXDATE: otherwise
 * these would appear at their usual time.
 */
function datesWithout(series: Series, address: string): Property[] {
  return partsOf(series.calendar).flatMap((c) => {
    const id = property(c, "RECURRENCE-ID");
    const out = id !== undefined && param(id, "RANGE") === undefined &&
      attendeeIn(c, address) === undefined;
    return out ? [{ ...id, name: "EXDATE", raw: undefined }] : [];
  });
}

/** The invitation for an address (METHOD:REQUEST); undefined if none of the components invites them. */
export function invitationFor(series: Series, address: string, now: number): Component | undefined {
  const parts = partsOf(series.calendar).filter((c) => attendeeIn(c, address) !== undefined);
  if (parts.length === 0) return undefined;
  const out = datesWithout(series, address);
  const sent = parts.map((c) => {
    const other = forOthers(c, now);
    return property(c, "RECURRENCE-ID") === undefined
      ? { ...other, properties: [...other.properties, ...out] }
      : other;
  });
  return newCalendar([...zonesOf(series.calendar), ...sent], "REQUEST");
}

/** Tells an attendee that an event is cancelled, or that they are no longer invited (METHOD:CANCEL). */
export function cancellationFor(series: Series, address: string, now: number): Component {
  const invited = partsOf(series.calendar).filter((c) => attendeeIn(c, address) !== undefined);
  const parts =
    (invited.some((c) => property(c, "RECURRENCE-ID") === undefined)
      ? invited.filter((c) => property(c, "RECURRENCE-ID") === undefined)
      : invited).map((component) => {
        const other = forOthers(component, now);
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
  return newCalendar([...zonesOf(series.calendar), ...parts], "CANCEL");
}

/** The answer of an attendee (METHOD:REPLY), with the answered components. */
export function replyOf(
  series: Series,
  address: string,
  parts: readonly Component[],
  now: number,
  status?: string,
): Component {
  const kept = [
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
  const answered = parts.map((component): Component => {
    const me = attendeeIn(component, address)!;
    return {
      name: component.name,
      properties: [
        newProperty("DTSTAMP", formatUtc(now)),
        ...component.properties.filter((p) => kept.includes(p.name)).map(clean),
        clean(
          status === undefined
            ? me
            : changedProperty(me, me.value, { PARTSTAT: status, RSVP: undefined }),
        ),
      ],
      components: [],
    };
  });
  return newCalendar([...zonesOf(series.calendar), ...answered], "REPLY");
}

/** An attendee's answers by component: PARTSTAT, by instance. */
export function answersOf(
  series: Series,
  address: string,
): Map<string, { status: string; part: Component }> {
  const found = new Map<string, { status: string; part: Component }>();
  for (const part of partsOf(series.calendar)) {
    const me = attendeeIn(part, address);
    if (me === undefined) continue;
    const status = (param(me, "PARTSTAT") ?? "NEEDS-ACTION").toUpperCase();
    found.set(instanceKey(series, part), { status, part });
  }
  return found;
}

/** Properties whose changes attendees must know; others may change without notice. */
const significant = new Set([
  "DTSTART",
  "DTEND",
  "DUE",
  "DURATION",
  "RRULE",
  "RDATE",
  "EXDATE",
  "RECURRENCE-ID",
  "SUMMARY",
  "LOCATION",
  "DESCRIPTION",
  "STATUS",
  "URL",
  "CONFERENCE",
  "ATTACH",
  "SEQUENCE",
]);

/** The text of an event as sent to an attendee, for comparison with what was sent before. */
export function sentTo(series: Series, address: string): string {
  const lines: string[] = [];
  for (const c of partsOf(series.calendar)) {
    if (attendeeIn(c, address) === undefined) continue;
    lines.push(`BEGIN ${instanceKey(series, c)}`);
    const out = property(c, "RECURRENCE-ID") ? [] : datesWithout(series, address);
    for (const p of [...c.properties, ...out]) {
      if (significant.has(p.name)) {
        const zone = param(p, "TZID") ?? "";
        lines.push(`${p.name};${zone}:${p.value}`);
      } else if (p.name === "ATTENDEE") lines.push(`ATTENDEE ${addressOf(p)}`);
    }
  }
  return lines.sort().join("\n");
}

/** An object with the delivery status of its people (RFC 6638 §7.3). */
export function withStatus(
  calendar: Component,
  name: "ATTENDEE" | "ORGANIZER",
  status: ReadonlyMap<string, string>,
): Component {
  return {
    ...calendar,
    components: calendar.components.map((component) => ({
      ...component,
      properties: component.properties.map((p) => {
        const s = p.name === name ? status.get(addressOf(p)) : undefined;
        return s === undefined
          ? p
          : changedProperty(p, p.value, { "SCHEDULE-STATUS": s, "SCHEDULE-FORCE-SEND": undefined });
      }),
    })),
  };
}

const sequenceOf = (c: Component) => Number(valueOf(c, "SEQUENCE") ?? 0) || 0;
const stampOf = (c: Component) => parseTime(valueOf(c, "DTSTAMP")?.trim() ?? "")?.wall ?? 0;

/** Whether a message's component is newer than the existing one (RFC 5546 §2.1.5). */
function newer(c: Component, there: Component): boolean {
  const [a, b] = [sequenceOf(c), sequenceOf(there)];
  return a !== b ? a > b : stampOf(c) > stampOf(there);
}

/** A message without its method, as an object. */
function asObject(message: Component): Component {
  return { ...message, properties: message.properties.filter((p) => p.name !== "METHOD") };
}

/** An object after an invitation or its update; undefined if nothing is new. */
export function withInvitation(
  existing: Series | undefined,
  message: Series,
): Component | undefined {
  if (existing === undefined) return asObject(message.calendar);
  const here = new Map(partsOf(existing.calendar).map((c) => [instanceKey(existing, c), c]));
  const come = new Map(partsOf(message.calendar).map((c) => [instanceKey(message, c), c]));
  let changed = false;
  const result = new Map<string, Component>();
  const whole = come.get("");
  const master = here.get("");
  const replaced = whole !== undefined && (master === undefined || newer(whole, master));
  // A new master defines which instances differ.
  if (!replaced) { for (const [key, c] of here) result.set(key, c); }
  for (const [key, c] of come) {
    const there = here.get(key);
    if (there !== undefined && !newer(c, there)) {
      result.set(key, there);
      continue;
    }
    // The user's own additions stay: alarms, and whether it makes them busy.
    const own = there?.properties.filter((p) => p.name === "TRANSP" || p.name === "COLOR") ?? [];
    const names = new Set(own.map((p) => p.name));
    result.set(key, {
      ...c,
      properties: [...c.properties.filter((p) => !names.has(p.name)), ...own],
      components: (there ?? master)?.components ?? [],
    });
    changed = true;
  }
  if (!changed && !replaced) return undefined;
  const zones = new Map<string, Component>();
  for (const z of [...zonesOf(existing.calendar), ...zonesOf(message.calendar)]) {
    zones.set(valueOf(z, "TZID") ?? "", z);
  }
  return { ...existing.calendar, components: [...zones.values(), ...result.values()] };
}

/** A component cancelled by a message. */
function cancelled(component: Component, sequence: number): Component {
  const properties = component.properties.filter((p) =>
    p.name !== "STATUS" && p.name !== "SEQUENCE"
  );
  return {
    ...component,
    properties: [
      ...properties,
      newProperty("STATUS", "CANCELLED"),
      newProperty("SEQUENCE", String(Math.max(sequence, sequenceOf(component)))),
    ],
  };
}

/** An object after a cancellation; undefined if nothing is new. */
export function withCancellation(existing: Series, message: Series): Component | undefined {
  let { calendar } = existing;
  let changed = false;
  for (const c of partsOf(message.calendar)) {
    const key = instanceKey(message, c);
    const parts = partsOf(calendar);
    const there = parts.find((x) => instanceKey(existing, x) === key);
    const base = there ?? (key === "" ? parts[0] : existing.master);
    if (base === undefined || sequenceOf(c) < sequenceOf(base)) continue;
    if (there !== undefined || key === "") {
      // Cancelling the series also cancels its exceptions (RFC 5546 §3.2.5).
      const ends = parts.filter((x) =>
        (x === there || key === "") && valueOf(x, "STATUS") !== "CANCELLED"
      );
      if (ends.length === 0) continue;
      calendar = {
        ...calendar,
        components: calendar.components.map((x) =>
          ends.includes(x) ? cancelled(x, sequenceOf(c)) : x
        ),
      };
    } else {
      const id = property(c, "RECURRENCE-ID")!;
      const left = {
        ...base,
        properties: [...base.properties, {
          ...changedProperty(id, id.value, { RANGE: undefined }),
          name: "EXDATE",
        }],
      };
      calendar = { ...calendar, components: calendar.components.map((x) => x === base ? left : x) };
    }
    changed = true;
  }
  return changed ? calendar : undefined;
}

/** The organizer's object after an answer; undefined if nothing is new. */
export function withReply(
  existing: Series,
  message: Series,
  address: string,
): Component | undefined {
  let { calendar } = existing;
  let changed = false;
  for (const c of partsOf(message.calendar)) {
    const answer = attendeeIn(c, address);
    if (answer === undefined) continue;
    const status = (param(answer, "PARTSTAT") ?? "NEEDS-ACTION").toUpperCase();
    const key = instanceKey(message, c);
    let there = partsOf(calendar).find((x) => instanceKey(existing, x) === key);
    if (there === undefined && key !== "") {
      // An answer about one instance makes it an exception.
      const id = property(c, "RECURRENCE-ID")!;
      const t = parseTime(id.value.trim(), param(id, "TZID") ?? "");
      const at = t && existing.instant(t);
      const instance = at === undefined
        ? undefined
        : existing.instances(at, at).find((i) => i.start === at && i.component === existing.master);
      if (instance === undefined) continue;
      there = { ...instanceComponent(existing, instance), components: [] };
      calendar = { ...calendar, components: [...calendar.components, there] };
    }
    const me = there && attendeeIn(there, address);
    if (there === undefined || me === undefined) continue;
    if ((param(me, "PARTSTAT") ?? "NEEDS-ACTION").toUpperCase() === status) continue;
    const answered = changedProperty(me, me.value, {
      PARTSTAT: status,
      RSVP: undefined,
      "SCHEDULE-STATUS": "2.0",
    });
    const made = { ...there, properties: there.properties.map((p) => p === me ? answered : p) };
    calendar = { ...calendar, components: calendar.components.map((x) => x === there ? made : x) };
    changed = true;
  }
  return changed ? calendar : undefined;
}

/** Reads an iTIP message; undefined if it is not a supported one about events. */
export function readMessage(calendar: Component): { method: string; series: Series } | undefined {
  const method = valueOf(calendar, "METHOD")?.trim().toUpperCase();
  if (method === undefined) return undefined;
  const series = new Series(calendar);
  return series.uid === "" ? undefined : { method, series };
}

/** An object with an attendee's answer in all its components. */
export function withAnswer(calendar: Component, address: string, status: string): Component {
  return {
    ...calendar,
    components: calendar.components.map((component) => ({
      ...component,
      properties: component.properties.map((p) =>
        p.name === "ATTENDEE" && addressOf(p) === address
          ? changedProperty(p, p.value, { PARTSTAT: status, RSVP: undefined })
          : p
      ),
    })),
  };
}
