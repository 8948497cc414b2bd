/**
 * Events that several people share (iTIP, RFC 5546): the people of an event, and how the messages between
 * organizers and attendees change it. Those messages are made in itip_messages.ts.
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
import { instanceComponent } from "./output.ts";
import { Series } from "./series.ts";
import { formatUtc, parseTime, timeOf } from "./time.ts";

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
export function attendeeIn(component: Component, address: string): Property | undefined {
  return component.properties.find((p) => p.name === "ATTENDEE" && addressOf(p) === address);
}

/** When the last answer of an attendee was written (its DTSTAMP), in the organizer's event. */
export const repliedParam = "X-MOX-REPLIED";

/** The key of an instance: "" for the whole series. */
export const instanceKey = (series: Series, component: Component): string => {
  const p = property(component, "RECURRENCE-ID");
  if (p === undefined) return "";
  const t = parseTime(p.value.trim(), param(p, "TZID") ?? "");
  return t === undefined ? p.value.trim() : t.date ? `D${t.wall}` : String(series.instant(t));
};

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

/**
 * The dates to which somebody invited to a series is not invited (RFC 5546 §3.2.2.6), as EXDATE: otherwise
 * these would appear at their usual time.
 */
export function datesWithout(series: Series, address: string): Property[] {
  return partsOf(series.calendar).flatMap((c) => {
    const id = property(c, "RECURRENCE-ID");
    const out = id !== undefined && param(id, "RANGE") === undefined &&
      attendeeIn(c, address) === undefined;
    return out ? [{ ...id, name: "EXDATE", raw: undefined }] : [];
  });
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

export const sequenceOf = (c: Component) => Number(valueOf(c, "SEQUENCE") ?? 0) || 0;
export const zonesOf = (calendar: Component) =>
  calendar.components.filter((c) => c.name === "VTIMEZONE");

const stampOf = (c: Component) => parseTime(valueOf(c, "DTSTAMP")?.trim() ?? "")?.wall ?? 0;

/**
 * Whether a message's component is newer than the existing one (RFC 5546 §2.1.5). A cancelled one gives way to
 * whatever its organizer says later: programs that invite somebody again don't all go on counting.
 */
function newer(c: Component, there: Component): boolean {
  const [a, b] = [sequenceOf(c), sequenceOf(there)];
  if (a === b || isCancelled(there)) return stampOf(c) > stampOf(there);
  return a > b;
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

const isCancelled = (c: Component) => valueOf(c, "STATUS")?.trim().toUpperCase() === "CANCELLED";

/** A component cancelled by a message, with its number and time. */
function cancelled(component: Component, message: Component): Component {
  const changed = new Set(["STATUS", "SEQUENCE", "DTSTAMP"]);
  const stamp = stampOf(message) > stampOf(component) ? message : component;
  return {
    ...component,
    properties: [
      ...component.properties.filter((p) => !changed.has(p.name)),
      ...stamp.properties.filter((p) => p.name === "DTSTAMP"),
      newProperty("STATUS", "CANCELLED"),
      newProperty("SEQUENCE", String(Math.max(sequenceOf(message), sequenceOf(component)))),
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
    // One that was overtaken: they are invited again.
    if (sequenceOf(c) === sequenceOf(base) && stampOf(c) < stampOf(base)) continue;
    if (there !== undefined || key === "") {
      // Cancelling the series also cancels its exceptions (RFC 5546 §3.2.5).
      const ends = parts.filter((x) => (x === there || key === "") && !isCancelled(x));
      if (ends.length === 0) continue;
      calendar = {
        ...calendar,
        components: calendar.components.map((x) => ends.includes(x) ? cancelled(x, c) : x),
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

/** Whether an answer is about another time than the event's now: it crossed with the change. */
function isStale(existing: Series, there: Component, message: Series, c: Component): boolean {
  if (property(c, "SEQUENCE") === undefined || sequenceOf(c) >= sequenceOf(there)) return false;
  const start = (series: Series, x: Component) => {
    const p = property(x, "DTSTART");
    return p && series.instant(timeOf(p, p.value.trim()));
  };
  const about = start(message, c);
  return about !== undefined && about !== start(existing, there);
}

/** The attendee that an invited one has sent in their place, from the answer of either (RFC 5546 §3.2.2.3). */
function delegateIn(there: Component, answer: Property): Property | undefined {
  const from = param(answer, "DELEGATED-FROM")?.replace(/^mailto:/i, "").toLowerCase();
  const by = from && attendeeIn(there, from);
  const to = by && param(by, "DELEGATED-TO")?.replace(/^mailto:/i, "").toLowerCase();
  return to !== undefined && to === addressOf(answer)
    ? changedProperty(answer, answer.value, { "SCHEDULE-AGENT": undefined })
    : undefined;
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
    if (there === undefined || isStale(existing, there, message, c)) continue;
    const me = attendeeIn(there, address) ?? delegateIn(there, answer);
    if (me === undefined) continue;
    const stamp = stampOf(c);
    // RFC 5546 §2.1.5: answers are in the order of their times, however they arrive.
    const last = parseTime(param(me, repliedParam) ?? "")?.wall;
    if (last !== undefined && stamp < last) continue;
    const same = (param(me, "PARTSTAT") ?? "NEEDS-ACTION").toUpperCase() === status;
    if (
      same && (last === undefined || last === stamp) && attendeeIn(there, address) !== undefined
    ) continue;
    const answered = changedProperty(me, me.value, {
      PARTSTAT: status,
      RSVP: undefined,
      "SCHEDULE-STATUS": "2.0",
      "DELEGATED-TO": status === "DELEGATED" ? param(answer, "DELEGATED-TO") : undefined,
      ...stamp === 0 ? {} : { [repliedParam]: formatUtc(stamp) },
    });
    const made = {
      ...there,
      properties: attendeeIn(there, address) === undefined
        ? [...there.properties, answered]
        : there.properties.map((p) => p === me ? answered : p),
    };
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
