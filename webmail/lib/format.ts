/** Dates, sizes and numbers for people. @module */

import { locale, plural } from "./text.ts";

const formats = new Map<string, Intl.DateTimeFormat>();

/** The formatter of a kind in the page's language. */
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${name} ${locale()}`;
  const known = formats.get(key);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(locale(), options);
  formats.set(key, made);
  return made;
}
const time = () => format("time", { hour: "2-digit", minute: "2-digit" });
const dayMonth = () => format("dayMonth", { day: "numeric", month: "short" });
const date = () => format("date", { day: "numeric", month: "short", year: "numeric" });
const full = () => format("full", { dateStyle: "full", timeStyle: "medium" });
const minute = () => format("minute", { dateStyle: "full", timeStyle: "short" });
const weekday = () => format("weekday", { weekday: "short" });

/** Short: the time if today, the weekday within six days, else the date. */
export function shortDate(ms: number, now = Date.now()): string {
  const d = new Date(ms);
  const today = new Date(now);
  if (d.toDateString() === today.toDateString()) return time().format(d);
  const days = (now - ms) / 86_400_000;
  if (days > 0 && days < 6) return `${weekday().format(d)} ${time().format(d)}`;
  return d.getFullYear() === today.getFullYear() ? dayMonth().format(d) : date().format(d);
}

/** The complete date and time. */
export function longDate(ms: number): string {
  return full().format(new Date(ms));
}

/** The complete date and time to the minute, for planned things. */
export function plannedDate(ms: number): string {
  return minute().format(new Date(ms));
}

/** Languages with letters of their own for bytes. */
const ownUnits = /^(?:ar|fr|uk)\b/;
const unitNames = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Bytes: "812 B", "3.4 kB", "12 MB". */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let n = bytes;
  let u = 0;
  while (n >= 1000 && u < units.length - 1) {
    n /= 1024;
    u++;
  }
  const digits = n < 10 && u > 0 ? 1 : 0;
  const o = { minimumFractionDigits: digits, maximumFractionDigits: digits, useGrouping: false };
  if (ownUnits.test(locale() ?? "")) {
    const unit = { style: "unit", unit: unitNames[u], unitDisplay: "short" } as const;
    return new Intl.NumberFormat(locale(), { ...o, ...unit }).format(n);
  }
  return `${new Intl.NumberFormat(locale(), o).format(n)} ${units[u]}`;
}

export function countText(n: number, one: string, many = `${one}s`): string {
  return plural(n, `{0} ${one}`, `{0} ${many}`);
}

export function numberText(n: number): string {
  return new Intl.NumberFormat(locale()).format(n);
}

/** A short name of a browser: "Firefox on Linux"; unknown ones unchanged, truncated. */
export function programName(userAgent: string): string {
  const browser = /(?:Edg|OPR|Firefox|Chrome|Safari)(?=\/)/g;
  // Edge, Opera and Firefox each imitate earlier browsers: the last name counts.
  const found = userAgent.match(browser) ?? [];
  const name = found.find((n) => n === "Edg" || n === "OPR") ?? found[0];
  if (name === undefined) return userAgent.slice(0, 40) || "unknown";
  const system = [
    ["Android", /Android/],
    ["iPhone", /iPhone/],
    ["iPad", /iPad/],
    ["Windows", /Windows/],
    ["macOS", /Mac OS X/],
    ["Linux", /Linux/],
  ] as const;
  const on = system.find(([, r]) => r.test(userAgent))?.[0];
  const full = name === "Edg" ? "Edge" : name === "OPR" ? "Opera" : name;
  return on === undefined ? full : `${full} on ${on}`;
}
