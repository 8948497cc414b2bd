/**
 * Dates of header fields (RFC 5322 §3.3, §4.3), as found in the wild.
 *
 * @module
 */

const months = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const zones: Record<string, number> = {
  ut: 0,
  utc: 0,
  gmt: 0,
  z: 0,
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
  cet: 60,
  cest: 120,
  bst: 60,
  jst: 540,
};

/** Text with a space for each comment (RFC 5322 §3.2.2), cut to the longest possible date. */
function strip(s: string): string {
  let out = "";
  let depth = 0;
  for (let i = 0; i < s.length && out.length < 100; i++) {
    if (s[i] === "(") {
      if (depth++ === 0) out += " ";
    } else if (s[i] === ")" && depth > 0) depth--;
    else if (s[i] === "\\" && depth > 0) i++;
    else if (depth === 0) out += s[i];
  }
  return out;
}

/**
 * The beginnings of months in German, French, Italian, Spanish, Portuguese, Dutch, Danish, Norwegian and
 * Swedish that differ from English.
 */
const otherMonths: readonly (readonly [month: number, beginnings: RegExp])[] = [
  [0, /^(?:gen|ene)/],
  [1, /^fev/],
  [2, /^mrt/],
  [3, /^(?:avr|abr)/],
  [4, /^(?:mai|maj|mei|mag)/],
  [5, /^(?:juin|giu)/],
  [6, /^(?:juil|lug)/],
  [7, /^(?:aou|ago)/],
  [8, /^set/],
  [9, /^(?:okt|ott|out)/],
  [11, /^(?:dez|dic|des)/],
];

/** The number of a month, by its name; undefined for other words. Some programs write dates in their user's language. */
function monthOf(word: string): number | undefined {
  const plain = word.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
  if (!/^[a-z]{3,12}\.?$/.test(plain)) return undefined;
  const m = months.indexOf(plain.slice(0, 3));
  return m >= 0 ? m : otherMonths.find(([, beginnings]) => beginnings.test(plain))?.[0];
}

/** Minutes east of Greenwich; undefined if it is not a zone. */
function zoneOffset(word: string): number | undefined {
  const named = zones[word.toLowerCase()];
  if (named !== undefined) return named;
  const m = /^(?:utc|gmt)?([+-])\1?(\d{1,2}):?(\d{2})?$/i.exec(word);
  if (!m) return undefined;
  const minutes = Number(m[2]) * 60 + Number(m[3] ?? 0);
  return minutes > 24 * 60 ? undefined : m[1] === "-" ? -minutes : minutes;
}

/**
 * Parses a date with its parts in any order: RFC 5322, asctime, ISO 8601. Missing seconds are 0; a missing or
 * unknown zone is UTC (RFC 5322 §4.3). Undefined if day, month, year or time is unreadable.
 */
export function parseDate(value: string): Date | undefined {
  return parseZonedDate(value)?.date;
}

/** A date, and its zone in minutes east of Greenwich. */
export interface ZonedDate {
  date: Date;
  zone: number;
}

/** Like {@link parseDate}, with the zone. */
export function parseZonedDate(value: string): ZonedDate | undefined {
  const text = strip(value).trim();
  const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[t ]|$)/i.exec(text);
  const words = (iso ? text.slice(11) : text).split(/[\s,]+/).filter((w) => w !== "");
  let year = iso ? Number(iso[1]) : undefined;
  let month = iso ? Number(iso[2]) - 1 : undefined;
  let day = iso ? Number(iso[3]) : undefined;
  let seconds: number | undefined;
  let offset = 0;
  let monthMayBeWeekday = false;
  for (const word of words.slice(0, 20)) {
    const time = /^(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:[.,]\d+)?(z|[+-]\d{2}:?\d{2})?$/i.exec(
      word,
    ) ?? /^(\d{1,2}):(\d{1,2}):(\d{1,2})$/.exec(word);
    if (time && seconds === undefined) {
      const [h, m, sec] = [Number(time[1]), Number(time[2]), Number(time[3] ?? 0)];
      if (h > 24 || m > 59 || sec > 60) return undefined;
      seconds = h * 3600 + m * 60 + Math.min(sec, 59);
      if (time[4]) offset = zoneOffset(time[4]) ?? 0;
      continue;
    }
    const dashed = /^(\d{1,2})-([a-z]{3})[a-z]*-(\d{2,4})$/i.exec(word);
    if (dashed) {
      day = Number(dashed[1]);
      month = months.indexOf(dashed[2].toLowerCase());
      year = fullYear(dashed[3]);
      continue;
    }
    const slashed = /^(\d{3,4})\/(\d{1,2})\/(\d{1,2})$/.exec(word) ??
      /^(\d{1,2})\/(\d{1,2})\/(\d{2,4})$/.exec(word);
    if (slashed && day === undefined) {
      [year, month, day] = slashedDate(slashed[1], slashed[2], slashed[3]);
      continue;
    }
    if (/^\d+$/.test(word)) {
      if (day === undefined && word.length <= 2) day = Number(word);
      else if (year === undefined && word.length >= 2 && word.length <= 4) year = fullYear(word);
      else if (seconds !== undefined && word.length === 4) {
        offset = zoneOffset(`+${word}`) ?? offset;
      }
      continue;
    }
    const zone = seconds === undefined ? undefined : zoneOffset(word);
    if (zone !== undefined) {
      offset = zone;
      continue;
    }
    const m = monthOf(word);
    if (m !== undefined && (month === undefined || monthMayBeWeekday && day !== undefined)) {
      month = m;
      // "mar." is also a Tuesday.
      monthMayBeWeekday = day === undefined;
    }
    if (/^(pm|am)$/i.test(word) && seconds !== undefined) {
      const h = Math.floor(seconds / 3600);
      if (/^pm$/i.test(word) && h < 12) seconds += 12 * 3600;
      if (/^am$/i.test(word) && h === 12) seconds -= 12 * 3600;
    }
  }
  if (year === undefined || day === undefined || month === undefined || month < 0) return undefined;
  if (month > 11 || day < 1 || day > 31 || year < 1900 || year > 9999) return undefined;
  const date = new Date(Date.UTC(year, month, day) + (seconds ?? 0) * 1000 - offset * 60_000);
  return Number.isNaN(date.getTime()) ? undefined : { date, zone: offset };
}

/** Year, month and day of a date with slashes: in American order, unless only the other order makes sense. */
function slashedDate(a: string, b: string, c: string): [number, number, number] {
  if (a.length > 2) return [fullYear(a), Number(b) - 1, Number(c)];
  return Number(a) > 12 && Number(b) <= 12
    ? [fullYear(c), Number(b) - 1, Number(a)]
    : [fullYear(c), Number(a) - 1, Number(b)];
}

/** RFC 5322 §4.3: two digits are 1950 to 2049, three count from 1900. */
function fullYear(digits: string): number {
  const n = Number(digits);
  if (digits.length === 2) return n < 50 ? 2000 + n : 1900 + n;
  return digits.length === 3 ? 1900 + n : n;
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** A date in the form of header fields, in UTC. */
export function formatDate(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const month = months[date.getUTCMonth()];
  return `${weekdays[date.getUTCDay()]}, ${date.getUTCDate()} ${month[0].toUpperCase()}${
    month.slice(1)
  } ${String(date.getUTCFullYear()).padStart(4, "0")} ${two(date.getUTCHours())}:${
    two(date.getUTCMinutes())
  }:${two(date.getUTCSeconds())} +0000`;
}
