/** An alert of an event as clients get it (jmap-calendars §6.4). @module */

/** The pseudo-type that clients name; "*" and null don't stand for it. */
export const alertType = "CalendarAlert";

export interface CalendarAlert {
  "@type": "CalendarAlert";
  accountId: string;
  calendarEventId: string;
  uid: string;
  /** The date of a recurring event; null of any other. */
  recurrenceId: string | null;
  alertId: string;
}

/** Tells of alerts that come due; see alerts.ts. */
export interface AlertSource {
  start(): void;
  /** @returns a function that ends it */
  on(account: string, tell: (alert: CalendarAlert) => void): () => void;
  close(): Promise<void>;
}
