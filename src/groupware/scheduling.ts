/**
 * The interface of scheduling (RFC 6638), which calendar servers call before each of a user's writes. @module
 */
import type { TimeRange } from "../mail/calendar/filter.ts";
import type { Busy } from "../mail/calendar/freebusy.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Collection, ObjectRow } from "../store/groupware/types.ts";
import type { Series } from "../mail/calendar/series.ts";

/** A user's write to their own calendar that is allowed and meets its conditions. */
export interface CalendarWrite {
  account: string;
  g: Groupware;
  collection: Collection;
  /** The existing object, if any. */
  before: ObjectRow | undefined;
  /** The new object; undefined for a removal. */
  after: { content: Uint8Array; series: Series } | undefined;
  /** Whether to notify the organizer that an invitation is declined by its removal. */
  reply: boolean;
}

/** The result of scheduling a write. */
export interface Scheduled {
  /** The content to store: statuses of participants may have been added. */
  content: Uint8Array;
  series: Series;
  /** "" if nobody else is concerned. */
  scheduleTag: string;
  /** Whether it differs from what the client wrote. */
  changed: boolean;
}

/** A write that scheduling doesn't allow, by the name of its precondition (RFC 6638 §3.2.4). */
export class SchedulingError extends Error {
  override name = "SchedulingError";
  readonly rule:
    | "unique-scheduling-object-resource"
    | "same-organizer-in-all-components"
    | "allowed-organizer-scheduling-object-change"
    | "allowed-attendee-scheduling-object-change";
  /** Name of the object in the way, and of its calendar. */
  readonly other: { collection: string; name: string } | undefined;
  constructor(
    rule: SchedulingError["rule"],
    message: string,
    other?: { collection: string; name: string },
  ) {
    super(message);
    this.rule = rule;
    this.other = other;
  }
}

/** The answer to a query for busy times (RFC 6638 §5). */
export interface BusyAnswer {
  recipient: string;
  /** Such as "2.0;Success" (RFC 5545 §3.8.8.3). */
  status: string;
  /** The calendar with the times. */
  calendar: string | undefined;
}

export interface Scheduler {
  /** The calendar for invitations. */
  defaultCalendar(groupware: Groupware): Collection | undefined;
  /**
   * Sends the messages that follow from a write, and returns the content to store.
   * @throws SchedulingError
   */
  write(w: CalendarWrite & { after: NonNullable<CalendarWrite["after"]> }): Promise<Scheduled>;
  /** The same for a removal. */
  remove(write: CalendarWrite): Promise<void>;
  /** An account's busy times in a span: merged, in order of their kinds. */
  times(
    account: string,
    range: TimeRange,
    skips?: (row: ObjectRow, series: Series) => boolean,
  ): Promise<Busy[]>;
  /** Busy times of users of this server, in a span. */
  busy(account: string, request: Series, recipients: readonly string[]): Promise<BusyAnswer[]>;
}
