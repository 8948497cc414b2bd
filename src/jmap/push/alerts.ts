/**
 * Alerts of events that come due (jmap-calendars §6.4): told to push subscriptions and event streams that name the type
 * CalendarAlert. Those of the user's own calendars, whatever a client does about them.
 *
 * @module
 */
import { storedSeriesInTurns } from "../../groupware/objects.ts";
import { type Reminder, Reminders } from "../../groupware/reminders.ts";
import type { Log } from "../../log/mod.ts";
import { timesOf } from "../../mail/jscalendar/from_ical.ts";
import { dateId } from "../calendars/event_query.ts";
import { accountIdOf } from "../core/access.ts";
import { idOf } from "../groupware/collections.ts";
import type { JmapServices } from "../services.ts";
import { type AlertSource, alertType, type CalendarAlert } from "./alert.ts";

/** Alerts of one minute that a user is told of. */
const maxAtOnce = 100;

type Tell = (alert: CalendarAlert) => void;

export class CalendarAlerts implements AlertSource {
  /** A clock in place of the system's, and who may have it looked at. */
  static forTests: { now: () => number; opened(alerts: CalendarAlerts): void } | undefined;
  readonly #s: () => JmapServices;
  readonly #log: Log;
  readonly #streams = new Map<string, Set<Tell>>();
  readonly #reminders: Reminders;
  #sending: Promise<void> = Promise.resolve();

  constructor(s: () => JmapServices, log: Log) {
    this.#s = s;
    this.#log = log;
    const test = CalendarAlerts.forTests;
    this.#reminders = new Reminders({
      accounts: { open: (name) => s().accounts.open(name) },
      subscribed: () => [...new Set([...s().pusher.alerted(), ...this.#streams.keys()])],
      mine: (account, address) => s().config.accountFor(address) === account,
      send: (account, reminder) => {
        // In the order in which they are due.
        this.#sending = this.#sending.then(() => this.#send(account, reminder));
      },
      maxAtOnce,
      log,
      now: test?.now,
    });
    test?.opened(this);
  }

  /** Looks at the beginning of each minute. */
  start(): void {
    if (CalendarAlerts.forTests === undefined) this.#reminders.start();
  }

  /** Looks now. */
  look(): Promise<void> {
    return this.#reminders.look();
  }

  /** @returns a function that ends it */
  on(account: string, tell: Tell): () => void {
    const set = this.#streams.get(account) ?? new Set();
    this.#streams.set(account, set.add(tell));
    return () => {
      set.delete(tell);
      if (set.size === 0 && this.#streams.get(account) === set) this.#streams.delete(account);
    };
  }

  async #send(account: string, reminder: Reminder): Promise<void> {
    try {
      const alert = await this.#alert(account, reminder);
      if (alert === undefined) return;
      this.#s().pusher.alert(account, alert);
      for (const tell of this.#streams.get(account) ?? []) tell(alert);
    } catch (err) {
      this.#log.error("an alert can't be told", { account, err: err as Error });
    }
  }

  /** Undefined if its event is gone. */
  async #alert(name: string, reminder: Reminder): Promise<CalendarAlert | undefined> {
    const account = await this.#s().accounts.open(name);
    try {
      const g = await account.groupware();
      const row = g.objectById(reminder.object);
      if (row === undefined) return undefined;
      let recurrenceId: string | null = null;
      if (row.recurring) {
        const series = await storedSeriesInTurns(g, row);
        const { start } = reminder.event;
        const found = series.instances(start, start + 1).find((i) => i.start === start);
        if (found === undefined || series.master === undefined) return undefined;
        recurrenceId = dateId(series, found, timesOf(series, series.master).zone);
      }
      return {
        "@type": alertType,
        accountId: accountIdOf(name),
        calendarEventId: idOf("calendars", "object", row.id),
        uid: row.uid,
        recurrenceId,
        alertId: reminder.alert,
      };
    } finally {
      account.close();
    }
  }

  async close(): Promise<void> {
    await this.#reminders.close();
    await this.#sending;
  }
}
