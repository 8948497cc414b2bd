/** Receiving mail from other servers, over real connections, with a scripted DNS. */
import assert from "node:assert/strict";
import { Flag } from "../../src/store/types.ts";
import { parsedMessage } from "../../src/web/webmail/reading/message.ts";
import { domainsConf, type Mail, mail, startReceiver } from "./receiver.ts";

/** From someone whose SPF record does not have this machine. */
const forged = (over: Partial<Mail> = {}): Mail => ({
  from: "mallory@forger.example",
  ehlo: "forger.example",
  text: mail({ from: "mallory@forger.example" }),
  ...over,
});

Deno.test("a good message is delivered with its results on top", async () => {
  await using r = await startReceiver();
  const reply = await r.send({ text: mail(), sign: "sender.example" });
  assert.equal(reply.code, 250, reply.lines.join());
  const [m] = await r.messages("ann", "Inbox");
  const names = m.slice(0, m.indexOf("\r\n\r\n")).split(/\r\n(?![ \t])/).map((l) =>
    l.slice(0, l.indexOf(":"))
  );
  assert.deepEqual(names.slice(0, 7), [
    "Delivered-To",
    "Return-Path",
    "X-Mox-Reason",
    "Authentication-Results",
    "Received-SPF",
    "Received",
    "DKIM-Signature",
  ]);
  assert.match(m, /^X-Mox-Reason: no-bad-signals; /m);
  assert.match(m, /^Authentication-Results: mail\.example;\r\n\tiprev=pass /m);
  assert.match(m, /spf=pass smtp\.mailfrom=joe@sender\.example/);
  assert.match(m, /dkim=pass .*header\.d=sender\.example/);
  assert.match(m, /dmarc=pass .*header\.from=sender\.example/);
  assert.match(m, /^Received-SPF: pass/m);
  assert.match(m, /^Received: from mx\.sender\.example \(\[127\.0\.0\.1\]\)/m);
  await r.account("ann", (a) => {
    const row = a.db.get(
      "SELECT msg_from_validated, msg_from_validation, mail_from_validated, is_reject, tls_version FROM deliveries",
    )!;
    assert.deepEqual(row.slice(0, 4), [1, "dmarc", 1, 0]);
    assert.match(row[4] as string, /TLS/);
  });
});

Deno.test("bad SPF of a stranger is refused into Rejects; moved to Inbox, the next one is let in", async () => {
  await using r = await startReceiver();
  const first = await r.send(forged());
  assert.equal(`${first.code} ${first.status}`, "451 4.3.0");
  assert.deepEqual(await r.messages("ann", "Inbox"), []);
  const [m] = await r.messages("ann", "Rejects");
  assert.match(m, /^X-Mox-Reason: spf-policy; /m);
  await r.account("ann", async (a) => {
    const rejects = a.mailboxByName("Rejects")!, inbox = a.mailboxByName("Inbox")!;
    assert.deepEqual(
      a.db.get("SELECT is_reject, orig_mailbox_id, destined_mailbox_id FROM deliveries"),
      [1, rejects.id, inbox.id],
    );
    assert.equal(rejects.unseen, 0, "draws no attention");
    await a.move(rejects.id, a.uids(rejects.id), inbox.id);
    assert.deepEqual(a.db.get("SELECT is_reject, orig_mailbox_id FROM deliveries"), [0, inbox.id]);
  });
  const second = await r.send(forged());
  assert.equal(second.code, 250, second.lines.join());
  assert.equal((await r.messages("ann", "Inbox")).length, 2);
  assert.deepEqual(await r.messages("ann", "Rejects"), []);
});

Deno.test("who writes for the first time comes to the introbox, and once moved counts as of the Inbox", async () => {
  await using r = await startReceiver({
    domains: domainsConf.replace(
      "\tann:\n\t\tDomain: ours.example\n",
      "\tann:\n\t\tDomain: ours.example\n\t\tIntrobox: Introbox\n",
    ),
  });
  const good = () => r.send({ text: mail(), sign: "sender.example" });
  assert.equal((await good()).code, 250);
  assert.deepEqual(await r.messages("ann", "Inbox"), []);
  assert.equal((await r.messages("ann", "Introbox")).length, 1);
  await r.account("ann", async (a) => {
    const intro = a.mailboxByName("Introbox")!, inbox = a.mailboxByName("Inbox")!;
    assert.deepEqual(
      a.db.get("SELECT orig_mailbox_id, destined_mailbox_id FROM deliveries"),
      [intro.id, inbox.id],
    );
    await a.move(intro.id, a.uids(intro.id), inbox.id);
    assert.deepEqual(a.db.get("SELECT orig_mailbox_id FROM deliveries"), [inbox.id]);
    await a.storeFlags(inbox.id, a.uids(inbox.id), "add", Flag.NotJunk, []);
  });
  assert.equal((await good()).code, 250);
  assert.equal((await r.messages("ann", "Inbox")).length, 2);
  assert.equal((await r.messages("ann", "Introbox")).length, 0);
  // What a ruleset puts elsewhere stays there.
  const list = await r.send({
    from: "new@sender.example",
    text: mail({ from: "new@sender.example" }).replace("\n", "\nList-Id: <talk.sender.example>\n"),
    sign: "sender.example",
  });
  assert.equal(list.code, 250);
  assert.equal((await r.messages("ann", "Lists/Talk")).length, 1);
});

Deno.test("moved to Junk, it speaks against its sender", async () => {
  await using r = await startReceiver();
  const good = () => r.send({ text: mail(), sign: "sender.example" });
  assert.equal((await good()).code, 250);
  await r.account("ann", async (a) => {
    const inbox = a.mailboxByName("Inbox")!;
    await a.move(inbox.id, a.uids(inbox.id), a.mailboxByName("Junk")!.id);
  });
  assert.equal((await good()).code, 451);
  assert.match((await r.messages("ann", "Rejects"))[0], /^X-Mox-Reason: msgfromfull; /m);
});

Deno.test("a refused message is kept once, and goes when it is accepted after all", async () => {
  await using r = await startReceiver();
  const m = forged();
  assert.equal((await r.send(m)).code, 451);
  assert.equal((await r.send(m)).code, 451);
  assert.equal((await r.messages("ann", "Rejects")).length, 1);
  r.resolver.add({ "forger.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] } });
  assert.equal((await r.send(m)).code, 250);
  assert.equal((await r.messages("ann", "Inbox")).length, 1);
  assert.deepEqual(await r.messages("ann", "Rejects"), []);
});

Deno.test("Rejects are cleaned up by age, what the user put there stays", async () => {
  let now = Date.now();
  await using r = await startReceiver({ now: () => now });
  await r.send(forged());
  await r.send(forged());
  await r.account("ann", async (a) => {
    // Someone keeps a copy of one in the same mailbox.
    const rejects = a.mailboxByName("Rejects")!;
    await a.copy(rejects.id, a.uids(rejects.id).slice(0, 1), rejects.id);
  });
  assert.equal((await r.messages("ann", "Rejects")).length, 3);
  now += 15 * 24 * 3600 * 1000;
  await r.send(forged());
  assert.equal((await r.messages("ann", "Rejects")).length, 2);
});

Deno.test("spam is refused by what the user marked", async () => {
  await using r = await startReceiver();
  await r.account("ann", async (a) => {
    const junk = a.mailboxByName("Junk")!, archive = a.mailboxByName("Archive")!;
    for (let i = 0; i < 60; i++) {
      for (
        const [box, words] of [
          [junk.id, "lottery winner casino prize claim million"],
          [archive.id, "meeting agenda minutes project review schedule"],
        ] as const
      ) {
        const file = `${r.dir}/learn-${box}-${i}`;
        const bytes = new TextEncoder().encode(
          `From: <x${i}@other${i}.example>\r\nSubject: number ${i}\r\n\r\n${words}\r\n`,
        );
        await Deno.writeFile(file, bytes);
        await a.append(box, [{
          file,
          fileSize: bytes.length,
          prefix: new Uint8Array(0),
          flags: box === junk.id ? Flag.Junk : Flag.NotJunk,
        }]);
      }
    }
    // Trained in the background.
    while (a.db.get("SELECT count(*) FROM messages WHERE trained != 0")![0] < 120) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
  const spam = await r.send({
    text: mail({ body: "claim your million, lottery winner! casino prize" }),
    sign: "sender.example",
  });
  assert.equal(spam.code, 451);
  const [m] = await r.messages("ann", "Rejects");
  assert.match(m, /^X-Mox-Reason: junk-content; [\s\S]*spam words: [^)]*lottery/m);
  const ham = await r.send({
    text: mail({ body: "minutes and agenda of the project meeting" }),
    sign: "sender.example",
  });
  assert.equal(ham.code, 250, ham.lines.join());
});

Deno.test("DMARC reject is permanent, and kept in Rejects", async () => {
  await using r = await startReceiver();
  // SPF passes for another domain; nothing is signed.
  r.resolver.add({ "other.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] } });
  const reply = await r.send({ from: "x@other.example", text: mail() });
  assert.equal(`${reply.code} ${reply.status}`, "550 5.7.26");
  assert.match((await r.messages("ann", "Rejects"))[0], /^X-Mox-Reason: dmarc-policy; /m);
});

Deno.test("results that claim to be ours are removed, those of others stay", async () => {
  await using r = await startReceiver();
  const headers = "Authentication-Results: mail.example; dmarc=pass\n" +
    "Authentication-Results: elsewhere.example; dkim=pass\n" +
    "Received-SPF: pass receiver=mail.example\n" +
    "Authentication-Results: MAIL.example (forged);\n spf=pass\n";
  const { code } = await r.send({ text: mail({ headers, body: "Body: stays." }), sign: undefined });
  assert.equal(code, 250);
  const [m] = await r.messages("ann", "Inbox");
  assert.equal(m.match(/^Authentication-Results: mail\.example/gim)!.length, 1);
  assert.equal(m.match(/^Received-SPF/gm)!.length, 1);
  assert.match(m, /^Authentication-Results: elsewhere\.example; dkim=pass\r$/m);
  assert.match(m, /\r\n\r\nBody: stays\.\r\n/);
  await r.account("ann", (a) => {
    // The structure fits what is stored.
    const [structure] = a.db.get("SELECT structure FROM emails")!;
    assert.equal(JSON.parse(structure)[1], m.indexOf("\r\n\r\n") + 4);
  });
});

Deno.test("rulesets: a verified list to its mailbox, an unverified one not; forwarded mail", async (t) => {
  await using r = await startReceiver();
  const list = "List-Id: Talk <talk.sender.example>\n";
  await t.step("signed by the list's domain", async () => {
    const { code } = await r.send({ text: mail({ headers: list }), sign: "sender.example" });
    assert.equal(code, 250);
    assert.match((await r.messages("ann", "Lists/Talk"))[0], /^X-Mox-Reason: list-allow; /m);
  });
  await t.step("someone else with the list's name", async () => {
    assert.equal((await r.send(forged({ text: mail({ headers: list }) }))).code, 550);
    assert.equal((await r.messages("ann", "Lists/Talk")).length, 1);
  });
  await t.step("forwarded: DMARC does not count, nor does the forwarder's address", async () => {
    r.resolver.add({ "forwarder.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] } });
    const { code } = await r.send({
      from: "me@forwarder.example",
      ehlo: "forwarder.example",
      text: mail({ to: "me@forwarder.example" }),
    });
    assert.equal(code, 250);
    assert.equal((await r.messages("ann", "Forwarded")).length, 1);
    await r.account("ann", (a) => {
      const row = a.db.get(
        "SELECT is_forward, net1, mail_from_domain FROM deliveries WHERE is_forward = 1",
      );
      assert.deepEqual(row, [1, "", ""]);
    });
  });
  await t.step("refused mail is accepted to a mailbox, read and marked as a reject", async () => {
    const text = mail({ from: "maybe@forger.example" });
    assert.equal((await r.send(forged({ text }))).code, 250);
    const [m] = await r.messages("ann", "Maybe");
    assert.match(m, /^X-Mox-Reason: spf-policy; /m);
    await r.account("ann", (a) => {
      assert.equal(a.mailboxByName("Maybe")!.unseen, 0);
      assert.deepEqual(
        a.db.get(
          "SELECT is_reject FROM deliveries d JOIN messages m ON m.id = d.message_id WHERE m.mailbox_id = ?",
          a.mailboxByName("Maybe")!.id,
        ),
        [1],
      );
    });
  });
});

Deno.test("addresses: separators, catch-all, refused and disabled ones", async () => {
  await using r = await startReceiver();
  const signed = (to: string) => r.send({ to, text: mail({ to }), sign: "sender.example" });
  assert.equal((await signed("ann+shop@ours.example")).code, 250);
  assert.equal((await signed("ANN@ours.example")).code, 250);
  assert.equal((await r.messages("ann", "Inbox")).length, 2);
  assert.equal((await signed("anything@catchall.example")).code, 250);
  assert.equal((await r.messages("dan", "Inbox")).length, 1);
  const answer = async (to: string) => {
    const a = await signed(to);
    return `${a.code} ${a.status} ${a.lines.join()}`;
  };
  assert.equal(await answer("gone@ours.example"), "550 5.1.6 gone away");
  assert.match(await answer("nobody@ours.example"), /^550 5\.1\.1 /);
  assert.match(await answer("x@elsewhere.example"), /^550 5\.7\.1 /);
  assert.match(await answer("closed@closed.example"), /^450 4\.2\.1 /);
});

Deno.test("an address that wants verified senders refuses others with its text", async () => {
  await using r = await startReceiver();
  const to = "robot@ours.example";
  const bad = await r.send(forged({ to, text: mail({ to, from: "x@nobody.example" }) }));
  assert.equal(`${bad.code} ${bad.status} ${bad.lines}`, "550 5.7.1 sign your messages");
  assert.equal((await r.send({ to, text: mail({ to }), sign: "sender.example" })).code, 250);
});

Deno.test("an alias goes to its members, each once, and not to who wrote it", async (t) => {
  await using r = await startReceiver();
  const inbox = async (name: string) => (await r.messages(name, "Inbox")).length;
  await t.step("three members, one of them a recipient as well", async () => {
    const to = ["team@ours.example", "bob@ours.example"];
    const text = mail({ to: "team@ours.example" });
    assert.equal((await r.send({ to, text, sign: "sender.example" })).code, 250);
    assert.deepEqual([await inbox("ann"), await inbox("bob"), await inbox("cas")], [1, 1, 1]);
  });
  await t.step("strangers may not write to a list for members", async () => {
    const to = "inner@ours.example";
    const reply = await r.send({ to, text: mail({ to }), sign: "sender.example" });
    assert.equal(`${reply.code} ${reply.status}`, "550 5.7.1");
  });
  await t.step("a verified member may, and does not get it", async () => {
    r.resolver.add({
      "ours.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] },
      "s1._domainkey.ours.example": {
        TXT: [
          (await r.resolver.lookup(
            "s1._domainkey.sender.example",
            "TXT",
          )).records[0],
        ],
      },
    });
    const to = "inner@ours.example";
    const from = "ann@ours.example";
    const reply = await r.send({ from, to, text: mail({ from, to }), sign: "ours.example" });
    assert.equal(reply.code, 250, reply.lines.join());
    assert.deepEqual([await inbox("ann"), await inbox("bob")], [1, 2]);
  });
});

Deno.test("quota: refused for now, with the name of the setting", async () => {
  await using r = await startReceiver();
  const to = "bob@ours.example";
  const text = () => mail({ to, body: "x".repeat(900).replaceAll(/.{60}/g, "$&\n").repeat(7) });
  assert.equal((await r.send({ to, text: text(), sign: "sender.example" })).code, 250);
  assert.equal((await r.send({ to, text: text(), sign: "sender.example" })).code, 250);
  const reply = await r.send({ to, text: text(), sign: "sender.example" });
  assert.equal(`${reply.code} ${reply.status}`, "452 4.2.2");
  assert.match(reply.lines[0], /QuotaMessageSize/);
  assert.equal((await r.messages("bob", "Inbox")).length, 2);
});

Deno.test("a quota of messages: refused for now, and a full number of mailboxes stops no delivery", async () => {
  await using r = await startReceiver({ extra: "QuotaMessages: 1\nQuotaMailboxes: 1\n" });
  assert.equal((await r.send({ text: mail(), sign: "sender.example" })).code, 250);
  const reply = await r.send({ text: mail({ subject: "two" }), sign: "sender.example" });
  assert.equal(`${reply.code} ${reply.status}`, "452 4.2.2");
  assert.match(reply.lines[0], /QuotaMessages$/);
  await r.account("ann", async (a) => {
    await assert.rejects(a.createMailbox("more"), { code: "overQuota" });
  });
});

Deno.test("a reply in a muted thread arrives read", async () => {
  await using r = await startReceiver();
  const root = mail();
  const id = /Message-ID: (<[^>]+>)/.exec(root)![1];
  await r.send({ text: root, sign: "sender.example" });
  await r.account("ann", async (a) => {
    await a.writer.write(() => a.db.run("UPDATE threads SET muted = 1"));
  });
  await r.send({
    text: mail({ subject: "Re: hello", headers: `In-Reply-To: ${id}\n` }),
    sign: "sender.example",
  });
  await r.account("ann", (a) => {
    const inbox = a.mailboxByName("Inbox")!;
    assert.deepEqual([inbox.total, inbox.unseen], [2, 1]);
  });
});

Deno.test("a blocklisted stranger is refused; a list that is out of order lists nobody", async () => {
  const smtp = "\t\t\tDNSBLs:\n\t\t\t\t- bl.example\n";
  await using r = await startReceiver({
    smtp,
    zone: { "1.0.0.127.bl.example": {}, "2.0.0.127.bl.example": { A: ["127.0.0.2"] } },
  });
  // 127.0.0.1 is never listed by a list that works, so this machine can't be on one.
  assert.equal((await r.send({ text: mail(), sign: "sender.example" })).code, 250);
  assert.ok(r.resolver.queries.includes("A 1.0.0.127.bl.example"));
  const [m] = await r.messages("ann", "Inbox");
  assert.match(m, /ip is not in dns\s+block lists/);
});

Deno.test("a link whose domain is on a list sends a stranger's message to Junk; a list out of order lists nothing", async () => {
  const smtp = "\t\t\tLinkDNSBLs:\n\t\t\t\t- down.example\n\t\t\t\t- dbl.example\n";
  await using r = await startReceiver({
    smtp,
    zone: {
      "test.dbl.example": { A: ["127.0.1.2"] },
      "evil.test.dbl.example": { A: ["127.0.1.4"] },
      "test.down.example": { fail: "timeout" },
      "evil.test.down.example": { A: ["127.0.1.4"] },
    },
  });
  const send = (link: string) =>
    r.send({ text: `${mail()}\nsee ${link}\n`, sign: "sender.example" });
  assert.equal((await send("https://www.evil.test/x")).code, 250);
  const [m] = await r.messages("ann", "Junk");
  assert.match(m, /phishing\s+signals:\s+listed-link/);
  assert.equal((await send("https://good.test/ and https://sender.example/")).code, 250);
  assert.equal((await r.messages("ann", "Inbox")).length, 1);
  assert.ok(!r.resolver.queries.some((q) => q.includes("sender.example.dbl.example")));
});

Deno.test("a stranger waits before the answer, and not on when the server stops", async (t) => {
  await t.step("once, and not again when known", async () => {
    const waits: number[] = [];
    await using r = await startReceiver({
      wait: (_session, ms) => {
        waits.push(ms);
        return Promise.resolve(true);
      },
    });
    const to = ["ann@ours.example", "cas@ours.example"];
    assert.equal((await r.send({ to, text: mail(), sign: "sender.example" })).code, 250);
    assert.deepEqual(waits, [15_000]);
    await r.account("ann", (a) => {
      const inbox = a.mailboxByName("Inbox")!;
      return a.storeFlags(inbox.id, a.uids(inbox.id), "add", Flag.NotJunk, []);
    });
    assert.equal((await r.send({ text: mail(), sign: "sender.example" })).code, 250);
    assert.deepEqual(waits, [15_000]);
  });
  await t.step("the real wait ends when the server stops, and nothing is delivered", async () => {
    const r = await startReceiver({ wait: undefined });
    const reply = r.send({ text: mail(), sign: "sender.example" });
    // The lookup of the policy is the last thing before the wait.
    while (!r.resolver.queries.some((q) => q.includes("_dmarc"))) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const started = performance.now();
    const disposed = r[Symbol.asyncDispose]();
    assert.equal((await reply).code, 421);
    await disposed;
    // The wait is 15 seconds.
    assert.ok(performance.now() - started < 14_000);
  });
});

Deno.test("recipients with different fates: who got it has it, the verified sender is told of the rest", async () => {
  await using r = await startReceiver();
  r.resolver.add({ "other.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] } });
  const { queue } = r.server;
  const told: string[] = [];
  const add = queue.add.bind(queue);
  queue.add = (m) => {
    assert.deepEqual([m.mailFrom, m.recipients[0].address], ["", "x@other.example"]);
    told.push(Deno.readTextFileSync(m.file));
    return add(m);
  };
  const to = ["cas@ours.example", "robot@ours.example"];
  const from = "x@other.example";
  const text = mail({ from: "y@unsigned.example", to: to[0] });
  const reply = await r.send({ from, to, text });
  assert.equal(reply.code, 250, reply.lines.join());
  assert.equal((await r.messages("cas", "Inbox")).length, 1);
  assert.deepEqual(await r.messages("bob", "Inbox"), []);
  assert.equal(told.length, 1);
  assert.match(told[0], /^To: .*x@other\.example/m);
  assert.match(told[0], /^Final-Recipient: rfc822;\s*robot@ours\.example/m);
  assert.match(told[0], /^Diagnostic-Code: smtp;\s*550 5\.7\.1 sign your messages/m);
  // A sender that is not verified may be a victim: nobody is told.
  const forger = await r.send({ from: "x@forger.example", to, text });
  assert.equal(forger.code, 451);
  assert.equal(told.length, 1);
});

Deno.test("NOTIFY=SUCCESS: a verified sender is told of what is in a mailbox, others are not", async () => {
  await using r = await startReceiver();
  r.resolver.add({ "other.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"] } });
  const { queue } = r.server;
  const told: string[] = [];
  const add = queue.add.bind(queue);
  queue.add = (m) => {
    told.push(`${m.recipients[0].address} ${m.isDsn}\n${Deno.readTextFileSync(m.file)}`);
    return add(m);
  };
  const send = (from: string, notify: string) =>
    r.send({
      from,
      to: ["cas@ours.example", "team@ours.example"],
      rcptParameters: ` NOTIFY=${notify} ORCPT=rfc822;first+40there.example`,
      mailParameters: " ENVID=id+2B1 RET=FULL",
      text: mail({ from: "y@unsigned.example", to: "cas@ours.example" }),
    });
  for (const notify of ["NEVER", "FAILURE"]) {
    assert.equal((await send("x@other.example", notify)).code, 250);
  }
  assert.equal((await send("x@unsigned.example", "SUCCESS")).code, 250);
  assert.equal(told.length, 0);
  assert.equal((await send("x@other.example", "SUCCESS,FAILURE")).code, 250);
  assert.equal(told.length, 1);
  const [dsn] = told;
  assert.match(dsn, /^x@other\.example true\n/);
  assert.match(dsn, /^Subject: Message delivered: (?!\(no subject\))/m);
  assert.match(dsn, /^In-Reply-To: <.+>\r$/m);
  assert.match(dsn, /^References: <.+>\r$/m);
  assert.match(dsn, /^Original-Envelope-Id: id\+1\r$/m);
  assert.deepEqual(dsn.match(/^(Final|Original)-Recipient: .*$/gm)!.map((l) => l.trim()), [
    "Original-Recipient: rfc822; first@there.example",
    "Final-Recipient: rfc822; cas@ours.example",
    "Original-Recipient: rfc822; first@there.example",
    "Final-Recipient: rfc822; team@ours.example",
  ]);
  assert.equal(dsn.match(/^Action: delivered\r$/gm)!.length, 2);
});

Deno.test("what careful readers notice sends a stranger's message to Junk, explained to its reader", async () => {
  await using r = await startReceiver();
  const text = `From: "PayPal" <joe@sender.example>
To: ann@ours.example
Subject: Your account
Content-Type: text/html

<p>Your account is limited.</p><a href="https://pay.evil.test/">paypal.com/login</a>
`;
  const reply = await r.send({ text, sign: "sender.example" });
  assert.equal(reply.code, 250, reply.lines.join());
  assert.deepEqual(await r.messages("ann", "Inbox"), []);
  const [m] = await r.messages("ann", "Junk");
  assert.match(m, /^X-Mox-Reason: phishing-signals; /m);
  await r.account("ann", async (a) => {
    const junk = a.mailboxByName("Junk")!;
    const id = a.db.get("SELECT id FROM messages WHERE mailbox_id = ?", junk.id)![0] as number;
    const { why } = await parsedMessage(r.server.config, a, id);
    assert.equal(why?.reason, "phishing-signals");
    assert.equal(why?.warning, true);
    assert.deepEqual(why?.signals.slice(0, 2), [
      'The sender calls itself "PayPal", but writes from sender.example.',
      "A link says paypal.com, but goes to pay.evil.test.",
    ]);
    // The filter didn't learn from what nobody marked.
    assert.equal(a.db.get("SELECT trained FROM messages WHERE id = ?", id)?.[0], 0);
  });
});
