/** The tests `date` and `currentdate` (RFC 5260). @module */
import { parseZonedDate } from "../../mail/header/date.ts";
import type { Args, Checker, PlacedText, TestDefinition } from "../check/definition.ts";
import {
  atIndex,
  checkFieldNames,
  compileIndex,
  compileMatcher,
  indexTags,
  matchTags,
  oneOf,
} from "../check/matching.ts";
import { constant, type Text } from "../language/text.ts";
import { decodedValue } from "../message/mail.ts";
import { parseZone, zoneText } from "../message/times.ts";
import type { Run } from "../run/run.ts";

const two = (n: number) => String(n).padStart(2, "0");
const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const day = 86_400_000;
/** Modified Julian Day of 1970-01-01. */
const epochDay = 40_587;

/** Parts of a date; `d` has the local time in its UTC fields, `zone` is in minutes (RFC 5260 §4.2). */
const dateParts: Readonly<Record<string, (d: Date, zone: number) => string>> = {
  year: (d) => String(d.getUTCFullYear()).padStart(4, "0"),
  month: (d) => two(d.getUTCMonth() + 1),
  day: (d) => two(d.getUTCDate()),
  date: (d) => `${dateParts.year(d, 0)}-${dateParts.month(d, 0)}-${dateParts.day(d, 0)}`,
  julian: (d) => String(Math.floor(d.getTime() / day) + epochDay),
  hour: (d) => two(d.getUTCHours()),
  minute: (d) => two(d.getUTCMinutes()),
  second: (d) => two(d.getUTCSeconds()),
  time: (d) => `${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}`,
  iso8601: (d, zone) =>
    `${dateParts.date(d, 0)}T${dateParts.time(d, 0)}${zone === 0 ? "Z" : zoneText(zone, ":")}`,
  std11: (d, zone) =>
    `${weekdays[d.getUTCDay()]}, ${two(d.getUTCDate())} ${months[d.getUTCMonth()]} ${
      dateParts.year(d, 0)
    } ` +
    `${dateParts.time(d, 0)} ${zoneText(zone)}`,
  zone: (_d, zone) => zoneText(zone),
  weekday: (d) => String(d.getUTCDay()),
};

function checkPart(c: Checker, p: PlacedText): void {
  const name = constant(p.text)?.toLowerCase();
  if (name !== undefined && !Object.hasOwn(dateParts, name)) {
    c.warn(p.at, `a date has no part ${JSON.stringify(name.slice(0, 80))}`);
  }
}

/** Minutes of the zone to show a time in; undefined for the local one. */
function compileZone(c: Checker, a: Args): (run: Run, time: number) => number {
  const zone = a.text("zone");
  const known = constant(zone);
  if (known !== undefined && parseZone(known) === undefined) {
    c.warn(a.tagAt("zone"), ':zone needs an offset such as "+0100"');
  }
  return (run, time) =>
    (zone === undefined ? undefined : parseZone(run.text(zone))) ?? run.context.zone(time);
}

function partOf(run: Run, part: Text, time: number, zone: number): string | undefined {
  const name = run.text(part).toLowerCase();
  if (!Object.hasOwn(dateParts, name)) {
    run.warn(`a date has no part ${JSON.stringify(name.slice(0, 80))}`);
    return undefined;
  }
  return dateParts[name](new Date(time + zone * 60_000), zone);
}

const date: TestDefinition = {
  name: "date",
  extension: "date",
  tags: { ...matchTags, ...indexTags, zone: { takes: "string" }, originalzone: {} },
  positional: ["string", "string", "strings"],
  compile(c, a) {
    oneOf(c, a, ["zone", "originalzone"] as const, "zone");
    checkFieldNames(c, [{ at: a.positionalAt(0), text: a.string(0) }]);
    checkPart(c, { at: a.positionalAt(1), text: a.string(1) });
    const [name, part] = [a.string(0), a.string(1)];
    const zone = compileZone(c, a);
    const original = a.has("originalzone");
    const index = compileIndex(c, a);
    const matcher = compileMatcher(c, a, a.strings(2));
    return (run) => {
      run.spend(2);
      const fields = run.message.named(run.text(name).toLowerCase());
      const values: string[] = [];
      // Without an index the first one counts, as for fields that stand once.
      for (const f of atIndex(fields, index ?? { index: 1, last: false })) {
        const value = decodedValue(f);
        // RFC 5260 §4: of Received fields, what follows the last semicolon.
        const found = parseZonedDate(value.slice(value.lastIndexOf(";") + 1));
        if (!found) continue;
        const time = found.date.getTime();
        const v = partOf(run, part, time, original ? found.zone : zone(run, time));
        if (v !== undefined) values.push(v);
      }
      return matcher.any(run, values);
    };
  },
};

const currentdate: TestDefinition = {
  name: "currentdate",
  extension: "date",
  tags: { ...matchTags, zone: { takes: "string" } },
  positional: ["string", "strings"],
  compile(c, a) {
    checkPart(c, { at: a.positionalAt(0), text: a.string(0) });
    const part = a.string(0);
    const zone = compileZone(c, a);
    const matcher = compileMatcher(c, a, a.strings(1));
    return (run) => {
      run.spend(1);
      const { now } = run.context;
      const v = partOf(run, part, now, zone(run, now));
      return matcher.any(run, v === undefined ? [] : [v]);
    };
  },
};

export const dateTests: readonly TestDefinition[] = [date, currentdate];
