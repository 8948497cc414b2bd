/** What scheduling (RFC 6638) does with a user's writes; who serves calendars asks it before each. @module */
import type { TimeRange } from "../mail/calendar/filter.ts";
import type { Busy } from "../mail/calendar/freebusy.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Collection, ObjectRow } from "../store/groupware/types.ts";
import type { Series } from "../mail/calendar/series.ts";

/** A write of a user to an own calendar, that is allowed and meets its conditions. */
export interface CalendarWrite {
  account: string;
  g: Groupware;
  collection: Collection;
  /** What is there, if it is. */
  before: ObjectRow | undefined;
  /** What shall be there; undefined where it is removed. */
  after: { content: Uint8Array; series: Series } | undefined;
  /** Whether the organizer is to be told that an invitation is declined by its removal. */
  reply: boolean;
}

/** What becomes of a write. */
export interface Scheduled {
  /** What is to be stored: statuses of people may have come to it. */
  content: Uint8Array;
  series: Series;
  /** "" for what is nobody else's business. */
  scheduleTag: string;
  /** It isn't what the client wrote. */
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

/** An answer to who asks when somebody is busy (RFC 6638 §5). */
export interface BusyAnswer {
  recipient: string;
  /** Such as "2.0;Success" (RFC 5545 §3.8.8.3). */
  status: string;
  /** The calendar with the times. */
  calendar: string | undefined;
}

export interface Scheduler {
  /** Where invitations go. */
  defaultCalendar(groupware: Groupware): Collection | undefined;
  /**
   * Sends what a write has to be followed by, and gives what is to be stored.
   * @throws SchedulingError
   */
  write(w: CalendarWrite & { after: NonNullable<CalendarWrite["after"]> }): Promise<Scheduled>;
  /** The same for a removal. */
  remove(write: CalendarWrite): Promise<void>;
  /** When an account is busy, in a span: joined, in order of their kinds. */
  times(account: string, range: TimeRange): Promise<Busy[]>;
  /** When people of this server are busy, in a span. */
  busy(account: string, request: Series, recipients: readonly string[]): Promise<BusyAnswer[]>;
}
