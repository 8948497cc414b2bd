/** Clauses of the RFCs of calendars and contacts, one by one: a request and what has to come back. */
import assert from "node:assert/strict";
import { unfold } from "./unfold.ts";
import { card, condition, event, ns, responses, suite } from "./world.ts";

const test = suite("Clauses");
const cal = "calendars/ann/default/";
const book = "addressbooks/ann/default/";
const times = ["DTSTART;TZID=Ours:20270105T100000", "DTEND;TZID=Ours:20270105T110000"];
const zone = "BEGIN:VTIMEZONE\r\nTZID:Ours\r\nBEGIN:STANDARD\r\nDTSTART:20000101T000000\r\n" +
  "TZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";

test("RFC 4791 §7.8.1: a comp that names nothing is the whole component", async ({ ann }) => {
  const text = event("z", ...times, "SUMMARY:S", "LOCATION:L");
  await ann.put(`${cal}z.ics`, text.replace("BEGIN:VEVENT", `${zone}BEGIN:VEVENT`));
  const data = async (comps: string) => {
    const [r] = await ann.report(
      cal,
      `<C:calendar-query ${ns}><D:prop><C:calendar-data><C:comp name="VCALENDAR">${comps}</C:comp></C:calendar-data>` +
        `</D:prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`,
    );
    return unfold([...r.found.values()][0].children.join(""));
  };
  const part = await data(
    `<C:prop name="VERSION"/><C:comp name="VEVENT"><C:prop name="SUMMARY"/></C:comp><C:comp name="VTIMEZONE"/>`,
  );
  assert.match(part, /TZID:Ours/);
  assert.match(part, /BEGIN:STANDARD/);
  assert.match(part, /SUMMARY:S/);
  assert.doesNotMatch(part, /LOCATION|DTSTART;|PRODID/);
  assert.match(await data(`<C:comp name="VEVENT"/>`), /LOCATION:L/);
});

test("RFC 8144 §3.2: who asks for it gets what is there where the condition doesn't hold", async ({ ann }) => {
  const text = event("r", "DTSTART:20270105T100000Z", "SUMMARY:there");
  await ann.put(`${cal}r.ics`, text);
  const other = text.replace("there", "other");
  const conditions: Record<string, string>[] = [{ "If-Match": '"x"' }, { "If-None-Match": "*" }];
  for (const condition of conditions) {
    const r = await ann.put(`${cal}r.ics`, other, {
      ...condition,
      Prefer: "return=representation",
    });
    assert.equal(r.status, 412);
    assert.equal(r.text, text);
    assert.equal(r.headers.get("preference-applied"), "return=representation");
    const now = await ann.send("GET", `${cal}r.ics`);
    assert.equal(r.headers.get("etag"), now.headers.get("etag"));
    const plain = await ann.put(`${cal}r.ics`, other, condition);
    assert.equal(plain.status, 412);
    assert.doesNotMatch(plain.text, /SUMMARY/);
  }
  // Where nothing is, nothing can be shown.
  const none = await ann.put(`${cal}n.ics`, event("n", "DTSTART:20270105T100000Z"), {
    "If-Match": "*",
    Prefer: "return=representation",
  });
  assert.equal(none.status, 412);
});

test("RFC 9110 §13.1.1: COPY and MOVE hold to their conditions", async ({ ann }) => {
  await ann.put(`${cal}m.ics`, event("m", "DTSTART:20270105T100000Z"));
  const to = { Destination: `/dav/${cal}n.ics` };
  for (const method of ["COPY", "MOVE"]) {
    const r = await ann.send(method, `${cal}m.ics`, undefined, { ...to, "If-Match": '"x"' });
    assert.equal(r.status, 412, method);
  }
  assert.equal((await ann.send("GET", `${cal}n.ics`)).status, 404);
  const etag = (await ann.send("GET", `${cal}m.ics`)).headers.get("etag")!;
  assert.equal(
    (await ann.send("MOVE", `${cal}m.ics`, undefined, { ...to, "If-Match": etag })).status,
    201,
  );
  // A collection has no etag to match.
  const moved = { Destination: "/dav/calendars/ann/moved/" };
  assert.equal(
    (await ann.send("MOVE", cal, undefined, { ...moved, "If-Match": '"x"' })).status,
    412,
  );
});

test("RFC 3744 §9.3: principal-match by a property finds what one owns, at any depth", async ({ ann, bob }) => {
  await ann.put(`${book}c.vcf`, card("c", "FN:C", "N:C;;;;"));
  const match = async (c: typeof ann, path: string) =>
    (await c.report(
      path,
      `<D:principal-match ${ns}><D:principal-property><D:owner/></D:principal-property>` +
        `<D:prop><D:displayname/></D:prop></D:principal-match>`,
      "0",
    )).map((r) => r.href);
  const own = ["/dav/addressbooks/ann/", `/dav/${book}`, `/dav/${book}c.vcf`];
  assert.deepEqual(await match(ann, "addressbooks/"), own);
  assert.deepEqual(await match(ann, "addressbooks/ann/"), own);
  assert.deepEqual(await match(ann, book), own.slice(1));
  assert.ok((await match(ann, "")).includes(`/dav/${cal}`));
  // What is shared with one is not one's own.
  const shared = await ann.send(
    "ACL",
    book,
    `<D:acl ${ns}><D:ace><D:principal><D:href>/dav/principals/bob/</D:href></D:principal><D:grant><D:privilege>` +
      `<D:read/></D:privilege></D:grant></D:ace></D:acl>`,
  );
  assert.equal(shared.status, 200);
  assert.deepEqual(await match(bob, book), []);
});

test("errors are conditions with 403, and Allow names each method once", async ({ ann }) => {
  const r = await ann.send(
    "REPORT",
    book,
    `<A:addressbook-query ${ns}><D:prop><D:getetag/></D:prop><A:filter><A:prop-filter name="FN">` +
      `<A:text-match match-type="foo">x</A:text-match></A:prop-filter></A:filter></A:addressbook-query>`,
    { Depth: "1" },
  );
  assert.deepEqual([r.status, condition(r)], [
    403,
    "{urn:ietf:params:xml:ns:carddav}valid-filter",
  ]);
  const root = await ann.send("GET", "");
  assert.deepEqual([root.status, root.headers.get("allow")], [
    405,
    "OPTIONS, PROPFIND, REPORT, PROPPATCH",
  ]);
  assert.equal(responses(await ann.send("PROPFIND", "", undefined, { Depth: "0" })).length, 1);
});
