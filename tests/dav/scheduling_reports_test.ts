/** What public reports describe about invitations on other servers, done with this one. */
import assert from "node:assert/strict";
import { children, textOf } from "../../src/dav/xml/parse.ts";
import { unfold } from "./unfold.ts";
import { event, suite, type World } from "./world.ts";

const test = suite("Public reports about invitations");
const cal = "calendars/ann/default/";
const time = ["DTSTART:20270105T100000Z", "DTEND:20270105T110000Z"];
const daily = [...time, "RRULE:FREQ=DAILY;COUNT=5"];
const organizer = "ORGANIZER:mailto:ann@mox.example";
const self = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@mox.example";
const bob = "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@mox.example";
const away = "ATTENDEE:mailto:x@to.example";

/** Bob's copy of an event, unfolded. */
async function copyOf(w: World, uid: string): Promise<{ href: string; text: string }> {
  for (const r of await w.bob.propfind("calendars/bob/default/", "<D:getetag/>", "1")) {
    if (r.href.endsWith("/")) continue;
    const text = unfold((await w.bob.send("GET", r.href)).text);
    if (text.includes(`UID:${uid}\r\n`)) return { href: r.href, text };
  }
  throw new Error(`no copy of ${uid}`);
}

async function mail(w: World, n: number): Promise<string> {
  for (let i = 0; i < 600 && w.host.mails.length <= n; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return w.host.mails[n].data;
}

test("a program of somebody invited that counts up: later changes still come (tutanota 2807)", async (w) => {
  const of = (...lines: string[]) => event("count", ...time, ...lines, organizer, self, bob);
  assert.equal((await w.ann.put(`${cal}count.ics`, of("SUMMARY:one"))).status, 201);
  const { href, text } = await copyOf(w, "count");
  // Its clock is wrong too.
  const edited = text.replace(/DTSTAMP:.*\r\n/, "DTSTAMP:20290101T000000Z\r\nSEQUENCE:4\r\n")
    .replace(
      "END:VEVENT",
      "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT",
    )
    .replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED");
  assert.equal((await w.bob.put(href, edited)).status, 204);
  const mine = unfold((await w.ann.send("GET", `${cal}count.ics`)).text);
  assert.match(mine, /PARTSTAT=ACCEPTED.*bob/);
  assert.equal(
    (await w.ann.put(`${cal}count.ics`, mine.replace("SUMMARY:one", "SUMMARY:two"))).status,
    204,
  );
  const copy = (await copyOf(w, "count")).text;
  assert.match(copy, /SUMMARY:two/);
  assert.match(copy, /TRIGGER:-PT5M/);
  assert.match(copy, /PARTSTAT=ACCEPTED.*bob/);
});

test("people added by a program that doesn't ask for answers are asked (nextcloud/server 24467)", async (w) => {
  const n = w.host.mails.length;
  const text = event("rsvp", ...time, organizer, self, away);
  assert.equal((await w.ann.put(`${cal}rsvp.ics`, text)).status, 201);
  assert.match(unfold(await mail(w, n)), /ATTENDEE;RSVP=TRUE:mailto:x@to\.example/);
  assert.doesNotMatch((await w.ann.send("GET", `${cal}rsvp.ics`)).text, /RSVP/, "the event stays");
});

test("an answer to one date is news to its organizer alone (nextcloud/server 60452)", async (w) => {
  const n = w.host.mails.length;
  const text = event("one", ...daily, organizer, self, bob, away);
  assert.equal((await w.ann.put(`${cal}one.ics`, text)).status, 201);
  await mail(w, n);
  const { href, text: copy } = await copyOf(w, "one");
  const master = copy.slice(copy.indexOf("BEGIN:VEVENT"), copy.indexOf("END:VCALENDAR"));
  const date = master.replace(/RRULE.*\r\n/, "RECURRENCE-ID:20270107T100000Z\r\n")
    .replaceAll("20270105T1", "20270107T1").replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=DECLINED");
  const answered = copy.replace("END:VCALENDAR", `${date}END:VCALENDAR`);
  assert.equal((await w.bob.put(href, answered)).status, 204);
  const mine = unfold((await w.ann.send("GET", `${cal}one.ics`)).text);
  assert.match(
    mine,
    /RECURRENCE-ID:20270107T100000Z[^]*PARTSTAT=DECLINED.*bob|PARTSTAT=DECLINED.*bob[^]*RECURRENCE-ID/,
  );
  // The next mail to the other one is about what the organizer does next, as each is queued in its turn.
  assert.equal(
    (await w.ann.put(`${cal}next.ics`, event("next", ...time, organizer, self, away))).status,
    201,
  );
  assert.match(await mail(w, n + 1), /UID:next/);
});

test("one date that is called off leaves the others (nextcloud/calendar 6655)", async (w) => {
  const master = event("off", ...daily, organizer, self, bob);
  assert.equal((await w.ann.put(`${cal}off.ics`, master)).status, 201);
  const first = event(
    "off",
    "RECURRENCE-ID:20270105T100000Z",
    ...time,
    "STATUS:CANCELLED",
    organizer,
    self,
    bob,
  );
  const part = first.slice(first.indexOf("BEGIN:VEVENT"), first.indexOf("END:VCALENDAR"));
  const both = master.replace("END:VCALENDAR", `${part}END:VCALENDAR`);
  assert.equal((await w.ann.put(`${cal}off.ics`, both)).status, 204);
  const { text } = await copyOf(w, "off");
  const parts = text.split("BEGIN:VEVENT").slice(1);
  assert.equal(parts.filter((p) => p.includes("STATUS:CANCELLED")).length, 1);
  assert.match(
    parts.find((p) => p.includes("STATUS:CANCELLED"))!,
    /RECURRENCE-ID:20270105T100000Z/,
  );
  assert.match(parts.find((p) => p.includes("RRULE"))!, /PARTSTAT=NEEDS-ACTION/);
});

test("RFC 6638 §3.2.9: people without a mail address are said to be unreachable, the others are told", async (w) => {
  const found = await w.ann.propfind("principals/ann/", "<C:calendar-user-address-set/>");
  const set = [...found[0].found.values()][0];
  assert.deepEqual(children(set).map((e) => textOf(e)), [
    "mailto:ann@mox.example",
    "mailto:ann2@mox.example",
  ]);
  const text = event("room", ...time, organizer, self, bob, "ATTENDEE;CN=Room:urn:uuid:room-1");
  assert.equal((await w.ann.put(`${cal}room.ics`, text)).status, 201);
  const stored = unfold((await w.ann.send("GET", `${cal}room.ics`)).text);
  assert.match(stored, /ATTENDEE;CN=Room;SCHEDULE-STATUS=3\.7:urn:uuid:room-1/);
  assert.match(stored, /SCHEDULE-STATUS=1\.2:mailto:bob/);
  assert.match((await copyOf(w, "room")).text, /urn:uuid:room-1/);
});
