/** Hostile messages and zones: a defined outcome, within the lookups and time of limits.ts. @module */
import assert from "node:assert/strict";
import {
  type DnsAnswer,
  DnsError,
  type RecordType,
  type Resolver,
  scriptedResolver,
} from "../../src/dns/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { authenticate, bytesSource, checkSpf, type SenderAuth } from "../../src/senderauth/mod.ts";
import {
  LOOKUP_LIMITS,
  MAX_BODY_CPU_MS_PER_MIB,
  MAX_HEADER_CPU_MS,
  MAX_LOOKUPS,
} from "../../src/senderauth/limits.ts";
import { message, parts, rsaPublic } from "./messages.ts";

async function check(
  bytes: Uint8Array,
  resolver: Resolver,
): Promise<{ auth: SenderAuth; cpuMs: number }> {
  const before = performance.now();
  const auth = await authenticate({
    ...parts(bytes),
    remoteIp: "192.0.2.1",
    ehlo: "mx.example",
    mailFrom: "a@evil.example",
    resolver,
    log: new Log("test"),
    hostname: "receiver.example",
    now: new Date(),
    dmarcMethod: "treewalk",
  });
  return { auth, cpuMs: performance.now() - before };
}

/** Answers every question as an attacker would to cause most lookups; counts them. */
function hostileResolver(): Resolver & { count: number } {
  const resolver = {
    count: 0,
    lookup<K extends RecordType>(name: string, type: K): Promise<DnsAnswer<K>> {
      const n = ++resolver.count;
      const many = (make: (i: number) => unknown) => Array.from({ length: 10 }, (_, i) => make(i));
      let records: unknown[] = [];
      if (type === "TXT" && name.includes("_domainkey")) records = [rsaPublic];
      else if (type === "TXT" && name.startsWith("_dmarc.")) records = ["v=DMARC1; p=reject"];
      else if (type === "TXT") records = ["v=spf1 " + "mx:%{i}.evil.example ".repeat(12) + "-all"];
      else if (type === "MX") {
        records = many((i) => ({ preference: i, exchange: `m${n}-${i}.evil.example` }));
      } else if (type === "A") records = ["198.51.100.1"];
      else if (type === "PTR") records = many((i) => `p${i}.evil.example`);
      if (records.length === 0) return Promise.reject(new DnsError("nodata", name, type));
      const answer = { name, type, records, authenticated: false, ttl: 0, cnames: [] };
      return Promise.resolve(answer as unknown as DnsAnswer<K>);
    },
  };
  return resolver;
}

/** A seal with set of the instance: well formed, and wrong. */
function arcSet(i: number): string {
  const b = "A".repeat(172);
  return `ARC-Seal: i=${i}; a=rsa-sha256; cv=${
    i === 1 ? "none" : "pass"
  }; d=d${i}.evil.example; s=s; b=${b}
ARC-Message-Signature: i=${i}; a=rsa-sha256; c=relaxed/relaxed; d=d${i}.evil.example; s=s; h=from; bh=${
    "A".repeat(43)
  }=; b=${b}
ARC-Authentication-Results: i=${i}; x; none
`;
}

const signature = (i: number, extra = "") =>
  `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d${i}.evil.example; s=s; ${extra}h=from:subject;
 bh=${"A".repeat(43)}=; b=${"A".repeat(172)}
`;

Deno.test("a message with all kinds of signatures stays within its lookups", async () => {
  let text = "From: a@a.b.c.d.e.f.g.h.evil.example\n";
  for (let i = 1; i <= 1000; i++) text += signature(i);
  for (let i = 1; i <= 50; i++) text += arcSet(i);
  const resolver = hostileResolver();
  const { auth, cpuMs } = await check(message(text + "\nhello\n"), resolver);
  assert(resolver.count <= MAX_LOOKUPS, `${resolver.count} lookups`);
  assert(MAX_LOOKUPS <= 250);
  assert(cpuMs < MAX_HEADER_CPU_MS, `${cpuMs} ms`);
  assert.equal(auth.dkim.length, 10);
  assert.equal(auth.spf.result, "permerror");
  assert.equal(auth.arc.result, "fail");
  assert.equal(auth.dmarc.result, "fail");
});

Deno.test("an SPF record with most lookups ends as permerror within them", async () => {
  const resolver = hostileResolver();
  const outcome = await checkSpf({
    ip: "192.0.2.1",
    helo: "x.example",
    mailFrom: "a@evil.example",
    resolver,
    hostname: "receiver.example",
    now: new Date(),
  });
  assert.equal(outcome.result, "permerror");
  // 1 record, 10 mx and their 100 hosts: what RFC 7208 itself allows, without our budget.
  assert(resolver.count <= 111);
  assert(LOOKUP_LIMITS.spf <= 111);
});

Deno.test("hostile headers stay within their time", async () => {
  const resolver = scriptedResolver({});
  const cases: [string, string][] = [
    ["10,000 fields", "From: a@evil.example\n" + "Received: x\n".repeat(9_990) + signature(1)],
    ["100,000 fields", "From: a@evil.example\n" + "Received: x\n".repeat(100_000)],
    [
      "1,000 signatures of many names",
      (`${signature(1).replace("h=from", `h=${"x:".repeat(900)}from`)}`).repeat(1000),
    ],
    ["a field of 4 MB", "From: a@evil.example\nSubject: " + "x \t".repeat(1_400_000) + "\n"],
    ["a folded field of 100,000 lines", "From: a@evil.example\nX: x\n" + " y\n".repeat(100_000)],
    ["nested comments in From", "From: " + "(".repeat(60_000) + "\n"],
    ["many addresses in From", "From: " + "a@evil.example, ".repeat(4_000) + "\n"],
    ["nothing but colons", ":\n".repeat(200_000)],
    ["no line end", "x".repeat(1_000_000)],
    ["semicolons", "DKIM-Signature: " + ";".repeat(16_000) + "\n"],
    ["ARC without end", Array.from({ length: 500 }, (_, i) => arcSet(i % 50 + 1)).join("")],
  ];
  for (const [name, header] of cases) {
    const { auth, cpuMs } = await check(message(header + "\nbody\n"), resolver);
    assert(cpuMs < MAX_HEADER_CPU_MS, `${name}: ${cpuMs} ms`);
    assert.notEqual(auth.dmarc.result, "pass", name);
  }
});

Deno.test("a header with more fields than are looked at has no valid signature", async () => {
  const { auth } = await check(
    message(signature(1) + "From: a@evil.example\n" + "Received: x\n".repeat(10_001) + "\n"),
    hostileResolver(),
  );
  assert.equal(auth.dkim[0].status, "permerror");
});

Deno.test("bodies stay within their time, whatever number of hashes is wanted", async () => {
  let header = "From: a@evil.example\n";
  for (let i = 1; i <= 10; i++) header += signature(i, `l=${i * 100_000}; `);
  header += signature(11).replace("relaxed/relaxed", "simple/simple");
  const mib = 8;
  const bytes = message(header + "\n" + "a \t b\n".repeat(mib * 1024 * 1024 / 7));
  const { cpuMs } = await check(bytes, hostileResolver());
  const limit = MAX_HEADER_CPU_MS + mib * MAX_BODY_CPU_MS_PER_MIB;
  assert(cpuMs < limit, `${cpuMs} ms`);
});

Deno.test("messages without header, body or anything have their results", async () => {
  const resolver = scriptedResolver({});
  for (const text of ["", "\n", "\nbody\n", "From: a@evil.example", "From: a@evil.example\n\n"]) {
    const { auth } = await check(message(text), resolver);
    assert.deepEqual(auth.dkim, []);
    assert.equal(auth.arc.result, "none");
    assert.equal(auth.dmarc.result, text.startsWith("From") ? "none" : "permerror", text);
  }
});

Deno.test("a message that can't be read is an error of the call, not of the process", async () => {
  const header = message(signature(1) + "From: a@evil.example\n\n");
  await assert.rejects(
    authenticate({
      headerBytes: header,
      message: { size: 1e6, read: () => Promise.reject(new Error("disk")) },
      remoteIp: "192.0.2.1",
      ehlo: "x.example",
      mailFrom: "",
      resolver: scriptedResolver({}),
      log: new Log("test"),
      hostname: "receiver.example",
      now: new Date(),
    }),
    /disk/,
  );
});

Deno.test("all lookups failing is temporary everywhere, none is a fail", async () => {
  for (const kind of ["servfail", "timeout", "bogus", "truncated", "malformed"] as const) {
    const failing: Resolver = {
      lookup: (name, type) => Promise.reject(new DnsError(kind, name, type)),
    };
    const { auth } = await check(
      message(signature(1) + arcSet(1) + "From: a@evil.example\n\nx\n"),
      failing,
    );
    assert.equal(auth.spf.result, "temperror");
    assert.equal(auth.spf.authenticated, false, "DNSSEC vouches for no answer");
    assert.equal(auth.dkim[0].status, "temperror");
    assert.equal(auth.dmarc.result, "temperror");
    assert.equal(auth.iprev.result, "temperror");
    assert.equal(auth.arc.temporary, true);
  }
});

Deno.test("a null reverse path is checked by HELO, and counts for DMARC", async () => {
  const resolver = scriptedResolver({
    "mx.example.com": { TXT: ["v=spf1 ip4:192.0.2.1 -all"] },
    "_dmarc.example.com": { TXT: ["v=DMARC1; p=reject"] },
  });
  const bytes = message("From: MAILER-DAEMON@example.com\n\nbounce\n");
  const auth = await authenticate({
    ...parts(bytes),
    message: bytesSource(bytes),
    remoteIp: "192.0.2.1",
    ehlo: "mx.example.com",
    mailFrom: "",
    resolver,
    log: new Log("test"),
    hostname: "receiver.example",
    now: new Date(),
  });
  assert.deepEqual([auth.spf.identity, auth.spf.result], ["helo", "pass"]);
  assert.equal(auth.dmarc.alignedSpf, "mx.example.com");
});
