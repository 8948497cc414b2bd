/**
 * Converts an iCalendar event to JSCalendar (RFC 8984), and records which lines and alarms each part comes
 * from.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { addressOf } from "../calendar/itip.ts";
import type { Series } from "../calendar/series.ts";
import {
  type CalendarTime,
  day,
  formatDuration,
  formatLength,
  parseDuration,
  parseTime,
  timeOf,
} from "../calendar/time.ts";
import { namedZone, toInstant, toWall, utcZone, type Zone } from "../calendar/zones.ts";
import {
  type Component,
  param,
  type Property,
  property,
  splitUnescaped,
  unescapeText,
} from "../contentline/component.ts";
import { addJsprops, same } from "../jsprops/parts.ts";
import { alertsOf } from "./alerts.ts";
import { localTime, ruleFrom } from "./rules.ts";
import { eventMaps } from "./schema.ts";

export type JsonObject = Record<string, unknown>;

/** A component of an event as JSCalendar, and the sources of each part. */
export interface ConvertedEvent {
  event: JsonObject;
  origins: Map<string, (Property | Component)[]>;
}

/** The context for reading times: if the start's zone is unknown to the runtime, times are converted to UTC. */
interface Times {
  zone: Zone | undefined;
  /** Name for clients; null for floating times and dates. */
  name: string | null;
  date: boolean;
}

export function timesOf(series: Series, component: Component): Times {
  const p = property(component, "DTSTART");
  const start = p && timeOf(p);
  if (start === undefined || start.date) return { zone: undefined, name: null, date: true };
  if (start.zone === "") return { zone: undefined, name: null, date: false };
  if (start.zone === "UTC") return { zone: utcZone, name: "Etc/UTC", date: false };
  const known = namedZone(start.zone);
  // The times of a described zone are kept as instants.
  if (known === undefined) return { zone: utcZone, name: "Etc/UTC", date: false };
  return { zone: series.zones.find(start.zone), name: known.name, date: false };
}

/** A local time in the event's own zone. */
function wallIn(series: Series, times: Times, time: CalendarTime): number {
  if (time.date || times.zone === undefined) return time.wall;
  return toWall(times.zone, series.instant(time));
}

const plain = (p: Property): string => unescapeText(p.value);
const utc = (series: Series, p: Property): string | undefined => {
  const t = parseTime(p.value.trim(), param(p, "TZID") ?? "");
  return t && `${localTime(series.instant(t))}Z`;
};

function durationOf(series: Series, component: Component, times: Times): string | undefined {
  const start = timeOf(property(component, "DTSTART")!);
  const text = property(component, "DURATION")?.value.trim();
  if (text !== undefined) {
    const d = parseDuration(text);
    return d && d.days >= 0 && d.ms >= 0 ? text.replace(/^\+/, "").toUpperCase() : undefined;
  }
  const p = property(component, "DTEND");
  if (p === undefined) return start.date ? "P1D" : undefined;
  const end = timeOf(p);
  if (end.wall <= start.wall && end.zone === start.zone) return undefined;
  const { zone } = times;
  if (zone === undefined || end.date) {
    const both = start.date === end.date && start.zone === end.zone;
    const ms = both ? end.wall - start.wall : series.instant(end) - series.instant(start);
    return ms <= 0 ? undefined : formatDuration(ms);
  }
  // RFC 8984 §1.4.6: days are calendar days in the start's zone; hours are exact.
  const from = wallIn(series, times, start);
  let days = Math.max(0, Math.floor((wallIn(series, times, end) - from) / day));
  const rest = () => series.instant(end) - toInstant(zone, from + days * day);
  while (days > 0 && rest() < 0) days--;
  const ms = rest();
  return ms < 0 || ms === 0 && days === 0 ? undefined : formatLength(days, ms);
}

/** The zone of an end that differs from the start's, such as for a flight. */
function endZoneOf(component: Component, times: Times): string | undefined {
  const p = property(component, "DTEND");
  const end = p && timeOf(p);
  if (end === undefined || end.date || end.zone === "" || times.zone === undefined) {
    return undefined;
  }
  const name = end.zone === "UTC" ? "Etc/UTC" : namedZone(end.zone)?.name;
  return name === times.name ? undefined : name;
}

const idOf = (p: Property | Component, list: JsonObject, prefix: string): string => {
  const given = "components" in p ? undefined : param(p, "JSID");
  if (given !== undefined && /^[\w-]{1,255}$/.test(given) && !Object.hasOwn(list, given)) {
    return given;
  }
  for (let n = 1;; n++) if (!Object.hasOwn(list, `${prefix}${n}`)) return `${prefix}${n}`;
};

/** The id of a participant without another one: it stays the same whoever is added or removed. */
const addressId = (address: string) =>
  `p${createHash("sha256").update(address).digest("hex").slice(0, 12)}`;

function participant(p: Property, organizer: string): JsonObject {
  const address = addressOf(p);
  const value = (name: string) => param(p, name);
  const role = (value("ROLE") ?? "REQ-PARTICIPANT").toUpperCase();
  const roles: Record<string, true> = { attendee: true };
  if (address === organizer) roles.owner = true;
  if (role === "CHAIR") roles.chair = true;
  if (role === "OPT-PARTICIPANT") roles.optional = true;
  if (role === "NON-PARTICIPANT") roles.informational = true;
  const kind = value("CUTYPE")?.toLowerCase();
  const status = value("PARTSTAT")?.toLowerCase();
  const agent = value("SCHEDULE-AGENT")?.toLowerCase();
  const told = value("SCHEDULE-STATUS");
  return {
    "@type": "Participant",
    ...(value("CN") === undefined ? {} : { name: value("CN") }),
    ...(address.includes("@") ? { email: address } : {}),
    sendTo: { imip: p.value.trim() },
    ...(kind === undefined ? {} : { kind: kind === "room" ? "location" : kind }),
    roles,
    ...(status === undefined ? {} : { participationStatus: status }),
    ...(value("RSVP")?.toUpperCase() === "TRUE" ? { expectReply: true } : {}),
    ...(agent === undefined || agent === "server" ? {} : { scheduleAgent: agent }),
    ...(value("SCHEDULE-FORCE-SEND") === undefined ? {} : { scheduleForceSend: true }),
    ...(told === undefined ? {} : { scheduleStatus: told.split(",") }),
  };
}

/** Converts one component, without the exceptions in other components. Never fails for stored events. */
export function eventFromComponent(series: Series, component: Component): ConvertedEvent {
  const event: JsonObject = { "@type": "Event" };
  const origins: ConvertedEvent["origins"] = new Map();
  const came = (key: string, ...from: (Property | Component)[]) =>
    origins.set(key, [...origins.get(key) ?? [], ...from]);
  const times = timesOf(series, component);
  const organizerProperty = property(component, "ORGANIZER");
  const organizer = organizerProperty === undefined ? "" : addressOf(organizerProperty);
  const entry = (map: string, id: string, value: JsonObject, from: Property | Component) => {
    event[map] ??= {} as JsonObject;
    (event[map] as JsonObject)[id] = value;
    came(`${map}/${id}`, from);
  };
  const jsprops: Property[] = [];
  for (const p of component.properties) {
    switch (p.name) {
      case "UID":
        event.uid = p.value.trim();
        came("uid", p);
        break;
      case "SUMMARY":
      case "DESCRIPTION": {
        const name = p.name === "SUMMARY" ? "title" : "description";
        event[name] = plain(p);
        came(name, p);
        break;
      }
      case "DTSTART": {
        const start = timeOf(p);
        const time: JsonObject = {
          start: localTime(wallIn(series, times, start)),
          timeZone: times.name,
        };
        if (times.date) time.showWithoutTime = true;
        const length = durationOf(series, component, times);
        if (length !== undefined) time.duration = length;
        const endZone = endZoneOf(component, times);
        if (endZone !== undefined) time.endTimeZone = endZone;
        Object.assign(event, time);
        came("time", p);
        break;
      }
      case "DTEND":
      case "DURATION":
        came("time", p);
        break;
      case "RRULE":
      case "EXRULE": {
        const toLocal = (at: number) => times.zone === undefined ? at : toWall(times.zone, at);
        const rule = ruleFrom(p.value, toLocal);
        const name = p.name === "RRULE" ? "recurrenceRules" : "excludedRecurrenceRules";
        if (rule !== undefined) event[name] = [...event[name] as JsonObject[] ?? [], rule];
        came("time", p);
        break;
      }
      case "EXDATE":
      case "RDATE":
        came("dates", p);
        break;
      case "RECURRENCE-ID": {
        const id = timeOf(p);
        event.recurrenceId = localTime(wallIn(series, times, id));
        event.recurrenceIdTimeZone = times.name;
        came("recurrenceId", p);
        break;
      }
      case "CREATED":
      case "LAST-MODIFIED": {
        const name = p.name === "CREATED" ? "created" : "updated";
        const at = utc(series, p);
        if (at !== undefined) event[name] = at;
        came(name, p);
        break;
      }
      case "SEQUENCE":
      case "PRIORITY": {
        const n = Number(p.value);
        if (Number.isInteger(n) && n > 0) event[p.name.toLowerCase()] = n;
        came(p.name.toLowerCase(), p);
        break;
      }
      case "LOCATION":
        if (plain(p) !== "") {
          const id = idOf(p, event.locations as JsonObject ?? {}, "l");
          entry("locations", id, { "@type": "Location", name: plain(p) }, p);
        }
        break;
      case "CONFERENCE":
        entry("virtualLocations", idOf(p, event.virtualLocations as JsonObject ?? {}, "v"), {
          "@type": "VirtualLocation",
          uri: p.value.trim(),
          ...(param(p, "LABEL") === undefined ? {} : { name: param(p, "LABEL") }),
        }, p);
        break;
      case "URL":
      case "ATTACH":
        if (param(p, "ENCODING") === undefined) {
          const type = param(p, "FMTTYPE");
          entry("links", idOf(p, event.links as JsonObject ?? {}, "u"), {
            "@type": "Link",
            href: p.value.trim(),
            ...(p.name === "ATTACH" ? { rel: "enclosure" } : {}),
            ...(type === undefined ? {} : { contentType: type }),
          }, p);
        }
        break;
      case "CATEGORIES":
        event.keywords = {
          ...event.keywords as JsonObject,
          ...Object.fromEntries(
            splitUnescaped(p.value, ",").map((s) => unescapeText(s).trim()).filter((s) => s !== "")
              .map((k) => [k, true]),
          ),
        };
        came("keywords", p);
        break;
      case "COLOR":
        event.color = plain(p);
        came("color", p);
        break;
      case "STATUS":
        event.status = p.value.trim().toLowerCase();
        came("status", p);
        break;
      case "TRANSP":
        if (p.value.trim().toUpperCase() === "TRANSPARENT") event.freeBusyStatus = "free";
        came("freeBusyStatus", p);
        break;
      case "CLASS": {
        const value = p.value.trim().toLowerCase();
        event.privacy = value === "confidential" ? "secret" : value;
        came("privacy", p);
        break;
      }
      case "ORGANIZER":
        event.replyTo = { imip: p.value.trim() };
        came("replyTo", p);
        break;
      case "ATTENDEE": {
        const all = event.participants as JsonObject ?? {};
        const given = param(p, "JSID");
        const own = given !== undefined && /^[\w-]{1,255}$/.test(given)
          ? given
          : addressId(addressOf(p));
        if (!Object.hasOwn(all, own)) entry("participants", own, participant(p, organizer), p);
        break;
      }
      case "RELATED-TO": {
        const type = (param(p, "RELTYPE") ?? "PARENT").toLowerCase();
        event.relatedTo = {
          ...event.relatedTo as JsonObject,
          [plain(p).trim()]: { "@type": "Relation", relation: { [type]: true } },
        };
        came("relatedTo", p);
        break;
      }
      case "JSPROP":
        jsprops.push(p);
        break;
    }
  }
  for (const { id, alert, alarm } of alertsOf(component)) entry("alerts", id, alert, alarm);
  const answers = Object.entries(event.participants as Record<string, JsonObject> ?? {})
    .map(([id, p]) => [id, p.participationStatus] as const);
  addJsprops(jsprops, event, origins as Map<string, Property[]>, eventMaps);
  // Later answers of participants are only in their own lines.
  const people = event.participants as Record<string, JsonObject> | undefined;
  for (const [id, answer] of answers) {
    const p = people?.[id];
    if (answer === undefined || typeof p !== "object" || p === null) continue;
    if (
      typeof p.participationStatus !== "string" || p.participationStatus.toLowerCase() !== answer
    ) {
      p.participationStatus = answer;
    }
  }
  return { event, origins };
}

/** Properties that an override can't have (RFC 8984 §4.3.5), or that say nothing about the date. */
export const notOverridden = new Set([
  "@type",
  "uid",
  "prodId",
  "created",
  "updated",
  "sequence",
  "recurrenceId",
  "recurrenceIdTimeZone",
  "recurrenceRules",
  "excludedRecurrenceRules",
  "recurrenceOverrides",
  "relatedTo",
  "replyTo",
  "sentBy",
  "privacy",
  "timeZones",
]);

const step = (s: string) => s.replaceAll("~", "~0").replaceAll("/", "~1");

/** Most properties of an entry, such as a participant, that are changed one by one; with more it is replaced. */
const mostPointers = 3;

/** The patch that turns the master into an instance. */
export function overrideOf(master: JsonObject, instance: JsonObject, id: string): JsonObject {
  const patch: JsonObject = {};
  const base: JsonObject = { ...master, start: id };
  for (const name of new Set([...Object.keys(base), ...Object.keys(instance)])) {
    if (notOverridden.has(name) || same(base[name], instance[name])) continue;
    const both = [base[name], instance[name]].map((x) =>
      typeof x === "object" && x !== null && !Array.isArray(x) ? x as JsonObject : undefined
    );
    if (!eventMaps.includes(name) || both[0] === undefined || both[1] === undefined) {
      patch[step(name)] = instance[name] ?? null;
      continue;
    }
    for (const k of new Set([...Object.keys(both[0]), ...Object.keys(both[1])])) {
      if (same(both[0][k], both[1][k])) continue;
      const at = `${step(name)}/${step(k)}`;
      const parts = [both[0][k], both[1][k]].map((x) =>
        typeof x === "object" && x !== null && !Array.isArray(x) ? x as JsonObject : undefined
      );
      const [was, is] = parts;
      const changed = was && is &&
        [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((p) => !same(was[p], is[p]));
      // One answer of one participant is told as such, which clients can take back by itself.
      if (changed === undefined || changed.length > mostPointers) patch[at] = both[1][k] ?? null;
      else for (const p of changed) patch[`${at}/${step(p)}`] = is![p] ?? null;
    }
  }
  return patch;
}

/** Dates of EXDATE or RDATE as local times of the event's zone. */
function datesOf(series: Series, component: Component, name: string, times: Times): string[] {
  return component.properties.filter((p) => p.name === name).flatMap((p) =>
    p.value.split(",").slice(0, 10_000).map((v) => timeOf(p, v.trim().split("/")[0]))
      .map((t) => localTime(wallIn(series, times, t)))
  );
}

/** The component that represents an event: its master, or the first date if there is no master. */
export function mainComponent(series: Series): Component | undefined {
  return series.master ?? series.overrides()[0]?.component;
}

/** A whole event, including its exceptions. @throws FormatError for times that can't be read */
export function eventFromSeries(series: Series): JsonObject | undefined {
  const main = mainComponent(series);
  if (main === undefined || series.kind !== "VEVENT") return undefined;
  const { event } = eventFromComponent(series, main);
  if (series.master === undefined) return event;
  const times = timesOf(series, main);
  const overrides: Record<string, JsonObject> = {};
  for (const at of datesOf(series, main, "RDATE", times)) overrides[at] = {};
  for (const at of datesOf(series, main, "EXDATE", times)) overrides[at] = { excluded: true };
  for (const { component, id } of series.overrides()) {
    const at = localTime(wallIn(series, times, id));
    overrides[at] = overrideOf(event, eventFromComponent(series, component).event, at);
  }
  if (Object.keys(overrides).length > 0) event.recurrenceOverrides = overrides;
  return event;
}
