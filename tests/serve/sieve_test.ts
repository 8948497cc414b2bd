/** Scripts at delivery, through a whole server. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { cardObject } from "../../src/groupware/objects.ts";
import { type FakeHost, fakeHost, type FakeOptions } from "../smtp/fake_host.ts";
import { Want } from "../../src/store/types.ts";
import { mail, type Receiver, startReceiver } from "./receiver.ts";

async function withServer(
  fn: (r: Receiver, host: FakeHost, later: (ms: number) => void) => Promise<void>,
  files: Record<string, string> = {},
  options: FakeOptions = { extensions: ["8BITMIME", "DSN"] },
): Promise<void> {
  let now = Date.now();
  await using host = await fakeHost(options);
  await using r = await startReceiver({
    outgoingPort: host.port,
    now: () => now,
    zone: {
      "sender.example": { TXT: ["v=spf1 ip4:127.0.0.1 -all"], MX: ["10 mx.sender.example"] },
      "away.example": { A: ["127.0.0.1"] },
    },
  });
  for (const [name, text] of Object.entries(files)) {
    const path = `${r.dir}/config/sieve/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(path, text);
  }
  await fn(r, host, (ms) => now += ms);
}

async function activate(r: Receiver, account: string, text: string): Promise<void> {
  await r.server.sieve!.scripts.put(account, "main", text);
  await r.server.sieve!.scripts.setActive(account, "main");
}

/** Sends to cas. */
const toCas = (r: Receiver, over: Parameters<typeof mail>[0] = {}, from?: string) =>
  r.send({ from, to: "cas@ours.example", text: mail({ to: "cas@ours.example", ...over }) });

/** Subjects, flags and keywords of a mailbox. */
function listed(r: Receiver, account: string, mailbox: string): Promise<string[]> {
  return r.account(account, (a) => {
    const id = a.mailboxByName(mailbox)?.id;
    const list: string[] = [];
    if (id === undefined) return list;
    a.fetch(id, a.uids(id), Want.Summary, (row) => {
      list.push(`${row.summary.subject} ${row.flags} ${row.keywords}`.trim());
    });
    return list;
  });
}

Deno.test("a message is filed with flags, as a copy, and kept", () =>
  withServer(async (r) => {
    await activate(
      r,
      "cas",
      `require ["fileinto", "imap4flags", "copy", "variables", "envelope"];
if header :matches "subject" "[*] *" { fileinto :flags ["\\\\Flagged", "Work"] "Lists/\${1}"; stop; }
if envelope :localpart "from" "jim" { fileinto :copy "Jim"; }`,
    );
    assert.equal((await toCas(r, { subject: "[dev] one" })).code, 250);
    assert.equal((await toCas(r, { subject: "two" }, "jim@sender.example")).code, 250);
    assert.deepEqual(await listed(r, "cas", "Lists/dev"), ["[dev] one 4 work"]);
    assert.deepEqual(await listed(r, "cas", "Jim"), ["two 0"]);
    assert.deepEqual(await listed(r, "cas", "Inbox"), ["two 0"]);
    const [entry] = r.server.sieve!.log.latest("cas").reverse();
    assert.deepEqual(entry.steps, [{ script: "main", line: 2, text: "filed into Lists/dev" }]);
    // Bob has no script.
    await r.send({ to: "bob@ours.example", text: mail({ to: "bob@ours.example" }) });
    assert.equal((await listed(r, "bob", "Inbox")).length, 1);
  }));

Deno.test("a message is refused while its sender listens, and discarded without a trace", () =>
  withServer(async (r) => {
    await activate(
      r,
      "cas",
      `require "reject"; if header "subject" "no" { reject "I take\nno such mail"; } elsif header "subject" "gone" { discard; }`,
    );
    const refused = await toCas(r, { subject: "no" });
    assert.equal(refused.code, 550);
    assert.match(refused.lines.join("\n"), /^I take\nno such mail$/);
    assert.equal((await toCas(r, { subject: "gone" })).code, 250);
    assert.deepEqual(await listed(r, "cas", "Inbox"), []);
  }));

Deno.test("a message goes on by redirect, with its sender rewritten; in a circle it is kept", () =>
  withServer(async (r, host) => {
    await activate(
      r,
      "cas",
      `require "editheader"; addheader "X-By" "cas"; redirect "cas@away.example";`,
    );
    assert.equal((await toCas(r, { subject: "on" })).code, 250);
    await r.server.queue.idle();
    assert.equal(host.mails.length, 1);
    assert.match(host.mails[0].from, /^SRS0=.*@ours\.example$/);
    assert.match(host.mails[0].data, /^X-By: cas\r$/m);
    assert.doesNotMatch(host.mails[0].data, /^(?:Return-Path|X-Mox-Reason):/m);
    assert.equal(host.mails[0].data.match(/^Delivered-To:/gm)?.length, 1);
    assert.deepEqual(await listed(r, "cas", "Inbox"), []);
    await toCas(r, { subject: "round", headers: "Delivered-To: <cas@ours.example>\n" });
    await r.server.queue.idle();
    assert.equal(host.mails.length, 1);
    assert.deepEqual(await listed(r, "cas", "Inbox"), ["round 0"]);
  }));

Deno.test("RFC 6009: what a redirect demands of those that deliver it goes along", async () => {
  const commands: string[] = [];
  const note = (line: string) => {
    commands.push(line.replace(/<[^>]*>/, "<>"));
    return undefined;
  };
  await withServer(
    async (r) => {
      await activate(
        r,
        "cas",
        `require ["redirect-dsn", "redirect-deliverby"];
redirect :notify "success,delay" :ret "hdrs" :bytimerelative 600 :bymode "return" :bytrace "away@away.example";`,
      );
      await toCas(r, { subject: "urgent" });
      await r.server.queue.idle();
      assert.match(commands[0], /^MAIL FROM:<> SIZE=\d+ RET=HDRS BY=(?:600|599|59\d);RT$/);
      assert.equal(commands[1], "RCPT TO:<> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;cas@ours.example");
    },
    {},
    { extensions: ["SIZE", "DSN", "DELIVERBY"], mail: note, rcpt: note },
  );
});

Deno.test("who writes has one vacation reply for some days, and notifications are sent", () =>
  withServer(async (r, host, later) => {
    await activate(
      r,
      "cas",
      `require ["vacation", "enotify", "fcc"]; vacation :days 2 :subject "Away" :fcc "Sent" "I am away.";
notify :message "mail!" "mailto:phone@away.example";`,
    );
    const sent = async (from?: string) => {
      host.mails.length = 0;
      assert.equal((await toCas(r, {}, from)).code, 250);
      await r.server.queue.idle();
      return host.mails.map((m) => `${m.to[0]} ${/^Subject: (.*)\r$/m.exec(m.data)?.[1]}`).sort();
    };
    assert.deepEqual(await sent(), ["joe@sender.example Away", "phone@away.example mail!"]);
    assert.deepEqual(await sent(), ["phone@away.example mail!"]);
    assert.deepEqual(await sent("jim@sender.example"), [
      "jim@sender.example Away",
      "phone@away.example mail!",
    ]);
    later(3 * 86_400_000);
    assert.deepEqual(await sent(), ["joe@sender.example Away", "phone@away.example mail!"]);
    assert.equal((await listed(r, "cas", "Sent")).length, 3);
    assert.equal((await listed(r, "cas", "Inbox")).length, 4);
  }));

Deno.test("a message that is filed is taken, though what scripts did and send can't be written", () =>
  withServer(async (r) => {
    await activate(
      r,
      "cas",
      `require ["duplicate", "fileinto", "vacation"];
if duplicate { fileinto "Twice"; } else { fileinto "Once"; }
vacation "away";`,
    );
    using db = new DatabaseSync(`${r.dir}/data/sieve.db`);
    // Fails as an insert into a file on a full disk does.
    const full = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
    for (const table of ["seen", "done", "sent"]) {
      db.exec(`CREATE TRIGGER full_${table} BEFORE INSERT ON ${table} ${full}`);
    }
    assert.equal((await toCas(r, { subject: "one" })).code, 250);
    assert.deepEqual(await listed(r, "cas", "Once"), ["one 0"]);
    assert.deepEqual(r.server.sieve!.log.latest("cas"), []);
    for (const table of ["seen", "done", "sent"]) db.exec(`DROP TRIGGER full_${table}`);
    assert.equal((await toCas(r, { subject: "two" })).code, 250);
    assert.deepEqual(await listed(r, "cas", "Once"), ["one 0", "two 0"]);
    assert.equal(r.server.sieve!.log.latest("cas").length, 1);
  }));

Deno.test("a message that came before is a duplicate, also for what a header says", () =>
  withServer(async (r) => {
    await activate(
      r,
      "cas",
      `require ["duplicate", "fileinto"]; if duplicate :header "x-id" { fileinto "Twice"; }`,
    );
    for (const id of ["1", "2", "1"]) await toCas(r, { subject: id, headers: `X-Id: ${id}\n` });
    assert.deepEqual(await listed(r, "cas", "Inbox"), ["1 0", "2 0"]);
    assert.deepEqual(await listed(r, "cas", "Twice"), ["1 0"]);
  }));

Deno.test("a script that fails keeps the message, with one note a day", () =>
  withServer(async (r, _host, later) => {
    await activate(
      r,
      "cas",
      `require ["fileinto", "variables"]; fileinto "A"; set "x" "nobody"; redirect "\${x}";`,
    );
    for (const subject of ["one", "two"]) await toCas(r, { subject });
    assert.deepEqual(await listed(r, "cas", "Inbox"), ["one 0", "A mail rule failed 0", "two 0"]);
    const [, note] = await r.messages("cas", "Inbox");
    assert.match(note, /main:1:\d+: "nobody" is no address to redirect to/);
    later(86_500_000);
    await toCas(r, { subject: "three" });
    assert.equal((await listed(r, "cas", "Inbox")).length, 5);
    assert.deepEqual(await listed(r, "cas", "A"), []);
  }));

Deno.test("scripts of the administrator run before and after, of the server and the domain", () =>
  withServer(async (r) => {
    await toCas(r, { subject: "[spam] x" });
    await toCas(r, { subject: "virus" });
    await toCas(r, { subject: "own" });
    assert.deepEqual(await listed(r, "cas", "Spam"), ["[spam] x 0"]);
    assert.deepEqual(await listed(r, "cas", "Quarantine"), ["virus 0 seen-by-domain"]);
    await activate(
      r,
      "cas",
      `require ["fileinto", "include"]; include :global "common"; if header :contains "subject" "[spam]" { fileinto "Mine"; }`,
    );
    await toCas(r, { subject: "[spam] y" });
    await toCas(r, { subject: "common" });
    assert.deepEqual(await listed(r, "cas", "Mine"), ["[spam] y 0 seen-by-domain"]);
    assert.deepEqual(await listed(r, "cas", "Common"), ["common 0 seen-by-domain"]);
  }, {
    "before.sieve":
      `require "fileinto"; if header "subject" "virus-really" { fileinto "Nowhere"; }`,
    "domains/ours.example/before.sieve": `require "imap4flags"; addflag "seen-by-domain";`,
    "domains/ours.example/after.sieve":
      `require "fileinto"; if header "subject" "virus" { fileinto "Quarantine"; }`,
    "after.sieve":
      `require ["fileinto", "imap4flags"]; if header :contains "subject" "[spam]" { fileinto :flags [""] "Spam"; }`,
    "global/common.sieve":
      `require "fileinto"; if header "subject" "common" { fileinto "Common"; }`,
  }));

Deno.test("a wrong script of the administrator is left out", () =>
  withServer(async (r) => {
    assert.equal((await toCas(r, { subject: "x" })).code, 250);
    assert.deepEqual(await listed(r, "cas", "Inbox"), ["x 0"]);
  }, { "before.sieve": "nosuch;" }));

Deno.test("what is filed by special use finds its mailbox, and a name that can't be one keeps the message", () =>
  withServer(async (r) => {
    await activate(
      r,
      "cas",
      `require ["fileinto", "special-use", "variables", "editheader"]; set "bad" "a//b";
if header "subject" "junk" { fileinto :specialuse "\\\\Junk" "Elsewhere"; } else { addheader "X-New" "1"; fileinto "\${bad}"; }`,
    );
    await toCas(r, { subject: "junk" });
    await toCas(r, { subject: "bad" });
    assert.equal((await listed(r, "cas", "Junk")).length, 1);
    const [kept] = await r.messages("cas", "Inbox");
    assert.match(kept, /^X-New: 1\r\nDelivered-To: <cas@ours\.example>\r\n/);
  }));

Deno.test("each member of a list has its own script", () =>
  withServer(async (r) => {
    await activate(r, "cas", `require "fileinto"; fileinto "Team";`);
    await activate(r, "bob", `require "reject"; reject "not me";`);
    assert.equal(
      (await r.send({ to: "team@ours.example", text: mail({ subject: "all" }) })).code,
      250,
    );
    assert.deepEqual(await listed(r, "cas", "Team"), ["all 0"]);
    assert.deepEqual(await listed(r, "ann", "Inbox"), ["all 0"]);
    assert.deepEqual(await listed(r, "bob", "Inbox"), []);
  }));

Deno.test("a list is a group of the user's contacts, to look in and to send to (RFC 6134)", () =>
  withServer(async (r, host) => {
    await r.account("cas", async (a) => {
      const g = await a.groupware();
      const [book] = g.collections("addressbooks");
      const put = (uid: string, lines: string[]) =>
        g.put(
          book.id,
          cardObject(
            `${uid}.vcf`,
            new TextEncoder().encode(
              ["BEGIN:VCARD", "VERSION:3.0", `UID:${uid}`, ...lines, "END:VCARD", ""].join("\r\n"),
            ),
          ),
          { ifNoneMatch: "*" },
        );
      await put("m1", ["FN:Ann", "N:Ann;;;;", "EMAIL:ann@away.example", "EMAIL:a2@away.example"]);
      await put("m2", ["FN:Ben", "N:Ben;;;;", "EMAIL:Ben@away.example"]);
      await put("m3", ["FN:Cid", "N:Cid;;;;"]);
      const group = (uid: string, name: string, members: string[]) =>
        put(uid, [
          `FN:${name}`,
          `N:${name};;;;`,
          "X-ADDRESSBOOKSERVER-KIND:group",
          ...members.map((m) => `X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:${m}`),
        ]);
      await group("g1", "Family", ["m1", "m2", "m3", "gone"]);
      await group("g2", "Nobody", ["m3"]);
    });
    await activate(
      r,
      "cas",
      `require ["extlists", "fileinto", "copy", "envelope"];
if envelope :list "from" ":addrbook:family" { fileinto "Family"; stop; }
if header "subject" "news" { redirect :list :copy ":addrbook:FAMILY"; }
if header "subject" "only" { redirect :list ":addrbook:Family"; }
if header "subject" "none" { redirect :list ":addrbook:Nobody"; }
if header "subject" "else" { redirect :list ":addrbook:default"; }
if allof (header "subject" "valid", valid_ext_list [":addrbook:Family", ":addrbook:default"],
  not valid_ext_list ":addrbook:Foes") { fileinto "Valid"; }`,
    );
    for (const subject of ["news", "only", "none", "else", "valid"]) {
      assert.equal((await toCas(r, { subject })).code, 250);
    }
    await r.server.queue.idle();
    const sent = host.mails.map((m) => m.to.join()).sort();
    assert.deepEqual(sent, [
      ...["Ben@away.example", "Ben@away.example"],
      ...["ann@away.example", "ann@away.example"],
    ]);
    assert.deepEqual((await listed(r, "cas", "Inbox")).sort(), ["else 0", "news 0", "none 0"]);
    assert.deepEqual(await listed(r, "cas", "Valid"), ["valid 0"]);
    const done = r.server.sieve!.log.latest("cas").flatMap((e) => e.steps.map((s) => s.text));
    assert.ok(done.includes("not sent on: nobody in :addrbook:Nobody has an address"));
    assert.ok(done.includes("not sent on: there is no group of contacts :addrbook:default"));
  }));
