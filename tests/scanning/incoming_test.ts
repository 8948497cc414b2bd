/**
 * Incoming mail looked at by other programs, over real sockets: pymilter, opendkim, Debian's rspamd and clamd with a
 * signature of the test's.
 */
import assert from "node:assert/strict";
import { Flag } from "../../src/store/types.ts";
import { lacks } from "../support/programs.ts";
import type { Reply } from "../smtp/talk.ts";
import { mail, type Receiver, startReceiver } from "../serve/receiver.ts";
import {
  eicar,
  milterPython,
  startClamd,
  startOpendkim,
  startPymilter,
  startRspamd,
} from "./programs.ts";

const required = Deno.env.get("MOX_TEST_REQUIRE_PROGRAMS") !== undefined;

/** The configuration with scanners of the given kinds, all for incoming mail. */
function scanners(blocks: Record<string, string>) {
  return {
    smtp: `			Scanners:\n${Object.keys(blocks).map((n) => `				- ${n}\n`).join("")}`,
    extra: `Scanners:\n${
      Object.entries(blocks).map(([name, b]) => `	${name}:\n${b.replace(/^/gm, "\t\t")}\n`).join(
        "",
      )
    }`,
  };
}

const milter = (address: string) => `Milter:\n	Address: ${address}`;

/** Fields of a message as stored, unfolded. */
function field(text: string, name: string): string[] {
  const header = text.slice(0, text.indexOf("\r\n\r\n")).replace(/\r\n[ \t]+/g, " ");
  return header.split("\r\n").filter((l) => l.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((l) => l.slice(name.length + 1).trim());
}

async function only(r: Receiver, account: string, mailbox: string): Promise<string> {
  const found = await r.messages(account, mailbox);
  assert.equal(found.length, 1, `${mailbox} of ${account}`);
  return found[0];
}

Deno.test({
  name:
    "a milter, by pymilter: steps, macros, changes of header, body, sender and recipients, verdicts",
  ignore: !required && milterPython === undefined,
  async fn(t) {
    await using program = await startPymilter();
    await using r = await startReceiver(scanners({ asked: milter(program.address) }));
    const to = ["bob@ours.example"];

    await t.step("it sees all steps, and its header field is in the message", async () => {
      const sent = await r.send({ to, text: mail({ to: to[0], subject: "seen" }) });
      assert.equal(sent.code, 250, sent.lines.join());
      const text = await only(r, "bob", "Inbox");
      const [steps] = field(text, "X-Steps");
      assert.match(
        steps,
        /^connect mx\.sender\.example 127\.0\.0\.1; helo mx\.sender\.example; mail <joe@sender\.example>; <bob@ours\.example>; login=; id=True; fields=From,To,Subject,Message-ID; body=16$/,
      );
      assert.match(field(text, "X-Mox-Reason").join(), /scanner asked: accepted, 1 header fields/);
    });

    await t.step("header fields: added, on top, changed, removed", async () => {
      const headers = "X-Twice: a\nX-Gone: here\nX-Twice: b\n";
      await r.send({ to: "cas@ours.example", text: mail({ subject: "headers", headers }) });
      const text = await only(r, "cas", "Inbox");
      assert.deepEqual(field(text, "X-Twice"), ["a", "changed"]);
      assert.deepEqual(field(text, "X-Gone"), []);
      assert.match(text, /\r\nX-Added: one\r\n two\r\n\r\nHow are you\?\r\n/);
      assert.match(text, /\r\nX-First: first\r\nFrom: /);
      assert.deepEqual(field(text, "Authentication-Results").length, 1);
    });

    await t.step("a new body", async () => {
      await r.send({ to: "dan@catchall.example", text: mail({ subject: "body" }) });
      assert.match(await only(r, "dan", "Inbox"), /\r\n\r\nanother body\r\n$/);
    });

    await t.step("sender and recipients; nobody relays by it", async () => {
      const before = (await r.messages("bob", "Inbox")).length;
      const both = ["ann@ours.example", "cas@ours.example"];
      const sent = await r.send({ to: both, text: mail({ subject: "envelope" }) });
      assert.equal(sent.code, 250);
      assert.equal((await r.messages("cas", "Inbox")).length, 1, "cas was taken off");
      const found = await r.messages("bob", "Inbox");
      assert.equal(found.length, before + 1, "bob was added");
      assert.match(found.at(-1)!, /Return-Path: <other@sender\.example>/);
      assert.equal(r.server.queue.list().length, 0);
    });

    await t.step("quarantine is the Junk mailbox, with the reason", async () => {
      await r.send({ to, text: mail({ to: to[0], subject: "quarantine" }) });
      const text = await only(r, "bob", "Junk");
      assert.match(field(text, "X-Mox-Reason").join(), /^scanner-quarantine; .*looks odd/);
    });

    await t.step("verdicts are the answer to the message", async () => {
      const say = async (subject: string) => {
        return await reply(r.send({ to, text: mail({ to: to[0], subject }) }));
      };
      const before = (await r.messages("bob", "Inbox")).length;
      assert.match(await say("reject"), /^550 5\.7\.1/);
      assert.match(await say("tempfail"), /^451 4\.7\.1/);
      assert.match(await say("reply"), /^554 5\.7\.9 first line second line/);
      assert.match(await say("discard"), /^250 /);
      assert.equal((await r.messages("bob", "Inbox")).length, before);
      assert.match(await say("slow"), /^250 /);
    });

    await t.step("a recipient that it refuses; others get the message", async () => {
      await r.send({
        to: ["norcpt@catchall.example", "dan@catchall.example"],
        text: mail({ subject: "x" }),
      });
      assert.equal((await r.messages("dan", "Inbox")).length, 2);
      const alone = r.send({ to: "norcpt@catchall.example", text: mail() });
      assert.match(await reply(alone), /^550 5\.1\.1 not for this one/);
    });

    await t.step("away, mail is refused for now; back again, it is taken", async () => {
      await program.end();
      assert.match(
        await reply(r.send({ to, text: mail() })),
        /^451 4\.3\.0 message can't be scanned now/,
      );
    });
  },
});

Deno.test({
  name: "a milter that others wrote: opendkim verifies and adds its results",
  ignore: lacks("opendkim"),
  async fn() {
    await using program = await startOpendkim(
      "Mode v\nAuthservID scan.example\nAlwaysAddARHeader yes\n",
    );
    await using r = await startReceiver(scanners({ opendkim: milter(program.address) }));
    const sent = await r.send({ to: "bob@ours.example", text: mail({ to: "bob@ours.example" }) });
    assert.equal(sent.code, 250, sent.lines.join());
    const text = await only(r, "bob", "Inbox");
    const results = field(text, "Authentication-Results");
    assert.equal(results.length, 2, text);
    assert.match(results[1], /^scan\.example; *dkim=none/);
  },
});

Deno.test({
  name: "ClamAV: viruses are refused or put away; too large is not scanned; away",
  ignore: lacks("clamd"),
  async fn(t) {
    await using program = await startClamd("StreamMaxLength 200K\n");
    const block = (more: string) => `ClamAV:\n	Address: ${program.address}\n${more}`;
    const to = "bob@ours.example";
    const infected = mail({ to, body: `See\n${eicar}\n` });
    const sieve = `require ["virustest", "relational", "fileinto"];
if virustest :value "eq" "1" { fileinto "Clean"; } elsif virustest :value "eq" "5" { fileinto "Virus"; }
`;

    await t.step("refused, and Sieve's virustest knows of the others", async () => {
      await using r = await startReceiver(scanners({ virus: block("") }));
      await r.server.sieve!.scripts.put("bob", "main", sieve);
      await r.server.sieve!.scripts.setActive("bob", "main");
      assert.match(
        await reply(r.send({ to, text: infected })),
        /^554 5\.7\.1 message has a virus: Eicar\.Test/,
      );
      assert.equal((await r.send({ to, text: mail({ to }) })).code, 250);
      const text = await only(r, "bob", "Clean");
      assert.match(field(text, "X-Mox-Reason").join(), /scanner virus: no virus found/);
    });

    await t.step("Verdict junk, and note", async () => {
      await using r = await startReceiver(scanners({ virus: block("Verdict: junk") }));
      assert.equal((await r.send({ to, text: infected })).code, 250);
      assert.match(await only(r, "bob", "Junk"), /X-Mox-Reason: scanner-quarantine/);
      await using noted = await startReceiver(scanners({ virus: block("Verdict: note") }));
      assert.equal((await noted.send({ to, text: infected })).code, 250);
      assert.match(
        field(await only(noted, "bob", "Inbox"), "X-Mox-Reason").join(),
        /virus Eicar\.Test/,
      );
    });

    await t.step("beyond its own limit and beyond ours", async () => {
      const large = mail({ body: `${"x".repeat(70)}\n`.repeat(9000) });
      const dan = "dan@catchall.example";
      await using r = await startReceiver(scanners({ virus: block("") }));
      assert.equal((await r.send({ to: dan, text: large })).code, 250);
      const reason = field(await only(r, "dan", "Inbox"), "X-Mox-Reason").join();
      assert.match(reason, /not scanned, the message is too large/);
      const small = block("MaxMessageSize: 1000\nRefuseLarger: true");
      await using strict = await startReceiver(scanners({ virus: small }));
      assert.match(
        await reply(strict.send({ to: dan, text: large })),
        /^552 5\.3\.4 message too large to be scanned/,
      );
    });

    await t.step("away and WhenAway accept", async () => {
      await using r = await startReceiver(scanners({ virus: block("WhenAway: accept") }));
      await program.end();
      assert.equal((await r.send({ to, text: mail({ to }) })).code, 250);
      const reason = field(await only(r, "bob", "Inbox"), "X-Mox-Reason").join();
      assert.match(reason, /not scanned, the scanner does not answer/);
    });
  },
});

Deno.test({
  name: "rspamd: scores, actions and headers; what users mark is learned",
  ignore: lacks("rspamd"),
  async fn(t) {
    await using program = await startRspamd();
    const block = `Rspamd:
	URL: http://127.0.0.1:${program.port}
	ControllerURL: http://127.0.0.1:${program.controller}`;
    await using r = await startReceiver(scanners({ rspamd: block }));
    const send = (subject: string, headers = "") =>
      r.send({ to: "bob@ours.example", text: mail({ to: "bob@ours.example", subject, headers }) });

    await t.step("good, with headers added and removed", async () => {
      await r.server.sieve!.scripts.put(
        "bob",
        "main",
        'require ["spamtestplus", "relational", "comparator-i;ascii-numeric", "imap4flags"];\n' +
          'if spamtest :percent :value "ge" :comparator "i;ascii-numeric" "50" { addflag "spammy"; }\n',
      );
      await r.server.sieve!.scripts.setActive("bob", "main");
      assert.equal((await send("hello", "X-Forged: yes\n")).code, 250);
      const text = await only(r, "bob", "Inbox");
      assert.deepEqual(field(text, "X-Forged"), []);
      assert.deepEqual(field(text, "X-Test-Rspamd"), ["0"]);
      assert.match(
        field(text, "X-Mox-Reason").join(),
        /scanner rspamd: no action, score 0\.00 of 15/,
      );
    });

    await t.step("junk, refused, and come again", async () => {
      assert.equal((await send("mark me")).code, 250);
      const text = await only(r, "bob", "Junk");
      assert.match(field(text, "X-Mox-Reason").join(), /^scanner-junk; .*TEST_MARK/);
      assert.match(await reply(send("refuse me")), /^554 5\.7\.1/);
      assert.match(await reply(send("try later")), /^451 4\.7\.1 come again/);
    });

    await t.step("what its modules want in place of its action", async () => {
      const counts = () =>
        r.account("bob", (a) => ["Inbox", "Junk"].map((m) => a.mailboxByName(m)!.total));
      const before = await counts();
      const grown = async () => (await counts()).map((n, i) => n - before[i]);
      assert.equal((await send("refuse me and lose it")).code, 250);
      assert.deepEqual(await grown(), [0, 0], "taken, and nobody gets it");
      assert.equal((await send("refuse me, but aside")).code, 250);
      assert.deepEqual(await grown(), [0, 1]);
      assert.equal((await send("refuse me, but let go")).code, 250);
      assert.deepEqual(await grown(), [1, 1]);
      assert.equal((await send("mark me, and name it")).code, 250);
      assert.deepEqual(await grown(), [1, 2]);
      assert.equal((await send("force discard")).code, 250);
      assert.deepEqual(await grown(), [1, 2]);
      const junk = await r.messages("bob", "Junk");
      assert.deepEqual(field(junk.at(-1)!, "X-Our-Spam"), ["Yes"]);
      assert.match(field(junk.at(-2)!, "X-Mox-Reason").join(), /^scanner-quarantine; /);
      assert.equal((await send("force quarantine")).code, 250);
      assert.deepEqual(await grown(), [1, 3]);
    });

    await t.step("what is moved into Junk is learned as spam", async () => {
      const body = "cheap pills and wonderful offers for every kind of customer\n";
      const to = "bob@ours.example";
      await r.send({ to, text: mail({ to, subject: "learn this", body: body.repeat(5) }) });
      await program.restart();
      const stat = async () =>
        (await (await fetch(`http://127.0.0.1:${program.controller}/stat`)).json()) as {
          learned: number;
        };
      const before = (await stat()).learned;
      await r.account("bob", async (a) => {
        const inbox = a.mailboxByName("Inbox")!.id;
        const uid = Math.max(...a.uids(inbox));
        await a.storeFlags(inbox, [uid], "add", Flag.Junk, []);
      });
      // Its database may be locked by its other process at first: then it is shown the message again.
      while ((await stat()).learned <= before) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    });
  },
});

async function reply(sent: Promise<Reply>): Promise<string> {
  const { code, status, lines } = await sent;
  return `${code} ${status} ${lines.join()}`;
}
