import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DnsError, type DnsErrorKind, lookupAddresses, makeResolver } from "../../src/dns/mod.ts";
import { fakeServer, type Handler } from "./fake_server.ts";

async function failure(promise: Promise<unknown>): Promise<DnsError> {
  try {
    await promise;
  } catch (err) {
    assert(err instanceof DnsError, String(err));
    return err;
  }
  throw new assert.AssertionError({ message: "lookup gave an answer" });
}

async function failsWith(kind: DnsErrorKind, handler: Handler, timeoutMs = 1000) {
  using fake = await fakeServer(handler);
  const resolver = makeResolver({ servers: [fake.server], timeoutMs, rounds: 1 });
  const err = await failure(resolver.lookup("example.com", "A"));
  assert.equal(err.kind, kind);
  return err;
}

const soa = {
  type: "SOA" as const,
  name: "example.com",
  ttl: 100,
  data: { mname: "ns.example.com", rname: "x.example.com", minimum: 60 },
};

Deno.test("each record type has its typed form", async () => {
  const big = "k".repeat(255);
  using fake = await fakeServer((name, type) => {
    const data: Record<string, unknown> = {
      A: "192.0.2.1",
      AAAA: "2001:DB8:0:0:0:0:0:1",
      MX: { preference: 10, exchange: "MX.example.com" },
      NS: "ns.example.com",
      PTR: "Host.Example.com",
      TXT: [Buffer.from(big), Buffer.from("tail")],
      SRV: { priority: 1, weight: 2, port: 993, target: "IMAP.example.com" },
      TLSA: { usage: 3, selector: 1, matchingType: 1, certificate: Buffer.from("0102", "hex") },
    };
    return { answers: [{ name, type, ttl: 300, data: data[type] } as never], ad: true };
  });
  const r = makeResolver({ servers: [fake.server] });
  const first = async (type: "A" | "AAAA" | "MX" | "NS" | "PTR" | "SRV" | "TXT" | "TLSA") =>
    (await r.lookup("Example.COM.", type)).records[0];
  assert.equal(await first("A"), "192.0.2.1");
  assert.equal(await first("AAAA"), "2001:db8::1");
  assert.deepEqual(await first("MX"), { preference: 10, exchange: "mx.example.com" });
  assert.equal(await first("NS"), "ns.example.com");
  assert.equal(await first("PTR"), "host.example.com");
  assert.equal(await first("TXT"), big + "tail");
  const service = { priority: 1, weight: 2, port: 993, target: "imap.example.com" };
  assert.deepEqual(await first("SRV"), service);
  assert.deepEqual(await first("TLSA"), {
    usage: 3,
    selector: 1,
    matchingType: 1,
    data: new Uint8Array([1, 2]),
  });
  const answer = await r.lookup("example.com", "A");
  assert.equal(answer.authenticated, true);
  assert.equal(answer.name, "example.com");
  assert.equal(answer.ttl, 300);
});

Deno.test("the null MX is an MX with an empty exchange", async () => {
  using fake = await fakeServer((name) => ({
    answers: [{ name, type: "MX", ttl: 1, data: { preference: 0, exchange: "." } }],
  }));
  const r = makeResolver({ servers: [fake.server] });
  assert.deepEqual((await r.lookup("example.com", "MX")).records, [{
    preference: 0,
    exchange: "",
  }]);
});

Deno.test("the authenticated flag counts only from a trusted resolver", async () => {
  using fake = await fakeServer((name) => ({
    answers: [{ name, type: "A", ttl: 1, data: "192.0.2.1" }],
    ad: true,
  }));
  const trusted = makeResolver({ servers: [fake.server] });
  const other = makeResolver({ servers: [{ ...fake.server, trusted: false }] });
  assert.equal((await trusted.lookup("example.com", "A")).authenticated, true);
  assert.equal((await other.lookup("example.com", "A")).authenticated, false);
});

Deno.test("a denial is authenticated too", async () => {
  const err = await failsWith("nxdomain", () => ({ rcode: 3, authorities: [soa], ad: true }));
  assert.equal(err.authenticated, true);
  assert.equal(err.temporary, false);
  assert.equal(err.ttl, 60);
});

Deno.test("failures have their kinds", async () => {
  assert.equal((await failsWith("nodata", () => ({ authorities: [soa] }))).temporary, false);
  assert.equal((await failsWith("servfail", () => ({ rcode: 2 }))).temporary, true);
  await failsWith("servfail", () => ({ rcode: 5 }));
  await failsWith("timeout", () => undefined, 30);
  await failsWith("malformed", () => ({ mangle: (b) => b.subarray(0, b.length - 3) }));
  const err = await failsWith("bogus", () => ({
    rcode: 2,
    additionals: [{
      type: "OPT",
      name: ".",
      udpPayloadSize: 1232,
      flags: 0,
      options: [{ code: 15, data: Buffer.from([0, 6]) }],
    } as never],
  }));
  assert.equal(err.temporary, true);
});

Deno.test("no name server at all fails at once with a temporary error", async () => {
  const err = await failure(makeResolver({ servers: [] }).lookup("example.com", "A"));
  assert.equal(err.kind, "noserver");
  assert.equal(err.temporary, true);
});

Deno.test("a name that can't be asked for is refused without a question", async () => {
  using fake = await fakeServer(() => ({}));
  const r = makeResolver({ servers: [fake.server] });
  for (
    const name of ["", ".", "a..b", "a\tb.c", "x".repeat(64) + ".org", "ab.".repeat(90) + "org"]
  ) {
    const err = await failure(r.lookup(name, "A"));
    assert.equal(err.kind, "badname", name);
    assert.equal(err.temporary, false);
  }
  assert.deepEqual(fake.log, []);
});

Deno.test("internationalised names are asked for as A-labels", async () => {
  using fake = await fakeServer((name) => ({
    answers: [{ name, type: "A", ttl: 1, data: "192.0.2.1" }],
  }));
  const r = makeResolver({ servers: [fake.server] });
  await r.lookup("_dmarc.Bücher.example", "A");
  assert.deepEqual(fake.log, ["udp A _dmarc.xn--bcher-kva.example"]);
});

Deno.test("an answer cut over UDP is asked for over TCP", async () => {
  using fake = await fakeServer((name) => ({
    truncated: true,
    answers: Array.from({ length: 500 }, (_, i) => ({
      name,
      type: "A" as const,
      ttl: 1,
      data: `192.0.${i >> 8}.${i & 255}`,
    })),
  }));
  const r = makeResolver({ servers: [fake.server] });
  assert.equal((await r.lookup("example.com", "A")).records.length, 500);
  assert.deepEqual(fake.log, ["udp A example.com", "tcp A example.com"]);
});

Deno.test("a cut answer without TCP is truncated", async () => {
  await failsWith(
    "truncated",
    (_n, _t, transport) => transport === "udp" ? { truncated: true } : undefined,
  );
});

Deno.test("forged datagrams are passed over", async () => {
  using fake = await fakeServer((name) => ({
    answers: [{ name, type: "A", ttl: 1, data: "192.0.2.1" }],
    before: (right) => {
      const wrongId = Uint8Array.from(right);
      wrongId[0] ^= 0xff;
      const wrongName = Uint8Array.from(right);
      wrongName[14] ^= 1;
      const query = Uint8Array.from(right);
      query[2] &= 0x7f;
      return [wrongId, wrongName, query, new Uint8Array(3)];
    },
  }));
  const r = makeResolver({ servers: [fake.server] });
  assert.deepEqual((await r.lookup("example.com", "A")).records, ["192.0.2.1"]);
});

Deno.test("records of other names, types and forms in an answer are not taken", async () => {
  using fake = await fakeServer((name) => ({
    answers: [
      { name: "other.example", type: "A", ttl: 1, data: "192.0.2.66" },
      { name, type: "TXT", ttl: 1, data: "192.0.2.66" },
      { name, type: "A", ttl: 1, data: "192.0.2.1" },
    ],
  }));
  const r = makeResolver({ servers: [fake.server] });
  assert.deepEqual((await r.lookup("example.com", "A")).records, ["192.0.2.1"]);
});

Deno.test("CNAMEs are followed within an answer and, if it stops, by another question", async () => {
  using fake = await fakeServer((name) =>
    name === "c.example"
      ? { answers: [{ name, type: "A", ttl: 5, data: "192.0.2.3" }], ad: false }
      : {
        answers: [
          { name: "b.example", type: "CNAME", ttl: 9, data: "c.example" },
          { name: "a.example", type: "CNAME", ttl: 9, data: "b.example" },
        ],
        ad: true,
      }
  );
  const answer = await makeResolver({ servers: [fake.server] }).lookup("a.example", "A");
  assert.deepEqual(answer.cnames, ["b.example", "c.example"]);
  assert.deepEqual(answer.records, ["192.0.2.3"]);
  assert.equal(answer.ttl, 5);
  assert.equal(answer.authenticated, false, "one step was not authenticated");
  assert.deepEqual(fake.log, ["udp A a.example", "udp A c.example"]);
});

Deno.test("CNAME loops and endless chains end", async () => {
  await failsWith("malformed", (name) => ({
    answers: [
      { name, type: "CNAME", ttl: 1, data: "x.example" },
      { name: "x.example", type: "CNAME", ttl: 1, data: name },
    ],
  }));
  let n = 0;
  using fake = await fakeServer((name) => ({
    answers: [{ name, type: "CNAME", ttl: 1, data: `n${n++}.example` }],
  }));
  const err = await failure(makeResolver({ servers: [fake.server] }).lookup("a.example", "A"));
  assert.equal(err.kind, "malformed");
  assert.equal(fake.log.length, 9);
});

Deno.test("the next server is asked if one is silent or fails", async () => {
  using silent = await fakeServer(() => undefined);
  using broken = await fakeServer(() => ({ rcode: 2 }));
  using good = await fakeServer((name) => ({
    answers: [{ name, type: "A", ttl: 1, data: "192.0.2.1" }],
  }));
  const r = makeResolver({
    servers: [silent.server, broken.server, good.server],
    timeoutMs: 250,
  });
  assert.deepEqual((await r.lookup("example.com", "A")).records, ["192.0.2.1"]);
  assert.equal(silent.log.length + broken.log.length, 2);
});

Deno.test("silence is asked again, longer", async () => {
  let asked = 0;
  using fake = await fakeServer((name) =>
    ++asked === 1 ? undefined : { answers: [{ name, type: "A", ttl: 1, data: "192.0.2.1" }] }
  );
  const r = makeResolver({ servers: [fake.server], timeoutMs: 250, rounds: 3 });
  assert.deepEqual((await r.lookup("example.com", "A")).records, ["192.0.2.1"]);
  assert.equal(asked, 2);
});

Deno.test("answers and denials are kept for their time", async () => {
  let now = 1_000_000;
  using fake = await fakeServer((name) =>
    name === "no.example" ? { rcode: 3, authorities: [soa] } : {
      answers: [{ name, type: "A", ttl: 10, data: "192.0.2.1" }],
    }
  );
  const r = makeResolver({ servers: [fake.server], now: () => now });
  const askBoth = async () => {
    await r.lookup("Yes.example", "A");
    await failure(r.lookup("no.example", "A"));
  };
  await askBoth();
  await askBoth();
  assert.equal(fake.log.length, 2);
  now += 11_000;
  await askBoth();
  assert.equal(fake.log.length, 3, "the answer is asked for again, the denial is still good");
  now += 61_000;
  await askBoth();
  assert.equal(fake.log.length, 5);
});

Deno.test("the cache is bounded", async () => {
  using fake = await fakeServer((name) => ({
    answers: [{ name, type: "A", ttl: 1000, data: "192.0.2.1" }],
  }));
  const r = makeResolver({ servers: [fake.server], maxCacheEntries: 2 });
  for (const name of ["a.example", "b.example", "a.example", "c.example", "a.example"]) {
    await r.lookup(name, "A");
  }
  assert.equal(fake.log.length, 3, "the one used last stays");
  await r.lookup("b.example", "A");
  assert.equal(fake.log.length, 4, "the one used least was dropped");
});

Deno.test("the same question asked at the same time is sent once", async () => {
  using fake = await fakeServer((name) => ({
    answers: [{ name, type: "A", ttl: 0, data: "192.0.2.1" }],
  }));
  const r = makeResolver({ servers: [fake.server] });
  await Promise.all(Array.from({ length: 20 }, () => r.lookup("example.com", "A")));
  assert.equal(fake.log.length, 1);
  await r.lookup("example.com", "A");
  assert.equal(fake.log.length, 2, "an answer with TTL 0 is not kept");
});

Deno.test("a caller's signal ends its wait, not that of others", async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => release = resolve);
  let asked = 0;
  using fake = await fakeServer((name) =>
    ++asked === 1 ? undefined : { answers: [{ name, type: "A", ttl: 1, data: "192.0.2.1" }] }
  );
  const r = makeResolver({ servers: [fake.server], timeoutMs: 200, rounds: 2 });
  const controller = new AbortController();
  const one = failure(r.lookup("example.com", "A", { signal: controller.signal }));
  const other = r.lookup("example.com", "A").finally(release);
  controller.abort();
  assert.equal((await one).kind, "timeout");
  assert.deepEqual((await other).records, ["192.0.2.1"]);
  await held;
});

Deno.test("addresses of both families together, and what a failing family means", async () => {
  using fake = await fakeServer((name, type) => {
    if (name === "v4.example") {
      return type === "A"
        ? { answers: [{ name, type, ttl: 1, data: "192.0.2.1" }], ad: true }
        : { authorities: [soa], ad: true };
    }
    return type === "A" ? { rcode: 3, authorities: [soa] } : { rcode: 2 };
  });
  const r = makeResolver({ servers: [fake.server] });
  assert.deepEqual(await lookupAddresses(r, "v4.example"), {
    addresses: ["192.0.2.1"],
    authenticated: true,
    canonicalName: "v4.example",
  });
  assert.equal((await failure(lookupAddresses(r, "half.example"))).temporary, true);
});

Deno.test("garbage from the server never ends in anything but a DnsError", async () => {
  let seed = 1;
  const random = () => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
  using fake = await fakeServer((name) => ({
    answers: [{ name, type: "A", ttl: 1, data: "192.0.2.1" }],
    mangle: (bytes) => {
      const b = Uint8Array.from(bytes).slice(0, 12 + Math.floor(random() * (bytes.length - 11)));
      for (let i = 0; i < 4; i++) b[2 + Math.floor(random() * (b.length - 2))] = random() * 256;
      return b;
    },
  }));
  const r = makeResolver({ servers: [fake.server], timeoutMs: 5, rounds: 1, failureTtl: 0 });
  let failed = 0;
  for (let i = 0; i < 200; i++) {
    try {
      await r.lookup(`n${i}.example`, "A");
    } catch (err) {
      assert(err instanceof DnsError);
      failed++;
    }
  }
  assert(failed > 0);
});
