/** The XML of calendar-query: its filter, and the requested data (RFC 4791 §9). @module */
import type { CompFilter, ParamFilter, PropFilter, TimeRange } from "../../mail/calendar/filter.ts";
import type { CalendarDataRequest, CompRequest } from "../../mail/calendar/output.ts";
import { parseTime } from "../../mail/calendar/time.ts";
import { calCondition, DavError } from "../core/errors.ts";
import { attribute, child, children, countElements, type XmlElement } from "../xml/parse.ts";
import { CAL } from "../xml/write.ts";
import { textMatch } from "./collation.ts";

const invalid = (text: string) => new DavError(403, text, calCondition("valid-filter"));
/** Most filters of a calendar-query, nested or side by side. */
const maxFilters = 500;
/** Most elements of a filter. */
const maxElements = 1000;

/** A time-range or another element with start and end. @throws DavError */
export function timeRange(element: XmlElement, needsBoth = false): TimeRange {
  const at = (name: string): number | undefined => {
    const text = attribute(element, name);
    if (text === undefined) return undefined;
    const t = parseTime(text);
    if (t === undefined || t.zone !== "UTC") {
      throw invalid(`${element.name}: ${name} has to be a time in UTC, such as 20260101T000000Z`);
    }
    return t.wall;
  };
  const [start, end] = [at("start"), at("end")];
  if (
    start === undefined && end === undefined || needsBoth && (start === undefined || end ===
          undefined)
  ) {
    throw invalid(`${element.name} has no ${needsBoth ? "start and end" : "start or end"}`);
  }
  if (start !== undefined && end !== undefined && end <= start) {
    throw invalid(`${element.name}: the end is not after the start`);
  }
  return { start: start ?? -Infinity, end: end ?? Infinity };
}

function nameOf(element: XmlElement): string {
  const name = attribute(element, "name");
  if (name === undefined || name === "") throw invalid(`${element.name} has no name`);
  return name.toUpperCase();
}

/** CalDAV child elements of a name. */
const named = (e: XmlElement, name: string) =>
  children(e).filter((c) => c.ns === CAL && c.name === name);

const isNotDefined = (e: XmlElement) => child(e, CAL, "is-not-defined") !== undefined;

function textIn(element: XmlElement) {
  const match = child(element, CAL, "text-match");
  return match && textMatch(match, CAL, "i;ascii-casemap");
}

function rangeIn(element: XmlElement): TimeRange | undefined {
  const range = child(element, CAL, "time-range");
  return range && timeRange(range);
}

function paramFilter(element: XmlElement): ParamFilter {
  return { name: nameOf(element), notDefined: isNotDefined(element), text: textIn(element) };
}

function propFilter(element: XmlElement): PropFilter {
  return {
    name: nameOf(element),
    notDefined: isNotDefined(element),
    range: rangeIn(element),
    text: textIn(element),
    params: named(element, "param-filter").slice(0, maxFilters).map(paramFilter),
  };
}

const ranged = new Set(["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VALARM", "VAVAILABILITY"]);

function compFilter(element: XmlElement): CompFilter {
  const name = nameOf(element);
  const range = rangeIn(element);
  if (range !== undefined && !ranged.has(name)) throw invalid(`${name} has no time`);
  return {
    name,
    notDefined: isNotDefined(element),
    range,
    props: named(element, "prop-filter").slice(0, maxFilters).map(propFilter),
    comps: named(element, "comp-filter").slice(0, maxFilters).map(compFilter),
  };
}

/** The filter of a calendar-query. @throws DavError */
export function calendarFilter(query: XmlElement): CompFilter {
  const filter = child(query, CAL, "filter");
  if (filter === undefined) throw invalid("there is no filter");
  if (countElements(filter) > maxElements) throw invalid("the filter is too long");
  const parts = children(filter);
  if (parts.length !== 1 || parts[0].ns !== CAL || parts[0].name !== "comp-filter") {
    throw invalid("a filter has one comp-filter");
  }
  const found = compFilter(parts[0]);
  if (found.name !== "VCALENDAR") throw invalid("the first comp-filter has to be VCALENDAR");
  return found;
}

function compRequest(element: XmlElement): CompRequest {
  // An empty one means everything (RFC 4791 §7.8.1 requests VTIMEZONE this way).
  const whole = children(element).length === 0;
  return {
    name: nameOf(element),
    allProps: whole || child(element, CAL, "allprop") !== undefined,
    props: named(element, "prop").map((p) => ({
      name: nameOf(p),
      noValue: attribute(p, "novalue") === "yes",
    })),
    allComps: whole || child(element, CAL, "allcomp") !== undefined,
    comps: named(element, "comp").map(compRequest),
  };
}

/** The data requested by a calendar-data element. @throws DavError 403 supported-calendar-data */
export function calendarDataRequest(element: XmlElement): CalendarDataRequest {
  const type = attribute(element, "content-type") ?? "text/calendar";
  const version = attribute(element, "version") ?? "2.0";
  if (type.toLowerCase() !== "text/calendar" || version !== "2.0") {
    throw new DavError(
      403,
      `calendars are text/calendar 2.0, not ${type} ${version}`,
      calCondition("supported-calendar-data"),
    );
  }
  const span = (name: string) => {
    const x = child(element, CAL, name);
    return x && timeRange(x, true);
  };
  const comp = child(element, CAL, "comp");
  return {
    comp: comp && compRequest(comp),
    expand: span("expand"),
    limitRecurrence: span("limit-recurrence-set"),
    limitFreeBusy: span("limit-freebusy-set"),
  };
}
