/** Transports and the routes that choose them. */
import assert from "node:assert/strict";
import { Authorities } from "../../src/net/mod.ts";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Config } from "../../src/config/mod.ts";
import { join } from "node:path";
import { transportFor } from "../../src/queue/mod.ts";
import { fakeHost } from "../smtp/fake_host.ts";
import { account, certificate, startServer } from "../smtp/talk.ts";
import { World } from "./world.ts";

const zone = {
  "relay.example": { A: ["127.0.0.1"] },
  "mail.example": { A: ["127.0.0.1"] },
  "to.example": { A: ["127.7.4.1"] },
};

const globalRoute = (transport: string) =>
  `Routes:
	-
		ToDomain:
			- to.example
		Transport: ${transport}
`;

Deno.test("submission: with STARTTLS or TLS, logged in, the certificate checked", async () => {
  for (const kind of ["Submission", "Submissions"]) {
    await using relay = await startServer({
      submission: true,
      implicitTls: kind === "Submissions",
    });
    const transports = (host: string, password: string) =>
      `Transports:
	relay:
		${kind}:
			Host: ${host}
			Port: ${relay.port}
			Auth:
				Username: ${account.name}
				Password: ${password}
`;
    const deliverer = { authorities: Authorities.of(certificate.cert) };
    const dynamic = globalRoute("relay");
    {
      const password = account.password.replace("\u00a0", " ");
      await using w = await World.make({
        zone,
        static: transports("mail.example", password),
        dynamic,
        deliverer,
      });
      await w.open();
      await w.queue.start();
      await w.send(["a@to.example", "b@to.example"]);
      await w.queue.idle();
      assert.equal(w.queue.count(), 0, JSON.stringify(w.queue.list()));
      const [d] = relay.seen.deliveries;
      assert.deepEqual([d.to, d.username], [["a@to.example", "b@to.example"], account.name]);
    }
    for (
      const [host, password, enhanced] of [
        ["mail.example", "wrong", "5.7.8"],
        // The certificate is not for this name.
        ["relay.example", account.password, "4.7.5"],
      ]
    ) {
      await using w = await World.make({
        zone,
        static: transports(host, password),
        dynamic,
        deliverer,
      });
      await w.open();
      await w.queue.start();
      await w.send(["a@to.example"]);
      await w.queue.idle();
      const [r] = w.queue.list()[0].results;
      assert.equal(`${r.kind} ${r.enhanced}`, `temporary ${enhanced}`, JSON.stringify(r));
    }
  }
});

Deno.test("SMTP to a smarthost: one session for several messages, other domains go their own way", async () => {
  await using relay = await fakeHost();
  await using w = await World.make({
    zone,
    static: `Transports:
	relay:
		SMTP:
			Host: relay.example
			Port: ${relay.port}
			NoSTARTTLS: true
`,
    dynamic: globalRoute("relay"),
  });
  const direct = await w.host("127.7.4.2");
  w.resolver.add({ "direct.example": { A: ["127.7.4.2"] } });
  await w.open();
  await w.queue.start();
  for (let i = 0; i < 3; i++) {
    await w.send(["a@to.example", "b@direct.example"]);
    await w.queue.idle();
  }
  assert.equal(relay.mails.length, 3);
  assert.equal(relay.connections, 1);
  assert.equal(direct.mails.length, 3);
  assert.equal(direct.connections, 1);
  assert.equal(relay.commands[1], "EHLO mail.mox.example");
});

Deno.test("a kept session that the host has ended is replaced", async () => {
  await using w = await World.make({ zone });
  let n = 0;
  const host = await w.host("127.7.4.1", {
    mail: () => n++ === 1 ? "421 4.4.2 idle for too long" : undefined,
  });
  await w.open();
  await w.queue.start();
  for (let i = 0; i < 2; i++) {
    await w.send(["a@to.example"]);
    await w.queue.idle();
  }
  assert.equal(w.queue.count(), 0);
  assert.deepEqual(host.mails.map((m) => m.connection), [1, 2]);
});

Deno.test("a relay that breaks off after the whole message is not given it again at once", async () => {
  let n = 0;
  // What it took before it broke off it keeps.
  await using relay = await fakeHost({ message: () => n++ === 1 ? "drop" : undefined });
  await using w = await World.make({
    zone,
    static: `Transports:
	relay:
		SMTP:
			Host: relay.example
			Port: ${relay.port}
			NoSTARTTLS: true
`,
    dynamic: globalRoute("relay"),
  });
  await w.open();
  await w.queue.start();
  for (let i = 0; i < 2; i++) {
    await w.send(["a@to.example"]);
    await w.queue.idle();
  }
  // The second went over the session of the first.
  assert.deepEqual(relay.mails.map((m) => m.connection), [1, 1]);
  assert.equal(w.queue.list()[0].results[0].enhanced, "4.4.2");
});

Deno.test("a relay that can't be reached is left alone for a minute", async () => {
  await using w = await World.make({
    zone: { ...zone, "relay.example": { A: ["127.7.4.9"] } },
    static: `Transports:
	relay:
		SMTP:
			Host: relay.example
			Port: 1
`,
    dynamic: globalRoute("relay"),
  });
  await w.open();
  await w.queue.start();
  for (let i = 0; i < 3; i++) {
    await w.send(["a@to.example"]);
    await w.queue.idle();
  }
  const texts = w.queue.list({}, { sort: "id" }).map((i) => i.results[0].text);
  assert.equal(new Set(texts).size, 1);
  assert.match(texts[0], /connect to 127\.7\.4\.9 port 1 failed/);
});

/** A SOCKS5 proxy that connects to one place, whatever is asked for; it notes what was. */
async function proxy(to: { address: string; port: number }): Promise<
  AsyncDisposable & { port: number; asked: string[] }
> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => {});
    client.once("data", () => {
      client.write(Uint8Array.of(5, 0));
      client.once("data", (request: Uint8Array) => {
        const ip = request.subarray(4, 8).join(".");
        asked.push(`${ip}:${request[8] * 256 + request[9]}`);
        const target = connect({ host: to.address, port: to.port }, () => {
          client.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
          client.pipe(target).pipe(client);
        });
        sockets.add(target);
        target.on("error", () => client.destroy());
      });
    });
  });
  await new Promise<void>((r) => server.listen(0, "127.0.0.1", r));
  return {
    port: (server.address() as { port: number }).port,
    asked,
    async [Symbol.asyncDispose]() {
      for (const s of sockets) s.destroy();
      await new Promise((r) => server.close(r));
    },
  };
}

Deno.test("socks: directly to the hosts of the domain, through the proxy, with its name", async () => {
  await using host = await fakeHost();
  await using p = await proxy(host);
  await using w = await World.make({
    zone: { "to.example": { MX: ["10 mx.to.example"] }, "mx.to.example": { A: ["192.0.2.7"] } },
    static: `Transports:
	proxy:
		Socks:
			Address: 127.0.0.1:${p.port}
			RemoteIPs:
				- 198.51.100.1
			RemoteHostname: proxy.example
`,
    dynamic: globalRoute("proxy"),
    deliverer: { port: 25 },
  });
  await w.open();
  await w.queue.start();
  await w.send(["a@to.example"]);
  await w.queue.idle();
  assert.equal(w.queue.count(), 0, JSON.stringify(w.queue.list()));
  assert.deepEqual(p.asked, ["192.0.2.7:25"]);
  assert.equal(host.commands[1], "EHLO proxy.example");
});

Deno.test("fail and direct: refusals as configured, families that are left out", async () => {
  await using w = await World.make({
    zone,
    static: `Transports:
	no:
		Fail:
			SMTPCode: 550
			SMTPMessage: not to them
	v6:
		Direct:
			DisableIPv4: true
`,
    dynamic: globalRoute("no"),
  });
  const host = await w.host("127.7.4.1");
  await w.open();
  await w.queue.start();
  await w.send(["a@to.example"]);
  await w.queue.idle();
  assert.deepEqual(w.bounced("a@to.example"), ["550 5.7.1"]);
  await w.queue.addHoldRule({
    account: undefined,
    senderDomain: undefined,
    recipientDomain: undefined,
  });
  await w.send(["b@to.example"]);
  await w.queue.setTransport({}, "v6");
  await w.queue.hold({}, false);
  await w.queue.idle();
  assert.match(w.queue.list()[0].results[0].text, /no address of a family/);
  assert.equal(host.mails.length, 0);
});

Deno.test("routes: account before domain before global, by domains and attempts", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      join(dir, "mox.conf"),
      `DataDir: data
LogLevel: error
Hostname: mail.mox.example
Listeners:
	none:
		IPs:
			- 127.0.0.1
Postmaster:
	Account: ann
	Mailbox: Inbox
Transports:
${["own", "late", "domain", "global", "sub"].map((t) => `\t${t}: nil\n`).join("")}`,
    );
    const route = (indent: string, transport: string, more = "") =>
      `${indent}-\n${more}${indent}\tTransport: ${transport}\n`;
    const to = (indent: string, d: string) => `${indent}\tToDomain:\n${indent}\t\t- ${d}\n`;
    await Deno.writeTextFile(
      join(dir, "domains.conf"),
      `Domains:
	mox.example:
		Routes:
${route("\t\t\t", "domain", to("\t\t\t", "b\u00fccher.example"))}
	other.example: nil
Accounts:
	ann:
		Domain: mox.example
		Routes:
${route("\t\t\t", "own", to("\t\t\t", "x.example"))}${
        route("\t\t\t", "late", `\t\t\t\tMinimumAttempts: 3\n`)
      }
	bob:
		Domain: mox.example
Routes:
${route("\t", "sub", to("\t", ".x.example"))}${
        route("\t", "global", "\t\tFromDomain:\n\t\t\t- other.example\n")
      }`,
    );
    const config = await Config.load(join(dir, "mox.conf"));
    const by = (account: string, fromDomain: string, toDomain: string, attempts = 0) =>
      transportFor(config, { account, fromDomain, toDomain, attempts });
    assert.equal(by("ann", "mox.example", "x.example"), "own");
    assert.equal(by("ann", "mox.example", "X.Example"), "own");
    assert.equal(by("bob", "mox.example", "x.example"), undefined);
    assert.equal(by("bob", "mox.example", "a.b.x.example"), "sub");
    assert.equal(by("bob", "mox.example", "xn--bcher-kva.example"), "domain");
    assert.equal(by("ann", "mox.example", "b\u00fccher.example", 2), "domain");
    assert.equal(by("ann", "mox.example", "b\u00fccher.example", 3), "late");
    assert.equal(by("bob", "other.example", "y.example"), "global");
    assert.equal(by("bob", "mox.example", "y.example"), undefined);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

const lmtp = (port: number, more = "") =>
  `Transports:
	programs:
		LMTP:
			Host: 127.0.0.1
			Port: ${port}
${more}`;

Deno.test("LMTP: LHLO, an answer for each recipient (RFC 2033), of which only those refused for now are tried again", async () => {
  const refused: string[] = [];
  await using program = await fakeHost({
    lmtp: true,
    rcpt: (line) => line.includes("gone@") ? "550 5.1.1 no such list" : undefined,
    stored: (to) => refused.includes(to) ? "452 4.2.2 full" : undefined,
  });
  await using w = await World.make({
    zone,
    static: lmtp(program.port),
    dynamic: globalRoute("programs"),
  });
  await w.open();
  await w.queue.start();
  refused.push("b@to.example");
  await w.send(["a@to.example", "gone@to.example", "b@to.example", "c@to.example"]);
  await w.queue.idle();
  assert.deepEqual(program.mails.map((m) => m.to), [["a@to.example", "c@to.example"]]);
  assert.equal(program.commands[1], "LHLO mail.mox.example");
  // Only the one that was refused for now is tried again, and who got it does not get it twice.
  assert.deepEqual(w.queue.list().map((m) => m.address), ["b@to.example"]);
  assert.equal(w.queue.list()[0].results[0].text, "full");
  assert.equal(w.dsns.flatMap((d) => d.recipients).length, 1);
  refused.length = 0;
  await w.send(["d@to.example"]);
  await w.queue.idle();
  assert.deepEqual(program.mails.at(-1)!.to, ["d@to.example"]);
  await w.settle();
  assert.deepEqual(program.mails.map((m) => m.to), [
    ["a@to.example", "c@to.example"],
    ["d@to.example"],
    ["b@to.example"],
  ]);
});

Deno.test("LMTP: a program that ends or answers nonsense between its answers: those that came stand", async () => {
  for (const answer of ["drop", "421 4.3.2 going down", "no reply at all"]) {
    let broken = true;
    await using program = await fakeHost({
      lmtp: true,
      stored: (to) => broken && to === "b@to.example" ? answer : undefined,
    });
    await using w = await World.make({
      zone,
      static: lmtp(program.port),
      dynamic: globalRoute("programs"),
    });
    await w.open();
    await w.queue.start();
    await w.send(["a@to.example", "b@to.example", "c@to.example"]);
    await w.queue.idle();
    assert.deepEqual(w.queue.list().map((m) => m.address).sort(), [
      "b@to.example",
      "c@to.example",
    ]);
    broken = false;
    await w.settle();
    assert.equal(w.queue.count(), 0);
    assert.deepEqual(
      program.mails.flatMap((m) => m.to).filter((to) => to === "a@to.example").length,
      1,
      answer,
    );
  }
});

Deno.test("LMTP: a server of SMTP behind such a transport is a temporary failure that says so", async () => {
  await using host = await fakeHost();
  await using w = await World.make({
    zone,
    static: lmtp(host.port),
    dynamic: globalRoute("programs"),
  });
  await w.open();
  await w.queue.start();
  await w.send(["a@to.example"]);
  await w.queue.idle();
  const [r] = w.queue.list()[0].results;
  assert.match(`${r.kind} ${r.text}`, /^temporary .*what\?/);
  assert.equal(host.mails.length, 0);
});
