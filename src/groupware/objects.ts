/**
 * Conversion between the text of objects and the store: checks them, and describes them for the index. Parsed
 * objects are cached for a while, as programs request the same month repeatedly.
 *
 * @module
 */
import type { TimeRange } from "../mail/calendar/filter.ts";
import {
  checkedSeries,
  objectText,
  parseCalendar,
  parseCalendarInTurns,
  readObject,
} from "../mail/calendar/object.ts";
import { type Instance, Series } from "../mail/calendar/series.ts";
import { day } from "../mail/calendar/time.ts";
import { namedZone, type Zone } from "../mail/calendar/zones.ts";
import { type Card, cardText, readCard, readCardInTurns } from "../mail/vcard/card.ts";
import { giveWay } from "../platform/turns.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import type { NewObject, ObjectIndex, ObjectRow } from "../store/groupware/types.ts";

/** Most bytes of one object. */
export const maxObjectSize = 10 * 1024 * 1024;

/** The index of a calendar object. */
export function seriesIndex(series: Series): ObjectIndex {
  const { first, last } = series.bounds();
  const { summary, search } = objectText(series);
  return {
    uid: series.uid,
    component: series.kind,
    first: first ?? null,
    last: last ?? null,
    recurring: series.recurring,
    summary,
    emails: [],
    search,
  };
}

/** A calendar object for storing, with its parsed form. */
export type CalendarObject = NewObject & { series: Series };

/** A calendar object for storing. @throws ObjectError */
export function calendarObject(
  name: string,
  content: Uint8Array,
  floating?: Zone,
): CalendarObject {
  const series = readObject(content, floating);
  return { name, content, index: seriesIndex(series), series };
}

/** The same in turns with other work, for data from clients. @throws ObjectError */
export async function calendarObjectInTurns(
  name: string,
  content: Uint8Array,
  floating?: Zone,
): Promise<CalendarObject> {
  const calendar = await parseCalendarInTurns(content);
  await giveWay();
  const series = checkedSeries(calendar, floating);
  await giveWay();
  return { name, content, index: seriesIndex(series), series };
}

/** A card for storing. @throws CardError */
export function cardObject(name: string, content: Uint8Array): NewObject {
  return indexedCard(name, content, readCard(content));
}

/** The same in turns with other work, for data from clients. @throws CardError */
export async function cardObjectInTurns(name: string, content: Uint8Array): Promise<NewObject> {
  return indexedCard(name, content, await readCardInTurns(content));
}

function indexedCard(name: string, content: Uint8Array, card: Card): NewObject {
  return {
    name,
    content,
    index: {
      uid: card.uid,
      component: "VCARD",
      first: null,
      last: null,
      recurring: false,
      summary: card.name.slice(0, 500),
      emails: card.emails,
      search: cardText(card),
    },
  };
}

/**
 * Whether the index alone shows that an event is in a span: it doesn't repeat, and lies completely within the
 * span in any zone of floating times.
 */
export function wholeWithin(row: ObjectRow, span: TimeRange): boolean {
  return row.component === "VEVENT" && !row.recurring && row.first !== null && row.last !== null &&
    row.first >= span.start && row.last < span.end;
}

/**
 * Most parsed objects cached for an account, most bytes of one, and of all together: parsed they take some ten
 * times as much.
 */
const maxKept = 3000;
const maxKeptSize = 20_000;
const maxKeptBytes = 4_000_000;
interface Kept {
  modseq: number;
  zone: string;
  size: number;
  series: Series;
}
/** By object; the last used ones are at the end. */
class KeptSeries {
  readonly #map = new Map<number, Kept>();
  #bytes = 0;

  get(id: number): Kept | undefined {
    const found = this.#map.get(id);
    if (found !== undefined) {
      // Objects that are often used, such as recurring ones, stay while the shown month changes.
      this.#map.delete(id);
      this.#map.set(id, found);
    }
    return found;
  }

  put(id: number, one: Kept): void {
    this.#drop(id);
    this.#map.set(id, one);
    this.#bytes += one.size;
    while (this.#map.size > maxKept || this.#bytes > maxKeptBytes) {
      this.#drop(this.#map.keys().next().value!);
    }
  }

  #drop(id: number): void {
    this.#bytes -= this.#map.get(id)?.size ?? 0;
    this.#map.delete(id);
  }
}
const kept = new WeakMap<Groupware, KeptSeries>();

/** Stored objects up to this many bytes are parsed in one go. */
const readAtOnce = 100_000;

/** Parses a stored object; large ones in turns with other work. @throws FormatError, ObjectError */
export async function storedSeriesInTurns(
  groupware: Groupware,
  row: ObjectRow,
  floating?: Zone,
): Promise<Series> {
  if (row.size <= readAtOnce) return storedSeries(groupware, row, floating);
  const calendar = await parseCalendarInTurns(groupware.content(row.id) ?? new Uint8Array(0));
  return new Series(calendar, floating);
}

/** Parses a stored object. @throws FormatError, ObjectError for an invalid one */
export function storedSeries(groupware: Groupware, row: ObjectRow, floating?: Zone): Series {
  let map = kept.get(groupware);
  if (map === undefined) kept.set(groupware, map = new KeptSeries());
  const zone = floating?.name ?? "";
  const found = map.get(row.id);
  if (found !== undefined && found.modseq === row.modseq && found.zone === zone) {
    return found.series;
  }
  const content = groupware.content(row.id) ?? new Uint8Array(0);
  const series = new Series(parseCalendar(content), floating);
  if (content.length <= maxKeptSize) {
    map.put(row.id, { modseq: row.modseq, zone, size: content.length, series });
  }
  return series;
}

/** Most single events of an account whose times are cached: some hundred bytes each. */
const maxKeptTimes = 20_000;
/** The times of an event: milliseconds since the epoch. */
export interface EventTimes {
  start: number;
  end: number;
}
const keptTimes = new WeakMap<
  Groupware,
  Map<number, EventTimes & { modseq: number; zone: string }>
>();

/**
 * The times of a non-recurring event, cached for longer than its parsed form. Undefined if it recurs, has no
 * time, or is so large that it is parsed in turns.
 * @throws FormatError, ObjectError for an invalid one
 */
export function singleTimes(
  groupware: Groupware,
  row: ObjectRow,
  floating: Zone,
): EventTimes | undefined {
  if (row.recurring || row.component !== "VEVENT" || row.size > readAtOnce) return undefined;
  let map = keptTimes.get(groupware);
  if (map === undefined) keptTimes.set(groupware, map = new Map());
  const found = map.get(row.id);
  if (found !== undefined && found.modseq === row.modseq && found.zone === floating.name) {
    return found;
  }
  const [i] = storedSeries(groupware, row, floating).instances(-Infinity, Infinity, 1);
  if (i?.start === undefined) return undefined;
  const { modseq } = row;
  const times = { start: i.start, end: instanceEnd(i)!, modseq, zone: floating.name };
  map.delete(row.id);
  if (map.size >= maxKeptTimes) map.delete(map.keys().next().value!);
  map.set(row.id, times);
  return times;
}

/** When an instance ends: a date without an end lasts a day. Undefined without a time. */
export function instanceEnd(instance: Instance): number | undefined {
  return instance.end ??
    (instance.allDay && instance.start !== undefined ? instance.start + day : instance.start);
}

/** Name of the property with a calendar's zone, as a VTIMEZONE or a name (RFC 4791, RFC 7809). */
export const timezoneProperty = "{urn:ietf:params:xml:ns:caldav}calendar-timezone";
export const timezoneIdProperty = "{urn:ietf:params:xml:ns:caldav}calendar-timezone-id";

/** The zone of a VCALENDAR with a VTIMEZONE. @throws ObjectError */
export function zoneOfText(text: string): Zone | undefined {
  const calendar = parseCalendar(text.trim());
  const zone = calendar.components.find((c) => c.name === "VTIMEZONE");
  if (zone === undefined || calendar.components.length !== 1) return undefined;
  const name = zone.properties.find((p) => p.name === "TZID")?.value.trim() ?? "";
  return namedZone(name) ?? new Series({
    ...calendar,
    components: [zone, { name: "VEVENT", properties: [], components: [] }],
  }).zones.find(name);
}
