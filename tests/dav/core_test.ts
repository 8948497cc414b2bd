/** WebDAV: discovery, properties, conditions, copies, rights, what is refused and with which words. */
import assert from "node:assert/strict";
import { children, textOf } from "../../src/dav/xml/parse.ts";
import { card, condition, event, ns, responses, suite } from "./world.ts";

const test = suite("WebDAV");

const cal = "calendars/ann/default/";
const book = "addressbooks/ann/default/";
const start = ["DTSTART:20260105T100000Z", "DTEND:20260105T110000Z", "SUMMARY:Meeting"];
const ok = ["FN:Bea", "N:;Bea;;;", "EMAIL:bea@to.example"];

test("a browser that knows the password isn't made to write by pages of other sites", async ({ ann }) => {
  for (const site of ["cross-site", "same-site"]) {
    const r = await ann.send("POST", cal, event("x@y", ...start), {
      "Sec-Fetch-Site": site,
      "Content-Type": "text/calendar",
    });
    assert.equal(r.status, 403, site);
  }
  assert.equal((await ann.put(`${cal}x.ics`, event("x@y", ...start))).status, 201);
});

test("discovery: from the well-known addresses to the homes", async ({ ann }) => {
  for (
    const where of [
      "/.well-known/caldav",
      "/.well-known/carddav",
      "/.well-known/caldav/",
      "/principals/",
    ]
  ) {
    const r = await ann.send("PROPFIND", where, "", { Depth: "0" });
    assert.equal(r.status, 301, where);
    assert.equal(r.headers.get("location"), "/dav/");
  }
  const [root] = await ann.propfind("", "<D:current-user-principal/><D:resourcetype/>");
  const principal = textOf(root.found.get("{DAV:}current-user-principal")!);
  assert.equal(principal, "/dav/principals/ann/");
  // The address without its last slash is the same.
  assert.equal((await ann.propfind("/dav", "<D:resourcetype/>"))[0].href, "/dav/");
  const [p] = await ann.propfind(
    principal,
    "<C:calendar-home-set/><A:addressbook-home-set/><C:calendar-user-address-set/><D:displayname/>",
  );
  assert.equal(
    textOf(p.found.get("{urn:ietf:params:xml:ns:caldav}calendar-home-set")!),
    "/dav/calendars/ann/",
  );
  assert.equal(
    textOf(p.found.get("{urn:ietf:params:xml:ns:carddav}addressbook-home-set")!),
    "/dav/addressbooks/ann/",
  );
  assert.equal(textOf(p.found.get("{DAV:}displayname")!), "Ann");
  const addresses = children(
    p.found.get("{urn:ietf:params:xml:ns:caldav}calendar-user-address-set")!,
  ).map(textOf);
  assert.deepEqual(addresses, ["mailto:ann@mox.example", "mailto:ann2@mox.example"]);
  const homes = await ann.propfind("calendars/ann/", "<D:resourcetype/>", "1");
  assert.deepEqual(homes.map((r) => r.href).sort(), [
    "/dav/calendars/ann/",
    "/dav/calendars/ann/default/",
    "/dav/calendars/ann/inbox/",
    "/dav/calendars/ann/outbox/",
  ]);
});

test("OPTIONS tells what there is, also before a login; other methods want one", async ({ ann, origin }) => {
  const r = await fetch(`${origin}/dav/`, { method: "OPTIONS" });
  await r.text();
  assert.equal(r.status, 200);
  for (
    const word of ["1", "3", "access-control", "extended-mkcol", "calendar-access", "addressbook"]
  ) {
    assert.ok(r.headers.get("dav")!.split(", ").includes(word), word);
  }
  await ann.put(`${cal}a.ics`, event("a", ...start));
  const of = async (path: string) => (await ann.send("OPTIONS", path)).headers.get("allow");
  assert.equal(
    await of(`${cal}a.ics`),
    "OPTIONS, PROPFIND, REPORT, GET, HEAD, PUT, DELETE, PROPPATCH, COPY, MOVE",
  );
  assert.equal(await of(`${cal}none.ics`), "OPTIONS, PUT");
  assert.equal(await of("calendars/ann/new/"), "OPTIONS, MKCOL, MKCALENDAR");
  const anonymous = await fetch(`${origin}/dav/${cal}`, { method: "PROPFIND" });
  await anonymous.text();
  assert.equal(anonymous.status, 401);
  assert.match(anonymous.headers.get("www-authenticate")!, /^Basic /);
  assert.equal((await ann.send("LOCK", cal)).status, 501);
  const put = await ann.send("PUT", cal, "x");
  assert.equal(put.status, 405);
  assert.match(put.headers.get("allow")!, /PROPFIND/);
});

test("objects come back byte for byte, with etags that conditions go by", async ({ ann, restart }) => {
  const text = event(
    "a",
    ...start,
    'X-ODD;X-P="a,b":kept',
    "DESCRIPTION:folded",
    " and so on\\, ä",
  );
  const made = await ann.put(`${cal}a.ics`, text, { "If-None-Match": "*" });
  assert.equal(made.status, 201);
  const etag = made.headers.get("etag")!;
  assert.match(etag, /^"[0-9a-f]+"$/);
  await restart();
  const got = await ann.send("GET", `${cal}a.ics`);
  assert.equal(got.text, text);
  assert.equal(got.headers.get("etag"), etag);
  assert.equal(got.headers.get("content-type"), "text/calendar; charset=utf-8; component=VEVENT");
  assert.equal(
    (await ann.send("GET", `${cal}a.ics`, undefined, { "If-None-Match": etag })).status,
    304,
  );
  assert.equal((await ann.put(`${cal}a.ics`, text, { "If-None-Match": "*" })).status, 412);
  assert.equal((await ann.put(`${cal}a.ics`, text, { "If-Match": '"other"' })).status, 412);
  assert.equal(
    (await ann.put(`${cal}none.ics`, event("n", ...start), { "If-Match": "*" })).status,
    412,
  );
  const changed = await ann.put(`${cal}a.ics`, event("a", ...start), { "If-Match": etag });
  assert.equal(changed.status, 204);
  assert.notEqual(changed.headers.get("etag"), etag);
  // RFC 4918 §10.4: the If header.
  const now = changed.headers.get("etag")!;
  assert.equal((await ann.put(`${cal}a.ics`, text, { If: `(["x"])` })).status, 412);
  assert.equal((await ann.put(`${cal}a.ics`, text, { If: `(["x"]) ([${now}])` })).status, 204);
  assert.equal((await ann.put(`${cal}a.ics`, text, { If: "(<opaquelocktoken:x>)" })).status, 412);
  assert.equal((await ann.put(`${cal}a.ics`, text, { If: "(Not <DAV:no-lock>)" })).status, 204);
  assert.equal(
    (await ann.send("DELETE", `${cal}a.ics`, undefined, { "If-Match": '"old"' })).status,
    412,
  );
  assert.equal((await ann.send("DELETE", `${cal}a.ics`)).status, 204);
  assert.equal((await ann.send("DELETE", `${cal}a.ics`)).status, 404);
  assert.equal(
    (await ann.send("DELETE", `${cal}a.ics`, undefined, { "If-Match": now })).status,
    412,
  );
  assert.equal((await ann.send("GET", `${cal}a.ics`)).status, 404);
});

test("properties: those of the server, those that clients keep, all or none", async ({ ann }) => {
  const set = (props: string) => `<D:set><D:prop>${props}</D:prop></D:set>`;
  const patch = (path: string, inner: string) =>
    ann.send("PROPPATCH", path, `<D:propertyupdate ${ns}>${inner}</D:propertyupdate>`);
  const color = '<I:calendar-color xmlns:I="http://apple.com/ns/ical/">#FF0000</I:calendar-color>';
  const odd = '<x:note xmlns:x="urn:x" xml:lang="de" x:y="1">Grüße <x:b>&lt;&amp;</x:b></x:note>';
  const [done] = responses(
    await patch(cal, set(`${color}${odd}<D:displayname>Arbeit</D:displayname>`)),
  );
  assert.equal(done.failed.size, 0);
  const [r] = await ann.propfind(
    cal,
    '<I:calendar-color xmlns:I="http://apple.com/ns/ical/"/><x:note xmlns:x="urn:x"/><D:displayname/><D:none/>',
  );
  assert.equal(textOf(r.found.get("{http://apple.com/ns/ical/}calendar-color")!), "#FF0000");
  assert.equal(textOf(r.found.get("{DAV:}displayname")!), "Arbeit");
  const note = r.found.get("{urn:x}note")!;
  assert.equal(textOf(note), "Grüße <&");
  assert.equal(note.lang, "de");
  assert.deepEqual(note.attributes, [{ ns: "urn:x", name: "y", value: "1" }]);
  assert.deepEqual([...r.failed], [["{DAV:}none", 404]]);
  // One that can't be set keeps the others from being set.
  const [refused] = responses(
    await patch(cal, set('<D:getetag>x</D:getetag><x:other xmlns:x="urn:x">1</x:other>')),
  );
  assert.deepEqual([...refused.failed], [["{DAV:}getetag", 403], ["{urn:x}other", 424]]);
  assert.equal((await ann.propfind(cal, '<x:other xmlns:x="urn:x"/>'))[0].failed.size, 1);
  // Removing, also what isn't there.
  const removed = await patch(
    cal,
    '<D:remove><D:prop><x:note xmlns:x="urn:x"/><x:never xmlns:x="urn:x"/></D:prop></D:remove>',
  );
  assert.equal(responses(removed)[0].failed.size, 0);
  assert.equal((await ann.propfind(cal, '<x:note xmlns:x="urn:x"/>'))[0].failed.size, 1);
  // Objects keep some too, and lose them when they go.
  await ann.put(`${cal}a.ics`, event("a", ...start));
  await patch(`${cal}a.ics`, set('<x:mark xmlns:x="urn:x">1</x:mark>'));
  assert.equal((await ann.propfind(`${cal}a.ics`, '<x:mark xmlns:x="urn:x"/>'))[0].found.size, 1);
  await ann.send("DELETE", `${cal}a.ics`);
  await ann.put(`${cal}a.ics`, event("a", ...start));
  assert.equal((await ann.propfind(`${cal}a.ics`, '<x:mark xmlns:x="urn:x"/>'))[0].found.size, 0);
  // Values that make no sense.
  const zone = await patch(cal, set("<C:calendar-timezone>nonsense</C:calendar-timezone>"));
  assert.deepEqual([...responses(zone)[0].failed.values()], [403]);
  assert.match(zone.text, /valid-calendar-data/);
  // RFC 4918 §9.2: each resource has the method, also where nothing can be set.
  for (const path of ["", "principals/", "principals/ann/", "principals/bob/"]) {
    const no = await patch(path, set("<D:displayname>x</D:displayname>"));
    assert.deepEqual([no.status, ...responses(no)[0].failed.values()], [207, 403], path);
  }
  assert.equal((await patch(`${cal}none.ics`, set("<D:x/>"))).status, 404);
});

test("PROPFIND: all, names only, depths, and the short form", async ({ ann }) => {
  await ann.put(`${cal}a.ics`, event("a", ...start));
  const [all] = responses(await ann.send("PROPFIND", `${cal}a.ics`, "", { Depth: "0" }));
  assert.deepEqual([...all.found.keys()].sort(), [
    "{DAV:}creationdate",
    "{DAV:}displayname",
    "{DAV:}getcontentlength",
    "{DAV:}getcontenttype",
    "{DAV:}getetag",
    "{DAV:}getlastmodified",
    "{DAV:}lockdiscovery",
    "{DAV:}resourcetype",
    "{DAV:}supportedlock",
  ]);
  const names = responses(
    await ann.send("PROPFIND", cal, `<D:propfind ${ns}><D:propname/></D:propfind>`, {
      Depth: "0",
    }),
  )[0];
  assert.ok(names.found.has("{DAV:}sync-token"));
  assert.equal(textOf(names.found.get("{DAV:}sync-token")!), "");
  const included = responses(
    await ann.send(
      "PROPFIND",
      cal,
      `<D:propfind ${ns}><D:allprop/><D:include><D:sync-token/></D:include></D:propfind>`,
      { Depth: "0" },
    ),
  )[0];
  assert.ok(included.found.has("{DAV:}sync-token"));
  const whole = responses(
    await ann.send("PROPFIND", "calendars/ann/", "", { Depth: "infinity" }),
  );
  assert.ok(whole.some((r) => r.href === "/dav/calendars/ann/default/a.ics"));
  const brief = await ann.send(
    "PROPFIND",
    cal,
    `<D:propfind ${ns}><D:prop><D:none/><D:resourcetype/></D:prop></D:propfind>`,
    { Depth: "0", Prefer: "return=minimal" },
  );
  assert.equal(responses(brief)[0].failed.size, 0);
  assert.equal(brief.headers.get("preference-applied"), "return=minimal");
  for (
    const [body, depth] of [["<x", "0"], ["<a/>", "0"], [`<D:propfind ${ns}/>`, "0"], ["", "2"]]
  ) {
    assert.equal((await ann.send("PROPFIND", cal, body, { Depth: depth })).status, 400, body);
  }
  assert.equal((await ann.send("PROPFIND", "nothing/", "", { Depth: "0" })).status, 404);
});

test("collections are made with their properties, or not at all", async ({ ann }) => {
  const made = await ann.send(
    "MKCALENDAR",
    "calendars/ann/work/",
    `<C:mkcalendar ${ns}><D:set><D:prop><D:displayname>Work</D:displayname>` +
      `<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set>` +
      `</D:prop></D:set></C:mkcalendar>`,
  );
  assert.equal(made.status, 201);
  const [r] = await ann.propfind(
    "calendars/ann/work/",
    "<D:displayname/><C:supported-calendar-component-set/>",
  );
  assert.equal(textOf(r.found.get("{DAV:}displayname")!), "Work");
  const refusedKind = await ann.put("calendars/ann/work/e.ics", event("e", ...start));
  assert.equal(refusedKind.status, 403);
  assert.equal(
    condition(refusedKind),
    "{urn:ietf:params:xml:ns:caldav}supported-calendar-component",
  );
  const again = await ann.send("MKCALENDAR", "calendars/ann/work/");
  assert.equal(condition(again), "{DAV:}resource-must-be-null");
  assert.equal((await ann.send("MKCOL", "calendars/ann/work/")).status, 405);
  assert.equal((await ann.send("MKCALENDAR", "calendars/ann/none/below/")).status, 409);
  assert.equal((await ann.send("MKCALENDAR", `${cal}below/`)).status, 403);
  const wrong = await ann.send(
    "MKCALENDAR",
    "calendars/ann/bad/",
    `<C:mkcalendar ${ns}><D:set><D:prop><D:getetag>x</D:getetag><D:displayname>B</D:displayname>` +
      `</D:prop></D:set></C:mkcalendar>`,
  );
  assert.deepEqual([...responses(wrong)[0].failed.values()], [403, 424]);
  assert.equal(
    (await ann.send("PROPFIND", "calendars/ann/bad/", "", { Depth: "0" })).status,
    404,
  );
  const mkcol = (path: string, type: string) =>
    ann.send(
      "MKCOL",
      path,
      `<D:mkcol ${ns}><D:set><D:prop><D:resourcetype><D:collection/>${type}</D:resourcetype>` +
        `<D:displayname>People</D:displayname></D:prop></D:set></D:mkcol>`,
    );
  assert.equal((await mkcol("addressbooks/ann/people/", "<A:addressbook/>")).status, 201);
  const other = await mkcol("addressbooks/ann/x/", "<C:calendar/>");
  assert.equal(other.status, 403);
  assert.equal(condition(other), "{DAV:}valid-resourcetype");
  assert.equal((await ann.send("DELETE", "calendars/ann/work/")).status, 204);
  assert.equal((await ann.send("DELETE", "calendars/ann/inbox/")).status, 403);
  assert.equal((await ann.send("DELETE", "calendars/ann/")).status, 405);
});

test("COPY and MOVE: objects and collections, over what is there or not", async ({ ann, origin }) => {
  await ann.send("MKCALENDAR", "calendars/ann/other/");
  const text = event("a", ...start);
  await ann.put(`${cal}a.ics`, text);
  const to = (path: string, more: Record<string, string> = {}) => ({
    Destination: `${origin}/dav/${path}`,
    ...more,
  });
  assert.equal(
    (await ann.send("COPY", `${cal}a.ics`, undefined, to("calendars/ann/other/b.ics"))).status,
    201,
  );
  assert.equal((await ann.send("GET", "calendars/ann/other/b.ics")).text, text);
  const twice = await ann.send("COPY", `${cal}a.ics`, undefined, to(`${cal}c.ics`));
  assert.equal(twice.status, 409);
  assert.equal(condition(twice), "{urn:ietf:params:xml:ns:caldav}no-uid-conflict");
  assert.equal(
    (await ann.send(
      "MOVE",
      `${cal}a.ics`,
      undefined,
      to("calendars/ann/other/b.ics", { Overwrite: "F" }),
    ))
      .status,
    412,
  );
  assert.equal(
    (await ann.send("MOVE", `${cal}a.ics`, undefined, to("calendars/ann/other/b.ics"))).status,
    204,
  );
  // Not over an object with another UID: both stay.
  await ann.put(`${cal}z.ics`, event("z", ...start));
  for (const method of ["COPY", "MOVE"]) {
    const over = await ann.send(method, `${cal}z.ics`, undefined, to("calendars/ann/other/b.ics"));
    assert.equal(over.status, 409);
    assert.equal(condition(over), "{urn:ietf:params:xml:ns:caldav}no-uid-conflict");
  }
  assert.equal((await ann.send("GET", "calendars/ann/other/b.ics")).text, text);
  assert.equal((await ann.send("DELETE", `${cal}z.ics`)).status, 204);
  assert.equal((await ann.send("GET", `${cal}a.ics`)).status, 404);
  assert.equal(
    (await ann.send("MOVE", "calendars/ann/other/b.ics", undefined, to(`${cal}a.ics`))).status,
    201,
  );
  assert.equal(
    (await ann.send("MOVE", `${cal}a.ics`, undefined, to(`${book}a.vcf`))).status,
    403,
  );
  assert.equal(
    (await ann.send("MOVE", `${cal}a.ics`, undefined, to("calendars/ann/none/a.ics"))).status,
    409,
  );
  assert.equal(
    (await ann.send("MOVE", `${cal}a.ics`, undefined, { Destination: "http://else.example/x" }))
      .status,
    502,
  );
  assert.equal((await ann.send("MOVE", `${cal}a.ics`)).status, 400);
  assert.equal((await ann.send("COPY", cal, undefined, to("calendars/ann/copy/"))).status, 201);
  assert.equal((await ann.send("GET", "calendars/ann/copy/a.ics")).text, text);
  assert.equal(
    (await ann.send("MOVE", "calendars/ann/copy/", undefined, to("calendars/ann/moved/"))).status,
    201,
  );
  assert.equal((await ann.send("GET", "calendars/ann/moved/a.ics")).text, text);
  assert.equal(
    (await ann.send("MOVE", "calendars/ann/moved/", undefined, to("calendars/ann/other/")))
      .status,
    204,
  );
  assert.equal((await ann.send("GET", "calendars/ann/other/a.ics")).text, text);
});

test("others see nothing until they are given rights, and then what was given", async ({ ann, bob, eve }) => {
  await ann.put(`${cal}a.ics`, event("a", ...start));
  assert.equal((await bob.send("GET", `${cal}a.ics`)).status, 404);
  assert.equal((await bob.put(`${cal}b.ics`, event("b", ...start))).status, 409);
  assert.equal((await eve.send("PROPFIND", "principals/ann/", "", { Depth: "0" })).status, 404);
  const grant = (privileges: string) =>
    ann.send(
      "ACL",
      cal,
      `<D:acl ${ns}><D:ace><D:principal><D:href>/dav/principals/bob/</D:href></D:principal>` +
        `<D:grant>${privileges}</D:grant></D:ace></D:acl>`,
    );
  const privilege = (n: string) => `<D:privilege><D:${n}/></D:privilege>`;
  assert.equal((await grant(privilege("read"))).status, 200);
  assert.equal((await bob.send("GET", `${cal}a.ics`)).status, 200);
  const refused = await bob.put(`${cal}b.ics`, event("b", ...start));
  assert.equal(refused.status, 403);
  assert.equal(condition(refused), "{DAV:}need-privileges");
  const homes = children(
    (await bob.propfind("principals/bob/", "<C:calendar-home-set/>"))[0].found
      .get("{urn:ietf:params:xml:ns:caldav}calendar-home-set")!,
  ).map(textOf);
  assert.deepEqual(homes, ["/dav/calendars/bob/", "/dav/calendars/ann/"]);
  assert.deepEqual(
    (await bob.propfind("calendars/ann/", "<D:resourcetype/>", "1")).map((r) => r.href),
    ["/dav/calendars/ann/", "/dav/calendars/ann/default/"],
  );
  assert.equal((await grant(privilege("read") + privilege("write"))).status, 200);
  assert.equal((await bob.put(`${cal}b.ics`, event("b", ...start))).status, 201);
  assert.equal((await bob.send("DELETE", cal)).status, 403);
  assert.equal((await bob.send("ACL", cal, `<D:acl ${ns}/>`)).status, 403);
  assert.equal((await ann.send("ACL", cal, `<D:acl ${ns}/>`)).status, 200);
  assert.equal((await bob.send("GET", `${cal}a.ics`)).status, 404);
});

test("what can't be stored is refused with the condition that it breaks", async ({ ann }) => {
  const C = "{urn:ietf:params:xml:ns:caldav}";
  const A = "{urn:ietf:params:xml:ns:carddav}";
  const broken = (text: string, from: string, to: string) => text.replace(from, to);
  const whole = event("a", ...start);
  const cases: [string, string, number, string][] = [
    ["x.ics", "", 403, `${C}valid-calendar-data`],
    ["x.ics", "hello", 403, `${C}valid-calendar-data`],
    ["x.ics", broken(whole, "END:VEVENT\r\n", ""), 403, `${C}valid-calendar-data`],
    ["x.ics", broken(whole, "VERSION:2.0", "VERSION:1.0"), 403, `${C}valid-calendar-data`],
    ["x.ics", broken(whole, "UID:a\r\n", ""), 403, `${C}valid-calendar-object-resource`],
    [
      "x.ics",
      broken(whole, "VERSION:2.0", "VERSION:2.0\r\nMETHOD:REQUEST"),
      403,
      `${C}valid-calendar-object-resource`,
    ],
    ["x.ics", broken(whole, "DTSTART:2026", "DTSTART:26"), 403, `${C}valid-calendar-data`],
    [
      "x.ics",
      broken(whole, "SUMMARY", "RRULE:FREQ=SOMETIMES\r\nSUMMARY"),
      403,
      `${C}valid-calendar-data`,
    ],
    [
      "x.ics",
      broken(whole, "SUMMARY", "DURATION:PT1H\r\nSUMMARY"),
      403,
      `${C}valid-calendar-data`,
    ],
    [
      "x.ics",
      whole.replace("END:VCALENDAR", "BEGIN:VTODO\r\nUID:a\r\nEND:VTODO\r\nEND:VCALENDAR"),
      403,
      `${C}valid-calendar-object-resource`,
    ],
    ["x.ics", whole.replaceAll("VEVENT", "VFOO"), 403, `${C}supported-calendar-component`],
    ["x.vcf", card("a"), 403, `${A}valid-address-data`],
    [
      "x.vcf",
      broken(card("a", ...ok), "VERSION:3.0", "VERSION:2.1"),
      403,
      `${A}supported-address-data`,
    ],
    ["x.vcf", broken(card("a", ...ok), "UID:a\r\n", ""), 403, `${A}valid-address-data`],
    ["x.vcf", card("a", ...ok) + card("b", ...ok), 403, `${A}valid-address-data`],
  ];
  for (const [name, text, status, wanted] of cases) {
    const r = await ann.put((name.endsWith(".vcf") ? book : cal) + name, text);
    assert.equal(r.status, status, text);
    assert.equal(condition(r), wanted, `${text}\n${r.text}`);
  }
  const type = await ann.send("PUT", `${cal}x.ics`, whole, { "Content-Type": "text/plain" });
  assert.equal(condition(type), `${C}supported-calendar-data`);
  const big = await ann.put(
    `${cal}x.ics`,
    event("a", ...start, `DESCRIPTION:${"x".repeat(10_500_000)}`),
  );
  assert.equal(big.status, 403);
  assert.equal(condition(big), `${C}max-resource-size`);
  // As small, but more work to read than any program writes.
  const work: [string, RegExp][] = [
    [`X-A:b${"\r\n b".repeat(260_000)}`, /folded into more than 250000 lines/],
    [`X-A:b${"\r\n".repeat(260_000)}`, /more than 250000 lines/],
    [`X-A;B=${"c,".repeat(60_000)}d:e`, /more than 60000 parameters/],
    [
      `X-A${";B=c".repeat(40_000)}:e\r\nX-A${";B=c".repeat(40_000)}:e`,
      /more than 60000 parameters/,
    ],
  ];
  for (const [line, why] of work) {
    const r = await ann.put(`${cal}x.ics`, event("a", ...start, line));
    assert.equal(condition(r), `${C}valid-calendar-data`);
    assert.match(r.text, why);
  }
  assert.equal((await ann.put("calendars/ann/none/x.ics", whole)).status, 409);
  await ann.put(`${cal}a.ics`, whole);
  const uid = await ann.put(`${cal}b.ics`, whole);
  assert.equal(condition(uid), `${C}no-uid-conflict`);
  assert.match(uid.text, /\/dav\/calendars\/ann\/default\/a\.ics/);
  assert.equal(
    condition(await ann.put(`${cal}a.ics`, event("other", ...start))),
    `${C}no-uid-conflict`,
  );
  // XML that would grow, or ask for files.
  const bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>';
  for (
    const xml of [
      bomb,
      "<a>&undefined;</a>",
      "<x:a/>",
      "<a>".repeat(100),
      `<a>${"<b/>".repeat(70_000)}</a>`,
    ]
  ) {
    assert.equal((await ann.send("PROPFIND", cal, xml, { Depth: "0" })).status, 400);
  }
  const report = await ann.send("REPORT", cal, "<D:nothing xmlns:D='DAV:'/>");
  assert.equal(condition(report), "{DAV:}supported-report");
});

test("sync-collection: changes since a token, in pieces, and tokens that mean nothing", async ({ ann, restart }) => {
  const first = await ann.sync(cal, "");
  assert.deepEqual([first.changed, first.gone], [[], []]);
  for (const n of ["a", "b", "c"]) await ann.put(`${cal}${n}.ics`, event(n, ...start));
  const second = await ann.sync(cal, first.token);
  assert.deepEqual(second.changed, ["a", "b", "c"].map((n) => `/dav/${cal}${n}.ics`));
  await ann.send("DELETE", `${cal}b.ics`);
  await ann.put(`${cal}a.ics`, event("a", ...start, "LOCATION:here"));
  await restart();
  const third = await ann.sync(cal, second.token);
  assert.deepEqual([third.changed, third.gone], [[`/dav/${cal}a.ics`], [`/dav/${cal}b.ics`]]);
  assert.deepEqual((await ann.sync(cal, third.token)).changed, []);
  // An object that came back isn't gone.
  await ann.put(`${cal}b.ics`, event("b", ...start));
  const fourth = await ann.sync(cal, second.token);
  assert.deepEqual(fourth.gone, []);
  assert.equal(fourth.changed.length, 2);
  // In pieces.
  const limit = "<D:limit><D:nresults>2</D:nresults></D:limit>";
  const piece = await ann.sync(cal, "", limit);
  assert.equal(piece.changed.length, 2);
  assert.ok(piece.more);
  const rest = await ann.sync(cal, piece.token, limit);
  assert.deepEqual([rest.changed.length, rest.more], [1, false]);
  for (
    const token of [
      "x",
      "data:,mox-sync-1-1-1",
      first.token.replace(/\d+$/, "99999"),
      first.token.replace(/-\d+-(\d+)$/, "-99-$1"),
    ]
  ) {
    const r = await ann.send(
      "REPORT",
      cal,
      `<D:sync-collection ${ns}><D:sync-token>${token}</D:sync-token><D:sync-level>1</D:sync-level><D:prop/></D:sync-collection>`,
    );
    assert.equal(r.status, 403, token);
    assert.equal(condition(r), "{DAV:}valid-sync-token");
  }
  // The ctag changes with each change, also of properties.
  const ctag = async () =>
    textOf(
      (await ann.propfind(cal, "<S:getctag/>"))[0].found.get(
        "{http://calendarserver.org/ns/}getctag",
      )!,
    );
  const before = await ctag();
  assert.equal(await ctag(), before);
  await ann.send("DELETE", `${cal}c.ics`);
  assert.notEqual(await ctag(), before);
});

test("principals are found by their names and addresses, among those of one's own domain", async ({ ann, eve }) => {
  const search = (c: typeof ann, prop: string, match: string) =>
    c.report(
      "principals/",
      `<D:principal-property-search ${ns}><D:property-search><D:prop>${prop}</D:prop><D:match>${match}</D:match>` +
        `</D:property-search><D:prop><D:displayname/></D:prop></D:principal-property-search>`,
      "0",
    );
  const hrefs = async (...a: Parameters<typeof search>) => (await search(...a)).map((r) => r.href);
  assert.deepEqual(await hrefs(ann, "<C:calendar-user-address-set/>", "BOB@"), [
    "/dav/principals/bob/",
  ]);
  assert.deepEqual(await hrefs(ann, "<D:displayname/>", "an"), ["/dav/principals/ann/"]);
  assert.deepEqual(await hrefs(ann, "<C:calendar-user-address-set/>", "eve"), []);
  assert.deepEqual(await hrefs(eve, "<D:displayname/>", "ann"), []);
  const self = await ann.report(
    "principals/",
    `<D:principal-match ${ns}><D:self/><D:prop><D:displayname/></D:prop></D:principal-match>`,
    "0",
  );
  assert.deepEqual(self.map((r) => r.href), ["/dav/principals/ann/"]);
  const expanded = await ann.send(
    "REPORT",
    "",
    `<D:expand-property ${ns}><D:property name="current-user-principal"><D:property name="displayname"/>` +
      `<D:property name="calendar-home-set" namespace="urn:ietf:params:xml:ns:caldav"/></D:property></D:expand-property>`,
  );
  assert.match(
    expanded.text,
    /<D:current-user-principal><D:response><D:href>\/dav\/principals\/ann\//,
  );
  assert.match(expanded.text, /<D:displayname>Ann<\/D:displayname>/);
  assert.match(expanded.text, /\/dav\/calendars\/ann\//);
  const set = await ann.send("REPORT", "principals/", `<D:principal-search-property-set ${ns}/>`);
  assert.match(set.text, /calendar-user-address-set/);
});

test("POST adds an object under a name of the server's choice", async ({ ann }) => {
  const r = await ann.send("POST", cal, event("p", ...start), {
    "Content-Type": "text/calendar",
  });
  assert.equal(r.status, 201);
  const location = r.headers.get("location")!;
  assert.match(location, /^\/dav\/calendars\/ann\/default\/[\w-]+\.ics$/);
  assert.equal((await ann.send("GET", location)).headers.get("etag"), r.headers.get("etag"));
});

test("POST of a file with many: each becomes an object, what can't is told", async ({ ann }) => {
  const zone = "BEGIN:VTIMEZONE\r\nTZID:Ours\r\nBEGIN:STANDARD\r\nDTSTART:20000101T000000\r\n" +
    "TZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";
  const inner = (text: string) =>
    text.slice(text.indexOf("BEGIN:VEVENT"), text.indexOf("END:VCALENDAR"));
  const file = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${zone}` +
    inner(event("one", "DTSTART;TZID=Ours:20260105T100000", "RRULE:FREQ=DAILY")) +
    inner(event("two", ...start)) +
    inner(
      event("one", "RECURRENCE-ID;TZID=Ours:20260106T100000", "DTSTART;TZID=Ours:20260106T120000"),
    ) +
    inner(event("bad", "DTSTART:nonsense")) + "END:VCALENDAR\r\n";
  const post = (path: string, text: string, type: string) =>
    ann.send("POST", path, text, { "Content-Type": type });
  for (let i = 0; i < 2; i++) {
    const r = await post(cal, file, "text/calendar");
    assert.equal(r.status, 200, r.text);
    assert.match(r.text, /imported: 2\nleft out: 1\nbad: .*DTSTART/);
  }
  const one = (await ann.send("GET", `${cal}one.ics`)).text;
  assert.match(one, /TZID:Ours[^]*RRULE[^]*RECURRENCE-ID/);
  assert.doesNotMatch((await ann.send("GET", `${cal}two.ics`)).text, /VTIMEZONE/);
  const people = card("p", ...ok) +
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Old;Carl\r\nEMAIL:c@to.example\r\nEND:VCARD\r\n";
  assert.match((await post(book, people, "text/vcard")).text, /imported: 2\nleft out: 0/);
  assert.match((await ann.send("GET", book)).text, /FN:Carl Old/);
  assert.equal((await post(cal, file.replace("END:VCALENDAR", ""), "text/calendar")).status, 403);
});

test("POST of entries none of which has a UID makes one for each from what it says", async ({ ann }) => {
  const post = (...entries: string[]) =>
    ann.send(
      "POST",
      cal,
      `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${entries.join("")}END:VCALENDAR\r\n`,
      { "Content-Type": "text/calendar" },
    );
  const alarm = "BEGIN:VALARM\r\nUID:alarm\r\nACTION:DISPLAY\r\nDESCRIPTION:soon\r\n" +
    "TRIGGER:-PT5M\r\nEND:VALARM\r\n";
  const entry = (what: string, more = "") =>
    `BEGIN:VEVENT\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260105T100000Z\r\n` +
    `SUMMARY:${what}\r\n${more}END:VEVENT\r\n`;
  const count = async () => (await ann.send("GET", cal)).text.match(/^BEGIN:VEVENT/gm)?.length ?? 0;
  for (let i = 0; i < 2; i++) {
    const r = await post(entry("a"), entry("b"));
    assert.deepEqual([r.status, r.text.split("\n")[0]], [200, "imported: 2"], r.text);
  }
  assert.equal(await count(), 2);
  assert.equal((await post(entry("c"))).status, 200);
  assert.equal((await post(entry("d", alarm))).status, 200);
  assert.equal(await count(), 4);
  assert.equal((await post(entry("e", `UID:e\r\n${alarm}`))).status, 201);
});

test("a file without UIDs, as Roundcube exports one, brings nothing twice", async ({ ann }) => {
  const post = (path: string, text: string, type: string) =>
    ann.send("POST", path, text, { "Content-Type": type });
  const people = (rev: string) =>
    ["J\u00fcrgen", "Ann"].map((n) =>
      `BEGIN:VCARD\r\nVERSION:3.0\r\nFN:${n}\r\nN:${n};;;;\r\nCATEGORIES;TYPE=home:Friends\r\n` +
      `REV:${rev}\r\nEND:VCARD\r\n`
    ).join("");
  const dates = (stamp: string) => {
    const party = `BEGIN:VEVENT\r\nDTSTAMP:${stamp}\r\nDTSTART:20260105T100000Z\r\n` +
      "SUMMARY:party\r\nEND:VEVENT\r\n";
    const other = party.replace("party", "other");
    const named = ["one", "two"].map((uid) => party.replace("DTSTAMP", `UID:${uid}\r\nDTSTAMP`));
    return `BEGIN:VCALENDAR\r\nVERSION:2.0\r\n${
      named.join("")
    }${party}${other}${party}END:VCALENDAR\r\n`;
  };
  for (const stamp of ["20260101T000000Z", "20260202T000000Z"]) {
    assert.match(
      (await post(book, people(stamp), "text/vcard")).text,
      /imported: 2\nleft out: 0/,
    );
    assert.match((await post(cal, dates(stamp), "text/calendar")).text, /imported: 4\nleft out: 0/);
  }
  const shown = (await ann.send("GET", book)).text;
  assert.equal(shown.match(/^FN:/gm)!.length, 2);
  assert.match(shown, /^UID:[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\r$/m);
  assert.equal((await ann.send("GET", cal)).text.match(/^SUMMARY:/gm)!.length, 4);
});
