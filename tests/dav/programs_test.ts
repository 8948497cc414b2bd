/**
 * Requests in the forms that programs of phones and desktops send them: properties of other makers, conditions, lengths
 * and encodings of bodies, and addresses that are written otherwise than the server writes them.
 */
import assert from "node:assert/strict";
import { textOf } from "../../src/dav/xml/parse.ts";
import { type DavClient, event, ns, responses, suite } from "./world.ts";

const test = suite("requests as phones and desktops send them");
const cal = "calendars/ann/default/";
const start = ["DTSTART:20270105T100000Z", "DTEND:20270105T110000Z"];

/** A request as it stands on the wire; `more` follows the server's 100. All of the answer. */
async function wire(port: number, head: string[], more = ""): Promise<string> {
  const c = await Deno.connect({ hostname: "127.0.0.1", port });
  const encoder = new TextEncoder();
  try {
    await c.write(encoder.encode([...head, "Connection: close", "", ""].join("\r\n")));
    let got = "";
    let wrote = more === "";
    const piece = new Uint8Array(16_384);
    for (let n = await c.read(piece); n !== null; n = await c.read(piece)) {
      got += new TextDecoder().decode(piece.subarray(0, n));
      if (!wrote && got.includes("100 Continue")) {
        wrote = true;
        await c.write(encoder.encode(more));
      }
    }
    return got;
  } finally {
    c.close();
  }
}

test("an iPhone: what it asks of a home, and what it sets there, in one answer each", async ({ ann, bob, restart }) => {
  const alarmName = "<C:default-alarm-vevent-date/>";
  const other = `xmlns:me="http://me.com/_namespace/" xmlns:push="https://bitfire.at/webdav-push"`;
  const home = responses(
    await ann.send(
      "PROPFIND",
      "calendars/ann/",
      `<D:propfind ${ns} ${other}><D:prop><D:add-member/><me:bulk-requests/><C:default-alarm-vevent-date/>` +
        `<push:transports/><D:resourcetype/><D:resource-id/><C:supported-calendar-component-sets/>` +
        `<D:current-user-privilege-set/></D:prop></D:propfind>`,
      { Depth: "1", Brief: "t", "Content-Type": "text/xml" },
    ),
  );
  assert.ok(home.some((r) => r.href === "/dav/calendars/ann/default/"));
  for (const r of home) {
    assert.ok(r.found.has("{DAV:}resourcetype"), r.href);
    // Brief: t leaves out what isn't there.
    assert.equal(r.failed.size, 0, r.href);
  }
  const alarm = `<C:default-alarm-vevent-date>BEGIN:VALARM\nTRIGGER:-PT15H\nEND:VALARM\n` +
    `</C:default-alarm-vevent-date>`;
  const me =
    `<S:me-card xmlns:S="http://calendarserver.org/ns/"><D:href>/dav/x.vcf</D:href></S:me-card>`;
  for (
    const [path, prop] of [["calendars/ann/", alarm], ["addressbooks/ann/", me]] as const
  ) {
    const set = await ann.send(
      "PROPPATCH",
      path,
      `<D:propertyupdate ${ns}><D:set><D:prop>${prop}</D:prop></D:set></D:propertyupdate>`,
    );
    assert.equal(set.status, 207, path);
    assert.equal(responses(set)[0].failed.size, 0, path);
  }
  const card = `<S:me-card xmlns:S="http://calendarserver.org/ns/"/>`;
  const asked = (c: DavClient, home: string) => c.propfind(`${home}/ann/`, card + alarmName);
  const kept = async (c: DavClient, home: string) => [...(await asked(c, home))[0].found.keys()];
  await restart();
  assert.deepEqual(await kept(ann, "calendars"), [
    "{urn:ietf:params:xml:ns:caldav}default-alarm-vevent-date",
  ]);
  assert.deepEqual(await kept(ann, "addressbooks"), ["{http://calendarserver.org/ns/}me-card"]);
  // They are the owner's, and only the owner's.
  assert.deepEqual(await kept(bob, "calendars"), []);
  const theirs =
    `<D:propertyupdate ${ns}><D:set><D:prop>${alarm}</D:prop></D:set></D:propertyupdate>`;
  assert.equal((await bob.send("PROPPATCH", "calendars/ann/", theirs)).status, 403);
  const removed = await ann.send(
    "PROPPATCH",
    "addressbooks/ann/",
    `<D:propertyupdate ${ns}><D:remove><D:prop>${card}</D:prop></D:remove></D:propertyupdate>`,
  );
  assert.equal(removed.status, 207);
  assert.deepEqual(await kept(ann, "addressbooks"), []);
  assert.equal((await ann.propfind("calendars/ann/outbox/", alarmName))[0].found.size, 0);
  // A calendar keeps it.
  const onCalendar = await ann.send(
    "PROPPATCH",
    cal,
    `<D:propertyupdate ${ns}><D:set><D:prop>${alarm}</D:prop></D:set></D:propertyupdate>`,
  );
  assert.equal(responses(onCalendar)[0].failed.size, 0);
  assert.equal((await ann.propfind(cal, alarmName))[0].found.size, 1);
});

test("a program of .NET waits for 100 Continue, with and without a login; lengths come in chunks", async ({ ann, ports }) => {
  const text = event("waits", ...start, "SUMMARY:x");
  const head = (name: string, ...more: string[]) => [
    `PUT /dav/${cal}${name} HTTP/1.1`,
    `Host: 127.0.0.1:${ports.http}`,
    "Content-Type: text/calendar",
    "If-None-Match: *",
    ...more,
  ];
  const login = `Authorization: Basic ${btoa(`${ann.login}:${ann.secret}`)}`;
  const length = [`Content-Length: ${text.length}`, "Expect: 100-continue"];
  const status = (answer: string) =>
    [...answer.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map((m) => m[1]).at(-1);
  // Without a login the answer doesn't wait for the body.
  assert.equal(status(await wire(ports.http, head("w.ics", ...length))), "401");
  assert.equal(status(await wire(ports.http, head("w.ics", login, ...length), text)), "201");
  assert.equal(status(await wire(ports.http, head("w.ics", login, ...length), text)), "412");
  const chunked = event("chunks", ...start);
  assert.equal(
    status(
      await wire(
        ports.http,
        head("c.ics", login, "Transfer-Encoding: chunked", "Expect: 100-continue"),
        `${(10).toString(16)}\r\n${chunked.slice(0, 10)}\r\n` +
          `${(chunked.length - 10).toString(16)}\r\n${chunked.slice(10)}\r\n0\r\n\r\n`,
      ),
    ),
    "201",
  );
  assert.equal((await ann.send("GET", `${cal}c.ics`)).text, chunked);
});

test("bodies in UTF-16 and with a byte order mark are read; encoded ones are refused by name", async ({ ann }) => {
  const body = `<D:propfind ${ns}><D:prop><D:resourcetype/></D:prop></D:propfind>`;
  const utf16 = new Uint8Array(
    Uint16Array.from([..."\ufeff" + body].map((c) => c.charCodeAt(0))).buffer,
  );
  for (const form of [utf16, `\ufeff${body}`]) {
    const a = await ann.send("PROPFIND", cal, form, { Depth: "0" });
    assert.equal(a.status, 207);
    assert.ok(responses(a)[0].found.has("{DAV:}resourcetype"));
  }
  const zipped = new Uint8Array(
    await new Response(
      new Blob([body]).stream().pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer(),
  );
  const no = await ann.send("PROPFIND", cal, zipped, { "Content-Encoding": "gzip" });
  assert.equal(no.status, 415);
  assert.equal(no.headers.get("accept-encoding"), "identity");
  const put = await ann.send("PUT", `${cal}z.ics`, zipped, {
    "Content-Encoding": "gzip",
    "Content-Type": "text/calendar",
  });
  assert.equal(put.status, 415);
  assert.equal((await ann.send("GET", `${cal}z.ics`)).status, 404);
});

test("an address is found in each form that programs write it in, and comes back as the server's own", async ({ ann, origin }) => {
  const name = "{3F2504E0-4F89}@host ü.ics";
  const put = await ann.put(`${cal}${encodeURIComponent(name)}`, event("odd", ...start));
  assert.equal(put.status, 201);
  const own = `/dav/${cal}%7B3F2504E0-4F89%7D@host%20%C3%BC.ics`;
  for (
    const href of [
      own,
      `/dav/${cal}{3F2504E0-4F89}@host%20%c3%bc.ics`,
      `${origin}/dav/${cal}%7b3F2504E0-4F89%7d%40host%20%C3%BC.ics`,
    ]
  ) {
    const found = await ann.report(
      cal,
      `<C:calendar-multiget ${ns}><D:prop><D:getetag/></D:prop><D:href>${href}</D:href></C:calendar-multiget>`,
    );
    assert.deepEqual(found.map((r) => [r.href, r.found.size]), [[own, 1]], href);
  }
  const gone = await ann.send("DELETE", own);
  assert.equal(gone.status, 204);
});

test("two dozen requests at a time are one login, not as many guesses", async ({ ann }) => {
  const paths = Array.from({ length: 24 }, (_, i) => `${cal}many-${i}.ics`);
  const all = (method: string) =>
    Promise.all(
      paths.map(async (path, i) =>
        (method === "PUT"
          ? await ann.put(path, event(`many-${i}`, ...start))
          : await ann.send(method, path)).status
      ),
    );
  assert.deepEqual(new Set(await all("PUT")), new Set([201]));
  assert.deepEqual(new Set(await all("GET")), new Set([200]));
  assert.deepEqual(new Set(await all("DELETE")), new Set([204]));
});

test("programs that are given nothing but the host's name find the user by /", async ({ ann, origin }) => {
  const ask = `<D:propfind ${ns}><D:prop><D:current-user-principal/></D:prop></D:propfind>`;
  const [root] = responses(await ann.send("PROPFIND", `${origin}/`, ask, { Depth: "0" }));
  assert.equal(root.href, "/");
  assert.equal(textOf(root.found.get("{DAV:}current-user-principal")!), "/dav/principals/ann/");
  const all = responses(await ann.send("PROPFIND", `${origin}/`, ask, { Depth: "1" }));
  assert.ok(all.some((r) => r.href === "/dav/calendars/"));
  assert.equal((await ann.send("GET", `${origin}/`)).status, 404);
  const stranger = await fetch(`${origin}/`, { method: "PROPFIND" });
  assert.equal(stranger.status, 401);
  await stranger.body?.cancel();
});

test("conditions by time, and a subscription that is up to date", async ({ ann }) => {
  const path = `${cal}time.ics`;
  assert.equal((await ann.put(path, event("time", ...start))).status, 201);
  const got = await ann.send("GET", path);
  const at = got.headers.get("last-modified")!;
  const before = new Date(Date.parse(at) - 5000).toUTCString();
  const etag = got.headers.get("etag")!;
  const get = async (headers: Record<string, string>) =>
    (await ann.send("GET", path, undefined, headers)).status;
  assert.equal(await get({ "If-Modified-Since": at }), 304);
  assert.equal(await get({ "If-Modified-Since": before }), 200);
  assert.equal(await get({ "If-Modified-Since": "yesterday" }), 200);
  // An etag says more than a time.
  assert.equal(await get({ "If-Modified-Since": at, "If-None-Match": '"other"' }), 200);
  assert.equal(await get({ "If-Unmodified-Since": before }), 412);
  assert.equal(await get({ "If-Unmodified-Since": before, "If-Match": etag }), 200);
  for (const method of ["DELETE", "PUT"]) {
    const body = method === "PUT" ? event("time", ...start, "SUMMARY:x") : undefined;
    const a = await ann.send(method, path, body, { "If-Unmodified-Since": before });
    assert.equal(a.status, 412, method);
  }
  assert.equal(
    (await ann.send("DELETE", path, undefined, { "If-Unmodified-Since": at })).status,
    204,
  );

  const whole = await ann.send("GET", cal);
  const tag = { "If-None-Match": whole.headers.get("etag")! };
  assert.equal((await ann.send("GET", cal, undefined, tag)).status, 304);
  assert.equal((await ann.put(path, event("time", ...start))).status, 201);
  assert.equal((await ann.send("GET", cal, undefined, tag)).status, 200);
});
