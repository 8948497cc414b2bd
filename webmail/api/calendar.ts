/**
 * The calls of the calendar. Event times are as on a clock in the reader's zone: "2027-01-05" or "2027-01-05T10:00";
 * each call names the zone.
 *
 * @module
 */
import * as v from "valibot";
import { Count, Id, Nothing, text, Time } from "./basics.ts";

/** Longest period of a request, in days. */
export const maxCalendarDays = 400;
/** Most events in one answer. */
export const maxCalendarEvents = 5000;
/** Most attendees of one event. */
export const maxCalendarPeople = 200;

/** Name of a time zone (IANA), such as Europe/Berlin. */
const ZoneName = text(100);
/** Last segment of an event's URL in its calendar. */
const EventName = v.pipe(v.string(), v.minLength(1), v.maxLength(1000));
const DateText = v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\d$/, "not a date"));
/** A date, or a date with a time. */
const DateOrTime = v.pipe(
  v.string(),
  v.regex(/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d)?$/, "not a date or a time"),
);

export const Calendar = v.object({
  /** Unique among those of its owner. */
  id: Id,
  /** The account that shares it; "" for the user's own. */
  owner: v.string(),
  name: v.string(),
  /** A CSS color; "" if none was chosen. */
  color: v.string(),
  /** New events are put here unless another is chosen. */
  usual: v.boolean(),
  /** Whether the user may change it. */
  writable: v.boolean(),
});
export type Calendar = v.InferOutput<typeof Calendar>;

/** One occurrence of an event. */
export const CalendarItem = v.object({
  calendarId: Id,
  /** As the calendar has it. */
  owner: v.string(),
  name: v.string(),
  title: v.string(),
  place: v.string(),
  /** All-day: start and end are dates, and the end is the last day. */
  allDay: v.boolean(),
  start: DateOrTime,
  end: DateOrTime,
  /** Of the start, for sorting and comparing. */
  time: Time,
  repeats: v.boolean(),
  /** Which occurrence of a series it is, for calls about that alone; null if it doesn't repeat. */
  date: v.nullable(Time),
  /** In lower case, as RFC 5545 names it; "" if missing; "declined" if the user has declined. */
  status: v.string(),
});
export type CalendarItem = v.InferOutput<typeof CalendarItem>;

export const Repetition = v.variant("every", [
  v.object({ every: v.literal("never") }),
  v.object({
    every: v.picklist(["day", "week", "month", "year"]),
    /** Every n-th. */
    interval: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(999)),
    /** The last date; null for none. */
    until: v.nullable(DateText),
    /** Number of occurrences; null for none. */
    count: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(9999))),
  }),
  /** A rule for which the page has no fields: it stays unchanged. */
  v.object({ every: v.literal("other"), rule: text(2000) }),
]);
export type Repetition = v.InferOutput<typeof Repetition>;

/** What people with whom the calendar is shared see of it: everything, only the time, or nothing. */
export const EventPrivacy = v.picklist(["public", "private", "confidential"]);
export type EventPrivacy = v.InferOutput<typeof EventPrivacy>;

/** What the page shows and changes of an event. */
export const EventForm = v.object({
  title: text(1000),
  place: text(1000),
  description: text(50_000),
  allDay: v.boolean(),
  start: DateOrTime,
  /** For all-day events the last day. */
  end: DateOrTime,
  repeat: Repetition,
  /** Addresses of attendees, without the user's own. */
  people: v.pipe(v.array(text(320)), v.maxLength(maxCalendarPeople)),
  /** If left out it stays unchanged; a new event is public. */
  privacy: v.optional(EventPrivacy),
});
export type EventForm = v.InferOutput<typeof EventForm>;

/** The same for reading: events by other programs may be longer than those the page writes. */
const ShownEvent = v.object({
  ...EventForm.entries,
  title: v.string(),
  place: v.string(),
  description: v.string(),
  repeat: v.union([Repetition, v.object({ every: v.literal("other"), rule: v.string() })]),
  people: v.array(v.string()),
});

/** An attendee. */
const Invited = v.object({
  name: v.string(),
  address: v.string(),
  /** "accepted", "declined", "tentative", "needs-action", … */
  status: v.string(),
});
export type Invited = v.InferOutput<typeof Invited>;

/** An occurrence of a series, alone or with all that follow it. */
const SeriesPart = v.strictObject({ date: Time, following: v.boolean() });
export type SeriesPart = v.InferOutput<typeof SeriesPart>;
/** Null for the whole event. */
const Part = v.optional(v.nullable(SeriesPart), null);

const Where = { calendarId: Id, name: EventName };
/** The account that shares the calendar; "" for an own one. */
const Owner = v.optional(text(500), "");

export const calendarCalls = {
  /** The events of a period, with each occurrence of repeating ones. */
  CalendarItems: {
    request: v.strictObject({
      zone: ZoneName,
      /** First and last day, inclusive. */
      from: DateText,
      to: DateText,
    }),
    response: v.object({
      calendars: v.array(Calendar),
      items: v.array(CalendarItem),
      /** There are more events than fit into one answer. */
      more: v.boolean(),
      /** Number of events that can't be read. */
      unread: Count,
    }),
  },
  /** When people of the user's own domains are busy; nothing is known about others. */
  CalendarBusy: {
    request: v.strictObject({
      zone: ZoneName,
      people: v.pipe(v.array(text(320)), v.maxLength(maxCalendarPeople)),
      start: DateOrTime,
      /** For all-day periods the last day. */
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
      /** The organizer, who alone may change it; null if there is none. */
      organizer: v.nullable(Invited),
      people: v.array(Invited),
      /** The user's answer to an invitation, with the values of `status`; null if the user isn't invited. */
      answer: v.nullable(v.string()),
      /** Number of occurrences of a series that differ or were removed. */
      exceptions: Count,
    }),
  },
  /**
   * Creates an event, or changes one: a whole series or a part of it; attendees are notified. Occurrences from a date
   * on become a series of their own. In other users' calendars nobody is invited, as invitations aren't sent in
   * another's name. On disk before the answer.
   */
  CalendarEventSave: {
    request: v.strictObject({
      zone: ZoneName,
      owner: Owner,
      /** The calendar to put it into, of the same owner. */
      calendarId: Id,
      /** The event to change, as it was read; null for a new one. */
      old: v.nullable(v.strictObject({ ...Where, etag: text(100) })),
      part: Part,
      event: EventForm,
    }),
    response: v.object({
      name: v.string(),
      etag: v.string(),
      /** Attendees to whom no invitation could be sent. */
      untold: v.array(v.string()),
    }),
  },
  /** Answers an invitation, or one occurrence of it; the organizer is notified. On disk before the answer. */
  CalendarEventAnswer: {
    request: v.strictObject({
      ...Where,
      etag: text(100),
      /** An occurrence of a series; null for the whole event. */
      date: v.nullable(Time),
      answer: v.picklist(["accepted", "tentative", "declined"]),
    }),
    response: Nothing,
  },
  /** Deletes an event: a whole series or a part of it. Attendees are notified; an invitation is declined. */
  CalendarEventDelete: {
    request: v.strictObject({ ...Where, owner: Owner, etag: text(100), part: Part }),
    response: Nothing,
  },
};
