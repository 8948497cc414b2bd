/** Durations in configuration files: `15s`, `1h30m`, `0s`. @module */

/** Milliseconds in each unit, longest first. */
const units: [string, number][] = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
  ["us", 1e-3],
  ["\u00b5s", 1e-3],
  ["\u03bcs", 1e-3],
  ["ns", 1e-6],
];

/** Longest duration, about 292 years: as fits in 64 bits of nanoseconds. */
const maxMs = 2 ** 63 / 1e6;

/** Milliseconds of a duration like `1h30m`, `1.5h`, `-10s` or `0`; undefined if invalid. */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === "0") return 0;
  if (rest === "" || rest.length > 100) return undefined;
  let total = 0;
  while (rest !== "") {
    const m = /^([0-9]*)(?:\.([0-9]*))?([^0-9.]+)/.exec(rest);
    if (!m || (m[1] === "" && !m[2])) return undefined;
    const unit = units.find(([name]) => name === m[3]);
    if (!unit) return undefined;
    total += Number(`${m[1] || "0"}.${m[2] || "0"}`) * unit[1];
    rest = rest.slice(m[0].length);
  }
  return total > maxMs ? undefined : sign * total;
}

/** A duration of whole milliseconds as text, such as `1h30m`; `0s` for zero. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  let text = ms < 0 ? "-" : "";
  let rest = Math.abs(ms);
  for (const [name, size] of units) {
    const n = name === "ms" ? Math.round(rest) : Math.floor(rest / size);
    if (n === 0) continue;
    text += `${n}${name}`;
    rest -= n * size;
    if (rest < 0.5) break;
  }
  return text;
}
