/**
 * The calls of the calendar. Times of events are written as clocks of the reader's zone show them: "2027-01-05" or
 * "2027-01-05T10:00"; each call says which zone that is.
 *
 * @module
 */
import * as v from "valibot";
import { Count, Id, Nothing, text, Time } from "./basics.ts";

/** Longest period that is asked for, in days. */
export const maxCalendarDays = 400;
/** Events of one answer. */
export const maxCalendarEvents = 5000;
/** People of one event. */
export const maxCalendarPeople = 200;

/** Name of a time zone (IANA), such as Europe/Berlin. */
const ZoneName = text(100);
/** Last segment of an event's address in its calendar. */
const EventName = v.pipe(v.string(), v.minLength(1), v.maxLength(1000));
const DateText = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\d$/, "not a date"));
/** A date, or a date with a time. */
const DateOrTime = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?$/, "not a date or a time"),
);

export const Calendar = v.object({
  /** Among those of its owner. */
  id: Id,
  /** The account that shares it; "" for the user's own. */
  owner: v.string(),
  name: v.string(),
  /** As CSS has it; "" if none was chosen. */
  color: v.string(),
  /** Events are put here unless another is chosen. */
  usual: v.boolean(),
  /** Whether the user may change it. */
  writable: v.boolean(),
});
export type Calendar = v.InferOutput<typeof Calendar>;

/** One time at which an event is. */
export const CalendarItem = v.object({
  calendarId: Id,
  /** As the calendar has it. */
  owner: v.string(),
  name: v.string(),
  title: v.string(),
  place: v.string(),
  /** Whole days: start and end are dates, the end is the last day. */
  allDay: v.boolean(),
  start: DateOrTime,
  end: DateOrTime,
  /** Of the start, to order and compare. */
  time: Time,
  repeats: v.boolean(),
  /** Which date of a series it is, for calls about that alone; null if it doesn't repeat. */
  date: v.nullable(Time),
  /** Lower case, as RFC 5545 names it; "" without; "declined" if the user doesn't come. */
  status: v.string(),
});
export type CalendarItem = v.InferOutput<typeof CalendarItem>;

export const Repetition = v.variant("every", [
  v.object({ every: v.literal("never") }),
  v.object({
    every: v.picklist(["day", "week", "month", "year"]),
    /** Every n-th. */
    interval: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(999)),
    /** The last date, or null. */
    until: v.nullable(DateText),
    /** How often, or null. */
    count: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9999))),
  }),
  /** One that the page has no fields for: it stays as it is. */
  v.object({ every: v.literal("other"), rule: text(2000) }),
]);
export type Repetition = v.InferOutput<typeof Repetition>;

/** Who sees it of those that the calendar is shared with: all of it, when it is, or nothing. */
export const EventPrivacy = v.picklist(["public", "private", "confidential"]);
export type EventPrivacy = v.InferOutput<typeof EventPrivacy>;

/** What the page shows and changes of an event. */
export const EventForm = v.object({
  title: text(1000),
  place: text(1000),
  description: text(50_000),
  allDay: v.boolean(),
  start: DateOrTime,
  /** Of whole days the last one. */
  end: DateOrTime,
  repeat: Repetition,
  /** Addresses of those who are invited, without the user's own. */
  people: v.pipe(v.array(text(320)), v.maxLength(maxCalendarPeople)),
  /** Left out: as it is, of a new one public. */
  privacy: v.optional(EventPrivacy),
});
export type EventForm = v.InferOutput<typeof EventForm>;

/** The same as it is read: what others wrote may be longer than what the page writes. */
const ShownEvent = v.object({
  ...EventForm.entries,
  title: v.string(),
  place: v.string(),
  description: v.string(),
  repeat: v.union([Repetition, v.object({ every: v.literal("other"), rule: v.string() })]),
  people: v.array(v.string()),
});

/** Someone who is invited. */
const Invited = v.object({
  name: v.string(),
  address: v.string(),
  /** "accepted", "declined", "tentative", "needs-action", … */
  status: v.string(),
});
export type Invited = v.InferOutput<typeof Invited>;

/** A date of a series, alone or with all that follow it. */
const SeriesPart = v.strictObject({ date: Time, following: v.boolean() });
export type SeriesPart = v.InferOutput<typeof SeriesPart>;
/** Null for all of an event. */
const Part = v.optional(v.nullable(SeriesPart), null);

const Where = { calendarId: Id, name: EventName };
/** The account that shares the calendar; "" for an own one. */
const Owner = v.optional(text(500), "");

export const calendarCalls = {
  /** The events of a period, each time of those that repeat. */
  CalendarItems: {
    request: v.strictObject({
      zone: ZoneName,
      /** First and last day, both within. */
      from: DateText,
      to: DateText,
    }),
    response: v.object({
      calendars: v.array(Calendar),
      items: v.array(CalendarItem),
      /** There are more than one answer has. */
      more: v.boolean(),
      /** Events that can't be read. */
      unread: Count,
    }),
  },
  /** When people of the user's own domains are busy in a time; of others nothing is known. */
  CalendarBusy: {
    request: v.strictObject({
      zone: ZoneName,
      people: v.pipe(v.array(text(320)), v.maxLength(maxCalendarPeople)),
      start: DateOrTime,
      /** Of whole days the last one. */
      end: DateOrTime,
    }),
    response: v.object({
      people: v.array(v.object({
        address: v.string(),
        known: v.boolean(),
        /** In order, at most 20. */
        busy: v.array(v.object({ start: DateOrTime, end: DateOrTime, perhaps: v.boolean() })),
      })),
    }),
  },
  CalendarEventGet: {
    request: v.strictObject({
      ...Where,
      zone: ZoneName,
      part: Part,
      owner: Owner,
    }),
    response: v.object({
      etag: v.string(),
      event: ShownEvent,
      /** Null, or whose event it is: only they change it. */
      organizer: v.nullable(Invited),
      people: v.array(Invited),
      /** What the user answered to an invitation, as `status` has it; null for who isn't invited. */
      answer: v.nullable(v.string()),
      /** Dates of a series that differ, or were taken out of it. */
      exceptions: Count,
    }),
  },
  /**
   * Makes an event, or changes one: all of a series or a part of it; people are told. The dates from one on become a
   * series of their own. In calendars that others share nobody is invited, as nobody does that in another's name. On
   * disk when it is answered.
   */
  CalendarEventSave: {
    request: v.strictObject({
      zone: ZoneName,
      owner: Owner,
      /** The calendar that it shall be in, of the same owner. */
      calendarId: Id,
      /** What is changed, as it was read; null for a new one. */
      old: v.nullable(v.strictObject({ ...Where, etag: text(100) })),
      part: Part,
      event: EventForm,
    }),
    response: v.object({
      name: v.string(),
      etag: v.string(),
      /** Whom no invitation could be sent. */
      untold: v.array(v.string()),
    }),
  },
  /** Answers an invitation, or one date of it; its organizer is told. On disk when it is answered. */
  CalendarEventAnswer: {
    request: v.strictObject({
      ...Where,
      etag: text(100),
      /** A date of a series; null for all of the event. */
      date: v.nullable(Time),
      answer: v.picklist(["accepted", "tentative", "declined"]),
    }),
    response: Nothing,
  },
  /** Removes an event: all of a series or a part of it. Who is invited is told; an invitation is declined. */
  CalendarEventDelete: {
    request: v.strictObject({ ...Where, owner: Owner, etag: text(100), part: Part }),
    response: Nothing,
  },
};
