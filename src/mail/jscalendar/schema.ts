/** Events of JSCalendar (RFC 8984): the properties and the form of their values. @module */
import * as v from "valibot";
import { namedZone } from "../calendar/zones.ts";
import { parseDuration } from "../calendar/time.ts";
import { wallOfLocal } from "./rules.ts";

type JsonObject = Record<string, unknown>;

const o = v.optional;
const text = v.string();
const notArray = v.check((x: unknown) => !Array.isArray(x), "is an array, not an object");
const flags = v.pipe(v.unknown(), notArray, v.record(text, v.literal(true)));
const key = v.pipe(text, v.regex(/^[A-Za-z0-9_-]{1,255}$/, "is not an id"));
const mapOf = <T extends v.GenericSchema>(value: T) =>
  v.pipe(v.unknown(), notArray, v.record(key, value));
const object = <E extends v.ObjectEntries>(entries: E) =>
  v.looseObject({ "@type": o(text), ...entries });
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31));
const int = v.pipe(v.number(), v.integer());
const local = v.pipe(text, v.check((s) => wallOfLocal(s) !== undefined, "is not a local time"));
const utc = v.pipe(
  text,
  v.check((s) => /Z$/.test(s) && !Number.isNaN(Date.parse(s)), "is not a time in UTC"),
);
const duration = v.pipe(
  text,
  v.check((s) => !/^[+-]/.test(s) && parseDuration(s) !== undefined, "is not a duration"),
);
const signed = v.pipe(text, v.check((s) => parseDuration(s) !== undefined, "is not a duration"));
const zone = v.nullable(
  v.pipe(text, v.check((s) => namedZone(s) !== undefined, "is not a known time zone")),
);

const rule = object({
  frequency: v.picklist(["yearly", "monthly", "weekly", "daily", "hourly", "minutely", "secondly"]),
  interval: o(v.pipe(count, v.minValue(1))),
  rscale: o(text),
  skip: o(text),
  firstDayOfWeek: o(text),
  byDay: o(v.array(object({ day: text, nthOfPeriod: o(int) }))),
  byMonthDay: o(v.array(int)),
  byMonth: o(v.array(text)),
  byYearDay: o(v.array(int)),
  byWeekNo: o(v.array(int)),
  byHour: o(v.array(count)),
  byMinute: o(v.array(count)),
  bySecond: o(v.array(count)),
  bySetPosition: o(v.array(int)),
  count: o(v.pipe(count, v.minValue(1))),
  until: o(local),
});
const participant = object({
  name: o(text),
  email: o(text),
  description: o(text),
  sendTo: o(v.record(text, text)),
  kind: o(text),
  roles: o(flags),
  locationId: o(text),
  language: o(text),
  participationStatus: o(text),
  participationComment: o(text),
  expectReply: o(v.boolean()),
  scheduleAgent: o(text),
  scheduleForceSend: o(v.boolean()),
  scheduleSequence: o(count),
  scheduleStatus: o(v.array(text)),
});
const alert = object({
  trigger: v.union([
    v.looseObject({ "@type": v.literal("AbsoluteTrigger"), when: utc }),
    v.looseObject({ "@type": o(v.literal("OffsetTrigger")), offset: signed, relativeTo: o(text) }),
    v.looseObject({ "@type": v.pipe(text, v.regex(/:/)) }),
  ]),
  acknowledged: o(utc),
  action: o(text),
});

const properties = {
  "@type": v.literal("Event"),
  uid: v.pipe(text, v.minLength(1), v.maxLength(1000)),
  relatedTo: v.record(text, object({ relation: o(flags) })),
  prodId: text,
  created: utc,
  updated: utc,
  sequence: count,
  title: text,
  description: text,
  descriptionContentType: text,
  showWithoutTime: v.boolean(),
  locations: mapOf(object({
    name: o(text),
    description: o(text),
    timeZone: o(text),
    coordinates: o(text),
  })),
  virtualLocations: mapOf(object({ name: o(text), description: o(text), uri: text })),
  links: mapOf(object({ href: text, contentType: o(text), rel: o(text), title: o(text) })),
  locale: text,
  keywords: flags,
  categories: flags,
  color: text,
  recurrenceId: local,
  recurrenceIdTimeZone: zone,
  recurrenceRules: v.array(rule),
  excludedRecurrenceRules: v.array(rule),
  recurrenceOverrides: v.pipe(v.unknown(), notArray, v.record(local, v.record(text, v.unknown()))),
  excluded: v.boolean(),
  priority: v.pipe(count, v.maxValue(9)),
  freeBusyStatus: text,
  privacy: text,
  replyTo: v.record(text, text),
  sentBy: text,
  participants: mapOf(participant),
  requestStatus: text,
  useDefaultAlerts: v.boolean(),
  alerts: mapOf(alert),
  localizations: v.record(text, v.record(text, v.unknown())),
  timeZone: zone,
  timeZones: v.record(text, v.unknown()),
  start: local,
  duration,
  status: text,
  // jscalendarbis
  endTimeZone: zone,
  mainLocationId: text,
  // jmap-calendars §5.1
  mayInviteSelf: v.boolean(),
  mayInviteOthers: v.boolean(),
  hideAttendees: v.boolean(),
} satisfies Record<string, v.GenericSchema>;

/** Names of the properties of an event. */
export const eventProperties = Object.keys(properties);
/** Properties whose entries have ids. */
export const eventMaps = ["locations", "virtualLocations", "links", "participants", "alerts"];

const isVendor = (name: string) => /^[\w.-]{1,200}:[\w.:-]{1,200}$/.test(name);

/** Names of unknown properties and of those with invalid values, with what is wrong. */
export function eventProblems(event: JsonObject): { name: string; problem: string }[] {
  const found: { name: string; problem: string }[] = [];
  for (const [name, value] of Object.entries(event)) {
    if (!Object.hasOwn(properties, name)) {
      if (!isVendor(name)) found.push({ name, problem: "there is no such property" });
      continue;
    }
    const parsed = v.safeParse(properties[name as "uid"] as v.GenericSchema, value, {
      abortEarly: true,
    });
    if (parsed.success) continue;
    const at = v.getDotPath(parsed.issues[0]);
    found.push({ name, problem: `${at === null ? "" : `${at}: `}${parsed.issues[0].message}` });
  }
  if (event.start === undefined) found.push({ name: "start", problem: "is missing" });
  return found;
}
