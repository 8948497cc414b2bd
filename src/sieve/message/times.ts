/** Times in the format of RFC 3339. @module */

/** Milliseconds since the epoch; undefined if invalid. */
export function parseIsoTime(s: string): number | undefined {
  const m = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(Z|[+-]\d{2}:\d{2})$/i.exec(
    s,
  );
  if (!m) return undefined;
  const [, y, mo, d, h, mi, sec] = m.map(Number);
  if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || sec > 60) return undefined;
  const sign = m[7][0] === "-" ? -1 : 1;
  const zone = m[7].length === 1
    ? 0
    : sign * (Number(m[7].slice(1, 3)) * 60 + Number(m[7].slice(4, 6)));
  return Date.UTC(y, mo - 1, d, h, mi, sec) - zone * 60_000;
}

/** Minutes of a zone such as "+0100"; undefined if invalid. */
export function parseZone(s: string): number | undefined {
  const m = /^([+-])(\d{2})(\d{2})$/.exec(s);
  if (!m || Number(m[3]) > 59) return undefined;
  return (m[1] === "-" ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3]));
}

/** A zone in the form "+0100". */
export function zoneText(minutes: number, colon = ""): string {
  const n = Math.abs(minutes);
  const two = (v: number) => String(v).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(n / 60))}${colon}${two(n % 60)}`;
}
