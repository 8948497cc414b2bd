/** Time zones by name and by description, and times that clocks skip or show twice. */
import assert from "node:assert/strict";
import {
  parseComponents,
  valueOf,
  writeComponent,
} from "../../../src/mail/contentline/component.ts";
import { parseTime } from "../../../src/mail/calendar/time.ts";
import { zoneComponent } from "../../../src/mail/calendar/zone_component.ts";
import {
  describedZone,
  namedZone,
  toInstant,
  toWall,
  Zones,
} from "../../../src/mail/calendar/zones.ts";

const wall = (s: string) => parseTime(s)!.wall;
const utc = (s: string) => Date.parse(s);

const berlin = `BEGIN:VCALENDAR
BEGIN:VTIMEZONE
TZID:Somewhere of ours
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
END:VCALENDAR
`.replaceAll("\n", "\r\n");

Deno.test("a zone that is described gives the times of the one by name", () => {
  const [calendar] = parseComponents(berlin);
  const described = describedZone(calendar.components[0])!;
  const named = namedZone("Europe/Berlin")!;
  for (let t = utc("2000-01-01T00:00:00Z"); t < utc("2040-01-01T00:00:00Z"); t += 37 * 3_600_000) {
    assert.equal(described.offset(t), named.offset(t), new Date(t).toISOString());
  }
});

Deno.test("an hour that is skipped, and one that comes twice", () => {
  const zone = namedZone("Europe/Berlin")!;
  assert.equal(toInstant(zone, wall("20260329T013000")), utc("2026-03-29T00:30:00Z"));
  // RFC 5545 §3.3.5: by the offset before the gap.
  assert.equal(toInstant(zone, wall("20260329T023000")), utc("2026-03-29T01:30:00Z"));
  assert.equal(toInstant(zone, wall("20260329T033000")), utc("2026-03-29T01:30:00Z"));
  // The first of two.
  assert.equal(toInstant(zone, wall("20261025T023000")), utc("2026-10-25T00:30:00Z"));
  assert.equal(toInstant(zone, wall("20261025T033000")), utc("2026-10-25T02:30:00Z"));
  assert.equal(toWall(zone, utc("2026-07-01T10:00:00Z")), wall("20260701T120000"));
});

Deno.test("names: long ones, unknown ones, and none", () => {
  assert.equal(namedZone("/example.org/20070129_1/America/New_York")?.offset(0), -5 * 3_600_000);
  assert.equal(namedZone("America/Argentina/Buenos_Aires")?.offset(0), -3 * 3_600_000);
  for (const name of ["Somewhere of ours", "+01:00", "../etc/passwd", "x".repeat(500), ""]) {
    assert.equal(namedZone(name), undefined, name);
  }
  const [calendar] = parseComponents(berlin);
  const zones = new Zones(calendar, namedZone("Asia/Tokyo"));
  assert.equal(zones.find("Somewhere of ours").offset(utc("2026-07-01T00:00:00Z")), 7_200_000);
  assert.equal(zones.find("Nobody knows it").name, "Asia/Tokyo");
  assert.equal(zones.find("").name, "Asia/Tokyo");
});

Deno.test("a zone described by this program has the offsets of the one by name, for the years about an event", () => {
  const names = [
    "Europe/Berlin",
    "Europe/Dublin",
    "America/New_York",
    "America/Santiago",
    "America/Nuuk",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Antarctica/Troll",
    "Asia/Kolkata",
    "Asia/Tehran",
    "Pacific/Apia",
  ];
  for (const name of names) {
    const zone = namedZone(name)!;
    for (const year of [2011, 2026]) {
      const component = zoneComponent(zone, Date.UTC(year, 5, 1));
      assert.equal(valueOf(component, "TZID"), name);
      const described = describedZone(component)!;
      const [from, to] = [Date.UTC(year - 1, 0, 1), Date.UTC(year + 10, 0, 1)];
      for (let at = from; at < to; at += 41 * 3_600_000 + 60_000) {
        assert.equal(
          described.offset(at),
          zone.offset(at),
          `${name} ${new Date(at).toISOString()}`,
        );
      }
      // And to the minute, where its clocks change.
      for (const c of component.components) {
        const time = (p: string) => parseTime(valueOf(c, p)!)!.wall;
        const offset = (p: string) => {
          const v = valueOf(c, p)!;
          return (v[0] === "-" ? -1 : 1) * (Number(v.slice(1, 3)) * 60 + Number(v.slice(3))) *
            60_000;
        };
        const change = time("DTSTART") - offset("TZOFFSETFROM");
        assert.equal(zone.offset(change), offset("TZOFFSETTO"), `${name} from a change on`);
        if (change > from) {
          assert.equal(
            zone.offset(change - 60_000),
            offset("TZOFFSETFROM"),
            `${name} before a change`,
          );
        }
      }
    }
  }
  const lines = writeComponent(zoneComponent(namedZone("Europe/Berlin")!, Date.UTC(2026, 5, 1)));
  assert.deepEqual(lines.trim().split("\r\n").filter((l) => /RRULE|RDATE|DTSTART/.test(l)), [
    "DTSTART:20250101T010000",
    "DTSTART:20250330T020000",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "DTSTART:20251026T030000",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
  ]);
});

Deno.test("years that are far away have the offsets of one with the same calendar", () => {
  const zone = namedZone("Europe/Berlin")!;
  const hours = (s: string) => zone.offset(utc(s)) / 3_600_000;
  assert.deepEqual(
    ["2199-07-01T00:00:00Z", "2200-07-01T00:00:00Z", "2500-01-01T00:00:00Z", "2500-07-01T00:00:00Z"]
      .map(hours),
    [2, 2, 1, 2],
  );
  assert.equal(hours("1000-07-01T00:00:00Z"), hours("1900-07-01T00:00:00Z"));
  assert.equal(zone.offset(Infinity), 0);
  // Summer time is from the last Sunday of March to that of October.
  for (const year of [2200, 2227, 2400, 4000, 9996, 9997, 9998]) {
    const sunday = (month: number) => {
      const last = new Date(Date.UTC(year, month, 31, 1));
      return last.getTime() - last.getUTCDay() * 86_400_000;
    };
    const got = [sunday(2) - 1, sunday(2), sunday(9) - 1, sunday(9)].map((at) =>
      zone.offset(at) / 3_600_000
    );
    assert.deepEqual(got, [1, 2, 2, 1], String(year));
  }
});

Deno.test("offsets and descriptions of zones, as they are written in the wild", () => {
  const zone = (...lines: string[]) =>
    describedZone(
      parseComponents(
        ["BEGIN:VTIMEZONE", "TZID:x", ...lines, "END:VTIMEZONE", ""].join("\r\n"),
      )[0],
    );
  const standard = (...lines: string[]) =>
    zone("BEGIN:STANDARD", "DTSTART:20200101T000000", ...lines, "END:STANDARD");
  const offset = (to: string) => standard(`TZOFFSETTO:${to}`)?.offset(utc("2026-01-01T00:00:00Z"));
  const rows: [text: string, minutes: number | undefined][] = [
    ["+0100", 60],
    ["-0330", -210],
    [" +0545 ", 345],
    ["-073000", -450],
    ["+002845", 28.75],
    ["+2600", 1560],
    ["+2601", undefined],
    ["0100", undefined],
    ["+1", undefined],
  ];
  for (const [text, minutes] of rows) {
    assert.equal(offset(text), minutes === undefined ? undefined : minutes * 60_000, text);
  }
  assert.equal(zone(), undefined, "without any part");
  // Before its first change the offset that it changes from holds; without one, the first there is.
  const changed = standard("TZOFFSETFROM:+0300", "TZOFFSETTO:+0100")!;
  assert.equal(changed.offset(utc("2019-12-31T20:59:59Z")), 3 * 3_600_000);
  assert.equal(changed.offset(utc("2019-12-31T21:00:00Z")), 3_600_000);
  assert.equal(standard("TZOFFSETTO:+0100")!.offset(utc("2000-01-01T00:00:00Z")), 3_600_000);
  // A rule that ends, in UTC, and dates one by one.
  const ended = zone(
    "BEGIN:DAYLIGHT",
    "DTSTART:20200329T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU;UNTIL=20210328T010000Z",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "DTSTART:20201025T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RDATE:20211031T030000,20221030T030000",
    "END:STANDARD",
  )!;
  const hours = (s: string) => ended.offset(utc(s)) / 3_600_000;
  assert.deepEqual(
    [
      "2020-03-29T00:59:00Z",
      "2020-03-29T01:00:00Z",
      "2020-10-25T01:00:00Z",
      "2021-03-28T01:00:00Z",
      "2021-10-31T00:59:00Z",
      "2021-10-31T01:00:00Z",
      "2022-07-01T00:00:00Z",
    ].map(hours),
    [1, 2, 1, 2, 2, 1, 1],
  );
});

Deno.test("a description with thousands of rules, or with rules that no zone has, costs little and is not followed", () => {
  const zone = (...lines: string[]) =>
    describedZone(
      parseComponents(
        [
          "BEGIN:VTIMEZONE",
          "TZID:x",
          "BEGIN:STANDARD",
          "DTSTART:19700101T000000",
          "TZOFFSETFROM:+0000",
          "TZOFFSETTO:+0100",
          ...lines,
          "END:STANDARD",
          // Another time of the year, so that it shows whether the first comes each year.
          "BEGIN:DAYLIGHT",
          "DTSTART:19700601T000000",
          "TZOFFSETFROM:+0100",
          "TZOFFSETTO:+0200",
          "RRULE:FREQ=YEARLY;BYMONTH=6;BYDAY=1SU",
          "END:DAYLIGHT",
          "END:VTIMEZONE",
          "",
        ].join("\r\n"),
      )[0],
    );
  const inWinter = (z: ReturnType<typeof zone>) => z?.offset(utc("2026-02-01T00:00:00Z"));
  const hour = 3_600_000;
  // Lotus Notes writes the time of the day into its rules.
  assert.equal(
    inWinter(zone("RRULE:FREQ=YEARLY;BYMINUTE=0;BYHOUR=2;BYDAY=-1SU;BYMONTH=1")),
    hour,
  );
  // Each of them took 40 ms, and there may be thousands.
  const many = (n: number) => Array.from({ length: n }, (_, i) => String(i)).join(",");
  const none = [
    "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MONTHLY;BYDAY=-1SU",
    `FREQ=YEARLY;BYMONTH=1;BYHOUR=${many(24)};BYMINUTE=${many(60)};BYSETPOS=-1`,
  ];
  for (const rule of none) {
    assert.equal(inWinter(zone(...Array(900).fill(`RRULE:${rule}`))), 2 * hour, rule);
  }
  const yearly = "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30";
  const last = "RRULE:FREQ=YEARLY;BYMONTH=1;BYDAY=-1SU";
  assert.equal(inWinter(zone(...Array(30).fill(yearly), last)), hour);
  assert.equal(inWinter(zone(...Array(900).fill(yearly), last)), 2 * hour);
  assert.equal(zone(...Array(3000).fill(yearly)), undefined);
});
