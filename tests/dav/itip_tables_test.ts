/** RFC 5546 §3.2, §3.4 and RFC 6047 over HTTP and SMTP: what messages have, and which of two is the later one. */
import assert from "node:assert/strict";
import { parseComponents, property, valueOf } from "../../src/mail/contentline/component.ts";
import type { Component } from "../../src/mail/contentline/component.ts";
import { unfold } from "./unfold.ts";
import { event, suite, type World } from "./world.ts";

const test = suite("RFC 5546 and RFC 6047");
const cal = "calendars/ann/default/";
const organizer = "ORGANIZER:mailto:ann@mox.example";
const self = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@mox.example";
const bob = "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@mox.example";
const away = "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:x@to.example";
const time = ["DTSTART:20270105T100000Z", "DTEND:20270105T110000Z"];

/** Bob's copy of an event, unfolded; "" without one. */
async function copyOf(w: World, uid: string): Promise<{ href: string; text: string }> {
  for (const r of await w.bob.propfind("calendars/bob/default/", "<D:getetag/>", "1")) {
    if (r.href.endsWith("/")) continue;
    const text = unfold((await w.bob.send("GET", r.href)).text);
    if (text.includes(`UID:${uid}\r\n`)) return { href: r.href, text };
  }
  return { href: "", text: "" };
}

interface Mailed {
  from: string;
  to: string[];
  method: string;
  calendar: Component;
  header: string;
}

/** The messages that come to the other server from now on. */
function mailsOf(w: World): () => Promise<Mailed> {
  let n = w.host.mails.length;
  return async () => {
    for (let i = 0; i < 600 && w.host.mails.length <= n; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const mail = w.host.mails[n++];
    assert.ok(mail, "no mail came");
    const at = mail.data.search(/Content-Type: text\/calendar/i);
    const [head, ...rest] = mail.data.slice(at).split("\r\n\r\n");
    const body = rest.join("\r\n\r\n").split("\r\n--")[0];
    const bytes = /base64/i.test(head)
      ? Uint8Array.from(atob(body.replace(/\s/g, "")), (c) => c.charCodeAt(0))
      : new TextEncoder().encode(body);
    const [calendar] = parseComponents(new TextDecoder().decode(bytes));
    const method = /method=([A-Z]+)/i.exec(head)?.[1] ?? "";
    assert.match(head, /charset="?utf-8/i, "RFC 6047 §2.4");
    return { from: mail.from, to: mail.to, method, calendar, header: mail.data.slice(0, at) };
  };
}

const events = (m: Mailed) => m.calendar.components.filter((c) => c.name !== "VTIMEZONE");

/** What each component of a message must have once, by its method (RFC 5546 §3.2.2, §3.2.3, §3.2.5). */
const wanted: Record<string, string[]> = {
  REQUEST: ["DTSTAMP", "DTSTART", "ORGANIZER", "SUMMARY", "UID"],
  REPLY: ["DTSTAMP", "ORGANIZER", "UID", "ATTENDEE"],
  CANCEL: ["DTSTAMP", "ORGANIZER", "SEQUENCE", "UID"],
};

/** Checks a message by the tables; the zones of its times are described. */
function checkMessage(m: Mailed): void {
  assert.equal(valueOf(m.calendar, "METHOD"), m.method, "RFC 6047 §2.4: as the part says");
  for (const name of ["VERSION", "PRODID"]) assert.ok(property(m.calendar, name), name);
  for (const c of events(m)) {
    for (const name of wanted[m.method]) {
      const n = c.properties.filter((p) => p.name === name).length;
      assert.equal(
        n,
        1 + (m.method === "REQUEST" && name === "ATTENDEE" ? 1 : 0),
        `${name} of ${m.method}`,
      );
    }
    assert.ok(c.properties.some((p) => p.name === "ATTENDEE"));
    assert.deepEqual(c.components, [], "alarms are one's own");
    const own = c.properties.flatMap((p) => p.params).map((p) => p.name)
      .filter((p) => /^(?:SCHEDULE-|X-MOX)/.test(p));
    assert.deepEqual(own, []);
  }
  const zones = new Set(m.calendar.components.map((c) => valueOf(c, "TZID")));
  const named = events(m).flatMap((c) => c.properties).flatMap((p) => p.params)
    .filter((p) => p.name === "TZID").flatMap((p) => p.values);
  for (const name of named) assert.ok(zones.has(name), `${name} is described`);
}

test("what is sent has all that its table asks for, whatever the program left out", async (w) => {
  const next = mailsOf(w);
  const people = [self, away];
  const at = (name: string, when: string) => `${name};TZID=Europe/Berlin:${when}`;
  const text = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//x//EN",
    ...["BEGIN:VEVENT", "UID:t1", at("DTSTART", "20270105T100000"), "DURATION:PT1H"],
    ...["RRULE:FREQ=WEEKLY;COUNT=4", organizer, ...people],
    ...["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", "END:VALARM", "END:VEVENT"],
    ...["BEGIN:VEVENT", "UID:t1", at("RECURRENCE-ID", "20270112T100000")],
    ...[at("DTSTART", "20270112T120000"), "DURATION:PT1H", ...people, "END:VEVENT"],
    "END:VCALENDAR",
    "",
  ].join("\r\n");
  assert.equal((await w.ann.put(`${cal}t1.ics`, text)).status, 201);
  const request = await next();
  assert.equal(request.method, "REQUEST");
  assert.deepEqual([request.from, request.to], ["ann@mox.example", ["x@to.example"]]);
  assert.match(request.header, /^From: .*ann@mox\.example/m);
  assert.match(request.header, /multipart\/alternative/);
  checkMessage(request);
  assert.equal(events(request).length, 2);
  assert.equal((await w.ann.put(`${cal}t1.ics`, text.replaceAll(`${away}\r\n`, ""))).status, 204);
  const cancel = await next();
  assert.equal(cancel.method, "CANCEL");
  checkMessage(cancel);
  assert.equal(valueOf(events(cancel)[0], "SEQUENCE"), "1");
  // Who is invited by mail answers by a change, with a comment.
  const invited = event(
    "t2",
    at("DTSTART", "20270105T100000"),
    "ORGANIZER:mailto:x@to.example",
    bob,
  );
  const path = "calendars/bob/default/t2.ics";
  assert.equal((await w.bob.put(path, invited)).status, 201);
  const answered = invited.replace("NEEDS-ACTION", "TENTATIVE")
    .replace("END:VEVENT", "COMMENT:I may be late\r\nEND:VEVENT");
  assert.equal((await w.bob.put(path, answered)).status, 204);
  const reply = await next();
  assert.equal(reply.method, "REPLY");
  checkMessage(reply);
  assert.equal(valueOf(events(reply)[0], "COMMENT"), "I may be late");
});

test("an answer to a task says how far it is", async (w) => {
  const next = mailsOf(w);
  const task = (...lines: string[]) =>
    event("job", "DTSTART:20270105T100000Z", "DUE:20270106T100000Z", ...lines)
      .replaceAll("VEVENT", "VTODO");
  const path = "calendars/bob/default/job.ics";
  const people = ["ORGANIZER:mailto:x@to.example", bob];
  assert.equal((await w.bob.put(path, task(...people))).status, 201);
  const done = task(...people, "PERCENT-COMPLETE:40", "STATUS:IN-PROCESS")
    .replace("NEEDS-ACTION", "IN-PROCESS");
  assert.equal((await w.bob.put(path, done)).status, 204);
  const [answer] = events(await next());
  assert.equal(answer.name, "VTODO");
  assert.equal(valueOf(answer, "PERCENT-COMPLETE"), "40");
  assert.equal(valueOf(answer, "STATUS"), "IN-PROCESS");
});

test("several changes within a second all arrive, and in their order", async (w) => {
  const next = mailsOf(w);
  const titles = ["one", "two", "three", "four"];
  for (const title of titles) {
    const a = await w.ann.put(
      `${cal}s.ics`,
      event("s", ...time, `SUMMARY:${title}`, organizer, self, bob, away),
    );
    assert.ok(a.status < 300, a.text);
  }
  assert.match((await copyOf(w, "s")).text, /SUMMARY:four/);
  const stamps: string[] = [];
  for (const _ of titles) {
    const m = await next();
    stamps.push(`${valueOf(events(m)[0], "DTSTAMP")} ${valueOf(events(m)[0], "SUMMARY")}`);
  }
  stamps.sort();
  assert.deepEqual(stamps.map((s) => s.split(" ")[1]), titles);
  assert.equal(new Set(stamps.map((s) => s.split(" ")[0])).size, 4);
});

test("who is left out and invited again has the event again", async (w) => {
  const path = `${cal}r.ics`;
  const put = async (...people: string[]) => {
    const a = await w.ann.put(path, event("r", ...time, organizer, self, ...people));
    assert.ok(a.status < 300, a.text);
  };
  await put(bob, away);
  await put(away);
  assert.match((await copyOf(w, "r")).text, /STATUS:CANCELLED/);
  // The program that wrote it goes on with the number that it knows.
  await put(bob, away);
  const copy = (await copyOf(w, "r")).text;
  assert.doesNotMatch(copy, /STATUS:CANCELLED/);
  assert.match(copy, /SEQUENCE:1/);
  // Removed, and put back with the same UID.
  assert.equal((await w.ann.send("DELETE", path)).status, 204);
  assert.match((await copyOf(w, "r")).text, /STATUS:CANCELLED/);
  await put(bob);
  assert.doesNotMatch((await copyOf(w, "r")).text, /STATUS:CANCELLED/);
});

test("§3.2.2.1: an event that moves asks everybody anew, by a program that doesn't count", async (w) => {
  const path = `${cal}q.ics`;
  const of = (...lines: string[]) => event("q", ...lines, organizer, self, bob);
  assert.equal((await w.ann.put(path, of(...time))).status, 201);
  const copy = await copyOf(w, "q");
  const accepted = copy.text.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED");
  assert.equal((await w.bob.put(copy.href, accepted)).status, 204);
  const mine = unfold((await w.ann.send("GET", path)).text);
  assert.match(mine, /PARTSTAT=ACCEPTED.*bob/);
  const moved = mine.replaceAll("20270105T1", "20270106T1");
  const put = await w.ann.put(path, moved);
  assert.deepEqual([put.status, put.headers.get("etag")], [204, null], "the server has changed it");
  const stored = unfold((await w.ann.send("GET", path)).text);
  assert.match(stored, /SEQUENCE:1/);
  assert.match(stored, /PARTSTAT=ACCEPTED:mailto:ann/);
  assert.match(stored, /PARTSTAT=NEEDS-ACTION;RSVP=TRUE.*bob/);
  const theirs = (await copyOf(w, "q")).text;
  assert.match(theirs, /DTSTART:20270106T100000Z/);
  assert.match(theirs, /PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob/);
  // Two answers within a second: the later one counts.
  const { href } = await copyOf(w, "q");
  for (const status of ["ACCEPTED", "DECLINED"]) {
    const text = theirs.replace("PARTSTAT=NEEDS-ACTION", `PARTSTAT=${status}`);
    assert.equal((await w.bob.put(href, text)).status, 204);
  }
  assert.match(unfold((await w.ann.send("GET", path)).text), /PARTSTAT=DECLINED.*bob/);
});
