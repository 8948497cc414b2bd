/** Scheduling: people of this server, people elsewhere by mail, and what comes by mail. */
import assert from "node:assert/strict";
import { children, textOf } from "../../src/dav/xml/parse.ts";
import { unfold } from "./unfold.ts";
import { condition, type DavClient, event, ns, suite, type World } from "./world.ts";
import { sendMail } from "./send_mail.ts";

const test = suite("Scheduling");
const cal = "calendars/ann/default/";
const C = "{urn:ietf:params:xml:ns:caldav}";

const organizer = "ORGANIZER:mailto:ann@mox.example";
const self = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@mox.example";
const bob = "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@mox.example";
const remote = "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:x@to.example";
const time = ["DTSTART:20270105T100000Z", "DTEND:20270105T110000Z"];

/** Waits until something is so; each look is of the state itself. */
async function until<T>(look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let i = 0; i < 600; i++) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("it never came");
}

/** Texts of the objects of a collection. */
async function texts(c: DavClient, path: string): Promise<{ href: string; text: string }[]> {
  const list = await c.propfind(path, "<D:getetag/>", "1");
  const found = [];
  for (const r of list.filter((x) => !x.href.endsWith("/"))) {
    found.push({ href: r.href, text: unfold((await c.send("GET", r.href)).text) });
  }
  return found;
}

/** The next mail for somebody elsewhere, from the n-th on, with its calendar decoded. */
async function mailed(
  w: World,
  n: number,
): Promise<{ subject: string; calendar: string; to: string[] }> {
  const mail = await until(() => w.host.mails[n]);
  const type = /Content-Type: text\/calendar[^]*?\r\n\r\n([^]*?)\r\n--/i.exec(mail.data)!;
  const body = /Content-Transfer-Encoding: quoted-printable/i.test(type[0])
    ? type[1].replace(/=\r\n/g, "").replace(
      /=([0-9A-F]{2})/g,
      (_m, h) => String.fromCharCode(parseInt(h, 16)),
    )
    : type[1];
  return {
    subject: /^Subject: (.*)\r$/m.exec(mail.data)![1],
    calendar: unfold(body),
    to: mail.to,
  };
}

test("people of this server have it at once; their answers come back; a removal cancels", async ({ ann, bob: b }) => {
  const made = await ann.put(
    `${cal}m.ics`,
    event("meet-1", ...time, "SUMMARY:Meeting", organizer, self, bob),
  );
  assert.equal(made.status, 201, made.text);
  // The server wrote into it, so there is no etag of what the client sent.
  assert.equal(made.headers.get("etag"), null);
  assert.ok(made.headers.get("schedule-tag"));
  assert.match(
    unfold((await ann.send("GET", `${cal}m.ics`)).text),
    /SCHEDULE-STATUS="?1\.2"?:mailto:bob/,
  );
  const [invited] = await texts(b, "calendars/bob/default/");
  assert.match(invited.text, /SUMMARY:Meeting/);
  assert.doesNotMatch(invited.text, /METHOD|SCHEDULE-STATUS/);
  const inbox = await texts(b, "calendars/bob/inbox/");
  assert.ok(inbox.some((x) => /METHOD:REQUEST/.test(x.text) && /meet-1/.test(x.text)));
  // Bob accepts.
  const tag = (await b.send("GET", invited.href)).headers.get("schedule-tag")!;
  const answer = invited.text.replace(
    /PARTSTAT=NEEDS-ACTION(.*):mailto:bob/,
    "PARTSTAT=ACCEPTED$1:mailto:bob",
  );
  assert.notEqual(answer, invited.text);
  assert.equal(
    (await b.put(invited.href, answer, { "If-Schedule-Tag-Match": '"old"' })).status,
    412,
  );
  const answered = await b.put(invited.href, answer, { "If-Schedule-Tag-Match": tag });
  assert.equal(answered.status, 204, answered.text);
  const before = (await ann.send("GET", `${cal}m.ics`)).headers.get("schedule-tag");
  const mine = unfold((await ann.send("GET", `${cal}m.ics`)).text);
  assert.match(mine, /PARTSTAT=ACCEPTED.*:mailto:bob@mox\.example/);
  assert.equal(before, made.headers.get("schedule-tag"), "an answer leaves the organizer's tag");
  // Ann moves it: Bob's copy follows, and keeps what he added.
  const alarm = answer.replace(
    "END:VEVENT",
    "BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT",
  );
  assert.equal((await b.put(invited.href, alarm)).status, 204);
  const moved = mine.replace("DTSTART:20270105T100000Z", "DTSTART:20270105T103000Z").replace(
    "BEGIN:VEVENT",
    "BEGIN:VEVENT\r\nSEQUENCE:1",
  );
  assert.equal((await ann.put(`${cal}m.ics`, moved)).status, 204);
  const [follows] = await texts(b, "calendars/bob/default/");
  assert.match(follows.text, /DTSTART:20270105T103000Z/);
  assert.match(follows.text, /TRIGGER:-PT5M/);
  // What he accepted was another time (RFC 6638 §3.2.8).
  assert.match(follows.text, /PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob/);
  // And calls it off.
  assert.equal((await ann.send("DELETE", `${cal}m.ics`)).status, 204);
  assert.match((await texts(b, "calendars/bob/default/"))[0].text, /STATUS:CANCELLED/);
});

test("people elsewhere get it by mail: invitation, change, cancellation for who is left out", async (w) => {
  const { ann } = w;
  const start = w.host.mails.length;
  const text = event("meet-2", ...time, "SUMMARY:Größe", organizer, self, remote);
  assert.equal((await ann.put(`${cal}r.ics`, text)).status, 201);
  const invitation = await mailed(w, start);
  assert.deepEqual(invitation.to, ["x@to.example"]);
  assert.match(invitation.subject, /Invitation|=\?utf-8/i);
  assert.match(invitation.calendar, /METHOD:REQUEST/);
  assert.match(invitation.calendar, /UID:meet-2/);
  // What changes nothing for others is told to nobody; what does, is.
  const stored = (await ann.send("GET", `${cal}r.ics`)).text;
  assert.match(unfold(stored), /SCHEDULE-STATUS="?1\.1"?:mailto:x@to/);
  assert.equal(
    (await ann.put(`${cal}r.ics`, stored.replace("END:VEVENT", "X-MINE:1\r\nEND:VEVENT"))).status,
    204,
  );
  assert.equal(
    (await ann.put(
      `${cal}r.ics`,
      stored.replace("END:VEVENT", "LOCATION:Room 5\r\nSEQUENCE:1\r\nEND:VEVENT"),
    )).status,
    204,
  );
  const change = await mailed(w, start + 1);
  assert.match(change.calendar, /LOCATION:Room 5/);
  const without = event("meet-2", ...time, "SUMMARY:Größe", organizer, self, bob, "SEQUENCE:2");
  assert.equal((await ann.put(`${cal}r.ics`, without)).status, 204);
  const cancellation = await mailed(w, start + 2);
  assert.match(cancellation.calendar, /METHOD:CANCEL/);
  assert.match(cancellation.calendar, /STATUS:CANCELLED/);
  // SCHEDULE-AGENT=CLIENT: the program tells by itself.
  const own = event(
    "meet-3",
    ...time,
    organizer,
    self,
    remote.replace("RSVP=TRUE", "SCHEDULE-AGENT=CLIENT"),
  );
  const r = await ann.put(`${cal}own.ics`, own);
  assert.equal(r.status, 201);
  assert.ok(r.headers.get("etag"));
  assert.equal(w.host.mails.length, start + 3);
});

test("saved by several programs at once, an event invites its people once", async (w) => {
  const { ann } = w;
  const start = w.host.mails.length;
  const text = event("meet-4", ...time, "SUMMARY:Once", organizer, self, remote);
  const all = await Promise.all(
    Array.from({ length: 6 }, () => ann.put(`${cal}once.ics`, text, { "If-None-Match": "*" })),
  );
  assert.deepEqual(all.map((a) => a.status).sort(), [201, 412, 412, 412, 412, 412]);
  // Another name for the same event: refused before anybody hears of it.
  const other = await ann.put(`${cal}other.ics`, text.replace("Once", "Twice"));
  assert.equal(condition(other), `${C}no-uid-conflict`);
  // The same change by two programs, and two removals.
  const etag = (await ann.send("GET", `${cal}once.ics`)).headers.get("etag")!;
  const changed = event(
    "meet-4",
    ...time,
    "SUMMARY:Changed",
    "SEQUENCE:1",
    organizer,
    self,
    remote,
  );
  const both = await Promise.all(
    [1, 2].map(() => ann.put(`${cal}once.ics`, changed, { "If-Match": etag })),
  );
  assert.deepEqual(both.map((a) => a.status).sort(), [204, 412]);
  const gone = await Promise.all([1, 2].map(() => ann.send("DELETE", `${cal}once.ics`)));
  assert.deepEqual(gone.map((a) => a.status).sort(), [204, 404]);
  const methods = [];
  for (let i = 0; i < 3; i++) {
    methods.push(/METHOD:(\w+)/.exec((await mailed(w, start + i)).calendar)![1]);
  }
  assert.deepEqual(methods.sort(), ["CANCEL", "REQUEST", "REQUEST"]);
  await until(() => w.server.queue.list({}).length === 0 ? true : undefined);
  assert.equal(w.host.mails.length, start + 3);
});

test("by mail: an invitation becomes an event, its answer goes out, a stranger changes nothing", async (w) => {
  const { ann } = w;
  const invite = (method: string, from: string, ...lines: string[]) =>
    sendMail(
      w.ports.smtp,
      from,
      "ann@mox.example",
      method,
      event("mail-1", ...lines).replace("VERSION:2.0", `VERSION:2.0\r\nMETHOD:${method}`),
    );
  const people = [
    "ORGANIZER:mailto:org@to.example",
    "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ann@mox.example",
  ];
  await invite("REQUEST", "org@to.example", ...time, "SUMMARY:By mail", ...people);
  const [got] = await texts(ann, cal);
  assert.match(got.text, /SUMMARY:By mail/);
  assert.doesNotMatch(got.text, /METHOD/);
  // A change by who isn't known to be the organizer: these senders are not verified.
  await invite("REQUEST", "evil@else.example", ...time, "SUMMARY:Changed", "SEQUENCE:5", ...people);
  await invite("CANCEL", "evil@else.example", ...time, "SEQUENCE:6", ...people);
  const [same] = await texts(ann, cal);
  assert.equal(same.text, got.text);
  // The answer goes to the organizer.
  const n = w.host.mails.length;
  const accepted = await ann.put(
    got.href,
    got.text.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED"),
  );
  assert.equal(accepted.status, 204, accepted.text);
  const reply = await mailed(w, n);
  assert.deepEqual(reply.to, ["org@to.example"]);
  assert.match(reply.calendar, /METHOD:REPLY/);
  assert.match(reply.calendar, /PARTSTAT=ACCEPTED.*:mailto:ann@mox\.example/);
  assert.match(reply.subject, /^Accepted: By mail/);
  // Removed without a word, and with one.
  assert.equal(
    (await ann.send("DELETE", got.href, undefined, { "Schedule-Reply": "F" })).status,
    204,
  );
  await invite("REQUEST", "org@to.example", ...time, "SUMMARY:By mail", ...people);
  const [again] = await texts(ann, cal);
  assert.equal((await ann.send("DELETE", again.href)).status, 204);
  assert.match((await mailed(w, n + 1)).calendar, /PARTSTAT=DECLINED/);
});

test("free-busy of people of one's own domain, and of nobody else", async ({ ann, bob: b }) => {
  await b.put("calendars/bob/default/a.ics", event("busy", ...time, "SUMMARY:Secret"));
  const request = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//mox//test//EN",
    "METHOD:REQUEST",
    "BEGIN:VFREEBUSY",
    "UID:fb-1",
    "DTSTAMP:20260101T000000Z",
    "DTSTART:20270105T000000Z",
    "DTEND:20270106T000000Z",
    organizer,
    "ATTENDEE:mailto:bob@mox.example",
    "ATTENDEE:mailto:eve@other.example",
    "ATTENDEE:mailto:nobody@to.example",
    "END:VFREEBUSY",
    "END:VCALENDAR",
    "",
  ].join("\r\n");
  const r = await ann.send("POST", "calendars/ann/outbox/", request, {
    "Content-Type": "text/calendar",
  });
  assert.equal(r.status, 200, r.text);
  const answers = children(r.xml!).map((x) => ({
    to: textOf(children(x).find((c) => c.name === "recipient")!),
    status: textOf(children(x).find((c) => c.name === "request-status")!),
    data: textOf(children(x).find((c) => c.name === "calendar-data") ?? x),
  }));
  assert.deepEqual(answers.map((a) => [a.to, a.status]), [
    ["mailto:bob@mox.example", "2.0;Success"],
    ["mailto:eve@other.example", "3.8;No authority"],
    ["mailto:nobody@to.example", "3.7;Invalid calendar user"],
  ]);
  assert.match(answers[0].data, /FREEBUSY:20270105T100000Z\/20270105T110000Z/);
  assert.doesNotMatch(answers[0].data, /Secret/);
  const forged = await ann.send(
    "POST",
    "calendars/ann/outbox/",
    request.replace(organizer, "ORGANIZER:mailto:bob@mox.example"),
    {
      "Content-Type": "text/calendar",
    },
  );
  assert.equal(condition(forged), `${C}valid-organizer`);
});

test("what scheduling doesn't allow", async ({ ann }) => {
  const text = event("twice", ...time, organizer, self, bob);
  assert.equal((await ann.put(`${cal}a.ics`, text)).status, 201);
  await ann.send("MKCALENDAR", "calendars/ann/other/");
  const twice = await ann.put("calendars/ann/other/b.ics", text);
  assert.equal(twice.status, 403);
  assert.equal(condition(twice), `${C}unique-scheduling-object-resource`);
  const two = event("two", ...time, organizer, bob, "RRULE:FREQ=DAILY").replace(
    "END:VEVENT\r\n",
    "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:two\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:20270106T100000Z\r\n" +
      "DTSTART:20270106T120000Z\r\nORGANIZER:mailto:other@to.example\r\nEND:VEVENT\r\n",
  );
  assert.equal(
    condition(await ann.put(`${cal}two.ics`, two)),
    `${C}same-organizer-in-all-components`,
  );
  const inbox = await ann.put("calendars/ann/inbox/x.ics", event("x", ...time));
  assert.equal(inbox.status, 403);
  const [p] = await ann.propfind("calendars/ann/inbox/", "<C:schedule-default-calendar-URL/>");
  assert.equal(
    textOf(p.found.get(`${C}schedule-default-calendar-URL`)!),
    "/dav/calendars/ann/default/",
  );
  assert.equal(
    (await ann.send(
      "REPORT",
      "calendars/ann/inbox/",
      `<C:calendar-query ${ns}><D:prop/><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`,
      { Depth: "1" },
    )).status,
    207,
  );
});

test("who may write a calendar sends no mail in its owner's name", async (w) => {
  const { ann, bob: b } = w;
  const right = (n: string) => `<D:privilege><D:${n}/></D:privilege>`;
  const granted = await ann.send(
    "ACL",
    cal,
    `<D:acl ${ns}><D:ace><D:principal><D:href>/dav/principals/bob/</D:href></D:principal><D:grant>${
      right("read") + right("write")
    }</D:grant></D:ace></D:acl>`,
  );
  assert.equal(granted.status, 200);
  const before = w.host.mails.length;
  const made = await b.put(`${cal}b.ics`, event("by-bob", ...time, organizer, self, remote));
  assert.equal(made.status, 201);
  // It is stored as it came, so nothing was noted in it, and nobody told.
  assert.ok(made.headers.get("etag"));
  assert.doesNotMatch((await ann.send("GET", `${cal}b.ics`)).text, /SCHEDULE-STATUS/);
  assert.equal(w.server.queue.list({}).filter((m) => m.address === "x@to.example").length, 0);
  assert.equal(w.host.mails.length, before);
});
