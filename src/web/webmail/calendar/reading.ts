/** Events of the account's calendars, for the page. @module */
import { calendarLooks } from "../../../groupware/collection_looks.ts";
import { defaultCalendar } from "../../../groupware/default_calendar.ts";
import { storedSeries } from "../../../groupware/objects.ts";
import { inRange, type TimeRange } from "../../../mail/calendar/filter.ts";
import { shownTimes, textOf, wallOf } from "../../../mail/calendar/event_form.ts";
import { dateNumber } from "../../../mail/calendar/event_dates.ts";
import type { Series } from "../../../mail/calendar/series.ts";
import { namedZone, toInstant, type Zone } from "../../../mail/calendar/zones.ts";
import { type Component, param, valueOf } from "../../../mail/contentline/component.ts";
import { addressOf } from "../../../mail/calendar/itip.ts";
import { day } from "../../../mail/calendar/time.ts";
import { giveWay } from "../../../platform/turns.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";
import type { Collection, ObjectRow } from "../../../store/groupware/types.ts";
import {
  type Calendar,
  type CalendarItem,
  maxCalendarDays,
  maxCalendarEvents,
} from "../../../../webmail/api/calendar.ts";
import { UserError } from "../../http/mod.ts";
import { missing } from "../errors.ts";

/** Times of one event that are shown of a period. */
const mostTimes = 500;

/** The zone of a request. @throws UserError */
export function zoneOf(name: string): Zone {
  const zone = namedZone(name);
  if (zone === undefined) {
    throw new UserError(`the time zone ${name.slice(0, 100)} is not known here`);
  }
  return zone;
}

/** Calendars of an account that hold events. */
export function calendarsOf(groupware: Groupware): Collection[] {
  return groupware.collections("calendars").filter((c) =>
    c.kind === "calendar" && (c.components.length === 0 || c.components.includes("VEVENT"))
  );
}

/** A calendar by its id. @throws HttpError */
export function calendarOf(groupware: Groupware, id: number): Collection {
  const c = calendarsOf(groupware).find((x) => x.id === id);
  if (c === undefined) throw missing("calendar");
  return c;
}

/** An event by its place. @throws HttpError */
export function eventRow(groupware: Groupware, calendarId: number, name: string): ObjectRow {
  const row = groupware.object(calendarOf(groupware, calendarId).id, name);
  if (row === undefined || row.component !== "VEVENT") throw missing("event");
  return row;
}

/** The calendars as the page lists them: the user's own, or those that somebody shares with them. */
export function calendarList(
  groupware: Groupware,
  calendars = calendarsOf(groupware),
  shared?: { owner: string; user: string },
): Calendar[] {
  const usual = shared ? undefined : defaultCalendar(groupware)?.id;
  return calendars.map((collection) => ({
    id: collection.id,
    owner: shared?.owner ?? "",
    ...calendarLooks(groupware, collection),
    usual: collection.id === usual,
    writable: !shared || groupware.rightsOf(collection.id, shared.user) === "write",
  }));
}

/** Whether the user declined. */
function declined(component: Component, mine: (address: string) => boolean): boolean {
  return component.properties.some((p) =>
    p.name === "ATTENDEE" && param(p, "PARTSTAT")?.toUpperCase() === "DECLINED" &&
    mine(addressOf(p))
  );
}

/** The times of an event in a period. */
function itemsOf(
  row: ObjectRow,
  series: Series,
  range: TimeRange,
  zone: Zone,
  mine: (address: string) => boolean,
  owner: string,
): { items: CalendarItem[]; more: boolean } {
  const items: CalendarItem[] = [];
  const instances = series.instances(range.start, range.end, mostTimes);
  for (const i of instances) {
    const { component: c, startTime } = i;
    if (i.start === undefined || startTime === undefined || !inRange(series, i, range)) continue;
    items.push({
      calendarId: row.collectionId,
      owner,
      name: row.name,
      title: textOf(c, "SUMMARY").slice(0, 500),
      place: textOf(c, "LOCATION").slice(0, 500),
      ...shownTimes({ start: startTime, end: i.endTime }, (t) => series.instant(t), zone),
      time: i.start,
      repeats: row.recurring,
      date: i.recurrence === undefined || series.master === undefined
        ? null
        : dateNumber(series, i.recurrence),
      status: declined(c, mine)
        ? "declined"
        : (valueOf(c, "STATUS") ?? "").trim().toLowerCase().slice(0, 50),
    });
  }
  return { items, more: instances.length >= mostTimes };
}

/** Where events are read: calendars of an account. */
export interface CalendarSource {
  g: Groupware;
  calendars: readonly Collection[];
  /** "" for the user's own. */
  owner: string;
}

/** The period of a request. @throws UserError */
export function periodOf(from: string, to: string, zone: Zone): TimeRange {
  const [first, last] = [wallOf(from), wallOf(to)];
  if (first === undefined || last === undefined) throw new UserError("the period has no such date");
  if (last < first) throw new UserError("the period ends before it begins");
  if (last - first >= maxCalendarDays * day) {
    throw new UserError(`at most ${maxCalendarDays} days are shown at once`);
  }
  return { start: toInstant(zone, first), end: toInstant(zone, last + day) };
}

/** Times of events in a period, gathered from several accounts. */
export class Gathered {
  readonly #items: CalendarItem[] = [];
  #unread = 0;
  #more = false;

  /** Adds those of some calendars. */
  async add(
    source: CalendarSource,
    range: TimeRange,
    zone: Zone,
    mine: (address: string) => boolean,
  ): Promise<void> {
    const { g, calendars, owner } = source;
    for (const c of calendars) {
      for (const row of g.objectsBetween(c.id, range.start, range.end)) {
        if (row.component !== "VEVENT") continue;
        if (this.#items.length > maxCalendarEvents) return;
        await giveWay();
        try {
          const found = itemsOf(row, storedSeries(g, row, zone), range, zone, mine, owner);
          this.#items.push(...found.items);
          this.#more ||= found.more;
        } catch {
          this.#unread++;
        }
      }
    }
  }

  /** All of them, in order. */
  done(): { items: CalendarItem[]; more: boolean; unread: number } {
    this.#items.sort((a, b) => a.time - b.time || a.title.localeCompare(b.title));
    const more = this.#more || this.#items.length > maxCalendarEvents;
    return { items: this.#items.slice(0, maxCalendarEvents), more, unread: this.#unread };
  }
}
