/** RFC 6047: invitations, changes and answers by mail, in the forms that other programs send them. */
import assert from "node:assert/strict";
import { sendRaw } from "./send_mail.ts";
import { unfold } from "./unfold.ts";
import { event, suite, type World } from "./world.ts";

const test = suite("RFC 6047: messages that come in");
const time = ["DTSTART:20270105T100000Z", "DTEND:20270105T110000Z"];
const boss = "boss@sure.example";
const organizer = `ORGANIZER;CN=Boss:mailto:${boss}`;
const ann = "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@mox.example";

/** An event with a method. */
const itip = (method: string, uid: string, ...lines: string[]) =>
  event(uid, ...lines).replace("VERSION:2.0", `VERSION:2.0\r\nMETHOD:${method}`);

const head = (from: string, to: string) =>
  `From: Some One <${from}>\r\nTo: <${to}>\r\nSubject: an event\r\n` +
  `Date: ${new Date().toUTCString().replace("GMT", "+0000")}\r\n` +
  `Message-ID: <${crypto.randomUUID()}@sure.example>\r\nMIME-Version: 1.0\r\n`;

const base64 = (s: string) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(s))).replace(/.{76}/g, "$&\r\n");

const encoded = (s: string) =>
  [...new TextEncoder().encode(s)].map((b) =>
    b === 10 || b === 13 || b > 32 && b < 127 && b !== 61
      ? String.fromCharCode(b)
      : `=${b.toString(16).toUpperCase().padStart(2, "0")}`
  ).join("").replace(/[^\r\n]{70,73}(?=[^\r\n])(?!..?=)/g, "$&=\r\n");

interface Sent {
  from?: string;
  to?: string;
  raw: string;
}

/** Sends a message to Ann, or to who is given. */
function send(w: World, m: Sent): Promise<void> {
  const [from, to] = [m.from ?? boss, m.to ?? "ann@mox.example"];
  return sendRaw(w.ports.smtp, from, to, head(from, to) + m.raw);
}

/** A plain message whose body is a calendar. */
const alone = (text: string, method: string) =>
  `Content-Type: text/calendar; charset=utf-8; method=${method}\r\n` +
  `Content-Transfer-Encoding: 8bit\r\n\r\n${text}`;

/** Ann's event with a UID, unfolded; "" if there is none. Messages are applied when they are accepted. */
async function copyOf(w: World, uid: string, account: "ann" | "bob" = "ann"): Promise<string> {
  const c = w[account];
  for (const r of await c.propfind(`calendars/${account}/default/`, "<D:getetag/>", "1")) {
    if (r.href.endsWith("/")) continue;
    const text = unfold((await c.send("GET", r.href)).text);
    if (text.includes(`UID:${uid}\r\n`)) return text;
  }
  return "";
}

test("§2.4: forms of the part", async (w) => {
  const text = (uid: string) => itip("REQUEST", uid, ...time, "SUMMARY:Größe", organizer, ann);
  const part = (type: string, coding: string, body: string) =>
    `Content-Type: ${type}\r\nContent-Transfer-Encoding: ${coding}\r\n\r\n${body}\r\n`;
  const multipart = (kind: string, ...parts: string[]) =>
    `Content-Type: multipart/${kind}; boundary="=b${kind}"\r\n\r\n` +
    parts.map((p) => `--=b${kind}\r\n${p}`).join("") + `--=b${kind}--\r\n`;
  const plain = part("text/plain; charset=utf-8", "7bit", "see the event");
  const type = "text/calendar; charset=UTF-8; method=REQUEST";
  const forms: Record<string, (uid: string) => string> = {
    alone: (uid) => alone(text(uid), "REQUEST"),
    "gmail, with a file beside": (uid) =>
      multipart(
        "mixed",
        multipart("alternative", plain, part(type, "7bit", text(uid).replace("öß", "oess"))),
        part('application/ics; name="invite.ics"', "base64", base64(text(uid))),
      ),
    "outlook, base64 with its own boundary": (uid) =>
      multipart(
        "alternative",
        plain,
        part('text/calendar; charset="utf-8"; method=REQUEST', "base64", base64(text(uid))),
      ),
    "quoted-printable": (uid) => part(type, "quoted-printable", encoded(text(uid))),
    "method in quotes and lower case": (uid) =>
      part('TEXT/Calendar; METHOD="request"; charset=utf-8', "8bit", text(uid)),
    "method and component": (uid) =>
      part("text/calendar; component=vevent; method=REQUEST", "base64", base64(text(uid))),
    "lines that end in LF": (uid) =>
      part(type, "base64", base64(text(uid).replaceAll("\r\n", "\n"))),
    "forwarded as it came": (uid) =>
      multipart("mixed", plain, multipart("related", part(type, "8bit", text(uid)))),
  };
  let n = 0;
  for (const [name, form] of Object.entries(forms)) {
    const uid = `form-${n++}`;
    await send(w, { raw: form(uid) });
    assert.match(await copyOf(w, uid), /SUMMARY:Gr(?:öß|oess)e/, name);
  }
});

test("§2.4: what says two things, or is none of the methods for events, changes nothing", async (w) => {
  const request = itip("REQUEST", "two", ...time, organizer, ann);
  await send(w, { raw: alone(request, "CANCEL") });
  assert.equal(await copyOf(w, "two"), "");
  await send(w, { raw: alone(event("two", ...time, organizer, ann), "REQUEST") });
  assert.equal(await copyOf(w, "two"), "", "no METHOD in it");
  await send(w, { raw: alone(request, "REQUEST") });
  const there = await copyOf(w, "two");
  assert.notEqual(there, "");
  for (const method of ["PUBLISH", "ADD", "REFRESH", "COUNTER", "DECLINECOUNTER", "X-OTHER"]) {
    const text = itip(method, "two", ...time, "SUMMARY:x", "SEQUENCE:9", organizer, ann);
    await send(w, { raw: alone(text, method) });
    assert.equal(await copyOf(w, "two"), there, method);
  }
  for (const broken of ["BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\n", "hello", ""]) {
    await send(w, { raw: alone(broken, "REQUEST") });
  }
});

test("§2.2, §3: only the organizer, verified, changes what is there", async (w) => {
  const text = (method: string, n: number, ...lines: string[]) =>
    itip(method, "sec", ...time, `SEQUENCE:${n}`, ...lines, organizer, ann);
  await send(w, { raw: alone(text("REQUEST", 0, "SUMMARY:first"), "REQUEST") });
  // Verified, but somebody else; and in the organizer's name, from a place that may not use it.
  await send(w, {
    from: "evil@sure.example",
    raw: alone(text("REQUEST", 5, "SUMMARY:evil"), "REQUEST"),
  });
  await send(w, { from: "evil@sure.example", raw: alone(text("CANCEL", 6), "CANCEL") });
  const own = `ORGANIZER:mailto:evil@sure.example`;
  const taken = itip("REQUEST", "sec", ...time, "SEQUENCE:7", "SUMMARY:evil", own, ann);
  await send(w, { from: "evil@sure.example", raw: alone(taken, "REQUEST") });
  assert.match(await copyOf(w, "sec"), /SUMMARY:first/);
  assert.match(await copyOf(w, "sec"), /mailto:boss@/);
  await send(w, { raw: alone(text("REQUEST", 1, "SUMMARY:second"), "REQUEST") });
  assert.match(await copyOf(w, "sec"), /SUMMARY:second/);
  await send(w, { raw: alone(text("CANCEL", 2), "CANCEL") });
  assert.match(await copyOf(w, "sec"), /STATUS:CANCELLED/);
});

test("one date of a series is changed and called off alone, as Google and Outlook send it", async (w) => {
  const daily = [...time, "RRULE:FREQ=DAILY;COUNT=5"];
  await send(w, { raw: alone(itip("REQUEST", "day", ...daily, organizer, ann), "REQUEST") });
  const one = (method: string, day: number, ...lines: string[]) =>
    itip(method, "day", `RECURRENCE-ID:2027010${day}T100000Z`, ...lines, organizer, ann)
      .replace("DTSTAMP:20260101", "DTSTAMP:20260102");
  const moved = one("REQUEST", 6, "DTSTART:20270106T150000Z", "DURATION:PT1H", "SEQUENCE:1");
  await send(w, { raw: alone(moved, "REQUEST") });
  let copy = await copyOf(w, "day");
  assert.match(copy, /RRULE:FREQ=DAILY;COUNT=5/);
  assert.match(copy, /RECURRENCE-ID:20270106T100000Z\r\nDTSTART:20270106T150000Z/);
  const off = one("CANCEL", 7, "DTSTART:20270107T100000Z", "SEQUENCE:1", "STATUS:CANCELLED");
  await send(w, { raw: alone(off, "CANCEL") });
  copy = await copyOf(w, "day");
  assert.match(copy, /EXDATE:20270107T100000Z/);
  assert.doesNotMatch(copy, /STATUS:CANCELLED/);
});

test("answers change the organizer's event, each in the name of who sent it", async (w) => {
  const people = ["x@sure.example", "y@sure.example"];
  const path = "calendars/ann/default/mine.ics";
  const text = event(
    "mine",
    ...time,
    "ORGANIZER:mailto:ann@mox.example",
    ...people.map((p) => `ATTENDEE;PARTSTAT=NEEDS-ACTION;SCHEDULE-AGENT=CLIENT:mailto:${p}`),
  );
  assert.equal((await w.ann.put(path, text)).status, 201);
  const answers = async () => {
    const found = unfold((await w.ann.send("GET", path)).text);
    return people.map((p) => new RegExp(`PARTSTAT=([A-Z-]+)[^\r]*:mailto:${p}`).exec(found)?.[1]);
  };
  const reply = (who: string, status: string, n: number, ...lines: string[]) =>
    alone(
      itip("REPLY", "mine", ...lines, `ATTENDEE;PARTSTAT=${status}:mailto:${who}`)
        .replace("DTSTAMP:20260101T00000", `DTSTAMP:20260101T00000${n}`).replace(
          /(T00000\d)0Z/,
          "$1Z",
        ),
      "REPLY",
    );
  const by = "ORGANIZER:mailto:ann@mox.example";
  await send(w, { from: people[0], raw: reply(people[0], "ACCEPTED", 3, by, ...time) });
  assert.deepEqual(await answers(), ["ACCEPTED", "NEEDS-ACTION"]);
  // Exchange leaves the organizer out.
  await send(w, { from: people[1], raw: reply(people[1], "TENTATIVE", 1, ...time) });
  assert.deepEqual(await answers(), ["ACCEPTED", "TENTATIVE"]);
  // In another's name; one that was overtaken; one that isn't verified.
  await send(w, { from: people[1], raw: reply(people[0], "DECLINED", 4, by) });
  await send(w, { from: people[0], raw: reply(people[0], "DECLINED", 2, by) });
  await send(w, { from: "x@to.example", raw: reply(people[0], "DECLINED", 5, by) });
  assert.deepEqual(await answers(), ["ACCEPTED", "TENTATIVE"]);
  await send(w, { from: people[0], raw: reply(people[0], "DECLINED", 6, by) });
  assert.deepEqual(await answers(), ["DECLINED", "TENTATIVE"]);
});

test("a task by mail goes where events go", async (w) => {
  const task = itip(
    "REQUEST",
    "job",
    "DTSTART:20270105T100000Z",
    "DUE:20270106T100000Z",
    "SUMMARY:Do it",
    organizer,
    ann,
  )
    .replaceAll("VEVENT", "VTODO");
  await send(w, { raw: alone(task, "REQUEST") });
  assert.match(await copyOf(w, "job"), /BEGIN:VTODO[^]*SUMMARY:Do it/);
});
