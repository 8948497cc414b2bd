/** Domains whose addresses another server has: asked at RCPT, judged here, handed over by their transport. */
import assert from "node:assert/strict";
import { fakeHost, type FakeOptions } from "../smtp/fake_host.ts";
import type { Reply } from "../smtp/talk.ts";
import { domainsConf, mail, type Receiver, startReceiver } from "./receiver.ts";

const said = ({ code, status, lines }: Reply) => `${code} ${status} ${lines.join()}`;

const transports = (port: number, kind = "LMTP") =>
  `Transports:
	programs:
		${kind}:
			Host: ${kind === "LMTP" ? "127.0.0.1" : "relay.example"}
			Port: ${port}
${kind === "LMTP" ? "" : "\t\t\tNoSTARTTLS: true\n"}`;

const domains = (more = "") =>
  domainsConf.replace(
    "	catchall.example: nil\n",
    `	catchall.example: nil
	lists.example:
		Aliases:
			both:
				PostPublic: true
				Addresses:
					- ann@ours.example
					- talk@lists.example
		Relay:
			Transport: programs
${more}`,
  ).replace(
    "			ann@ours.example:\n",
    "			here@lists.example: nil\n			ann@ours.example:\n",
  );

/** A program behind the server that has talk@lists.example and what begins with it. */
async function program(more: FakeOptions = {}) {
  return await fakeHost({
    lmtp: true,
    rcpt: (line) =>
      /<"?talk[^@]*@lists\.example>/.test(line) ? undefined : "550 5.1.1 no such list",
    ...more,
  });
}

const receiver = (port: number, o: { more?: string; kind?: string; now?: () => number } = {}) =>
  startReceiver({
    domains: domains(o.more),
    extra: transports(port, o.kind),
    outgoingPort: 1,
    zone: { "relay.example": { A: ["127.0.0.1"] } },
    now: o.now,
  });

const send = (
  r: Receiver,
  to: string | string[],
  more: Partial<Parameters<Receiver["send"]>[0]> = {},
) => r.send({ to, text: mail({ to: [to].flat()[0] }), sign: "sender.example", ...more }).then(said);

/** RCPT commands that the program had, in order. */
const asked = (commands: readonly string[]) =>
  commands.filter((c) => c.startsWith("RCPT")).map((c) => c.slice(9, c.indexOf(">")));

Deno.test("a relayed domain: addresses are verified at RCPT, messages go on as they came, with what was found", async () => {
  await using p = await program();
  await using r = await receiver(p.port);
  assert.match(await send(r, "nobody@lists.example"), /^550 5\.1\.1 no such address here/);
  // Once more it is known already.
  assert.match(await send(r, "nobody@lists.example"), /^550 5\.1\.1/);
  assert.deepEqual(asked(p.commands), ["nobody@lists.example"]);
  assert.match(await send(r, "talk+confirm-1@lists.example"), /^250/);
  await r.server.queue.idle();
  assert.equal(r.server.queue.count(), 0);
  const [m] = p.mails;
  assert.deepEqual([m.from, m.to], ["joe@sender.example", ["talk+confirm-1@lists.example"]]);
  assert.match(
    m.data,
    /^X-Mox-Reason: no-bad-signals\r\nAuthentication-Results: mail\.example;/,
  );
  assert.match(m.data, /\tspf=pass .*\tdmarc=pass /s);
  assert.match(m.data, /\r\nReceived: from .*for <talk\+confirm-1@lists\.example>/s);
  assert.doesNotMatch(m.data, /^(Return-Path|Delivered-To|X-Spam-Flag):/mi);
  assert.match(m.data, /\r\n\r\nHow are you\?\r\n\r\n$/);
});

Deno.test("a relayed domain: what is configured here stays here, aliases may have members there", async () => {
  await using p = await program();
  await using r = await receiver(p.port);
  assert.match(await send(r, "here@lists.example"), /^250/);
  assert.match(await send(r, "postmaster@lists.example"), /^250/);
  assert.match(await send(r, "both@lists.example"), /^250/);
  await r.server.queue.idle();
  assert.equal((await r.messages("ann", "Inbox")).length, 3);
  assert.deepEqual(p.mails.map((m) => m.to), [["talk@lists.example"]]);
  // One that does not fit here refuses nothing there.
  assert.match(await send(r, ["ann@ours.example", "talk@lists.example"]), /^250/);
  await r.server.queue.idle();
  assert.equal((await r.messages("ann", "Inbox")).length, 4);
  assert.equal(p.mails.length, 2);
});

Deno.test("a relayed domain: what the judge refuses is refused, with the sender's policy", async () => {
  await using p = await program();
  await using r = await receiver(p.port);
  // p=reject, and neither SPF nor DKIM are those of the domain in From.
  const forged = await send(r, "talk@lists.example", {
    from: "x@forger.example",
    sign: undefined,
    text: mail({ from: "joe@sender.example", to: "talk@lists.example" }),
  });
  assert.match(forged, /^5\d\d |^451 /);
  await r.server.queue.idle();
  assert.equal(p.mails.length, 0);
});

Deno.test("a relayed domain whose server is away: known addresses are taken and wait, others come again", async () => {
  let now = Date.now();
  const p = await program();
  await using r = await receiver(p.port, { now: () => now });
  assert.match(await send(r, "talk@lists.example"), /^250/);
  await r.server.queue.idle();
  await p[Symbol.asyncDispose]();
  now += 2 * 60 * 60_000;
  assert.match(await send(r, "talk@lists.example"), /^250/);
  await r.server.queue.idle();
  assert.deepEqual(r.server.queue.list().map((m) => m.address), ["talk@lists.example"]);
  assert.match(
    await send(r, "talk+new@lists.example"),
    /^451 4\.4\.1 the address can't be verified now/,
  );
  now += 8 * 24 * 60 * 60_000;
  assert.match(await send(r, "talk@lists.example"), /^451/);
});

Deno.test("a relayed domain by SMTP, with AllAddresses nothing is asked; a later refusal goes to the verified sender", async () => {
  await using p = await fakeHost({ rcpt: () => "550 5.1.1 no such user" });
  const events: string[] = [];
  await using r = await receiver(p.port, { kind: "SMTP", more: "			AllAddresses: true\n" });
  const { queue } = r.server;
  const add = queue.add.bind(queue);
  queue.add = (m) => {
    events.push(`${m.isDsn ? "report" : "message"} ${m.recipients.map((t) => t.address).join()}`);
    return add(m);
  };
  assert.match(await send(r, "anybody@lists.example"), /^250/);
  await queue.idle();
  await until(() => events.length === 2);
  assert.deepEqual(events, ["message anybody@lists.example", "report joe@sender.example"]);
  // SPF says that somebody else sent it: nobody is told.
  const forged = await send(r, "anybody@lists.example", {
    from: "x@forger.example",
    sign: undefined,
    text: mail({ from: "x@forger.example", to: "anybody@lists.example" }),
  });
  if (forged.startsWith("250")) {
    await queue.idle();
    assert.equal(events.filter((e) => e.includes("forger")).length, 0, events.join("\n"));
  }
});

Deno.test("a relayed domain: a server that never answers holds few senders, and each for a time", async () => {
  let hang = true;
  await using p = await program({ rcpt: () => hang ? "hang" : undefined });
  await using r = await receiver(p.port);
  const senders = Array.from({ length: 12 }, (_, i) => send(r, `talk${i}@lists.example`));
  // At most five are asked for at a time.
  await until(() => asked(p.commands).length >= 5);
  assert.equal(asked(p.commands).length, 5);
  // Mail for others goes on meanwhile.
  assert.match(await send(r, "bob@ours.example"), /^250/);
  hang = false;
  // The server's end ends the waiting.
  await r.server.stop();
  for (const reply of await Promise.allSettled(senders)) {
    if (reply.status === "fulfilled") assert.match(reply.value, /^4\d\d /);
  }
});

async function until(fn: () => boolean | Promise<boolean>): Promise<void> {
  while (!await fn()) await new Promise((r) => setTimeout(r, 50));
}
