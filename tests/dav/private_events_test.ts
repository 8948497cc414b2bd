/** Private events in a shared calendar: others see when they are, or nothing, and can't write back what they see. */
import assert from "node:assert/strict";
import { condition, type DavClient, event, ns, suite } from "./world.ts";

const test = suite("private events of shared calendars");

const cal = "calendars/ann/default/";
const words = ["Surgery", "Clinic", "doctor", "Secretword", "attached"];
/** An event that tells much. */
const telling = (uid: string, ...more: string[]) =>
  event(
    uid,
    "DTSTART;TZID=Europe/Berlin:20270302T100000",
    "DURATION:PT90M",
    "RRULE:FREQ=DAILY;COUNT=3",
    "SUMMARY:Surgery",
    "LOCATION:Clinic",
    "DESCRIPTION:Secretword",
    "ATTACH:https://attached.example/",
    "CATEGORIES:doctor",
    "X-NOTE:doctor",
    ...more,
    "BEGIN:VALARM",
    "ACTION:DISPLAY",
    "DESCRIPTION:Secretword",
    "TRIGGER:-PT5M",
    "END:VALARM",
  );

async function share(ann: DavClient, rights = "<D:privilege><D:write/></D:privilege>") {
  const r = await ann.send(
    "ACL",
    cal,
    `<D:acl ${ns}><D:ace><D:principal><D:href>/dav/principals/bob/</D:href></D:principal><D:grant>` +
      `<D:privilege><D:read/></D:privilege>${rights}</D:grant></D:ace></D:acl>`,
  );
  assert.equal(r.status, 200, r.text);
}

function tellsNothing(text: string): void {
  for (const word of words) assert.ok(!text.includes(word), `${word} in ${text}`);
}

/** Hrefs of a report or listing, and all of its text checked. */
async function ask(c: DavClient, method: string, path: string, body: string): Promise<string[]> {
  const r = await c.send(method, path, body, { Depth: "1" });
  assert.equal(r.status, 207, r.text);
  tellsNothing(r.text);
  return [...r.text.matchAll(/<(?:\w+:)?href>([^<]*\.ics)</g)].map((m) => m[1]);
}

const props = "<D:getetag/><D:displayname/><D:getcontentlength/><C:calendar-data/>";

test("PRIVATE is busy time, CONFIDENTIAL isn't there, by every way of reading", async ({ ann, bob }) => {
  await ann.put(`${cal}p.ics`, telling("p", "CLASS:PRIVATE"));
  await ann.put(`${cal}s.ics`, telling("s", "CLASS:CONFIDENTIAL"));
  await ann.put(`${cal}o.ics`, event("o", "DTSTART:20270302T120000Z", "SUMMARY:Open"));
  await ann.send(
    "PROPPATCH",
    `${cal}p.ics`,
    `<D:propertyupdate ${ns}><D:set><D:prop><x xmlns="urn:x">Secretword</x></D:prop></D:set></D:propertyupdate>`,
  );
  assert.equal((await bob.send("GET", `${cal}p.ics`)).status, 404);
  await share(ann);

  const got = await bob.send("GET", `${cal}p.ics`);
  assert.equal(got.status, 200);
  tellsNothing(got.text);
  for (
    const line of [
      "UID:p",
      "DTSTART;TZID=Europe/Berlin:20270302T100000",
      "DURATION:PT90M",
      "RRULE:FREQ=DAILY;COUNT=3",
      "CLASS:PRIVATE",
    ]
  ) assert.ok(got.text.includes(`${line}\r\n`), got.text);
  assert.ok(!got.text.includes("VALARM"));
  assert.equal(Number(got.headers.get("content-length") ?? got.text.length), got.text.length);
  assert.equal((await bob.send("GET", `${cal}s.ics`)).status, 404);
  const [own] = [await ann.send("GET", `${cal}p.ics`)];
  assert.ok(own.text.includes("Surgery"));
  assert.notEqual(own.headers.get("etag"), got.headers.get("etag"));

  const both = [`/dav/${cal}o.ics`, `/dav/${cal}p.ics`];
  const find = `<D:propfind ${ns}><D:prop>${props}<x xmlns="urn:x"/></D:prop></D:propfind>`;
  assert.deepEqual((await ask(bob, "PROPFIND", cal, find)).sort(), both);
  assert.deepEqual(
    (await ask(bob, "PROPFIND", cal, `<D:propfind ${ns}><D:allprop/></D:propfind>`)).sort(),
    both,
  );
  const query = (filter: string) =>
    ask(
      bob,
      "REPORT",
      cal,
      `<C:calendar-query ${ns}><D:prop>${props}</D:prop><C:filter><C:comp-filter name="VCALENDAR">` +
        `<C:comp-filter name="VEVENT">${filter}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
    );
  assert.deepEqual((await query("")).sort(), both);
  const range = '<C:time-range start="20270302T000000Z" end="20270303T000000Z"/>';
  assert.deepEqual((await query(range)).sort(), both);
  for (
    const [name, word] of [
      ["SUMMARY", "Surgery"],
      ["LOCATION", "Clinic"],
      ["DESCRIPTION", "Secretword"],
      ["CATEGORIES", "doctor"],
    ]
  ) {
    const match =
      `<C:prop-filter name="${name}"><C:text-match>${word}</C:text-match></C:prop-filter>`;
    const r = await bob.send(
      "REPORT",
      cal,
      `<C:calendar-query ${ns}><D:prop><D:getetag/></D:prop><C:filter><C:comp-filter name="VCALENDAR">` +
        `<C:comp-filter name="VEVENT">${match}</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>`,
      { Depth: "1" },
    );
    assert.ok(!r.text.includes(".ics"), r.text);
  }
  const alarm = '<C:comp-filter name="VALARM"/>';
  assert.deepEqual(await query(alarm), []);
  const hrefs = ["p", "s"].map((n) => `<D:href>/dav/${cal}${n}.ics</D:href>`).join("");
  const several = await bob.report(
    cal,
    `<C:calendar-multiget ${ns}><D:prop>${props}</D:prop>${hrefs}</C:calendar-multiget>`,
  );
  assert.deepEqual(several.map((r) => r.status), [undefined, 404]);
  assert.deepEqual((await bob.sync(cal, "")).changed.sort(), both);

  // When ann is busy is told by free-busy, as of any event.
  const busy = await bob.send(
    "REPORT",
    cal,
    `<C:free-busy-query ${ns}><C:time-range start="20270302T000000Z" end="20270303T000000Z"/></C:free-busy-query>`,
  );
  assert.match(busy.text, /FREEBUSY[^\r\n]*20270302T090000Z/);
  tellsNothing(busy.text);
});

test("a change of CLASS comes and goes by sync", async ({ ann, bob }) => {
  await share(ann);
  await ann.put(`${cal}a.ics`, telling("a"));
  const first = await bob.sync(cal, "");
  const href = `/dav/${cal}a.ics`;
  assert.deepEqual(first.changed, [href]);
  assert.ok((await bob.send("GET", `${cal}a.ics`)).text.includes("Surgery"));
  await ann.put(`${cal}a.ics`, telling("a", "CLASS:PRIVATE"));
  const second = await bob.sync(cal, first.token);
  assert.deepEqual(second.changed, [href]);
  tellsNothing((await bob.send("GET", `${cal}a.ics`)).text);
  await ann.put(`${cal}a.ics`, telling("a", "CLASS:CONFIDENTIAL"));
  const third = await bob.sync(cal, second.token);
  assert.deepEqual([third.changed, third.gone], [[], [href]]);
  await ann.put(`${cal}b.ics`, telling("b", "CLASS:CONFIDENTIAL"));
  const fourth = await bob.sync(cal, third.token);
  assert.deepEqual([fourth.changed, fourth.gone], [[], []]);
  await ann.put(`${cal}a.ics`, telling("a", "CLASS:PUBLIC"));
  assert.deepEqual((await bob.sync(cal, fourth.token)).changed, [href]);
  assert.ok((await bob.send("GET", `${cal}a.ics`)).text.includes("Surgery"));
});

test("who may write can't change, take away or move what they don't see whole", async ({ ann, bob }) => {
  await share(ann);
  const texts = new Map<string, string>();
  for (const [name, of] of [["p", "PRIVATE"], ["s", "CONFIDENTIAL"], ["x", "X-MINE"]]) {
    texts.set(name, telling(name, `CLASS:${of}`));
    assert.equal((await ann.put(`${cal}${name}.ics`, texts.get(name)!)).status, 201);
  }
  const seen = await bob.send("GET", `${cal}p.ics`);
  const put = (name: string, text: string, headers = {}) => bob.put(`${cal}${name}`, text, headers);
  const need = "{DAV:}need-privileges";
  const back = await put("p.ics", seen.text, { "If-Match": seen.headers.get("etag")! });
  assert.deepEqual([back.status, condition(back)], [403, need]);
  for (const name of ["p", "s", "x"]) {
    const r = await put(`${name}.ics`, event(name, "DTSTART:20270302T120000Z"));
    assert.deepEqual([r.status, condition(r)], [403, need], name);
  }
  // Under another name it would be a second one of its UID, whose name isn't told.
  const twin = await put("twin.ics", event("s", "DTSTART:20270302T120000Z"));
  assert.equal(twin.status, 409);
  assert.ok(!twin.text.includes("s.ics"), twin.text);
  assert.equal((await bob.send("DELETE", `${cal}p.ics`)).status, 403);
  assert.equal((await bob.send("DELETE", `${cal}s.ics`)).status, 404);
  const patch =
    `<D:propertyupdate ${ns}><D:set><D:prop><x xmlns="urn:x">1</x></D:prop></D:set></D:propertyupdate>`;
  assert.equal((await bob.send("PROPPATCH", `${cal}p.ics`, patch)).status, 403);
  const to = (path: string) => ({ Destination: `/dav/${path}` });
  const moved = (path: string) => bob.send("MOVE", `${cal}p.ics`, undefined, to(path));
  assert.equal((await moved(`${cal}q.ics`)).status, 403);
  assert.equal((await moved("calendars/bob/default/p.ics")).status, 403);
  assert.equal((await bob.send("GET", "calendars/bob/default/p.ics")).status, 404);
  // Not over one either.
  await bob.put("calendars/bob/default/s.ics", event("s", "DTSTART:20270302T120000Z"));
  const over = await bob.send("MOVE", "calendars/bob/default/s.ics", undefined, to(`${cal}s.ics`));
  assert.equal(over.status, 403);
  for (const [name, text] of texts) {
    assert.equal((await ann.send("GET", `${cal}${name}.ics`)).text, text);
  }
  const rights = await bob.propfind(`${cal}p.ics`, "<D:current-user-privilege-set/>");
  assert.ok(
    ![...rights[0].found.values()].some((e) => JSON.stringify(e).includes("write-content")),
  );

  // A copy is of what they see.
  assert.equal(
    (await bob.send("COPY", `${cal}p.ics`, undefined, to("calendars/bob/default/c.ics"))).status,
    201,
  );
  tellsNothing((await bob.send("GET", "calendars/bob/default/c.ics")).text);
  assert.equal((await bob.send("COPY", cal, undefined, to("calendars/bob/all/"))).status, 201);
  const copied = await bob.propfind("calendars/bob/all/", "<D:getetag/>", "1");
  assert.deepEqual(copied.map((r) => r.href.split("/").at(-1)), ["", "p.ics", "x.ics"]);
  tellsNothing((await bob.send("GET", "calendars/bob/all/x.ics")).text);

  // What a guest makes so is the owner's.
  assert.equal((await put("mine.ics", telling("mine"))).status, 201);
  const kept = await put("mine.ics", telling("mine", "CLASS:CONFIDENTIAL"), {
    Prefer: "return=representation",
  });
  assert.equal(kept.status, 204);
  assert.equal((await bob.send("GET", `${cal}mine.ics`)).status, 404);
  assert.ok((await ann.send("GET", `${cal}mine.ics`)).text.includes("Surgery"));
});

test("places of others show nothing without rights, and who else has rights is for the owner", async ({ ann, bob, eve }) => {
  await ann.put(`${cal}a.ics`, telling("a"));
  const acl = ["calendars/ann/", "addressbooks/ann/", "principals/ann/"];
  for (const path of acl) {
    const found = await bob.propfind(path, "<D:acl/><D:displayname/>", "1");
    assert.deepEqual(found.map((r) => [r.href, r.failed.get("{DAV:}acl")]), [[
      `/dav/${path}`,
      404,
    ]]);
  }
  for (const path of [...acl, cal, `${cal}a.ics`, "calendars/nobody/"]) {
    assert.equal((await eve.send("PROPFIND", path, undefined, { Depth: "1" })).status, 404, path);
  }
  for (const path of [cal, `${cal}a.ics`, "calendars/ann/inbox/", "calendars/nobody/"]) {
    assert.equal((await bob.send("PROPFIND", path, undefined, { Depth: "1" })).status, 404, path);
  }
  // By no name, the people of the own domain are found, and nobody else.
  const search = (c: DavClient) =>
    c.report(
      "principals/",
      `<D:principal-property-search ${ns}><D:property-search><D:prop><D:displayname/></D:prop>` +
        "<D:match></D:match></D:property-search><D:prop><D:displayname/></D:prop></D:principal-property-search>",
    ).then((list) => list.map((r) => r.href));
  assert.deepEqual(await search(bob), ["/dav/principals/ann/", "/dav/principals/bob/"]);
  assert.deepEqual(await search(eve), ["/dav/principals/eve/"]);

  await share(ann);
  const [seen] = await bob.propfind(cal, "<D:acl/>");
  assert.equal(seen.failed.get("{DAV:}acl"), 404);
  const who =
    `<D:acl-principal-prop-set ${ns}><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>`;
  const refused = await bob.send("REPORT", cal, who, { Depth: "0" });
  assert.deepEqual([refused.status, condition(refused)], [403, "{DAV:}need-privileges"]);
  assert.deepEqual((await ann.report(cal, who, "0")).map((r) => r.href), [
    "/dav/principals/ann/",
    "/dav/principals/bob/",
  ]);
  assert.ok((await ann.propfind(cal, "<D:acl/>"))[0].found.has("{DAV:}acl"));
});
