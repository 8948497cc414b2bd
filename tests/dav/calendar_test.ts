/** CalDAV: queries by time and text, recurrences, parts of objects, free-busy. */
import assert from "node:assert/strict";
import { textOf } from "../../src/dav/xml/parse.ts";
import { condition, type DavClient, event, ns, suite } from "./world.ts";

const test = suite("CalDAV");
const cal = "calendars/ann/default/";
const C = "{urn:ietf:params:xml:ns:caldav}";

const berlinZone = [
  "BEGIN:VTIMEZONE",
  "TZID:Our Zone",
  "BEGIN:STANDARD",
  "DTSTART:20001029T030000",
  "TZOFFSETFROM:+0200",
  "TZOFFSETTO:+0100",
  "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
  "END:STANDARD",
  "BEGIN:DAYLIGHT",
  "DTSTART:20000326T020000",
  "TZOFFSETFROM:+0100",
  "TZOFFSETTO:+0200",
  "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
  "END:DAYLIGHT",
  "END:VTIMEZONE",
].join("\r\n");

/** Names of the objects that a filter finds. */
async function query(c: DavClient, filter: string, more = ""): Promise<string[]> {
  const found = await c.report(
    cal,
    `<C:calendar-query ${ns}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">${filter}` +
      `</C:comp-filter></C:filter>${more}</C:calendar-query>`,
  );
  return found.map((r) => r.href.slice(r.href.lastIndexOf("/") + 1).replace(".ics", "")).sort();
}

const range = (start: string, end: string) =>
  `<C:time-range${start && ` start="${start}"`}${end && ` end="${end}"`}/>`;
const inTime = (kind: string, start: string, end: string, more = "") =>
  `<C:comp-filter name="${kind}">${range(start, end)}${more}</C:comp-filter>`;

/** The data of the one object that is found, as it is asked for. */
async function data(c: DavClient, request: string, filter: string): Promise<string> {
  const found = await c.report(
    cal,
    `<C:calendar-query ${ns}><D:prop>${request}</D:prop><C:filter><C:comp-filter name="VCALENDAR">${filter}` +
      `</C:comp-filter></C:filter></C:calendar-query>`,
  );
  assert.equal(found.length, 1);
  return textOf(found[0].found.get(`${C}calendar-data`)!);
}

async function fill(c: DavClient): Promise<void> {
  const put = async (name: string, text: string) => {
    const r = await c.put(`${cal}${name}.ics`, text);
    assert.equal(r.status, 201, r.text);
  };
  await put(
    "once",
    event("once", "DTSTART:20260105T100000Z", "DTEND:20260105T110000Z", "SUMMARY:Übung\\, once"),
  );
  await put("moment", event("moment", "DTSTART:20260105T120000Z", "SUMMARY:Moment"));
  await put("day", event("day", "DTSTART;VALUE=DATE:20260106", "SUMMARY:Day", "CATEGORIES:HOME"));
  await put(
    "weekly",
    event(
      "weekly",
      "DTSTART;TZID=Our Zone:20260302T100000",
      "DURATION:PT1H",
      "RRULE:FREQ=WEEKLY",
      "EXDATE;TZID=Our Zone:20260316T100000",
      "SUMMARY:Weekly",
      "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:x@to.example",
    ).replace("BEGIN:VEVENT", `${berlinZone}\r\nBEGIN:VEVENT`).replace(
      "END:VEVENT\r\n",
      "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:weekly\r\nDTSTAMP:20260101T000000Z\r\n" +
        "RECURRENCE-ID;TZID=Our Zone:20260323T100000\r\nDTSTART;TZID=Our Zone:20260324T150000\r\nDURATION:PT2H\r\n" +
        "SUMMARY:Moved\r\nEND:VEVENT\r\n",
    ),
  );
  await put(
    "alarm",
    event(
      "alarm",
      "DTSTART:20260601T100000Z",
      "DTEND:20260601T110000Z",
      "SUMMARY:Alarm",
      "BEGIN:VALARM",
      "ACTION:DISPLAY",
      "TRIGGER:-P1D",
      "END:VALARM",
    ),
  );
  const todo = (uid: string, ...lines: string[]) =>
    event(uid, ...lines).replaceAll("VEVENT", "VTODO");
  await put("due", todo("due", "DUE:20260110T100000Z", "SUMMARY:Due"));
  await put("done", todo("done", "COMPLETED:20260111T100000Z", "SUMMARY:Done", "STATUS:COMPLETED"));
  await put("anytime", todo("anytime", "SUMMARY:Anytime"));
}

test("calendar-query: times of all kinds of objects", async ({ ann }) => {
  await fill(ann);
  const events = (a: string, b: string) => query(ann, inTime("VEVENT", a, b));
  assert.deepEqual(await events("20260105T103000Z", "20260105T104000Z"), ["once"]);
  assert.deepEqual(await events("20260105T110000Z", "20260105T120000Z"), []);
  assert.deepEqual(await events("20260105T120000Z", "20260105T120001Z"), ["moment"]);
  assert.deepEqual(await events("20260106T120000Z", "20260106T130000Z"), ["day"]);
  assert.deepEqual(await events("20260107T000000Z", "20260108T000000Z"), []);
  // Winter and summer time.
  assert.deepEqual(await events("20260309T090000Z", "20260309T091000Z"), ["weekly"]);
  assert.deepEqual(await events("20260330T080000Z", "20260330T081000Z"), ["weekly"]);
  assert.deepEqual(await events("20260330T090000Z", "20260330T091000Z"), []);
  assert.deepEqual(await events("20460101T000000Z", "20460115T000000Z"), ["weekly"]);
  // One that is left out, and one that is elsewhere.
  assert.deepEqual(await events("20260316T000000Z", "20260317T000000Z"), []);
  assert.deepEqual(await events("20260323T000000Z", "20260324T000000Z"), []);
  assert.deepEqual(await events("20260324T150000Z", "20260324T153000Z"), ["weekly"]);
  assert.deepEqual(await events("", "20260105T110000Z"), ["once"]);
  assert.deepEqual(await events("20270101T000000Z", ""), ["weekly"]);
  const todos = (a: string, b: string) => query(ann, inTime("VTODO", a, b));
  assert.deepEqual(await todos("20260110T000000Z", "20260111T000000Z"), ["anytime", "due"]);
  assert.deepEqual(await todos("20260111T090000Z", "20260111T110000Z"), ["anytime", "done"]);
  const alarm = (a: string, b: string) =>
    query(ann, `<C:comp-filter name="VEVENT">${inTime("VALARM", a, b)}</C:comp-filter>`);
  assert.deepEqual(await alarm("20260531T095900Z", "20260531T100100Z"), ["alarm"]);
  assert.deepEqual(await alarm("20260601T095900Z", "20260601T100100Z"), []);
});

test("calendar-query: properties, parameters, texts, what isn't there", async ({ ann }) => {
  await fill(ann);
  const event = (inner: string) =>
    query(ann, `<C:comp-filter name="VEVENT">${inner}</C:comp-filter>`);
  const summary = (text: string, attributes = "") =>
    event(
      `<C:prop-filter name="SUMMARY"><C:text-match${attributes}>${text}</C:text-match></C:prop-filter>`,
    );
  assert.deepEqual(await query(ann, '<C:comp-filter name="VTODO"/>'), ["anytime", "done", "due"]);
  assert.deepEqual(
    await query(ann, '<C:comp-filter name="VTODO"><C:is-not-defined/></C:comp-filter>'),
    [
      "alarm",
      "day",
      "moment",
      "once",
      "weekly",
    ],
  );
  assert.deepEqual(await query(ann, ""), [
    "alarm",
    "anytime",
    "day",
    "done",
    "due",
    "moment",
    "once",
    "weekly",
  ]);
  assert.deepEqual(await summary("MOMENT"), ["moment"]);
  assert.deepEqual(await summary("MOMENT", ' collation="i;octet"'), []);
  assert.deepEqual(await summary("übung, o", ' collation="i;unicode-casemap"'), ["once"]);
  assert.deepEqual(await summary("Übung"), ["once"]);
  assert.deepEqual(await summary("a", ' negate-condition="yes"'), ["moment", "once", "weekly"]);
  assert.deepEqual(await event('<C:prop-filter name="CATEGORIES"/>'), ["day"]);
  assert.deepEqual(
    await event('<C:prop-filter name="ATTENDEE"><C:is-not-defined/></C:prop-filter>'),
    [
      "alarm",
      "day",
      "moment",
      "once",
      "weekly",
    ],
  );
  assert.deepEqual(
    await event(
      '<C:prop-filter name="ATTENDEE"><C:text-match>X@TO</C:text-match><C:param-filter name="PARTSTAT">' +
        "<C:text-match>needs-action</C:text-match></C:param-filter></C:prop-filter>",
    ),
    ["weekly"],
  );
  assert.deepEqual(
    await event(
      '<C:prop-filter name="ATTENDEE"><C:param-filter name="CN"><C:is-not-defined/></C:param-filter></C:prop-filter>',
    ),
    ["weekly"],
  );
  assert.deepEqual(await event('<C:comp-filter name="VALARM"/>'), ["alarm"]);
  assert.deepEqual(
    await query(
      ann,
      '<C:comp-filter name="VTODO"><C:prop-filter name="COMPLETED"><C:is-not-defined/></C:prop-filter></C:comp-filter>',
    ),
    ["anytime", "due"],
  );
  // Programs that say Depth 0, or nothing, mean what is in the calendar.
  const none = await ann.report(
    cal,
    `<C:calendar-query ${ns}><D:prop/><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`,
    "0",
  );
  assert.equal(none.length, 8);
  const refused = async (filter: string, wanted: string, prop = "") => {
    const r = await ann.send(
      "REPORT",
      cal,
      `<C:calendar-query ${ns}><D:prop>${prop}</D:prop>${filter}</C:calendar-query>`,
      { Depth: "1" },
    );
    assert.equal(r.status, 403, r.text);
    assert.equal(condition(r), `${C}${wanted}`);
  };
  const whole = (inner: string) =>
    `<C:filter><C:comp-filter name="VCALENDAR">${inner}</C:comp-filter></C:filter>`;
  await refused("", "valid-filter");
  await refused('<C:filter><C:comp-filter name="VEVENT"/></C:filter>', "valid-filter");
  await refused(whole(inTime("VEVENT", "20260101", "20260102")), "valid-filter");
  await refused(whole(inTime("VEVENT", "20260102T000000Z", "20260101T000000Z")), "valid-filter");
  await refused(
    whole(
      '<C:comp-filter name="VEVENT"><C:prop-filter name="SUMMARY"><C:text-match collation="i;none">x</C:text-match></C:prop-filter></C:comp-filter>',
    ),
    "supported-collation",
  );
  await refused(
    whole(""),
    "supported-calendar-data",
    '<C:calendar-data content-type="text/x" version="9"/>',
  );
});

test("calendar-data: instances in place of rules, those that differ, and parts", async ({ ann }) => {
  await fill(ann);
  const march = 'start="20260301T000000Z" end="20260401T000000Z"';
  const weekly = inTime("VEVENT", "20260301T000000Z", "20260401T000000Z");
  const expanded = await data(
    ann,
    `<C:calendar-data><C:expand ${march}/></C:calendar-data>`,
    weekly,
  );
  assert.deepEqual(expanded.match(/^DTSTART:.*$/gm), [
    "DTSTART:20260302T090000Z",
    "DTSTART:20260309T090000Z",
    "DTSTART:20260324T140000Z",
    "DTSTART:20260330T080000Z",
  ]);
  assert.match(expanded, /RECURRENCE-ID:20260323T090000Z/);
  assert.doesNotMatch(expanded, /RRULE|EXDATE|VTIMEZONE|TZID/);
  const limited = async (span: string) =>
    await data(ann, `<C:calendar-data><C:limit-recurrence-set ${span}/></C:calendar-data>`, weekly);
  assert.match(await limited(march), /Moved/);
  const later = await limited('start="20260401T000000Z" end="20260501T000000Z"');
  assert.doesNotMatch(later, /Moved/);
  assert.match(later, /RRULE/);
  const parts = await data(
    ann,
    '<C:calendar-data><C:comp name="VCALENDAR"><C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="UID"/>' +
      '<C:prop name="SUMMARY" novalue="yes"/></C:comp></C:comp></C:calendar-data>',
    inTime("VEVENT", "20260105T100000Z", "20260105T101000Z"),
  );
  assert.equal(
    parts,
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:once\r\nSUMMARY:\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
  );
});

test("calendar-multiget: objects by address, also those that are gone", async ({ ann, origin }) => {
  await fill(ann);
  const hrefs = [
    `/dav/${cal}once.ics`,
    `${origin}/dav/${cal}day.ics`,
    `/dav/${cal}none.ics`,
    "/elsewhere",
    "/dav/%zz",
  ];
  const found = await ann.report(
    cal,
    `<C:calendar-multiget ${ns}><D:prop><D:getetag/><C:calendar-data/></D:prop>` +
      `${hrefs.map((h) => `<D:href>${h}</D:href>`).join("")}</C:calendar-multiget>`,
  );
  assert.deepEqual(found.map((r) => r.status), [undefined, undefined, 404, 404, 404]);
  assert.match(textOf(found[0].found.get(`${C}calendar-data`)!), /UID:once\r\n/);
});

test("times without a zone: by the calendar's own, or the query's", async ({ ann }) => {
  await ann.put(
    `${cal}floating.ics`,
    event("floating", "DTSTART:20260105T100000", "DTEND:20260105T110000"),
  );
  await ann.put(
    `${cal}unknown.ics`,
    event("unknown", "DTSTART;TZID=Nobody knows:20260105T100000", "DURATION:PT1H"),
  );
  const at = (start: string, end: string, more = "") =>
    query(ann, inTime("VEVENT", start, end), more);
  assert.deepEqual(await at("20260105T100000Z", "20260105T101000Z"), ["floating", "unknown"]);
  const zone = "<C:timezone-id>America/New_York</C:timezone-id>";
  assert.deepEqual(await at("20260105T100000Z", "20260105T101000Z", zone), []);
  assert.deepEqual(await at("20260105T150000Z", "20260105T151000Z", zone), ["floating", "unknown"]);
  const set = await ann.send(
    "PROPPATCH",
    cal,
    `<D:propertyupdate ${ns}><D:set><D:prop><C:calendar-timezone>BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n${
      berlinZone.replace("Our Zone", "Europe/Berlin")
    }\r\nEND:VCALENDAR\r\n</C:calendar-timezone></D:prop></D:set></D:propertyupdate>`,
  );
  assert.match(set.text, /200 OK/);
  assert.deepEqual(await at("20260105T090000Z", "20260105T091000Z"), ["floating", "unknown"]);
});

test("free-busy-query: joined, by kind, without what takes no time", async ({ ann }) => {
  const put = (uid: string, ...lines: string[]) =>
    ann.put(`${cal}${uid}.ics`, event(uid, ...lines));
  await put("a", "DTSTART:20260105T100000Z", "DTEND:20260105T110000Z");
  await put("b", "DTSTART:20260105T103000Z", "DTEND:20260105T120000Z");
  await put("c", "DTSTART:20260105T113000Z", "DTEND:20260105T130000Z", "STATUS:TENTATIVE");
  await put("d", "DTSTART:20260105T140000Z", "DTEND:20260105T150000Z", "TRANSP:TRANSPARENT");
  await put("e", "DTSTART:20260105T160000Z", "DTEND:20260105T170000Z", "STATUS:CANCELLED");
  await put("f", "DTSTART:20260101T230000Z", "DTEND:20260102T000000Z", "RRULE:FREQ=DAILY");
  const r = await ann.send(
    "REPORT",
    cal,
    `<C:free-busy-query ${ns}>${range("20260105T000000Z", "20260106T000000Z")}</C:free-busy-query>`,
    { Depth: "1" },
  );
  assert.equal(r.status, 200);
  assert.match(r.headers.get("content-type")!, /^text\/calendar/);
  assert.deepEqual(r.text.replace(/\r\n /g, "").match(/^FREEBUSY.*$/gm), [
    "FREEBUSY:20260105T100000Z/20260105T120000Z,20260105T230000Z/20260106T000000Z",
    "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260105T120000Z/20260105T130000Z",
  ]);
});

test("a calendar as one text, and what its limits are", async ({ ann }) => {
  await fill(ann);
  const all = await ann.send("GET", cal);
  assert.equal(all.status, 200);
  assert.equal(all.text.match(/BEGIN:VCALENDAR/g)!.length, 1);
  assert.equal(all.text.match(/BEGIN:VTIMEZONE/g)!.length, 1);
  assert.equal(all.text.match(/BEGIN:VEVENT/g)!.length, 6);
  const [p] = await ann.propfind(
    cal,
    "<C:max-resource-size/><C:supported-calendar-data/><C:supported-collation-set/><D:supported-report-set/><D:add-member/>",
  );
  assert.equal(p.failed.size, 0);
});

test("an event of each second is found, and expanded no further than the limit", async ({ ann }) => {
  await ann.put(`${cal}each.ics`, event("each", "DTSTART:20200101T000000Z", "RRULE:FREQ=SECONDLY"));
  assert.deepEqual(await query(ann, inTime("VEVENT", "20300101T000000Z", "20300101T000010Z")), [
    "each",
  ]);
  const span = 'start="20300101T000000Z" end="20300102T000000Z"';
  const text = await data(
    ann,
    `<C:calendar-data><C:expand ${span}/></C:calendar-data>`,
    inTime("VEVENT", "20300101T000000Z", "20300102T000000Z"),
  );
  assert.equal(text.match(/BEGIN:VEVENT/g)!.length, 2000);
  assert.match(text, /DTSTART:20300101T000000Z/);
});
