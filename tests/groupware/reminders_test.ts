/** Alarms of events that are pushed: which come due, each once, also after calendars have changed. */
import assert from "node:assert/strict";
import { calendarObject } from "../../src/groupware/objects.ts";
import { Log } from "../../src/log/mod.ts";
import { type Reminder, Reminders } from "../../src/groupware/reminders.ts";
import { withWebmail } from "../web/webmail/server.ts";

const minute = 60_000;
const at = (text: string) => Date.parse(`2027-03-${text}:00Z`);

function event(uid: string, ...lines: string[]) {
  const text = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//x//EN",
    "BEGIN:VEVENT",
    `UID:${uid}`,
    "DTSTAMP:20270101T000000Z",
    ...lines,
    "END:VEVENT",
    "END:VCALENDAR",
    "",
  ].join("\r\n");
  return calendarObject(`${uid}.ics`, new TextEncoder().encode(text));
}

const alarm = (trigger: string) => [
  "BEGIN:VALARM",
  "ACTION:DISPLAY",
  `TRIGGER${trigger}`,
  "DESCRIPTION:x",
  "END:VALARM",
];

Deno.test("alarms come due once, by minute; of what is off or declined none; changes count at once", () =>
  withWebmail(async (w) => {
    const g = await w.account.groupware();
    const calendar = g.collections("calendars").find((c) => c.kind === "calendar")!;
    const put = (...a: Parameters<typeof event>) => g.put(calendar.id, event(...a));
    await put(
      "weekly",
      "DTSTART:20270301T100000Z",
      "RRULE:FREQ=DAILY",
      "SUMMARY:Stand up",
      "LOCATION:Here",
      ...alarm(":-PT10M"),
    );
    await put("day", "DTSTART;VALUE=DATE:20270304", "SUMMARY:Holiday", ...alarm(":-PT6H"));
    await put(
      "off",
      "DTSTART:20270302T100000Z",
      "STATUS:CANCELLED",
      "SUMMARY:Off",
      ...alarm(":-PT10M"),
    );
    await put(
      "declined",
      "DTSTART:20270302T100000Z",
      "SUMMARY:Not me",
      "ORGANIZER:mailto:a@b.example",
      "ATTENDEE;PARTSTAT=DECLINED:mailto:mox@localhost",
      ...alarm(":-PT10M"),
    );
    let now = at("02T09:40");
    const told: string[] = [];
    const reminders = new Reminders({
      accounts: w.accounts,
      subscribed: () => [w.account.name],
      mine: (_account, address) => address === "mox@localhost",
      send: (account: string, { event: e }: Reminder) =>
        told.push(
          `${account} ${e.title} ${new Date(e.start).toISOString()} ${e.place} ${e.allDay}`,
        ),
      maxAtOnce: 5,
      log: new Log("webmail"),
      now: () => now,
    });
    const until = async (end: number) => {
      told.length = 0;
      for (; now <= end; now += minute) await reminders.look();
      return [...told];
    };
    const standUp = (day: string) => `mox Stand up 2027-03-${day}T10:00:00.000Z Here false`;
    assert.deepEqual(await until(at("02T09:49")), []);
    assert.deepEqual(await until(at("02T09:50")), [standUp("02")]);
    assert.deepEqual(await until(at("02T11:00")), []);
    await put("soon", "DTSTART:20270302T111000Z", "SUMMARY:Soon", ...alarm(":-PT5M"));
    assert.deepEqual(await until(at("02T11:06")), ["mox Soon 2027-03-02T11:10:00.000Z  false"]);
    // The server was away for some minutes, and for hours.
    now = at("03T09:55");
    assert.deepEqual(await until(now), [standUp("03")]);
    now = at("03T18:01");
    assert.deepEqual(await until(now), ["mox Holiday 2027-03-04T00:00:00.000Z  true"]);
    now = at("04T12:00");
    assert.deepEqual(await until(now), []);
    await reminders.close();
  }));
