/** Values that vCard and JSContact write differently: dates, places, kinds (RFC 9555). @module */
import type { JsonObject } from "./schema.ts";

/** Parts of N, and of ADR, in order; "" for unnamed ones. */
export const nameKinds = [
  "surname",
  "given",
  "given2",
  "title",
  "credential",
  "surname2",
  "generation",
] as const;
export const addressKinds = [
  "postOfficeBox",
  "apartment",
  "name",
  "locality",
  "region",
  "postcode",
  "country",
] as const;

/** Features of a telephone by their TYPE. */
export const phoneFeatures: Readonly<Record<string, string>> = {
  voice: "voice",
  fax: "fax",
  video: "video",
  pager: "pager",
  text: "text",
  cell: "mobile",
  textphone: "textphone",
  "main-number": "main-number",
};

/** A date (RFC 6350 §4.3) as PartialDate or Timestamp; undefined if invalid. */
export function dateFrom(value: string): JsonObject | undefined {
  const s = value.trim();
  const m = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?(?:\d\d)?)?$/i
    .exec(s);
  if (m) {
    const zone = m[7] === undefined || m[7].toUpperCase() === "Z"
      ? "Z"
      : `${m[7].slice(0, 3)}:${m[7].replace(":", "").slice(3) || "00"}`;
    const at = Date.parse(`${m[1]}-${m[2]}-${m[3]}T${m[4]}:${m[5]}:${m[6]}${zone}`);
    if (!Number.isNaN(at)) {
      return { "@type": "Timestamp", utc: new Date(at).toISOString().replace(/\.\d+Z$/, "Z") };
    }
  }
  const d =
    /^(?:(\d{4})-?(\d\d)-?(\d\d)|(\d{4})-(\d\d)|(\d{4})|--(\d\d)-?(\d\d)|--(\d\d)|---(\d\d))(?:T.*)?$/
      .exec(s);
  if (!d) return undefined;
  const numbers = {
    year: d[1] ?? d[4] ?? d[6],
    month: d[2] ?? d[5] ?? d[7] ?? d[9],
    day: d[3] ?? d[8] ?? d[10],
  };
  const found = Object.entries(numbers).filter(([, x]) => x !== undefined)
    .map(([k, x]) => [k, Number(x)]);
  return { "@type": "PartialDate", ...Object.fromEntries(found) };
}

const two = (n: unknown) => String(n).padStart(2, "0");

/** The reverse; undefined for a date that vCard can't express. */
export function dateTo(date: JsonObject): string | undefined {
  if (typeof date.utc === "string") {
    const at = Date.parse(date.utc);
    return Number.isNaN(at)
      ? undefined
      : new Date(at).toISOString().replace(/\.\d+Z$/, "Z").replace(/[-:]/g, "");
  }
  const { year, month, day } = date as Record<string, number | undefined>;
  if (year !== undefined && (year < 0 || year > 9999)) return undefined;
  if (year !== undefined && month !== undefined && day !== undefined) {
    return `${String(year).padStart(4, "0")}${two(month)}${two(day)}`;
  }
  if (year !== undefined && month !== undefined) {
    return `${String(year).padStart(4, "0")}-${two(month)}`;
  }
  if (year !== undefined && day === undefined) return String(year).padStart(4, "0");
  if (year === undefined && month !== undefined) {
    return day === undefined ? `--${two(month)}` : `--${two(month)}${two(day)}`;
  }
  return year === undefined && day !== undefined ? `---${two(day)}` : undefined;
}

/** A time as UTCDateTime; undefined if invalid. */
export function utcFrom(value: string): string | undefined {
  const d = dateFrom(value);
  if (d === undefined) return undefined;
  if (typeof d.utc === "string") return d.utc;
  const { year, month, day } = d as Record<string, number | undefined>;
  return year === undefined || month === undefined || day === undefined
    ? undefined
    : `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}T00:00:00Z`;
}
