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

function checkPart(checker: Checker, text: PlacedText): void {
  const name = constant(text.text)?.toLowerCase();
  if (name !== undefined && !Object.hasOwn(dateParts, name)) {
    checker.warn(text.at, `a date has no part ${JSON.stringify(name.slice(0, 80))}`);
  }
}

/** Offset in minutes of the zone for a time; undefined for the local zone. */
function compileZone(checker: Checker, args: Args): (run: Run, time: number) => number {
  const zone = args.text("zone");
  const known = constant(zone);
  if (known !== undefined && parseZone(known) === undefined) {
    checker.warn(args.tagAt("zone"), ':zone needs an offset such as "+0100"');
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
  compile(checker, args) {
    oneOf(checker, args, ["zone", "originalzone"] as const, "zone");
    checkFieldNames(checker, [{ at: args.positionalAt(0), text: args.string(0) }]);
    checkPart(checker, { at: args.positionalAt(1), text: args.string(1) });
    const [name, part] = [args.string(0), args.string(1)];
    const zone = compileZone(checker, args);
    const original = args.has("originalzone");
    const index = compileIndex(checker, args);
    const matcher = compileMatcher(checker, args, args.strings(2));
    return (run) => {
      run.spend(2);
      const fields = run.message.named(run.text(name).toLowerCase());
      const values: string[] = [];
      // Without an index the first one is used, as for fields that occur once.
      for (const f of atIndex(fields, index ?? { index: 1, last: false })) {
        const value = decodedValue(f);
        // RFC 5260 §4: for Received fields, the part after the last semicolon.
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
  compile(checker, args) {
    checkPart(checker, { at: args.positionalAt(0), text: args.string(0) });
    const part = args.string(0);
    const zone = compileZone(checker, args);
    const matcher = compileMatcher(checker, args, args.strings(1));
    return (run) => {
      run.spend(1);
      const { now } = run.context;
      const v = partOf(run, part, now, zone(run, now));
      return matcher.any(run, v === undefined ? [] : [v]);
    };
  },
};

export const dateTests: readonly TestDefinition[] = [date, currentdate];
