/**
 * Dates, times, durations and periods of iCalendar (RFC 5545 §3.3), as numbers.
 *
 * @module
 */
import { FormatError, param, type Property } from "../contentline/component.ts";

/** Milliseconds. */
export const second = 1000;
export const minute = 60_000;
export const hour = 3_600_000;
export const day = 86_400_000;

/** A date or a time as written. */
export interface CalendarTime {
  /** Milliseconds since the epoch of the local clock's reading, as if it were UTC. */
  wall: number;
  /** A date without time. */
  date: boolean;
  /** "UTC", "" for floating time, or the name of a zone (TZID). */
  zone: string;
}

/** A duration: days are calendar days, whatever their hours (RFC 5545 §3.3.6). */
export interface Duration {
  days: number;
  ms: number;
}

const digits = (s: string, from: number, to: number): number => {
  let n = 0;
  for (let i = from; i < to; i++) {
    const d = s.charCodeAt(i) - 48;
    if (!(d >= 0 && d <= 9)) return NaN;
    n = n * 10 + d;
  }
  return n;
};

const daysIn = (year: number, month: number) =>
  new Date(Date.UTC(2000, month, 0)).getUTCDate() -
  (month === 2 && !(year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)) ? 1 : 0);

/** Milliseconds of a date; also for years below 100. */
function utc(year: number, month: number, d: number, h = 0, m = 0, s = 0): number {
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, d);
  return at.getTime() + h * hour + m * minute + s * second;
}

/** Parses YYYYMMDD or YYYYMMDDTHHMMSS, with or without "Z"; undefined for anything else. */
export function parseTime(s: string, zone = ""): CalendarTime | undefined {
  const [year, month, d] = [digits(s, 0, 4), digits(s, 4, 6), digits(s, 6, 8)];
  if (!(month >= 1 && month <= 12 && d >= 1 && year >= 0) || d > daysIn(year, month)) {
    return undefined;
  }
  if (s.length === 8) return { wall: utc(year, month, d), date: true, zone: "" };
  const ends = s.length === 16 && s[15] === "Z";
  if (s[8] !== "T" || !(s.length === 15 || ends)) return undefined;
  const [h, m, sec] = [digits(s, 9, 11), digits(s, 11, 13), digits(s, 13, 15)];
  // A leap second counts as the second before it.
  if (!(h <= 23 && m <= 59 && sec <= 60)) return undefined;
  const wall = utc(year, month, d, h, m, Math.min(sec, 59));
  return { wall, date: false, zone: ends ? "UTC" : zone };
}

/** The time of a property, with its zone. @throws FormatError */
export function timeOf(property: Property, value = property.value): CalendarTime {
  const t = parseTime(value.trim(), param(property, "TZID") ?? "");
  if (t === undefined) {
    throw new FormatError(`${property.name} has no date or time: ${clip(value)}`);
  }
  return t;
}

export const clip = (s: string) => JSON.stringify(s.length > 40 ? `${s.slice(0, 40)}…` : s);

const two = (n: number) => String(n).padStart(2, "0");

/** A time in iCalendar's format. */
export function formatTime(t: Pick<CalendarTime, "wall" | "date" | "zone">): string {
  const d = new Date(t.wall);
  const date = `${String(d.getUTCFullYear()).padStart(4, "0")}${two(d.getUTCMonth() + 1)}${
    two(d.getUTCDate())
  }`;
  if (t.date) return date;
  const time = `${two(d.getUTCHours())}${two(d.getUTCMinutes())}${two(d.getUTCSeconds())}`;
  return `${date}T${time}${t.zone === "UTC" ? "Z" : ""}`;
}

/** An instant in UTC. */
export function formatUtc(ms: number): string {
  return formatTime({ wall: ms, date: false, zone: "UTC" });
}

/** Parses a duration such as -P1DT2H or P2W; undefined if it is not one. */
export function parseDuration(text: string): Duration | undefined {
  const m =
    /^([+-]?)P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,8})H)?(?:(\d{1,9})M)?(?:(\d{1,10})S)?)?$/
      .exec(text.trim().toUpperCase());
  if (m === null || text.trim().length < 3) return undefined;
  const n = (i: number) => Number(m[i] ?? 0);
  const sign = m[1] === "-" ? -1 : 1;
  // No "-0".
  return {
    days: sign * (n(2) * 7 + n(3)) || 0,
    ms: sign * (n(4) * hour + n(5) * minute + n(6) * second) || 0,
  };
}

/** A duration of milliseconds in iCalendar's format. */
export function formatDuration(ms: number): string {
  const text = formatLength(Math.floor(Math.abs(ms) / day), Math.abs(ms) % day);
  return ms < 0 && text !== "PT0S" ? `-${text}` : text;
}

/** A duration of calendar days plus an exact time in milliseconds, which may be longer than a day. */
export function formatLength(days: number, ms: number): string {
  const [h, m, s] = [
    Math.floor(ms / hour),
    Math.floor(ms % hour / minute),
    Math.floor(ms % minute / second),
  ];
  const time = `${h ? `${h}H` : ""}${m ? `${m}M` : ""}${s ? `${s}S` : ""}`;
  if (days === 0 && time === "") return "PT0S";
  return `P${days ? `${days}D` : ""}${time ? `T${time}` : ""}`;
}
