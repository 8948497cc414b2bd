/** Events as JSON with very many parts: refused before they are written, as all of it happens in one piece. */
import assert from "node:assert/strict";
import { EventError } from "../../../src/mail/jscalendar/event_error.ts";
import { calendarOf } from "../../../src/mail/jscalendar/to_ical.ts";

const event = (more: Record<string, unknown>) => ({
  "@type": "Event",
  uid: "large",
  title: "large",
  start: "2020-01-01T00:00:00",
  timeZone: "Etc/UTC",
  duration: "PT1H",
  ...more,
});

const entries = <T>(n: number, key: (i: number) => string, value: T): Record<string, T> =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [key(i), value]));

const day = (i: number) =>
  new Date(Date.UTC(2020, 0, 1) + i * 86_400_000).toISOString().slice(0, 19);

const daily = { recurrenceRules: [{ "@type": "RecurrenceRule", frequency: "daily" }] };
const person = { "@type": "Participant", roles: { attendee: true } };

Deno.test("an event with more parts than can be written is refused, and says which they are", () => {
  const named = (name: string) => (err: unknown) => {
    assert.ok(err instanceof EventError, String(err));
    assert.deepEqual(err.names, [name]);
    return true;
  };
  const people = entries(30_000, (i) => `p${i}`, person);
  assert.throws(() => calendarOf(event({ participants: people }), 0), named("participants"));
  const dates = entries(30_000, day, { title: "other" });
  assert.throws(
    () => calendarOf(event({ ...daily, recurrenceOverrides: dates }), 0),
    named("recurrenceOverrides"),
  );
});

Deno.test("hundreds of participants and of changed dates are none too many, nor thousands of dates left out", () => {
  const people = entries(500, (i) => `p${i}`, person);
  assert.equal(calendarOf(event({ participants: people }), 0).components.length, 1);
  const changed = entries(300, day, { title: "other" });
  const whole = calendarOf(event({ ...daily, recurrenceOverrides: changed }), 0);
  assert.equal(whole.components.length, 301);
  const without = entries(10_000, day, { excluded: true });
  const [master] = calendarOf(event({ ...daily, recurrenceOverrides: without }), 0).components;
  assert.equal(master.properties.filter((p) => p.name === "EXDATE").length, 10_000);
});
