/**
 * Alarms of events, told to the browsers that have asked for pushes: each minute those are sent whose time has come.
 * What is ahead is read once an hour, and when a calendar has changed.
 *
 * @module
 */
import { storedSeriesInTurns } from "../../../groupware/objects.ts";
import type { Log } from "../../../log/mod.ts";
import { textOf } from "../../../mail/calendar/event_form.ts";
import { alarmTimes } from "../../../mail/calendar/filter.ts";
import { day, hour, minute } from "../../../mail/calendar/time.ts";
import { addressOf } from "../../../mail/calendar/itip.ts";
import { type Component, param, valueOf } from "../../../mail/contentline/component.ts";
import { giveWay } from "../../../platform/turns.ts";
import type { Accounts } from "../../../store/account/accounts.ts";
import type { Groupware } from "../../../store/groupware/groupware.ts";

/** Events whose alarms are known lie so far ahead: alarms come at most a week before. */
const ahead = 8 * day;
/** How long what was read is true, if no calendar changes. */
const lasts = hour;
/** Alarms that are kept of one account. */
const maxAlarms = 5000;
/** Alarms of one minute that are told; more are no help to anybody. */
const maxTold = 5;
/** Alarms that came due while the server was away are told so long after. */
const maxLate = 10 * minute;
/** Characters of a text in a push message. */
const maxWords = 200;

/** What a browser's worker gets. */
export interface Reminder {
  event: {
    title: string;
    place: string;
    /** Milliseconds since the epoch. */
    start: number;
    allDay: boolean;
  };
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
  /** Accounts with browsers that are told. */
  subscribed: () => string[];
  /** Whether an address is an account's. */
  mine: (account: string, address: string) => boolean;
  send: (account: string, reminder: Reminder) => void;
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
    for (const row of groupware.objectsBetween(c.id, from - day, to + ahead)) {
      await giveWay();
      if (row.component !== "VEVENT" || found.length >= maxAlarms) continue;
      try {
        const series = await storedSeriesInTurns(groupware, row);
        if (!series.calendar.components.some((x) => x.components.length > 0)) continue;
        for (const i of series.instances(from - day, to + ahead)) {
          if (i.start === undefined || isOff(i.component, mine)) continue;
          for (const alarm of i.component.components) {
            if (alarm.name !== "VALARM") continue;
            for (const at of alarmTimes(series, alarm, i)) {
              if (at <= from || at > to) continue;
              const event = {
                title: textOf(i.component, "SUMMARY").slice(0, maxWords),
                place: textOf(i.component, "LOCATION").slice(0, maxWords),
                start: i.start,
                allDay: i.allDay,
              };
              found.push({ at, reminder: { event } });
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
        for (const a of due.slice(0, maxTold)) this.#o.send(name, a.reminder);
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
