/**
 * The parts of a JSCalendar event as lines of iCalendar: times, participants, alarms and the rest that iCalendar can
 * express.
 *
 * @module
 */
import { newCalendar } from "../calendar/freebusy.ts";
import { Series } from "../calendar/series.ts";
import { day, formatTime, formatUtc, parseDuration } from "../calendar/time.ts";
import { namedZone, toInstant, toWall, utcZone, type Zone } from "../calendar/zones.ts";
import { type Component, escapeText, type Property } from "../contentline/component.ts";
import { line, type Params } from "../jsprops/parts.ts";
import { eventFromComponent, type JsonObject } from "./from_ical.ts";
import { EventError } from "./event_error.ts";
import { ruleTo, wallOfLocal } from "./rules.ts";

const str = (x: unknown): string | undefined => typeof x === "string" ? x : undefined;
export const obj = (x: unknown): JsonObject =>
  typeof x === "object" && x !== null && !Array.isArray(x) ? x as JsonObject : {};

interface Clock {
  /** Undefined for floating times and dates. */
  zone: Zone | undefined;
  date: boolean;
}

export function clockOf(event: JsonObject): Clock {
  const name = str(event.timeZone);
  return {
    zone: name === undefined ? undefined : namedZone(name),
    date: event.showWithoutTime === true,
  };
}

/** A local time as a property. */
export function timeLine(name: string, wall: number, clock: Clock): Property {
  if (clock.date) return line(name, formatTime({ wall, date: true, zone: "" }), { VALUE: "DATE" });
  if (clock.zone === undefined) return line(name, formatTime({ wall, date: false, zone: "" }));
  if (clock.zone === utcZone) return line(name, formatUtc(wall));
  return line(name, formatTime({ wall, date: false, zone: clock.zone.name }), {
    TZID: clock.zone.name,
  });
}

/** The duration that a start and an end are read as. */
function lengthSaid(properties: Property[]): unknown {
  const c: Component = { name: "VEVENT", properties, components: [] };
  return eventFromComponent(new Series(newCalendar([c])), c).event.duration;
}

export function timeLines(event: JsonObject): Property[] {
  const clock = clockOf(event);
  const start = wallOfLocal(event.start)!;
  const lines = [timeLine("DTSTART", clock.date ? Math.floor(start / day) * day : start, clock)];
  const length = parseDuration(str(event.duration) ?? "PT0S");
  if (length !== undefined && (length.days > 0 || length.ms > 0)) {
    if (clock.date) {
      const days = length.days + Math.ceil(length.ms / day);
      if (event.duration !== "P1D") lines.push(timeLine("DTEND", start + days * day, clock));
    } else {
      const zone = clock.zone ?? utcZone;
      const instant = toInstant(zone, start + length.days * day) + length.ms;
      const endName = clock.zone === undefined ? undefined : str(event.endTimeZone);
      const endClock = endName === undefined ? clock : { zone: namedZone(endName), date: false };
      const end = timeLine("DTEND", toWall(endClock.zone ?? zone, instant), endClock);
      // A local end time may occur twice, or never, where clocks change.
      const exact = lengthSaid([...lines, end]) === event.duration;
      lines.push(exact || endClock !== clock ? end : line("DURATION", event.duration as string));
    }
  }
  for (
    const [name, key] of [["recurrenceRules", "RRULE"], ["excludedRecurrenceRules", "EXRULE"]]
  ) {
    for (const r of event[name] as JsonObject[] ?? []) {
      const text = ruleTo(r, clock);
      if (typeof text !== "string") throw new EventError([name], text.problem);
      lines.push(line(key, text));
    }
  }
  return lines;
}

const mailto = (object: JsonObject): string | undefined => {
  const to = str(obj(object.sendTo).imip) ??
    (str(object.email) === undefined ? undefined : `mailto:${object.email}`);
  // A value must not break out of its line.
  return to !== undefined && /^[a-z][a-z0-9+.-]*:[^\s<>"]+$/i.test(to) ? to : undefined;
};

function attendee(id: string, object: JsonObject): Property[] {
  const to = mailto(object);
  const roles = obj(object.roles);
  if (to === undefined) return [];
  const kind = str(object.kind)?.toUpperCase();
  const role = roles.chair
    ? "CHAIR"
    : roles.optional
    ? "OPT-PARTICIPANT"
    : roles.informational
    ? "NON-PARTICIPANT"
    : undefined;
  const params: Params = {
    "CN": str(object.name),
    "CUTYPE": kind === "LOCATION" ? "ROOM" : kind,
    "ROLE": role,
    "PARTSTAT": str(object.participationStatus)?.toUpperCase(),
    "RSVP": object.expectReply === true ? "TRUE" : undefined,
    "SCHEDULE-AGENT": str(object.scheduleAgent)?.toUpperCase(),
    "SCHEDULE-FORCE-SEND": object.scheduleForceSend === true ? "REQUEST" : undefined,
    "SCHEDULE-STATUS": Array.isArray(object.scheduleStatus)
      ? object.scheduleStatus.map(String).join(",")
      : undefined,
    "JSID": id,
  };
  return [line("ATTENDEE", to, params)];
}

/** The VALARM of an alert; undefined if it has no time. */
export function alarm(id: string, object: JsonObject, title: string): Component | undefined {
  const trigger = obj(object.trigger);
  const when = str(trigger.when);
  const offset = str(trigger.offset);
  if (when === undefined && offset === undefined) return undefined;
  const utc = (s: string) => s.replace(/\.\d+/, "").replace(/[-:]/g, "");
  const email = object.action === "email";
  return {
    name: "VALARM",
    properties: [
      line("UID", id),
      line("ACTION", email ? "EMAIL" : "DISPLAY"),
      when === undefined
        ? line("TRIGGER", offset!, trigger.relativeTo === "end" ? { RELATED: "END" } : {})
        : line("TRIGGER", utc(when), { VALUE: "DATE-TIME" }),
      line("DESCRIPTION", escapeText(title || "Alarm")),
      ...(email ? [line("SUMMARY", escapeText(title || "Alarm"))] : []),
      ...(str(object.acknowledged) === undefined
        ? []
        : [line("ACKNOWLEDGED", utc(str(object.acknowledged)!))]),
    ],
    components: [],
  };
}

/** The lines or alarms of one part. */
export function nativeLines(
  event: JsonObject,
  key: string,
  value: unknown,
): (Property | Component)[] {
  const [map, id] = key.split("/");
  if (id !== undefined) {
    const v = obj(value);
    switch (map) {
      case "locations":
        return str(v.name) === undefined
          ? []
          : [line("LOCATION", escapeText(str(v.name)!), { JSID: id })];
      case "virtualLocations":
        return [line("CONFERENCE", (str(v.uri) ?? "").replace(/[\r\n]/g, ""), {
          VALUE: "URI",
          LABEL: str(v.name),
          JSID: id,
        })];
      case "links":
        return [
          line(
            v.rel === "enclosure" ? "ATTACH" : "URL",
            (str(v.href) ?? "").replace(/[\r\n]/g, ""),
            {
              FMTTYPE: str(v.contentType),
              JSID: id,
            },
          ),
        ];
      case "participants":
        return attendee(id, v);
      case "alerts": {
        const c = alarm(id, v, str(event.title) ?? "");
        return c === undefined ? [] : [c];
      }
    }
    return [];
  }
  const s = str(value) ?? "";
  const utc = (x: string) => x.replace(/\.\d+/, "").replace(/[-:]/g, "");
  switch (key) {
    case "time":
      return timeLines(event);
    case "uid":
      return [line("UID", s.replace(/[\r\n]/g, ""))];
    case "title":
      return [line("SUMMARY", escapeText(s))];
    case "description":
      return [line("DESCRIPTION", escapeText(s))];
    case "recurrenceId":
      return [timeLine("RECURRENCE-ID", wallOfLocal(value)!, clockOf(event))];
    case "created":
      return [line("CREATED", utc(s))];
    case "updated":
      return [line("LAST-MODIFIED", utc(s))];
    case "sequence":
    case "priority":
      return [line(key.toUpperCase(), String(value))];
    case "keywords": {
      const words = Object.keys(obj(value));
      return words.length === 0 ? [] : [line("CATEGORIES", words.map(escapeText).join(","))];
    }
    case "color":
      return [line("COLOR", escapeText(s))];
    case "status":
      return /^(?:confirmed|cancelled|tentative)$/.test(s) ? [line("STATUS", s.toUpperCase())] : [];
    case "freeBusyStatus":
      return [line("TRANSP", s === "free" ? "TRANSPARENT" : "OPAQUE")];
    case "privacy":
      return /^(?:public|private|secret)$/.test(s)
        ? [line("CLASS", s === "secret" ? "CONFIDENTIAL" : s.toUpperCase())]
        : [];
    case "replyTo": {
      const to = mailto({ sendTo: value });
      const owner = Object.values(obj(event.participants)).map(obj).find((p) => obj(p.roles).owner);
      return to === undefined ? [] : [line("ORGANIZER", to, { CN: str(owner?.name) })];
    }
    case "relatedTo":
      return Object.entries(obj(value)).map(([to, r]) => {
        const relation = Object.keys(obj(obj(r).relation))[0];
        return line("RELATED-TO", escapeText(to), {
          RELTYPE: relation === undefined || relation === "parent"
            ? undefined
            : relation.toUpperCase(),
        });
      });
    default:
      return [];
  }
}
