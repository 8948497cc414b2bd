/** RFC 6638 clause by clause: who is told of what, what each may change, and what stands in the stored object. */
import assert from "node:assert/strict";
import { children, textOf } from "../../src/dav/xml/parse.ts";
import { unfold } from "./unfold.ts";
import { type Answer, condition, type DavClient, event, ns, suite, type World } from "./world.ts";

const test = suite("RFC 6638");
const cal = "calendars/ann/default/";
const C = "{urn:ietf:params:xml:ns:caldav}";

const organizer = "ORGANIZER:mailto:ann@mox.example";
const self = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@mox.example";
const bobAs = (more = "") => `ATTENDEE;PARTSTAT=NEEDS-ACTION${more}:mailto:bob@mox.example`;
const time = ["DTSTART:20270105T100000Z", "DTEND:20270105T110000Z"];
const daily = [...time, "RRULE:FREQ=DAILY;COUNT=5"];

/** Texts of the objects of a collection that have some words. */
async function texts(c: DavClient, path: string, words: RegExp): Promise<string[]> {
  const list = await c.propfind(path, "<D:getetag/>", "1");
  const found: string[] = [];
  for (const r of list.filter((x) => !x.href.endsWith("/"))) {
    const text = unfold((await c.send("GET", r.href)).text);
    if (words.test(text)) found.push(text);
  }
  return found;
}

/** Where a copy of an event is. */
async function copyOf(c: DavClient, uid: string): Promise<{ href: string; text: string }> {
  for (const r of await c.propfind("calendars/bob/default/", "<D:getetag/>", "1")) {
    if (r.href.endsWith("/")) continue;
    const text = unfold((await c.send("GET", r.href)).text);
    if (text.includes(`UID:${uid}\r\n`)) return { href: r.href, text };
  }
  throw new Error(`no copy of ${uid}`);
}

const messages = (c: DavClient, who: string, uid: string, method: string) =>
  texts(c, `calendars/${who}/inbox/`, new RegExp(`METHOD:${method}[^]*UID:${uid}\r\n`));
const lineOf = (text: string, address: string) =>
  text.split("\r\n").find((l) => /^ATTENDEE/.test(l) && l.endsWith(`mailto:${address}`)) ?? "";
const refusedBy = (a: Answer, name: string) =>
  assert.deepEqual([a.status, condition(a)], [403, C + name], a.text);

test("§3.2.1: SCHEDULE-AGENT of an attendee says whether the server tells them", async ({ ann, bob }) => {
  for (const agent of ["CLIENT", "NONE", "X-OTHER"]) {
    const uid = `agent-${agent}`;
    const path = `${cal}${uid}.ics`;
    const made = await ann.put(
      path,
      event(uid, ...time, organizer, self, bobAs(`;SCHEDULE-AGENT=${agent}`)),
    );
    assert.equal(made.status, 201, made.text);
    const stored = unfold((await ann.send("GET", path)).text);
    assert.doesNotMatch(lineOf(stored, "bob@mox.example"), /SCHEDULE-STATUS/);
    assert.match(lineOf(stored, "bob@mox.example"), new RegExp(`SCHEDULE-AGENT=${agent}`));
    assert.deepEqual(await messages(bob, "bob", uid, "REQUEST"), []);
    // From now on the server tells them, and then no more.
    assert.equal((await ann.put(path, event(uid, ...time, organizer, self, bobAs()))).status, 204);
    assert.equal((await messages(bob, "bob", uid, "REQUEST")).length, 1);
    const copy = await copyOf(bob, uid);
    assert.doesNotMatch(copy.text, /SCHEDULE-(?:AGENT|STATUS)/);
    const last = event(uid, ...time, organizer, self, bobAs(`;SCHEDULE-AGENT=${agent}`));
    assert.equal((await ann.put(path, last)).status, 204);
    assert.equal((await messages(bob, "bob", uid, "CANCEL")).length, 1, agent);
    assert.equal((await ann.send("DELETE", path)).status, 204);
    assert.equal((await messages(bob, "bob", uid, "CANCEL")).length, 1);
  }
});

/** Mails that came to the other server from now on. */
function mailsOf(w: World): { next: () => Promise<string>; count: () => number } {
  const start = w.host.mails.length;
  let n = start;
  return {
    count: () => w.host.mails.length - start,
    async next() {
      for (let i = 0; i < 600; i++) {
        if (w.host.mails.length > n) return w.host.mails[n++].data;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error("no mail came");
    },
  };
}

test("§7.2: SCHEDULE-FORCE-SEND sends what would not be sent, and is not kept", async (w) => {
  const { ann, bob } = w;
  const mails = mailsOf(w);
  const path = `${cal}force.ics`;
  const asked = (more = "") =>
    event(
      "force",
      ...time,
      organizer,
      self,
      `ATTENDEE;PARTSTAT=NEEDS-ACTION${more}:mailto:x@to.example`,
    );
  assert.equal((await ann.put(path, asked())).status, 201);
  assert.match(await mails.next(), /method=REQUEST/i);
  assert.equal((await ann.put(path, asked())).status, 204);
  assert.equal((await ann.put(path, asked(";SCHEDULE-FORCE-SEND=REQUEST"))).status, 204);
  assert.match(await mails.next(), /method=REQUEST/i);
  assert.doesNotMatch((await ann.send("GET", path)).text, /FORCE-SEND/);

  const answer = "calendars/bob/default/again.ics";
  const text = (more = "") =>
    event(
      "again",
      ...time,
      `ORGANIZER${more}:mailto:x@to.example`,
      "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@mox.example",
    );
  assert.equal((await bob.put(answer, text())).status, 201);
  assert.match(await mails.next(), /method=REPLY/i);
  assert.equal((await bob.put(answer, text())).status, 204);
  assert.equal((await bob.put(answer, text(";SCHEDULE-FORCE-SEND=REPLY"))).status, 204);
  assert.match(await mails.next(), /method=REPLY/i);
  assert.equal(mails.count(), 4);
  const stored = unfold((await bob.send("GET", answer)).text);
  assert.match(stored, /ORGANIZER;[^\r]*SCHEDULE-STATUS="?1\.1/);
  assert.doesNotMatch(stored, /FORCE-SEND/);
});

test("§3.2.2.1: what an attendee may change, and what not", async ({ ann, bob }) => {
  await ann.put(
    `${cal}may.ics`,
    event("may", ...daily, "SUMMARY:x", "LOCATION:y", organizer, self, bobAs()),
  );
  const { href, text } = await copyOf(bob, "may");
  const last = (line: string) => text.replace("END:VEVENT", `${line}\r\nEND:VEVENT`);
  const alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:a\r\nTRIGGER:-PT5M\r\nEND:VALARM";
  const override = (more: string) =>
    text.replace(
      "END:VCALENDAR",
      /BEGIN:VEVENT[^]*END:VEVENT\r\n/.exec(text)![0]
        .replace(/RRULE:.*\r\n/, "RECURRENCE-ID:20270106T100000Z\r\n")
        .replace("DTSTART:20270105T10", "DTSTART:20270106T10")
        .replace("DTEND:20270105T11", "DTEND:20270106T11")
        .replace("END:VEVENT", `${more}END:VEVENT`) + "END:VCALENDAR",
    );
  const allowed: Record<string, string> = {
    "own PARTSTAT": text.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=TENTATIVE"),
    TRANSP: last("TRANSP:TRANSPARENT"),
    "PERCENT-COMPLETE": last("PERCENT-COMPLETE:50"),
    COMPLETED: last("COMPLETED:20270105T120000Z"),
    VALARM: last(alarm),
    CALSCALE: text.replace("VERSION:2.0", "VERSION:2.0\r\nCALSCALE:GREGORIAN"),
    PRODID: text.replace(/PRODID:.*/, "PRODID:-//other//EN"),
    "CREATED and LAST-MODIFIED": last("CREATED:20260101T000000Z\r\nLAST-MODIFIED:20260101T000000Z"),
    DTSTAMP: text.replace(/DTSTAMP:.*/, "DTSTAMP:20260202T000000Z"),
    "a date with an alarm": override(`${alarm}\r\n`),
    "a date with TRANSP": override("TRANSP:TRANSPARENT\r\n"),
    EXDATE: last("EXDATE:20270107T100000Z"),
  };
  for (const [name, body] of Object.entries(allowed)) {
    assert.notEqual(body, text, name);
    const a = await bob.put(href, body);
    assert.equal(a.status, 204, `${name}: ${a.text}`);
    // As it was, but for what was answered.
    assert.equal((await bob.put(href, text)).status, 204, name);
  }
  // Whose event it is stays; the organizer can't hand it on so, either.
  const taken = text.replace(/ORGANIZER.*\r\n/g, "ORGANIZER:mailto:bob@mox.example\r\n");
  refusedBy(await bob.put(href, taken), "allowed-attendee-scheduling-object-change");
  const mine = unfold((await ann.send("GET", `${cal}may.ics`)).text);
  const given = mine.replace(/ORGANIZER.*\r\n/g, "ORGANIZER:mailto:bob@mox.example\r\n");
  refusedBy(await ann.put(`${cal}may.ics`, given), "allowed-organizer-scheduling-object-change");
  // Anything else that is changed is so in the own copy alone, until the organizer's next change.
  assert.equal((await bob.put(href, text.replace("SUMMARY:x", "SUMMARY:z"))).status, 204);
  assert.match((await ann.send("GET", `${cal}may.ics`)).text, /SUMMARY:x/);
  assert.equal(
    (await ann.put(`${cal}may.ics`, mine.replace("LOCATION:y", "LOCATION:w\r\nSEQUENCE:1"))).status,
    204,
  );
  assert.match((await copyOf(bob, "may")).text, /SUMMARY:x/);
});

test("§3.2.2.3: an answer goes to the organizer, of a date too; taking one out declines it", async ({ ann, bob }) => {
  await ann.put(`${cal}ans.ics`, event("ans", ...daily, organizer, self, bobAs()));
  const { href, text } = await copyOf(bob, "ans");
  const replies = () => messages(ann, "ann", "ans", "REPLY");
  const exdate = text.replace("END:VEVENT", "EXDATE:20270107T100000Z\r\nEND:VEVENT");
  assert.equal((await bob.put(href, exdate)).status, 204);
  const [declined] = await replies();
  assert.match(declined, /RECURRENCE-ID(?:;[^:]*)?:20270107T100000Z/);
  assert.match(declined, /PARTSTAT=DECLINED.*bob/);
  assert.doesNotMatch(declined, /ann@mox\.example;|ATTENDEE[^\r]*ann@/);
  const mine = unfold((await ann.send("GET", `${cal}ans.ics`)).text);
  const parts = mine.split("BEGIN:VEVENT").slice(1);
  assert.equal(parts.length, 2, mine);
  const date = parts.find((p) => /RECURRENCE-ID/.test(p))!;
  assert.match(lineOf(date, "bob@mox.example"), /PARTSTAT=DECLINED/);
  assert.match(lineOf(date, "bob@mox.example"), /SCHEDULE-STATUS="?2\.0/);
  const whole = parts.find((p) => !/RECURRENCE-ID/.test(p))!;
  assert.match(lineOf(whole, "bob@mox.example"), /PARTSTAT=NEEDS-ACTION/);
  // §3.2.9, §7.3: the attendee's copy says how the answer went.
  assert.match((await copyOf(bob, "ans")).text, /ORGANIZER;[^\r]*SCHEDULE-STATUS="?1\.2/);
  // What isn't about the answer isn't told.
  const n = (await replies()).length;
  const calm = (await copyOf(bob, "ans")).text.replace(
    "END:VEVENT",
    "TRANSP:TRANSPARENT\r\nEND:VEVENT",
  );
  assert.equal((await bob.put(href, calm)).status, 204);
  assert.equal((await replies()).length, n);
});

test("§8.1: a removal is declined, with Schedule-Reply: F it is not; §3.2.2: SCHEDULE-AGENT of the organizer", async ({ ann, bob }) => {
  for (
    const [uid, headers, count] of [["del-t", {}, 1], [
      "del-f",
      { "Schedule-Reply": "F" },
      0,
    ]] as const
  ) {
    await ann.put(`${cal}${uid}.ics`, event(uid, ...time, organizer, self, bobAs()));
    const { href } = await copyOf(bob, uid);
    assert.equal((await bob.send("DELETE", href, undefined, headers)).status, 204);
    const found = await messages(ann, "ann", uid, "REPLY");
    assert.equal(found.length, count, uid);
    const mine = unfold((await ann.send("GET", `${cal}${uid}.ics`)).text);
    assert.match(
      lineOf(mine, "bob@mox.example"),
      count === 1 ? /PARTSTAT=DECLINED/ : /PARTSTAT=NEEDS-ACTION/,
    );
  }
  for (const agent of ["CLIENT", "NONE"]) {
    const uid = `own-${agent}`;
    const path = `calendars/bob/default/${uid}.ics`;
    const text = (more: string, partstat: string) =>
      event(
        uid,
        ...time,
        more,
        `ORGANIZER;SCHEDULE-AGENT=${agent}:mailto:ann@mox.example`,
        `ATTENDEE;PARTSTAT=${partstat}:mailto:bob@mox.example`,
      );
    assert.equal((await bob.put(path, text("SUMMARY:a", "NEEDS-ACTION"))).status, 201);
    assert.equal((await bob.put(path, text("SUMMARY:b", "ACCEPTED"))).status, 204);
    assert.doesNotMatch((await bob.send("GET", path)).text, /SCHEDULE-STATUS/);
    assert.equal((await bob.send("DELETE", path)).status, 204);
    assert.deepEqual(await messages(ann, "ann", uid, "REPLY"), []);
  }
});

test("§3.2.3.1: what is no scheduling object any more is one that was removed", async ({ ann, bob }) => {
  await ann.put(`${cal}gone.ics`, event("gone", ...time, organizer, self, bobAs()));
  const { href } = await copyOf(bob, "gone");
  assert.equal((await bob.put(href, event("gone", ...time))).status, 204);
  assert.equal((await bob.send("GET", href)).headers.get("schedule-tag"), null);
  assert.equal((await messages(ann, "ann", "gone", "REPLY")).length, 1);
  await ann.put(`${cal}off.ics`, event("off", ...time, organizer, self, bobAs()));
  assert.equal((await ann.put(`${cal}off.ics`, event("off", ...time))).status, 204);
  assert.equal((await messages(bob, "bob", "off", "CANCEL")).length, 1);
});

test("§3.2.4: preconditions of writes", async ({ ann, bob }) => {
  await ann.send("MKCALENDAR", "calendars/ann/second/");
  const meeting = event("pre", ...time, organizer, self, bobAs());
  assert.equal((await ann.put(`${cal}pre.ics`, meeting)).status, 201);
  const twice = await ann.put("calendars/ann/second/pre.ics", meeting);
  refusedBy(twice, "unique-scheduling-object-resource");
  assert.match(textOf(twice.xml!), /default\/pre\.ics/);
  refusedBy(
    await ann.send("COPY", `${cal}pre.ics`, undefined, {
      Destination: `${ann.base}calendars/ann/second/copy.ics`,
    }),
    "unique-scheduling-object-resource",
  );
  const two = event("two", ...daily, organizer, self, bobAs()).replace(
    "END:VCALENDAR",
    "BEGIN:VEVENT\r\nUID:two\r\nDTSTAMP:20260101T000000Z\r\n" +
      "RECURRENCE-ID:20270106T100000Z\r\nDTSTART:20270106T120000Z\r\n" +
      "ORGANIZER:mailto:ann2@mox.example\r\nATTENDEE:mailto:bob@mox.example\r\n" +
      "END:VEVENT\r\nEND:VCALENDAR",
  );
  refusedBy(await ann.put(`${cal}two.ics`, two), "same-organizer-in-all-components");
  // §3.2.8, §3.2.10: the tag of a scheduling object resource.
  const tag = (await ann.send("HEAD", `${cal}pre.ics`)).headers.get("schedule-tag")!;
  const [props] = await ann.propfind(`${cal}pre.ics`, "<C:schedule-tag/>");
  assert.equal(textOf(props.found.get(`${C}schedule-tag`)!), tag);
  const old = { "If-Schedule-Tag-Match": '"none"' };
  assert.equal((await ann.put(`${cal}pre.ics`, meeting, old)).status, 412);
  assert.equal((await ann.send("DELETE", `${cal}pre.ics`, undefined, old)).status, 412);
  // An object that isn't one has no tag.
  await ann.put(`${cal}plain.ics`, event("plain", ...time));
  const plain = await ann.send("GET", `${cal}plain.ics`);
  assert.equal(plain.headers.get("schedule-tag"), null);
  const [none] = await ann.propfind(`${cal}plain.ics`, "<C:schedule-tag/>");
  assert.equal(none.failed.get(`${C}schedule-tag`), 404);
  assert.equal(
    (await ann.send("DELETE", `${cal}plain.ics`, undefined, { "If-Schedule-Tag-Match": tag }))
      .status,
    412,
  );
  // It goes to another calendar as the same, and nobody is told.
  const told = (await messages(bob, "bob", "pre", "(?:REQUEST|CANCEL)")).length;
  const moved = await ann.send("MOVE", `${cal}pre.ics`, undefined, {
    Destination: `${ann.base}calendars/ann/second/pre.ics`,
  });
  assert.equal(moved.status, 201, moved.text);
  assert.equal((await messages(bob, "bob", "pre", "(?:REQUEST|CANCEL)")).length, told);
  const there = await ann.send("GET", "calendars/ann/second/pre.ics");
  assert.equal(there.headers.get("schedule-tag"), tag);
});

test("§2, §4.3, §6, §9: collections for scheduling, their properties and what is refused there", async ({ ann }) => {
  const options = await ann.send("OPTIONS", cal);
  assert.match(options.headers.get("dav") ?? "", /calendar-auto-schedule/);
  const props = "<C:schedule-inbox-URL/><C:schedule-outbox-URL/><C:calendar-user-address-set/>" +
    "<C:calendar-user-type/>";
  const [me] = await ann.propfind("principals/ann/", props);
  assert.equal(me.failed.size, 0);
  assert.match(textOf(me.found.get(`${C}calendar-user-type`)!), /^INDIVIDUAL$/);
  assert.match(textOf(me.found.get(`${C}calendar-user-address-set`)!), /mailto:ann@mox\.example/);
  const inbox = textOf(me.found.get(`${C}schedule-inbox-URL`)!).trim();
  const outbox = textOf(me.found.get(`${C}schedule-outbox-URL`)!).trim();
  const privileges = async (path: string) => {
    const [r] = await ann.propfind(path, "<D:supported-privilege-set/>");
    const names: string[] = [];
    const walk = (e: { name: string; ns: string }) => {
      names.push(e.name);
      for (const c of children(e as Parameters<typeof children>[0])) walk(c);
    };
    walk(r.found.get("{DAV:}supported-privilege-set")!);
    return names.filter((n) => n.startsWith("schedule-")).sort();
  };
  assert.deepEqual(await privileges(inbox), [
    "schedule-deliver",
    "schedule-deliver-invite",
    "schedule-deliver-reply",
    "schedule-query-freebusy",
  ]);
  assert.deepEqual(await privileges(outbox), [
    "schedule-send",
    "schedule-send-freebusy",
    "schedule-send-invite",
    "schedule-send-reply",
  ]);
  assert.equal((await ann.put(`${inbox}x.ics`, event("x", ...time))).status, 403);
  assert.equal((await ann.put(`${outbox}x.ics`, event("x", ...time))).status, 403);
  for (const path of [inbox, outbox]) {
    assert.equal((await ann.send("DELETE", path)).status, 403, path);
    assert.notEqual((await ann.send("MKCALENDAR", `${path}sub/`)).status, 201, path);
  }
  const url = (href: string) =>
    `<D:propertyupdate ${ns}><D:set><D:prop><C:schedule-default-calendar-URL><D:href>${href}` +
    "</D:href></C:schedule-default-calendar-URL></D:prop></D:set></D:propertyupdate>";
  await ann.send("MKCALENDAR", "calendars/ann/other/");
  for (
    const bad of [
      "/dav/calendars/ann/nope/",
      inbox,
      "/dav/addressbooks/ann/default/",
      "/dav/calendars/bob/default/",
    ]
  ) {
    const a = await ann.send("PROPPATCH", inbox, url(bad));
    assert.match(a.text, /valid-schedule-default-calendar-URL/, bad);
  }
  assert.equal((await ann.send("PROPPATCH", inbox, url("/dav/calendars/ann/other/"))).status, 207);
  const [set] = await ann.propfind(inbox, "<C:schedule-default-calendar-URL/>");
  assert.match(textOf(set.found.get(`${C}schedule-default-calendar-URL`)!), /ann\/other\/$/);
  refusedBy(await ann.send("DELETE", "calendars/ann/other/"), "default-calendar-needed");
  // Without a choice, another takes its place.
  const unset = await ann.send(
    "PROPPATCH",
    inbox,
    `<D:propertyupdate ${ns}><D:remove><D:prop><C:schedule-default-calendar-URL/></D:prop>` +
      "</D:remove></D:propertyupdate>",
  );
  assert.match(unset.text, /200 OK/);
  assert.equal((await ann.send("DELETE", "calendars/ann/other/")).status, 204);
  const transp = (v: string) =>
    `<D:propertyupdate ${ns}><D:set><D:prop><C:schedule-calendar-transp><C:${v}/>` +
    "</C:schedule-calendar-transp></D:prop></D:set></D:propertyupdate>";
  const [t] = await ann.propfind(cal, "<C:schedule-calendar-transp/>");
  assert.equal(children(t.found.get(`${C}schedule-calendar-transp`)!)[0].name, "opaque");
  assert.match((await ann.send("PROPPATCH", cal, transp("transparent"))).text, /200/);
  assert.match((await ann.send("PROPPATCH", cal, transp("opaque"))).text, /200/);
});

test("§5: requests for busy times, and what is none", async ({ ann }) => {
  const request = (...lines: string[]) =>
    [
      "BEGIN:VCALENDAR",
      "VERSION:2.0",
      "PRODID:-//x//EN",
      ...lines,
      "END:VCALENDAR",
      "",
    ].join("\r\n");
  const post = (body: string, type = "text/calendar") =>
    ann.send("POST", "calendars/ann/outbox/", body, { "Content-Type": type });
  const free = (who: string, ...more: string[]) => [
    "METHOD:REQUEST",
    "BEGIN:VFREEBUSY",
    "UID:fb",
    "DTSTAMP:20260101T000000Z",
    "DTSTART:20270105T000000Z",
    "DTEND:20270106T000000Z",
    `ORGANIZER:mailto:${who}`,
    ...more,
    "END:VFREEBUSY",
  ];
  const people = ["ATTENDEE:mailto:bob@mox.example", "ATTENDEE:mailto:nobody@mox.example"];
  const ok = await post(request(...free("ann@mox.example", ...people)));
  assert.equal(ok.status, 200, ok.text);
  assert.equal(ok.xml?.name, "schedule-response");
  const answers = children(ok.xml!).map((r) => [
    textOf(children(r).find((c) => c.name === "recipient")!).trim(),
    textOf(children(r).find((c) => c.name === "request-status")!).slice(0, 1),
    children(r).some((c) => c.name === "calendar-data"),
  ]);
  assert.deepEqual(answers, [
    ["mailto:bob@mox.example", "2", true],
    ["mailto:nobody@mox.example", "3", false],
  ]);
  refusedBy(await post(request(...free("bob@mox.example", ...people))), "valid-organizer");
  for (
    const bad of [
      request(...free("ann@mox.example", ...people).slice(1)),
      request("METHOD:PUBLISH", ...free("ann@mox.example", ...people).slice(1)),
      request(...free("ann@mox.example")),
      request(
        ...free("ann@mox.example", ...people).filter((l) => !l.startsWith("DTSTART")),
      ),
    ]
  ) {
    const a = await post(bad);
    assert.deepEqual([a.status, condition(a)], [400, `${C}valid-scheduling-message`], a.text);
  }
  const broken = await post("BEGIN:VCALENDAR\r\n");
  assert.deepEqual([broken.status, condition(broken)], [403, `${C}valid-calendar-data`]);
  const text = await post("hello", "text/plain");
  assert.equal(condition(text), `${C}supported-calendar-data`);
});
