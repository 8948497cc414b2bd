/** Times in tables. @module */
import { el } from "../lib/dom.ts";
import { longDate, shortDate } from "../lib/format.ts";

/** A short form, with the complete one in the title. */
export function date(ms: number): HTMLElement {
  return el("time", { datetime: new Date(ms).toISOString(), title: longDate(ms) }, shortDate(ms));
}

const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });
const units: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

/** The distance from now. */
export function fromNow(ms: number, now = Date.now()): HTMLElement {
  const by = ms - now;
  const [unit, size] = units.find(([, s]) => Math.abs(by) >= s) ?? units.at(-1)!;
  return el(
    "time",
    { datetime: new Date(ms).toISOString(), title: longDate(ms) },
    relative.format(Math.round(by / size), unit),
  );
}

/** The first and last day, in UTC as in reports. */
export function days(begin: number, end: number): HTMLElement {
  const format = new Intl.DateTimeFormat(undefined, {
    day: "numeric",
    month: "short",
    timeZone: "UTC",
  });
  return el(
    "span",
    { title: `${longDate(begin)} to ${longDate(end)}` },
    format.formatRange(begin, Math.max(begin, end - 1)),
  );
}
