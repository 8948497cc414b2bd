/** Large bodies: of a user only a few are read at a time; small ones and other users don't wait for them. */
import assert from "node:assert/strict";
import { Bodies } from "../../src/dav/request/bodies.ts";
import type { WebRequest } from "../../src/web/http/mod.ts";
import { card, withDav } from "./world.ts";

/** A request whose body ends when it is told to. */
function request(length: string | undefined, signal: AbortSignal) {
  const end = Promise.withResolvers<Uint8Array>();
  let asked = false;
  const req = {
    headers: new Headers(length === undefined ? {} : { "content-length": length }),
    hasBody: true,
    signal,
    body: () => {
      asked = true;
      return end.promise;
    },
  } as unknown as WebRequest;
  return { req, asked: () => asked, end: () => end.resolve(new Uint8Array(1)) };
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("four large bodies of a user are read at a time, in order; small ones and those of others at once", async () => {
  const bodies = new Bodies();
  const gone = new AbortController();
  const lasting = new AbortController().signal;
  const large = [
    ...["2000000", undefined, "10000000", "1048577"].map((length) => request(length, lasting)),
    request("2000000", gone.signal),
    request(undefined, lasting),
  ];
  const read = large.map((r) => bodies.inTurn(r.req, "ann").body(10_000_000));
  const small = request("1048576", lasting);
  const smallRead = bodies.inTurn(small.req, "ann").body(10_000_000);
  const other = request("2000000", lasting);
  const otherRead = bodies.inTurn(other.req, "bob").body(10_000_000);
  await turn();
  assert.deepEqual(large.map((r) => r.asked()), [true, true, true, true, false, false]);
  assert.ok(small.asked() && other.asked());

  // Who has gone while waiting is passed over.
  gone.abort(new Error("gone"));
  await assert.rejects(read[4], /gone/);
  large[1].end();
  await read[1];
  await turn();
  assert.deepEqual(large.map((r) => r.asked()), [true, true, true, true, false, true]);
  for (const r of [...large, small, other]) r.end();
  await Promise.all([...read.filter((_, i) => i !== 4), smallRead, otherRead]);
});

Deno.test("uploads that never become whole hold up neither small ones nor others, and large ones only while they last", () =>
  withDav(async ({ ann, bob, ports }) => {
    const note = `NOTE:${"x".repeat(1_200_000)}`;
    const endless = await Promise.all(Array.from({ length: 6 }, async (_, i) => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: ports.http });
      const head =
        `PUT /dav/addressbooks/ann/default/endless${i}.vcf HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
        `Authorization: Basic ${
          btoa(`${ann.login}:${ann.secret}`)
        }\r\nContent-Type: text/vcard\r\n` +
        `Content-Length: 3000000\r\n\r\n`;
      await conn.write(new TextEncoder().encode(head + "x".repeat(10_000)));
      return conn;
    }));
    try {
      const own = await ann.put(
        "/dav/addressbooks/ann/default/small.vcf",
        card("small", "FN:Small"),
      );
      assert.equal(own.status, 201, own.text);
      const others = await bob.put(
        "/dav/addressbooks/bob/default/large.vcf",
        card("large", "FN:Large", note),
      );
      assert.equal(others.status, 201, others.text);
      const waiting = ann.put(
        "/dav/addressbooks/ann/default/large.vcf",
        card("large", "FN:Large", note),
      );
      for (const conn of endless.splice(0)) conn.close();
      const stored = await waiting;
      assert.equal(stored.status, 201, stored.text);
    } finally {
      for (const conn of endless) conn.close();
    }
  }));
