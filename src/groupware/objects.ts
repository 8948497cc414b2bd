/**
 * Objects between their text and the store: checked, and described for the index. What has been read is kept for a
 * while, as mail programs ask for the same month again and again.
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

/** Bytes of one object. */
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

/** A calendar object to be stored, with what it means. */
export type CalendarObject = NewObject & { series: Series };

/** A calendar object to be stored. @throws ObjectError */
export function calendarObject(
  name: string,
  content: Uint8Array,
  floating?: Zone,
): CalendarObject {
  const series = readObject(content, floating);
  return { name, content, index: seriesIndex(series), series };
}

/** The same in turns with other work, for what clients send. @throws ObjectError */
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

/** A card to be stored. @throws CardError */
export function cardObject(name: string, content: Uint8Array): NewObject {
  return indexedCard(name, content, readCard(content));
}

/** The same in turns with other work, for what clients send. @throws CardError */
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
 * Whether the index alone says that an event is in a span: one that doesn't repeat, and from its first to its last
 * moment is within it, wherever its floating times are.
 */
export function wholeWithin(row: ObjectRow, span: TimeRange): boolean {
  return row.component === "VEVENT" && !row.recurring && row.first !== null && row.last !== null &&
    row.first >= span.start && row.last < span.end;
}

/** Objects of an account that are kept read, bytes of one, and of all together: read they take some ten times as much. */
const maxKept = 3000;
const maxKeptSize = 20_000;
const maxKeptBytes = 4_000_000;
interface Kept {
  modseq: number;
  zone: string;
  size: number;
  series: Series;
}
/** By object; those asked for last are at the end. */
class KeptSeries {
  readonly #map = new Map<number, Kept>();
  #bytes = 0;

  get(id: number): Kept | undefined {
    const found = this.#map.get(id);
    if (found !== undefined) {
      // Who is asked for again and again, such as what repeats, stays while months come and go.
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

/** Bytes up to which a stored object is read in one go. */
const readAtOnce = 100_000;

/** A stored object, read; large ones in turns with other work. @throws FormatError, ObjectError */
export async function storedSeriesInTurns(
  groupware: Groupware,
  row: ObjectRow,
  floating?: Zone,
): Promise<Series> {
  if (row.size <= readAtOnce) return storedSeries(groupware, row, floating);
  const calendar = await parseCalendarInTurns(groupware.content(row.id) ?? new Uint8Array(0));
  return new Series(calendar, floating);
}

/** A stored object, read. @throws FormatError, ObjectError for one that isn't as it should be */
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

/** Single events whose times are kept, of an account: some hundred bytes each. */
const maxKeptTimes = 20_000;
/** When an event is: milliseconds since the epoch. */
export interface EventTimes {
  start: number;
  end: number;
}
const keptTimes = new WeakMap<
  Groupware,
  Map<number, EventTimes & { modseq: number; zone: string }>
>();

/**
 * When an event is that doesn't repeat; what has been found is kept for longer than what was read for it. Undefined
 * for what repeats, has no time, or is so large that it is read in turns.
 * @throws FormatError, ObjectError for one that isn't as it should be
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

/** When an instance ends: a date without an end lasts a day. Undefined for what has no time. */
export function instanceEnd(instance: Instance): number | undefined {
  return instance.end ??
    (instance.allDay && instance.start !== undefined ? instance.start + day : instance.start);
}

/** Name of the property that has a calendar's zone, as its VTIMEZONE or its name (RFC 4791, RFC 7809). */
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
