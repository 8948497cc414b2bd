/**
 * Schemas of JMAP's data types (RFC 8620 §1.2-1.4).
 *
 * @module
 */
import * as v from "valibot";

const idForm = /^[A-Za-z0-9_-]{1,255}$/;

/** True for a valid id. */
export function isId(s: string): boolean {
  return idForm.test(s);
}

/** An id issued by the server. */
export const id = v.pipe(v.string(), v.regex(idForm, "is not an id"));
/** An id, or "#" and a creation id (RFC 8620 §5.3). */
export const idOrReference = v.pipe(
  v.string(),
  v.regex(/^#?[A-Za-z0-9_-]{1,255}$/, "is not an id"),
);

const largest = Number.MAX_SAFE_INTEGER;
export const int = v.pipe(
  v.number(),
  v.integer("is not an integer"),
  v.minValue(-largest),
  v.maxValue(largest),
);
export const unsignedInt = v.pipe(
  v.number(),
  v.integer("is not an integer"),
  v.minValue(0, "is below 0"),
  v.maxValue(largest),
);
/** Above 0. */
export const positiveInt = v.pipe(unsignedInt, v.minValue(1, "must be above 0"));

const dateForm = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds of a JMAP Date (RFC 3339 with upper-case letters); undefined if invalid. */
export function dateMs(s: string): number | undefined {
  const m = dateForm.exec(s);
  if (!m) return undefined;
  const [, , month, day, hour, minute, second] = m.map(Number);
  if (month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const t = Date.parse(second === 60 ? s.replace(/:60/, ":59") : s);
  if (Number.isNaN(t)) return undefined;
  // The 31st of a month with 30 days is invalid.
  return new Date(Date.UTC(Number(m[1]), month - 1, day)).getUTCDate() === day ? t : undefined;
}

export const date = v.pipe(
  v.string(),
  v.check((s) => dateMs(s) !== undefined, "is not a date"),
);
export const utcDate = v.pipe(
  v.string(),
  v.check((s) => s.endsWith("Z") && dateMs(s) !== undefined, "is not a date in UTC"),
);

/** A time as UTCDate, without fractions of a second. */
export function utcDateOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

/** A JSON object as a map; not an array. */
export function mapOf<
  K extends v.BaseSchema<string, string, v.BaseIssue<unknown>>,
  V extends v.GenericSchema<unknown, unknown>,
>(key: K, value: V) {
  const notArray = v.check((x: unknown) => !Array.isArray(x), "is an array, not an object");
  return v.pipe(v.unknown(), notArray, v.record(key, value));
}

/** Any JSON object. */
export const anyObject = mapOf(v.string(), v.unknown());

/** What is wrong with a value, and where. */
export function complaint(issue: v.BaseIssue<unknown>): string {
  const at = v.getDotPath(issue);
  if (issue.type === "strict_object" && at !== null) {
    return issue.expected === "never" ? `there is no ${at} here` : `${at} is missing`;
  }
  return `${at === null ? "" : `${at}: `}${issue.message}`;
}
