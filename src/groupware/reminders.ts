/**
 * Alarms of events that come due: told to who has asked for them, each minute those whose time has come. What is ahead is
 * read once an hour, and when a calendar has changed.
 *
 * @module
 */
import type { Log } from "../log/mod.ts";
import { textOf } from "../mail/calendar/event_form.ts";
import { alarmTimes } from "../mail/calendar/filter.ts";
import { addressOf } from "../mail/calendar/itip.ts";
import type { Series } from "../mail/calendar/series.ts";
import { day, hour, minute, parseTime } from "../mail/calendar/time.ts";
import { type Component, param, valueOf } from "../mail/contentline/component.ts";
import { alertsOf } from "../mail/jscalendar/alerts.ts";
import { eventFromComponent } from "../mail/jscalendar/from_ical.ts";
import { alarm as alarmOf, obj } from "../mail/jscalendar/native_lines.ts";
import { giveWay } from "../platform/turns.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import { type CollectionSettings, collectionSettings } from "./collection_looks.ts";
import { storedSeriesInTurns } from "./objects.ts";

/** Events whose alarms are known lie so far ahead: alarms come at most a week before. */
const ahead = 8 * day;
/** How long what was read is true, if no calendar changes. */
const lasts = hour;
/** Alarms that are kept of one account. */
const maxAlarms = 5000;
/** Alarms that came due while the server was away are told so long after. */
const maxLate = 10 * minute;
/** Characters of a text that is told. */
const maxWords = 200;

/** An alarm that has come due. */
export interface Reminder {
  event: {
    title: string;
    place: string;
    /** Milliseconds since the epoch. */
    start: number;
    allDay: boolean;
  };
  /** The stored object, and its alert by the id that JSCalendar has for it. */
  object: number;
  alert: string;
}

interface Alarm {
  at: number;
  reminder: Reminder;
}

interface Plan {
  modseq: number;
  until: number;
  alarms: Alarm[];
}

export interface RemindersOptions {
  accounts: Pick<Accounts, "open">;
  /** Accounts that are told. */
  subscribed: () => string[];
  /** Whether an address is an account's. */
  mine: (account: string, address: string) => boolean;
  send: (account: string, reminder: Reminder) => void;
  /** Alarms of one minute that are told; more are no help to anybody. */
  maxAtOnce: number;
  log: Log;
  now?: () => number;
}

/** Whether an event is off, or the user doesn't come. */
function isOff(component: Component, mine: (address: string) => boolean): boolean {
  return valueOf(component, "STATUS")?.trim().toUpperCase() === "CANCELLED" ||
    component.properties.some((p) =>
      p.name === "ATTENDEE" && param(p, "PARTSTAT")?.toUpperCase() === "DECLINED" &&
      mine(addressOf(p))
    );
}

/** Whether the user has dismissed an alarm that rings at a time (ACKNOWLEDGED, RFC 9074). */
function isAcknowledged(alarm: Component, at: number): boolean {
  const known = parseTime(valueOf(alarm, "ACKNOWLEDGED")?.trim() ?? "");
  return known !== undefined && known.wall >= at;
}

/**
 * Alarms of a date with the ids of their alerts: its own, or those that the calendar has for events that say so
 * (jmap-calendars §6.1).
 */
function alarmsOf(
  series: Series,
  component: Component,
  allDay: boolean,
  settings: CollectionSettings,
): { id: string; alarm: Component }[] {
  const own = alertsOf(component);
  if (!component.properties.some((p) => p.name === "JSPROP")) return own;
  if (eventFromComponent(series, component).event.useDefaultAlerts !== true) return own;
  const usual = obj(allDay ? settings.defaultAlertsWithoutTime : settings.defaultAlertsWithTime);
  const found: { id: string; alarm: Component }[] = [];
  for (const [id, alert] of Object.entries(usual)) {
    const made = alarmOf(id, obj(alert), "");
    if (made === undefined) continue;
    // What the event has under the same id says when it was dismissed.
    const known = own.find((a) => a.id === id)?.alarm.properties
      .filter((p) => p.name === "ACKNOWLEDGED") ?? [];
    found.push({ id, alarm: { ...made, properties: [...made.properties, ...known] } });
  }
  // One that was put off rings besides.
  const snoozed = own.filter((a) => a.alarm.properties.some((p) => p.name === "RELATED-TO"));
  return [...found, ...snoozed];
}

/** The alarms of a time, in order. */
export async function alarmsBetween(
  groupware: Groupware,
  from: number,
  to: number,
  mine: (address: string) => boolean,
): Promise<Alarm[]> {
  const found: Alarm[] = [];
  for (const c of groupware.collections("calendars")) {
    if (c.kind !== "calendar") continue;
    const settings = collectionSettings(groupware.properties(c.id));
    const usual = obj(settings.defaultAlertsWithTime ?? settings.defaultAlertsWithoutTime);
    const someUsual = Object.keys(usual).length > 0;
    for (const row of groupware.objectsBetween(c.id, from - day, to + ahead)) {
      await giveWay();
      if (row.component !== "VEVENT" || found.length >= maxAlarms) continue;
      try {
        const series = await storedSeriesInTurns(groupware, row);
        if (!someUsual && !series.calendar.components.some((x) => x.components.length > 0)) {
          continue;
        }
        for (const i of series.instances(from - day, to + ahead)) {
          if (i.start === undefined || isOff(i.component, mine)) continue;
          for (const { id, alarm } of alarmsOf(series, i.component, i.allDay, settings)) {
            for (const at of alarmTimes(series, alarm, i)) {
              if (at <= from || at > to || isAcknowledged(alarm, at)) continue;
              const event = {
                title: textOf(i.component, "SUMMARY").slice(0, maxWords),
                place: textOf(i.component, "LOCATION").slice(0, maxWords),
                start: i.start,
                allDay: i.allDay,
              };
              found.push({ at, reminder: { event, object: row.id, alert: id } });
            }
          }
        }
      } catch {
        // What can't be read reminds of nothing.
      }
    }
  }
  return found.sort((a, b) => a.at - b.at);
}

export class Reminders {
  readonly #o: RemindersOptions;
  readonly #now: () => number;
  readonly #plans = new Map<string, Plan>();
  #last: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: RemindersOptions) {
    this.#o = options;
    this.#now = options.now ?? Date.now;
    this.#last = this.#now() - maxLate;
  }

  /** Looks at the beginning of each minute. */
  start(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.#running = this.look().finally(() => this.start());
    }, minute - this.#now() % minute + 100);
  }

  /** Tells what came due since the last look. */
  async look(): Promise<void> {
    const now = this.#now();
    const since = Math.max(this.#last, now - maxLate);
    this.#last = now;
    const subscribed = this.#o.subscribed();
    for (const name of this.#plans.keys()) if (!subscribed.includes(name)) this.#plans.delete(name);
    for (const name of subscribed) {
      if (this.#closed) return;
      try {
        const plan = await this.#plan(name, since, now);
        const due = plan.alarms.filter((a) => a.at > since && a.at <= now);
        for (const a of due.slice(0, this.#o.maxAtOnce)) this.#o.send(name, a.reminder);
      } catch (err) {
        this.#o.log.error("reminders of an account can't be read", {
          account: name,
          err: err as Error,
        });
      }
    }
  }

  async #plan(name: string, since: number, now: number): Promise<Plan> {
    const account = await this.#o.accounts.open(name);
    try {
      const g = await account.groupware();
      const known = this.#plans.get(name);
      if (known !== undefined && known.modseq === g.modseq && now < known.until) return known;
      const { modseq } = g;
      const until = now + lasts;
      const mine = (address: string) => this.#o.mine(name, address);
      const plan = { modseq, until, alarms: await alarmsBetween(g, since, until, mine) };
      this.#plans.set(name, plan);
      return plan;
    } finally {
      account.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
