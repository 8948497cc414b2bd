/**
 * A calendar object as requested by a client (RFC 4791 §9.6): parts of it, its instances one by one, or its
 * exceptions within a time range.
 *
 * @module
 */
import {
  changedProperty,
  type Component,
  newProperty,
  type Property,
  writeComponent,
  writeProperty,
} from "../contentline/component.ts";
import { inRange, type TimeRange } from "./filter.ts";
import { type Instance, periods, type Series } from "./series.ts";
import { type CalendarTime, day, formatTime, formatUtc } from "./time.ts";

/** The requested properties and components of a component. */
export interface CompRequest {
  name: string;
  allProps: boolean;
  props: { name: string; noValue: boolean }[];
  allComps: boolean;
  comps: CompRequest[];
}

export interface CalendarDataRequest {
  comp: CompRequest | undefined;
  expand: TimeRange | undefined;
  limitRecurrence: TimeRange | undefined;
  limitFreeBusy: TimeRange | undefined;
}

/** True if the stored object unchanged answers the request. */
export function asStored(request: CalendarDataRequest): boolean {
  return request.comp === undefined && request.expand === undefined &&
    request.limitRecurrence === undefined &&
    request.limitFreeBusy === undefined;
}

/** A time as UTC; floating times and dates stay unchanged. */
function inUtc(series: Series, time: CalendarTime): string {
  return time.date || series.zones.floats(time.zone)
    ? formatTime({ ...time, zone: "" })
    : formatUtc(series.instant(time));
}

function timeProperty(series: Series, name: string, time: CalendarTime): Property {
  return newProperty(name, inUtc(series, time), time.date ? { VALUE: "DATE" } : {});
}

const recurrenceNames = new Set(["RRULE", "RDATE", "EXDATE", "EXRULE"]);

/** An instance as a separate component, in UTC. */
export function instanceComponent(series: Series, instance: Instance): Component {
  const c = instance.component;
  const properties: Property[] = [];
  for (const p of c.properties) {
    if (recurrenceNames.has(p.name) || p.name === "RECURRENCE-ID") continue;
    if (p.name === "DTSTART" && instance.startTime) {
      properties.push(timeProperty(series, "DTSTART", instance.startTime));
    } else if ((p.name === "DTEND" || p.name === "DUE") && instance.endTime) {
      properties.push(timeProperty(series, p.name, instance.endTime));
    } else properties.push(p);
  }
  if (instance.recurrence !== undefined) {
    properties.push(timeProperty(series, "RECURRENCE-ID", instance.recurrence));
  }
  return { ...c, properties };
}

/** All instances in a range, in place of the rules. */
function* expanded(series: Series, range: TimeRange): Generator<Component> {
  for (const i of series.instances(range.start, range.end)) {
    if (inRange(series, i, range)) yield instanceComponent(series, i);
  }
}

/** The master, and the exceptions relevant to a range. */
function limited(series: Series, range: TimeRange): Component {
  const near = new Set<Component>();
  for (const i of series.instances(range.start - day, range.end + day)) {
    if (inRange(series, i, range)) near.add(i.component);
  }
  const lengths = series.instances(range.start, range.end);
  const longest = lengths.reduce((n, i) => Math.max(n, (i.end ?? 0) - (i.start ?? 0)), 0);
  for (const { component, id } of series.overrides()) {
    const at = series.instant(id);
    const length = id.date ? Math.max(longest, day) : longest;
    if (range.start < at + Math.max(length, 1) && range.end > at) near.add(component);
  }
  return {
    ...series.calendar,
    components: series.calendar.components.filter((c) =>
      c.name === "VTIMEZONE" || c === series.master || near.has(c)
    ),
  };
}

/** FREEBUSY properties with the periods that overlap a range. */
function freeBusyLimited(series: Series, component: Component, range: TimeRange): Component {
  const properties = component.properties.flatMap((property) => {
    if (property.name !== "FREEBUSY") return [property];
    const kept = property.value.split(",").filter((v) =>
      periods({ ...property, value: v }, series.zones).some((x) =>
        range.start < x.end && range.end > x.start
      )
    );
    return kept.length === 0 ? [] : [changedProperty(property, kept.join(","))];
  });
  return {
    ...component,
    properties,
    components: component.components.map((x) => freeBusyLimited(series, x, range)),
  };
}

/** The requested parts of a component. */
export function pruned(component: Component, request: CompRequest): Component {
  return {
    name: component.name,
    properties: request.allProps
      ? component.properties
      : component.properties.flatMap((property) => {
        const asked = request.props.find((x) => x.name === property.name);
        if (asked === undefined) return [];
        return [asked.noValue ? changedProperty(property, "") : property];
      }),
    components: request.allComps ? component.components : component.components.flatMap((x) => {
      const asked = request.comps.find((y) => y.name === x.name);
      return asked === undefined ? [] : [pruned(x, asked)];
    }),
  };
}

/** Characters of a piece of text. */
const piece = 8 * 1024;

/** Text of an object as requested, in pieces, as there may be thousands of instances. */
export function* calendarPieces(series: Series, r: CalendarDataRequest): Generator<string> {
  const { limitFreeBusy } = r;
  let c = series.calendar;
  if (r.expand === undefined && r.limitRecurrence !== undefined) {
    c = limited(series, r.limitRecurrence);
  }
  const asked = r.comp?.name === "VCALENDAR" ? r.comp : undefined;
  const chosen = (component: Component, request: CompRequest | undefined) => {
    const kept = limitFreeBusy === undefined
      ? component
      : freeBusyLimited(series, component, limitFreeBusy);
    return request === undefined ? kept : pruned(kept, request);
  };
  let text = `BEGIN:${c.name}\r\n`;
  for (const p of chosen({ ...c, components: [] }, asked).properties) {
    text += `${writeProperty(p)}\r\n`;
  }
  for (const x of r.expand === undefined ? c.components : expanded(series, r.expand)) {
    const request = asked?.comps.find((y) => y.name === x.name);
    if (asked !== undefined && !asked.allComps && request === undefined) continue;
    text += writeComponent(chosen(x, asked?.allComps ? undefined : request));
    if (text.length < piece) continue;
    yield text;
    text = "";
  }
  yield `${text}END:${c.name}\r\n`;
}

/** Text of an object as requested. */
export function calendarData(series: Series, request: CalendarDataRequest): string {
  return [...calendarPieces(series, request)].join("");
}
