/** What is answered of a month without reading its events: the same as with reading them. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { calendarObject, singleTimes, wholeWithin } from "../../src/groupware/objects.ts";
import { inRange } from "../../src/mail/calendar/filter.ts";
import { namedZone } from "../../src/mail/calendar/zones.ts";
import { Groupware } from "../../src/store/groupware/groupware.ts";

const hour = 3_600_000;
const begin = Date.UTC(2027, 2, 27);
const two = (n: number) => String(n).padStart(2, "0");
const wall = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, "");

/** Lines of an event that begins some hours after the 27th of March, as its kind writes times. */
function lines(kind: string, at: number, length: number, ends: string): string[] {
  const [from, to] = [begin + at * hour, begin + (at + length) * hour];
  const name = (n: string) =>
    kind === "date" ? `${n};VALUE=DATE:` : kind === "zone" ? `${n};TZID=Asia/Tokyo:` : `${n}:`;
  const text = (ms: number) =>
    kind === "date" ? wall(ms).slice(0, 8) : wall(ms) + (kind === "utc" ? "Z" : "");
  const end = ends === "end"
    ? [`${name("DTEND")}${text(to)}`]
    : ends === "duration"
    ? [`DURATION:${kind === "date" ? `P${Math.ceil(length / 24)}D` : `PT${length}H`}`]
    : ends === "back"
    ? ["DURATION:-PT5H"]
    : [];
  return [`${name("DTSTART")}${text(from)}`, ...end];
}

const event = (...own: string[]) =>
  new TextEncoder().encode(
    ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", "BEGIN:VEVENT", "UID:a"]
      .concat("DTSTAMP:20270101T000000Z", own, "END:VEVENT", "END:VCALENDAR", "").join("\r\n"),
  );

const someEvent = fc.record({
  kind: fc.constantFrom("utc", "zone", "floating", "date"),
  at: fc.integer({ min: -60, max: 60 }),
  length: fc.integer({ min: 0, max: 60 }),
  ends: fc.constantFrom("end", "duration", "back", "none"),
});
const zones = ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago"];

async function withCalendar(fn: (g: Groupware, id: number) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const g = await Groupware.open(dir);
  try {
    const c = g.collections("calendars").find((x) => x.kind === "calendar") ??
      await g.createCollection("calendar", "c", { components: ["VEVENT"] });
    await fn(g, c.id);
  } finally {
    await g.close();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("what the index says of an event and a span is what the event says", () =>
  withCalendar((g, id) =>
    fc.assert(
      fc.asyncProperty(
        someEvent,
        fc.constantFrom(...zones),
        fc.integer({ min: -80, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        async (e, name, from, length) => {
          const zone = namedZone(name)!;
          const object = calendarObject("a.ics", event(...lines(e.kind, e.at, e.length, e.ends)));
          await g.putAll(id, [object]);
          const row = g.object(id, "a.ics")!;
          const { series } = calendarObject("a.ics", object.content, zone);
          const span = { start: begin + from * hour, end: begin + (from + length) * hour };
          const [i] = series.instances(-Infinity, Infinity);
          const inside = inRange(series, i, span);
          const near = g.objectsBetween(id, span.start, span.end).length > 0;
          assert(near || !inside, "the index leaves it out");
          assert(inside || !wholeWithin(row, span), "the index takes it");
          const times = singleTimes(g, row, zone)!;
          assert.equal(times.start, i.start);
          assert.equal(times.end, i.end ?? i.start! + (i.allDay ? 24 * hour : 0));
        },
      ),
      { numRuns: 150 },
    )
  ));

Deno.test("what lies in the middle of a span is taken by the index; what repeats is not", () =>
  withCalendar(async (g, id) => {
    const span = { start: begin, end: begin + 31 * 24 * hour };
    for (const [n, kind] of ["utc", "zone", "floating", "date"].entries()) {
      const own = lines(kind, 24 * 10, 24, "end");
      const name = `${two(n)}.ics`;
      await g.putAll(id, [calendarObject(name, event(...own, "SUMMARY:x"))]);
      await g.putAll(id, [calendarObject(name, event(...own))]);
      const row = g.object(id, name)!;
      assert.equal(wholeWithin(row, span), true, kind);
      const series = calendarObject("r.ics", event(...own, "RRULE:FREQ=DAILY;COUNT=2"));
      assert.equal(wholeWithin({ ...row, ...series.index }, span), false);
      await g.remove(id, name);
    }
  }));
