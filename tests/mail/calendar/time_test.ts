/** Dates, times and durations of iCalendar (RFC 5545 §3.3), at their edges. */
import assert from "node:assert/strict";
import {
  day,
  formatDuration,
  formatTime,
  formatUtc,
  hour,
  minute,
  parseDuration,
  parseTime,
  second,
  timeOf,
} from "../../../src/mail/calendar/time.ts";
import { newProperty } from "../../../src/mail/contentline/component.ts";

Deno.test("dates and times that there are, and that there aren't", () => {
  const good: [text: string, iso: string, zone: string][] = [
    ["20260302", "2026-03-02T00:00:00.000Z", ""],
    ["20260302T000000", "2026-03-02T00:00:00.000Z", "Zone"],
    ["20260302T235959Z", "2026-03-02T23:59:59.000Z", "UTC"],
    ["20260302T235960Z", "2026-03-02T23:59:59.000Z", "UTC"],
    ["20240229", "2024-02-29T00:00:00.000Z", ""],
    ["20000229", "2000-02-29T00:00:00.000Z", ""],
    ["00010101", "0001-01-01T00:00:00.000Z", ""],
    ["00990101T120000Z", "0099-01-01T12:00:00.000Z", "UTC"],
    ["99991231T235959", "9999-12-31T23:59:59.000Z", "Zone"],
    ...["0131", "0331", "0430", "0531", "0630", "0731", "0831", "0930", "1031", "1130", "1231"].map(
      (
        d,
      ): [string, string, string] => [
        `2026${d}`,
        `2026-${d.slice(0, 2)}-${d.slice(2)}T00:00:00.000Z`,
        "",
      ],
    ),
  ];
  for (const [text, iso, zone] of good) {
    const t = parseTime(text, "Zone")!;
    assert.deepEqual([new Date(t.wall).toISOString(), t.date, t.zone], [
      iso,
      text.length === 8,
      zone,
    ]);
    if (!text.includes("60Z")) assert.equal(formatTime(t), text);
  }
  const bad = [
    ..."20230229 21000229 19000229 20260431 20260631 20260931 20261131 20260132 20260300 20261301"
      .split(" "),
    ..."20260002 2026302 202603022 2026-03-02 20260302T 20260302T1000 20260302T100000z".split(" "),
    ..."20260302T240000 20260302T106000 20260302T100061 20260302T100000ZZ 20260302X100000".split(
      " ",
    ),
    ..."20260302T10000a a0260302 20260302T100000+".split(" "),
    "",
    " 20260302",
  ];
  for (const text of bad) assert.equal(parseTime(text), undefined, text);
  assert.equal(formatUtc(Date.UTC(2026, 2, 2, 10, 5, 9, 999)), "20260302T100509Z");
  const property = newProperty("DTSTART", " 20260302T100000 ", { TZID: "Europe/Berlin" });
  assert.equal(timeOf(property).zone, "Europe/Berlin");
  assert.throws(() => timeOf(newProperty("DTEND", "x".repeat(41))), {
    name: "FormatError",
    message: `DTEND has no date or time: ${JSON.stringify(`${"x".repeat(40)}…`)}`,
  });
});

Deno.test("durations: days apart from hours, weeks, signs", () => {
  const rows: [text: string, days: number, ms: number][] = [
    ["P1D", 1, 0],
    ["P2W", 14, 0],
    ["P1W2D", 9, 0],
    ["PT24H", 0, 24 * hour],
    ["P1DT2H3M4S", 1, 2 * hour + 3 * minute + 4 * second],
    ["-P1DT1H", -1, -hour],
    ["+PT5M", 0, 5 * minute],
    [" pt5m ", 0, 5 * minute],
    ["PT0S", 0, 0],
    ["-PT0S", 0, 0],
  ];
  for (const [text, days, ms] of rows) {
    const d = parseDuration(text)!;
    assert.deepEqual(d, { days, ms }, text);
    assert.ok(!Object.is(d.days, -0) && !Object.is(d.ms, -0), text);
  }
  for (
    const text of [
      "",
      "P",
      "-P",
      "PD",
      "P1",
      "1D",
      "PT1D",
      "P1H",
      "P1M",
      "PT1H1D",
      "P1.5D",
      "P1234567D",
    ]
  ) {
    assert.equal(parseDuration(text), undefined, text);
  }
  const written: [ms: number, text: string][] = [
    [0, "PT0S"],
    [999, "PT0S"],
    [second, "PT1S"],
    [minute, "PT1M"],
    [hour, "PT1H"],
    [day, "P1D"],
    [day + hour + minute + second, "P1DT1H1M1S"],
    [59 * second, "PT59S"],
    [60 * second, "PT1M"],
    [23 * hour + 59 * minute, "PT23H59M"],
    [-90 * minute, "-PT1H30M"],
    [-day, "-P1D"],
  ];
  for (const [ms, text] of written) assert.equal(formatDuration(ms), text);
});
