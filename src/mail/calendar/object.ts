/**
 * Stored calendar objects (RFC 4791 §4.1): reading one, and reporting what is wrong with it.
 *
 * @module
 */
import {
  type Component,
  decodeText,
  FormatError,
  parseComponents,
  parseInTurns,
  property,
  textStart,
  valueOf,
} from "../contentline/component.ts";
import { type ObjectKind, objectKinds, Series } from "./series.ts";
import { parseDuration, parseTime } from "./time.ts";
import type { Zone } from "./zones.ts";

/** The rule that an object violates, by the name of its precondition (RFC 4791 §5.3.2.1). */
export type ObjectRule =
  | "valid-calendar-data"
  | "valid-calendar-object-resource"
  | "supported-calendar-component"
  | "max-attendees-per-instance"
  | "min-date-time"
  | "max-date-time"
  | "max-instances";

/** A text that can't be stored as a calendar object. */
export class ObjectError extends Error {
  override name = "ObjectError";
  readonly rule: ObjectRule;
  constructor(rule: ObjectRule, message: string) {
    super(message);
    this.rule = rule;
  }
}

/** Most people of one event. */
export const maxAttendees = 1000;
/** The earliest date that is stored, in milliseconds. */
export const minDate = Date.parse("0001-01-01T00:00:00Z");
/** The latest one. */
export const maxDate = Date.UTC(9999, 11, 31, 23, 59, 59);

function oneCalendar(list: readonly Component[]): Component {
  if (list.length === 1 && list[0].name === "VCALENDAR") return list[0];
  throw new FormatError(list.length === 0 ? "the text is empty" : "the text is not one VCALENDAR");
}

const textOf = (bytes: Uint8Array | string) =>
  typeof bytes === "string" ? bytes : decodeText(bytes);

function invalidData(err: unknown): never {
  if (err instanceof FormatError) throw new ObjectError("valid-calendar-data", err.message);
  throw err;
}

/** The calendar of a text. @throws ObjectError "valid-calendar-data" */
export function parseCalendar(bytes: Uint8Array | string): Component {
  try {
    return oneCalendar(parseComponents(textOf(bytes)));
  } catch (err) {
    return invalidData(err);
  }
}

/** The same in turns with other work. @throws ObjectError "valid-calendar-data" */
export async function parseCalendarInTurns(bytes: Uint8Array): Promise<Component> {
  try {
    return oneCalendar(await parseInTurns(textOf(bytes)));
  } catch (err) {
    return invalidData(err);
  }
}

const notObjects = new Set(["VTIMEZONE"]);

/** Reads an object before storing it. @throws ObjectError */
export function readObject(bytes: Uint8Array | string, floating?: Zone): Series {
  return checkedSeries(parseCalendar(bytes), floating);
}

/** The checked object of a calendar, before storing it. @throws ObjectError */
export function checkedSeries(calendar: Component, floating?: Zone): Series {
  const wrong = (text: string) => new ObjectError("valid-calendar-object-resource", text);
  const invalid = (text: string) => new ObjectError("valid-calendar-data", text);
  const version = valueOf(calendar, "VERSION")?.trim();
  if (version !== "2.0") throw invalid(`VERSION has to be 2.0, not ${version ?? "missing"}`);
  if (property(calendar, "METHOD") !== undefined) {
    throw wrong("METHOD has no place in a stored object (RFC 4791, section 4.1)");
  }
  const parts = calendar.components.filter((c) => !notObjects.has(c.name));
  if (parts.length === 0) throw wrong("there is no event, task or journal in it");
  const unknown = parts.find((c) => !objectKinds.includes(c.name as ObjectKind));
  if (unknown !== undefined) {
    throw new ObjectError("supported-calendar-component", `${unknown.name} can't be stored`);
  }
  if (parts.some((c) => c.name !== parts[0].name)) {
    throw wrong("components of different kinds in one object");
  }
  const uid = valueOf(parts[0], "UID")?.trim();
  if (!uid) throw wrong(`${parts[0].name} has no UID`);
  if (parts.some((c) => valueOf(c, "UID")?.trim() !== uid)) throw wrong("more than one UID");
  const masters = parts.filter((c) => property(c, "RECURRENCE-ID") === undefined);
  if (masters.length > 1) throw wrong("more than one component without RECURRENCE-ID");
  for (const c of parts) checkComponent(c, invalid);
  try {
    const series = new Series(calendar, floating);
    if (series.overrides().length !== parts.length - masters.length) {
      throw wrong("two components with the same RECURRENCE-ID");
    }
    return series;
  } catch (err) {
    if (err instanceof FormatError) throw invalid(err.message);
    throw err;
  }
}

const single = ["DTSTART", "DTEND", "DUE", "DURATION", "UID", "RECURRENCE-ID", "SEQUENCE"];

function checkComponent(component: Component, invalid: (text: string) => ObjectError): void {
  for (const name of single) {
    const list = component.properties.filter((p) => p.name === name);
    if (list.length > 1) throw invalid(`${component.name} has ${name} ${list.length} times`);
  }
  if (component.name === "VEVENT" && property(component, "DTSTART") === undefined) {
    throw invalid("VEVENT has no DTSTART");
  }
  const attendees = component.properties.filter((p) => p.name === "ATTENDEE").length;
  if (attendees > maxAttendees) {
    throw new ObjectError("max-attendees-per-instance", `more than ${maxAttendees} ATTENDEEs`);
  }
  const both = (a: string, b: string) => property(component, a) && property(component, b);
  if (both("DTEND", "DURATION") || both("DUE", "DURATION")) {
    throw invalid(`${component.name} has a duration and an end`);
  }
  for (const alarm of component.components) {
    if (alarm.name !== "VALARM") continue;
    const trigger = property(alarm, "TRIGGER");
    if (
      trigger !== undefined && parseDuration(trigger.value) === undefined &&
      parseTime(trigger.value.trim()) === undefined
    ) throw invalid("VALARM has a TRIGGER that is neither a duration nor a time");
  }
}

/** Searchable words of an object. */
export function objectText(series: Series): { summary: string; search: string } {
  const parts = series.calendar.components.filter((c) => c.name === series.kind);
  const main = series.master ?? parts[0];
  const words: string[] = [];
  for (const c of parts.slice(0, 20)) {
    for (const p of c.properties) {
      if (/^(?:SUMMARY|LOCATION|DESCRIPTION|CATEGORIES|ATTENDEE|ORGANIZER)$/.test(p.name)) {
        words.push(textStart(p.value, 500));
      }
    }
  }
  return {
    summary: textStart(valueOf(main, "SUMMARY") ?? "", 500),
    search: words.join("\n").slice(0, 4000).toLowerCase(),
  };
}
