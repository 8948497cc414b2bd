/** What public reports about other servers of calendars and contacts describe, sent to this one. */
import assert from "node:assert/strict";
import { takeMessage } from "../../src/groupware/incoming.ts";
import { sendMail } from "./send_mail.ts";
import { unfold } from "./unfold.ts";
import { card, condition, type DavClient, event, ns, suite } from "./world.ts";

const test = suite("Public reports");
const cal = "calendars/ann/default/";
const book = "addressbooks/ann/default/";
const C = "{urn:ietf:params:xml:ns:caldav}";

/** A calendar of several events. */
const objects = (...events: string[][]) =>
  [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//x//y//EN",
    ...events.flatMap((
      lines,
    ) => ["BEGIN:VEVENT", "DTSTAMP:20260101T000000Z", ...lines, "END:VEVENT"]),
    "END:VCALENDAR",
    "",
  ].join("\r\n");

/** The events in a span, one by one, as lines. */
async function expanded(c: DavClient, start: string, end: string): Promise<string[]> {
  const span = `start="${start}" end="${end}"`;
  const list = await c.report(
    cal,
    `<C:calendar-query ${ns}><D:prop><C:calendar-data><C:expand ${span}/></C:calendar-data></D:prop><C:filter>` +
      `<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range ${span}/></C:comp-filter></C:comp-filter>` +
      `</C:filter></C:calendar-query>`,
  );
  return list.flatMap((r) =>
    [...r.found.values()].flatMap((e) =>
      [...unfold(String(e.children.join(""))).matchAll(/^DTSTART[^:]*:(.*)$/gm)].map((m) =>
        m[1].trim()
      )
    )
  ).sort();
}

test("an answer without ORGANIZER counts (nextcloud/server 53949)", async (w) => {
  const { ann } = w;
  const time = ["DTSTART:20270105T100000Z", "DTEND:20270105T110000Z"];
  const people = [
    "ORGANIZER:mailto:ann@mox.example",
    "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@mox.example",
  ];
  assert.equal((await ann.put(`${cal}o.ics`, event("outlook", ...time, ...people))).status, 201);
  const reply = event("outlook", ...time, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@mox.example")
    .replace("VERSION:2.0", "VERSION:2.0\r\nMETHOD:REPLY");
  // Whoever sends it: who isn't known to be Bob changes nothing.
  await sendMail(w.ports.smtp, "bob@mox.example", "ann@mox.example", "REPLY", reply);
  const account = await w.server.accounts.open("ann");
  try {
    const g = await account.groupware();
    const arrival = { g, mine: (a: string) => a === "ann@mox.example", from: undefined };
    assert.equal(await takeMessage(arrival, reply), undefined);
    assert.doesNotMatch((await ann.send("GET", `${cal}o.ics`)).text, /ACCEPTED/);
    const taken = await takeMessage({ ...arrival, from: "bob@mox.example" }, reply);
    assert.deepEqual(taken, { method: "REPLY", uid: "outlook" });
  } finally {
    account.close();
  }
  assert.match(unfold((await ann.send("GET", `${cal}o.ics`)).text), /PARTSTAT=ACCEPTED[^\r]*bob/);
});

test("dates as RECURRENCE-ID without VALUE=DATE (Radicale 1979)", async ({ ann }) => {
  const made = await ann.put(
    `${cal}a.ics`,
    objects(
      [
        "UID:r",
        "DTSTART;VALUE=DATE:20250301",
        "DTEND;VALUE=DATE:20250302",
        "RRULE:FREQ=DAILY;INTERVAL=1;COUNT=3",
      ],
      [
        "UID:r",
        "DTSTART;VALUE=DATE:20250309",
        "DTEND;VALUE=DATE:20250310",
        "RECURRENCE-ID:20250302",
      ],
    ),
  );
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(await expanded(ann, "20250225T000000Z", "20250401T000000Z"), [
    "20250301",
    "20250303",
    "20250309",
  ]);
});

test("days that repeat every other week, one of them edited (xandikos 365)", async ({ ann }) => {
  await ann.put(
    `${cal}x.ics`,
    objects(
      [
        "UID:x",
        "DTSTART;VALUE=DATE:20240411",
        "DTEND;VALUE=DATE:20240412",
        "RRULE:FREQ=WEEKLY;INTERVAL=2",
        "SUMMARY:Test",
      ],
      [
        "UID:x",
        "RECURRENCE-ID;VALUE=DATE:20240425",
        "DTSTART;VALUE=DATE:20240425",
        "DTEND;VALUE=DATE:20240426",
        "SUMMARY:Edited",
      ],
    ),
  );
  assert.deepEqual(await expanded(ann, "20240330T230000Z", "20240503T220000Z"), [
    "20240411",
    "20240425",
  ]);
});

test("a birthday of decades ago, one date without its series, one moved into the week (sabre/dav 73, sabre/vobject 36, nextcloud/server 20191)", async ({ ann }) => {
  await ann.put(
    `${cal}b.ics`,
    event(
      "b",
      "DTSTART:19560108T000000",
      "DTEND:19560108T235959",
      "RRULE:FREQ=YEARLY;INTERVAL=1;COUNT=70",
    ),
  );
  assert.deepEqual(await expanded(ann, "20100101T000000Z", "20100201T000000Z"), [
    "20100108T000000",
  ]);
  assert.deepEqual(await expanded(ann, "20270101T000000Z", "20270201T000000Z"), []);
  await ann.put(
    `${cal}one.ics`,
    objects([
      "UID:one",
      "RECURRENCE-ID:20300105T100000Z",
      "DTSTART:20300106T100000Z",
      "DTEND:20300106T110000Z",
    ]),
  );
  assert.deepEqual(await expanded(ann, "20300106T000000Z", "20300107T000000Z"), [
    "20300106T100000Z",
  ]);
  assert.deepEqual(await expanded(ann, "20300105T000000Z", "20300106T000000Z"), []);
  await ann.put(
    `${cal}moved.ics`,
    objects(
      ["UID:m", "DTSTART:20310106T100000Z", "DTEND:20310106T110000Z", "RRULE:FREQ=WEEKLY;COUNT=3"],
      [
        "UID:m",
        "RECURRENCE-ID:20310113T100000Z",
        "DTSTART:20310303T100000Z",
        "DTEND:20310303T110000Z",
      ],
    ),
  );
  assert.deepEqual(await expanded(ann, "20310301T000000Z", "20310308T000000Z"), [
    "20310303T100000Z",
  ]);
  assert.deepEqual(await expanded(ann, "20310112T000000Z", "20310115T000000Z"), []);
});

test("a zone by the name that Windows gives it, with dates left out (home-assistant/core 25814)", async ({ ann }) => {
  const zone = [
    "BEGIN:VTIMEZONE",
    "TZID:Romance Standard Time",
    "BEGIN:STANDARD",
    "DTSTART:19701025T030000",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYHOUR=3;BYMINUTE=0;BYMONTH=10",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "DTSTART:19700329T020000",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYHOUR=2;BYMINUTE=0;BYMONTH=3",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
  ].join("\r\n");
  const text = event(
    "z",
    "DTSTART;TZID=Romance Standard Time:20201019T090000",
    "DTEND;TZID=Romance Standard Time:20201019T100000",
    "RRULE:FREQ=WEEKLY;COUNT=4",
    "EXDATE;TZID=Romance Standard Time:20201102T090000",
  ).replace("BEGIN:VEVENT", `${zone}\r\nBEGIN:VEVENT`);
  assert.equal((await ann.put(`${cal}z.ics`, text)).status, 201);
  assert.deepEqual(await expanded(ann, "20201001T000000Z", "20201201T000000Z"), [
    "20201019T070000Z",
    "20201026T080000Z",
    "20201109T080000Z",
  ]);
});

test("the same date twice, in two forms, is refused; a rule in a date is no harm (twake-calendar-frontend 819, Simple-Calendar 1538)", async ({ ann }) => {
  const date = (
    id: string,
  ) => ["UID:t", id, "DTSTART;TZID=Asia/Ho_Chi_Minh:20260423T160000", "SUMMARY:x"];
  const master = [
    "UID:t",
    "DTSTART;TZID=Asia/Ho_Chi_Minh:20260422T160000",
    "RRULE:FREQ=DAILY;COUNT=3",
  ];
  const twice = await ann.put(
    `${cal}t.ics`,
    objects(
      master,
      date("RECURRENCE-ID;TZID=Asia/Ho_Chi_Minh:20260423T160000"),
      date("RECURRENCE-ID:20260423T090000Z"),
    ),
  );
  assert.equal(condition(twice), `${C}valid-calendar-object-resource`);
  const rule = [
    ...date("RECURRENCE-ID;TZID=Asia/Ho_Chi_Minh:20260423T160000"),
    "RRULE:FREQ=DAILY;COUNT=3",
  ];
  assert.equal((await ann.put(`${cal}t.ics`, objects(master, rule))).status, 201);
  assert.equal((await expanded(ann, "20260401T000000Z", "20260501T000000Z")).length, 3);
});

test("sync tokens: empty, unknown, of another server (cyrus-imapd 4985, Radicale 825, python-caldav 234)", async ({ ann }) => {
  await ann.put(`${cal}s.ics`, event("s", "DTSTART:20270105T100000Z"));
  const first = await ann.sync(cal, "");
  assert.equal(first.changed.length, 1);
  await ann.send("DELETE", `${cal}s.ics`);
  const second = await ann.sync(cal, first.token);
  assert.deepEqual([second.changed.length, second.gone.length], [0, 1]);
  for (const token of ["http://radicale.org/ns/sync/feaa0c29", "data:,1", `${first.token}9`]) {
    const r = await ann.send(
      "REPORT",
      cal,
      `<D:sync-collection ${ns}><D:sync-token>${token}</D:sync-token><D:sync-level>1</D:sync-level><D:prop/></D:sync-collection>`,
    );
    assert.equal(r.status, 403, token);
    assert.equal(condition(r), "{DAV:}valid-sync-token");
  }
});

test("cards: a birthday beside a UID, REV twice; without UID or FN, or as another type, refused by name (nextcloud/contacts 2082, 46, 206, sabre/dav 343, integration_davc 83)", async ({ ann }) => {
  const good = card(
    "urn:uuid:abcdef-0123",
    "FN:Smith\\, John",
    "N:Smith;John;;",
    "BDAY:19790404",
    "REV;VALUE=timestamp:2016-12-14T09:41:19.164Z",
    "REV:20161221T104112Z",
  );
  assert.equal((await ann.put(`${book}a.vcf`, good)).status, 201);
  assert.equal((await ann.send("GET", `${book}a.vcf`)).text, good);
  const A = "{urn:ietf:params:xml:ns:carddav}";
  const uid = await ann.put(`${book}b.vcf`, good.replace(/UID:.*\r\n/, ""));
  assert.deepEqual([uid.status, condition(uid)], [403, `${A}valid-address-data`]);
  const name = await ann.put(`${book}b.vcf`, good.replace("abcdef", "b").replace(/FN:.*\r\n/, ""));
  assert.deepEqual([name.status, condition(name)], [403, `${A}valid-address-data`]);
  const type = await ann.send("PUT", `${book}b.vcf`, good, { "Content-Type": "application/vcard" });
  assert.deepEqual([type.status, condition(type)], [403, `${A}supported-address-data`]);
});

test("what phones and Thunderbird ask first (stalwart 1786, hydroxide 44, cyrus-imapd 1711, Mailu 334, Radicale 2152)", async ({ ann, origin }) => {
  for (const path of ["/.well-known/caldav", "/.well-known/carddav", "/principals/"]) {
    const r = await ann.send("PROPFIND", origin + path, undefined, { Depth: "0" });
    assert.equal(r.status, 301, path);
    assert.equal(r.headers.get("location"), "/dav/");
  }
  const [root] = await ann.propfind(
    "",
    "<D:current-user-principal/><D:principal-URL/><D:resourcetype/>",
  );
  assert.ok(root.found.has("{DAV:}current-user-principal"));
  const [me] = await ann.propfind(
    "principals/ann/",
    "<C:calendar-home-set/><A:addressbook-home-set/><C:calendar-user-address-set/>",
  );
  assert.equal(me.found.size, 3);
  const put = await ann.send("PUT", cal, event("p", "DTSTART:20270105T100000Z"), {
    "Content-Type": "text/calendar",
    "Sec-Fetch-Site": "none",
  });
  assert.equal(put.status, 405);
});

test("a date of a series without people isn't theirs (nextcloud/calendar 8456)", async ({ ann, bob }) => {
  const people = [
    "ORGANIZER:mailto:ann@mox.example",
    "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@mox.example",
  ];
  const series = ["UID:moved", "DTSTART;TZID=Europe/Berlin:20270201T100000", "DURATION:PT1H"];
  let sequence = 0;
  const put = async (...overridePeople: string[]) => {
    const body = objects(
      [...series, `SEQUENCE:${++sequence}`, "RRULE:FREQ=DAILY;COUNT=4", ...people],
      [
        "UID:moved",
        "RECURRENCE-ID;TZID=Europe/Berlin:20270202T100000",
        "DTSTART;TZID=Europe/Berlin:20270202T150000",
        "DURATION:PT1H",
        `SEQUENCE:${sequence}`,
        ...overridePeople,
      ],
    );
    const r = await ann.put(`${cal}moved.ics`, body);
    assert.ok(r.status === 201 || r.status === 204, `${r.status} ${r.text}`);
  };
  const theirs = async () => {
    const span = `start="20270201T000000Z" end="20270210T000000Z"`;
    const list = await bob.report(
      "calendars/bob/default/",
      `<C:calendar-query ${ns}><D:prop><C:calendar-data><C:expand ${span}/></C:calendar-data></D:prop>` +
        `<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:time-range ${span}/>` +
        `</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
    );
    return list.flatMap((r) =>
      [...r.found.values()].flatMap((e) =>
        [...unfold(String(e.children.join(""))).matchAll(/^DTSTART[^:]*:(.*)$/gm)].map((m) =>
          m[1].trim()
        )
      )
    ).sort();
  };
  await put();
  assert.deepEqual(await theirs(), ["20270201T090000Z", "20270203T090000Z", "20270204T090000Z"]);
  // Invited to it too, they have it where it is.
  await put(...people);
  assert.deepEqual(await theirs(), [
    "20270201T090000Z",
    "20270202T140000Z",
    "20270203T090000Z",
    "20270204T090000Z",
  ]);
  await put();
  assert.deepEqual(await theirs(), ["20270201T090000Z", "20270203T090000Z", "20270204T090000Z"]);
});

test("a series of which all dates were taken out, and nobody sees any (nextcloud/calendar 2660, nextcloud/server 5641)", async ({ ann }) => {
  const body = objects([
    "UID:none",
    "DTSTART;TZID=Europe/Berlin:20210806T180000",
    "DTEND;TZID=Europe/Berlin:20210806T190000",
    "RRULE:FREQ=DAILY;UNTIL=20210808T160000Z",
    "EXDATE:20210806T160000Z,20210807T160000Z",
    "EXDATE;TZID=Europe/Berlin:20210808T180000",
  ]);
  assert.equal((await ann.put(`${cal}none.ics`, body)).status, 201);
  assert.deepEqual(await expanded(ann, "20210801T000000Z", "20210901T000000Z"), []);
  const again = await ann.put(`${cal}none.ics`, body.replace("UID:none", "UID:none\r\nSUMMARY:X"));
  assert.equal(again.status, 204);
});

test("dates of one's own with rules of their own, and days taken out by times (ical4android 190, node-ical 454)", async ({ ann }) => {
  const body = objects(
    ["UID:own", "DTSTART:20270301T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=3"],
    [
      "UID:own",
      "RECURRENCE-ID:20270302T100000Z",
      "DTSTART:20270302T120000Z",
      "DURATION:PT1H",
      "RDATE:20270320T100000Z",
      "EXDATE:20270303T100000Z",
    ],
  );
  assert.equal((await ann.put(`${cal}own.ics`, body)).status, 201);
  assert.deepEqual(await expanded(ann, "20270301T000000Z", "20270401T000000Z"), [
    "20270301T100000Z",
    "20270302T120000Z",
    "20270303T100000Z",
  ]);
  assert.equal((await ann.send("DELETE", `${cal}own.ics`)).status, 204);
  const days = objects([
    "UID:days",
    "DTSTART;VALUE=DATE:20260216",
    "DTEND;VALUE=DATE:20260217",
    "RRULE:FREQ=DAILY;COUNT=4",
    "EXDATE;TZID=W. Europe Standard Time:20260218T000000",
  ]);
  assert.equal((await ann.put(`${cal}days.ics`, days)).status, 201);
  assert.deepEqual(await expanded(ann, "20260201T000000Z", "20260301T000000Z"), [
    "20260216",
    "20260217",
    "20260219",
  ]);
});

test("cards with REV twice, and a photo as a data URI (nextcloud/server 2799, 4358)", async ({ ann }) => {
  const photo = "PHOTO;VALUE=uri:data:image/png;base64,iVBORw0KGgo=";
  const text = card(
    "twice",
    "FN:A",
    "N:;A;;;",
    "REV:20260101T000000Z",
    "REV:20260102T000000Z",
    photo,
  );
  assert.equal((await ann.put(`${book}twice.vcf`, text)).status, 201);
  const [r] = await ann.report(
    book,
    `<A:addressbook-multiget ${ns}><D:prop><D:getetag/><A:address-data content-type="text/vcard" version="4.0"/>` +
      `</D:prop><D:href>/dav/${book}twice.vcf</D:href></A:addressbook-multiget>`,
  );
  assert.match(
    unfold(String([...r.found.values()].at(-1)!.children.join(""))),
    /data:image\/png;base64,iVBORw0KGgo=/,
  );
});
