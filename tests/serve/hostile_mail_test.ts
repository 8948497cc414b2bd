/**
 * Mail and DNS that mean ill, over real connections: each has an outcome that is written down here, within
 * the lookups and the time of src/senderauth/limits.ts; and the server takes a good message afterwards.
 */
import assert from "node:assert/strict";
import process from "node:process";
import type { Zone } from "../../src/dns/mod.ts";
import { MAX_HEADER_CPU_MS, MAX_LOOKUPS } from "../../src/senderauth/limits.ts";
import { mail, startReceiver } from "./receiver.ts";

const signature = (i: number) =>
  `DKIM-Signature: v=1; a=rsa-sha256; d=d${i}.example; s=s; h=from; bh=${"A".repeat(43)}=; b=${
    "A".repeat(172)
  }\n`;

function nested(depth: number): string {
  let text = "From: joe@sender.example\nMIME-Version: 1.0\n";
  for (let i = 0; i < depth; i++) {
    text += `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`;
  }
  return `${text}Content-Type: text/plain\n\nhello\n`;
}

interface Case {
  name: string;
  text: string;
  /** Bytes as they are, not as UTF-8. */
  zone?: Zone;
  from?: string;
  ehlo?: string;
  /** SMTP codes of which one is right: delivered or refused for good, and 4xx where it may change. */
  codes: number[];
  sign?: string;
}

const cases: Case[] = [
  {
    name: "1,000 signatures",
    text: Array.from({ length: 1000 }, (_, i) => signature(i)).join("") + mail(),
    codes: [250],
  },
  {
    name: "10,000 header fields",
    text: Array.from({ length: 9_900 }, (_, i) => `X-Field-${i}: ${i}\n`).join("") + mail(),
    codes: [250, 552],
  },
  { name: "MIME nested 1,000 deep", text: nested(1000), codes: [250] },
  { name: "no header", text: "\njust a body\n", codes: [250, 550, 451] },
  { name: "no body", text: "From: joe@sender.example\nSubject: nothing\n", codes: [250] },
  { name: "nothing at all", text: "", codes: [250, 550, 451, 554] },
  {
    name: "8-bit header",
    text: "From: \u00e9t\u00e9 <joe@sender.example>\nSubject: gr\u00fc\u00dfe\n\nhello\n",
    codes: [250, 554],
  },
  { name: "two From fields", text: `From: a@one.example\n${mail()}`, codes: [250, 550, 451] },
  {
    name: "References of 100,000 ids",
    text: `References: ${"<a@example.org>\n ".repeat(20_000)}\n${mail()}`,
    codes: [250, 552],
  },
  {
    name: "DNS that times out for SPF, and for DMARC",
    from: "joe@slow.example",
    text: mail({ from: "joe@slow.example" }),
    zone: { "slow.example": { fail: "timeout" }, "_dmarc.slow.example": { fail: "timeout" } },
    codes: [451],
  },
  {
    name: "SERVFAIL for DMARC",
    from: "joe@broken.example",
    text: mail({ from: "joe@broken.example" }),
    zone: {
      "broken.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] },
      "_dmarc.broken.example": { fail: "servfail" },
    },
    codes: [451],
  },
  {
    name: "SPF that includes itself",
    from: "joe@loop.example",
    text: mail({ from: "joe@loop.example" }),
    zone: { "loop.example": { TXT: ["v=spf1 include:loop.example -all"] } },
    codes: [451, 250],
  },
  {
    name: "an SPF record of 64 KB",
    from: "joe@huge.example",
    text: mail({ from: "joe@huge.example" }),
    zone: { "huge.example": { TXT: [`v=spf1 ${"ip4:192.0.2.1 ".repeat(4600)}-all`] } },
    codes: [451, 250],
  },
  {
    name: "several DMARC records, and one that lies about its tags",
    from: "joe@lies.example",
    text: mail({ from: "joe@lies.example" }),
    zone: {
      "lies.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] },
      "_dmarc.lies.example": {
        TXT: ["v=DMARC1; p=reject", "v=DMARC1; p=none; pct=900; rua=mailto:"],
      },
    },
    codes: [250, 451],
  },
  {
    name: "a reverse name that points to 1,000 names",
    text: mail(),
    zone: {
      "1.0.0.127.in-addr.arpa": { PTR: Array.from({ length: 1000 }, (_, i) => `h${i}.example.`) },
    },
    codes: [250],
  },
];

Deno.test("hostile mail and DNS: each has its outcome, within bounds, and the next mail is taken", async (t) => {
  // Time of a good message on this machine: what others take is compared with it.
  for (const c of cases) {
    await t.step(c.name, async () => {
      await using r = await startReceiver({ zone: c.zone });
      const before = r.resolver.queries.length;
      const cpu = process.cpuUsage();
      const reply = await r.send({ text: c.text, from: c.from, ehlo: c.ehlo });
      const used = process.cpuUsage(cpu);
      const lookups = r.resolver.queries.length - before;
      assert.ok(c.codes.includes(reply.code), `${reply.code} ${reply.lines.join(" ")}`);
      assert.ok(lookups <= MAX_LOOKUPS, `${lookups} lookups`);
      // Client and server of the test are one process, and other tests run beside: three times the bound.
      const ms = (used.user + used.system) / 1000;
      assert.ok(ms < 3 * MAX_HEADER_CPU_MS + 2000, `${ms} ms of processor`);
      const next = await r.send({ text: mail(), sign: "sender.example" });
      // A name of the IP address that leads nowhere is no reason without anything in the content.
      assert.equal(next.code, 250);
    });
  }
});
