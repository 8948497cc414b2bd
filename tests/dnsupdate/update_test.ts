/** Writing records by RFC 2136 into BIND and by a webhook; servers that are away, slow, wrong, or lie. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { createServer as httpServer } from "node:http";
import { Config } from "../../src/config/mod.ts";
import {
  recordsThere,
  waitSeen,
  type WriteServices,
  writeZone,
} from "../../src/dnsupdate/provider.ts";
import type { ZoneRecord } from "../../src/dnsupdate/records.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { planDnsWrite, writeDns } from "../../src/admin/mod.ts";
import { outboundTo } from "../support/outbound.ts";
import { lacks } from "../support/programs.ts";
import { secret, startBind } from "./bind.ts";

setLevel("dns", "error");

interface Provider {
  server?: string;
  port?: number;
  key?: string;
  algorithm?: string;
  secret?: string;
  webhook?: string;
}

/** A configuration with a provider for ours.example. */
async function services(p: Provider): Promise<WriteServices & AsyncDisposable> {
  const dir = await Deno.makeTempDir({ prefix: "mox-dns-" });
  await Deno.writeTextFile(`${dir}/dns.key`, `${p.secret ?? secret}\n`);
  await Deno.writeTextFile(`${dir}/token`, "Bearer of the tests\n");
  const way = p.webhook === undefined
    ? `		Update:
			Server: ${p.server ?? "127.0.0.1"}
			Port: ${p.port}
			KeyName: ${p.key ?? "mox"}
			Algorithm: ${p.algorithm ?? "hmac-sha256"}
			KeyFile: dns.key
`
    : `		Webhook:
			URL: ${p.webhook}
			AuthorizationFile: token
`;
  await Deno.writeTextFile(
    `${dir}/mox.conf`,
    `DataDir: data
LogLevel: error
User: 54321
Hostname: mail.ours.example
DNSProviders:
	ours:
		Zones:
			- ours.example
${way}		Timeout: 10s
Listeners:
	public:
		IPs:
			- 127.0.0.1
		NATIPs:
			- 192.0.2.1
		SMTP:
			Enabled: true
			NoSTARTTLS: true
Postmaster:
	Account: ann
	Mailbox: Inbox
`,
  );
  await Deno.writeTextFile(
    `${dir}/domains.conf`,
    `Domains:
	ours.example: nil
	sub.ours.example: nil
Accounts:
	ann:
		Domain: ours.example
		Destinations:
			ann@ours.example: nil
`,
  );
  return {
    config: await Config.load(`${dir}/mox.conf`),
    outbound: outboundTo(),
    log: new Log("dns"),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

const txt = (name: string, data: string): ZoneRecord => ({ name, type: "TXT", data });

Deno.test({
  name:
    "BIND: records are added and removed one by one; what isn't ours stays; what is refused is said",
  ignore: lacks("named"),
  async fn(t) {
    await using bind = await startBind(["ours.example", "other.example"]);
    await using s = await services({ port: bind.port });
    const there = (name: string, type: ZoneRecord["type"]) =>
      recordsThere(bind.resolver(), name, type);

    await t.step("all types that are written", async () => {
      const add: ZoneRecord[] = [
        txt("ours.example", `v=spf1 mx ~all ${"x".repeat(300)}`),
        { name: "ours.example", type: "MX", data: "10 mail.ours.example." },
        { name: "mail.ours.example", type: "A", data: "192.0.2.1" },
        { name: "mail.ours.example", type: "AAAA", data: "2001:db8::1" },
        { name: "_25._tcp.mail.ours.example", type: "TLSA", data: `3 1 1 ${"ab".repeat(32)}` },
        { name: "_imaps._tcp.ours.example", type: "SRV", data: "0 1 993 mail.ours.example." },
        { name: "autoconfig.ours.example", type: "CNAME", data: "mail.ours.example." },
        { name: "ours.example", type: "CAA", data: '0 issue "letsencrypt.org"' },
      ];
      await writeZone(s, "ours.example", { remove: [], add });
      const seen = add.filter((r) => r.type !== "CAA");
      assert.deepEqual(await waitSeen(bind.resolver, { remove: [], add: seen }, 5000), []);
      assert.equal((await there("ours.example", "TXT")).length, 2);
      await writeZone(s, "ours.example", { remove: [add[0]], add: [] });
      assert.deepEqual(await there("ours.example", "TXT"), ["somebody's own"]);
    });

    await t.step("a domain's records: the plan, and what it changes", async () => {
      await writeZone(s, "ours.example", {
        remove: [],
        add: [txt("ours.example", "v=spf1 -all"), {
          name: "ours.example",
          type: "MX",
          data: "5 old.example.",
        }],
      });
      const plan = await planDnsWrite(s.config, "ours.example", bind.resolver());
      // There is no listener for IMAP here, and the record says so.
      assert.deepEqual(plan.remove.map((r) => r.data).sort(), [
        "0 1 993 mail.ours.example.",
        "5 old.example.",
        "v=spf1 -all",
      ]);
      assert.deepEqual(await writeDns(s, plan, bind.resolver), []);
      const again = await planDnsWrite(s.config, "ours.example", bind.resolver());
      assert.deepEqual([again.add, again.remove], [[], []]);
      assert.deepEqual((await there("ours.example", "TXT")).sort(), [
        "somebody's own",
        "v=spf1 mx ~all",
      ]);
    });

    /** What goes wrong, and what is said. */
    const wrong: [string, Provider, RegExp][] = [
      [
        "the secret",
        { secret: Buffer.from("another secret of tests").toString("base64") },
        /BADSIG/,
      ],
      ["the key's name", { key: "unknown" }, /BADKEY/],
      ["the algorithm", { algorithm: "hmac-sha384" }, /BADKEY|BADSIG/],
      ["no secret", { secret: "" }, /expected a secret of 16 bytes/],
      ["nobody listens", { port: 1 }, /connect/],
      ["a name that isn't there", { server: "nowhere.example" }, /nowhere\.example/],
    ];
    for (const [what, p, text] of wrong) {
      await t.step(`wrong: ${what}`, async () => {
        await using bad = await services({ port: bind.port, ...p });
        await assert.rejects(
          writeZone(bad, "ours.example", { remove: [], add: [txt("x.ours.example", "y")] }),
          (err: Error) =>
            err.name === "DnsWriteError" &&
            /DNS provider ours, zone ours\.example/.test(err.message) && text.test(err.message),
        );
      });
    }
    await t.step("another algorithm that BIND knows works", async () => {
      await using long = await services({ port: bind.port, key: "long", algorithm: "hmac-sha512" });
      await writeZone(long, "ours.example", { remove: [], add: [txt("long.ours.example", "y")] });
      assert.deepEqual(await there("long.ours.example", "TXT"), ["y"]);
    });
    await t.step("names of other zones", async () => {
      await assert.rejects(
        writeZone(s, "ours.example", { remove: [], add: [txt("x.other.example", "y")] }),
        /NOTZONE/,
      );
      await assert.rejects(
        writeZone(s, "elsewhere.example", { remove: [], add: [] }),
        /is in no zone of DNSProviders/,
      );
      await assert.rejects(
        writeZone(s, "ours.example", { remove: [], add: [txt("a..ours.example", "y")] }),
        /can't be a name/,
      );
    });
  },
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** Answers that mean nothing good, made of the update that came. */
const lies: [string, (update: Buffer) => Buffer | undefined, RegExp][] = [
  [
    "yes without a signature",
    (u) => Buffer.concat([u.subarray(0, 2), Buffer.from([0xa8, 0, 0, 0, 0, 0, 0, 0, 0, 0])]),
    /not signed/,
  ],
  ["the update itself as the answer", (u) => {
    const b = Buffer.from(u);
    b[2] |= 0x80;
    return b;
  }, /signature of the answer is wrong/],
  ["another id", (u) => {
    const b = Buffer.from(u);
    b[0] ^= 1;
    b[2] |= 0x80;
    return b;
  }, /no answer to an update/],
  ["one byte", () => Buffer.of(1), /ends too early/],
  ["nothing", () => Buffer.alloc(0), /ends too early/],
  [
    "random bytes",
    (u) =>
      Buffer.concat([
        u.subarray(0, 2),
        Buffer.from([0xa8, 0, 255, 255, 255, 255, 255, 255, 255, 255]),
        Buffer.alloc(3000, 0xc0),
      ]),
    /too many|early|none/,
  ],
  [
    "a name without end",
    (u) =>
      Buffer.concat([
        u.subarray(0, 2),
        Buffer.from([0xa8, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
        Buffer.alloc(5000, 63),
      ]),
    /name that is none/,
  ],
  ["hanging up", () => undefined, /connection ends|ECONNRESET|closed/],
];
Deno.test("name servers that lie are not believed", async (t) => {
  for (const [what, answer, text] of lies) {
    await t.step(what, async () => {
      const server = createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", (d: Buffer) => {
          const a = answer(d.subarray(2));
          if (a === undefined) socket.destroy();
          else socket.write(Buffer.concat([Buffer.of(a.length >> 8, a.length & 255), a]));
        });
      });
      await using s = await services({ port: await listening(server) });
      try {
        await assert.rejects(
          writeZone(s, "ours.example", { remove: [], add: [txt("x.ours.example", "y")] }),
          (err: Error) => text.test(err.message) || (console.log(err.message), false),
        );
      } finally {
        server.close();
      }
    });
  }
});

Deno.test("a webhook gets what is to be changed, and its refusal is said", async () => {
  const got: { body: string; authorization: string | undefined }[] = [];
  let status = 204;
  const server = httpServer((req, res) => {
    let body = "";
    req.on("data", (d) => body += d);
    req.on("end", () => {
      got.push({ body, authorization: req.headers.authorization });
      res.writeHead(status).end(status === 204 ? undefined : "no such zone\n");
    });
  });
  const port = await listening(server as unknown as Server);
  await using s = await services({ webhook: `http://127.0.0.1:${port}/dns` });
  try {
    await writeZone(s, "ours.example", {
      remove: [txt("a.ours.example", "old")],
      add: [txt("a.ours.example", "new")],
    });
    assert.deepEqual(got[0].authorization, "Bearer of the tests");
    assert.deepEqual(JSON.parse(got[0].body), {
      zone: "ours.example",
      ttl: 300,
      remove: [{ name: "a.ours.example", type: "TXT", data: "old" }],
      add: [{ name: "a.ours.example", type: "TXT", data: "new" }],
    });
    status = 403;
    await assert.rejects(
      writeZone(s, "ours.example", { remove: [], add: [] }),
      /the webhook answers 403 no such zone/,
    );
  } finally {
    server.close();
    (server as unknown as { closeAllConnections(): void }).closeAllConnections();
  }
});
