/** Scripts for what happens in IMAP (RFC 6785), through a whole server. */
import assert from "node:assert/strict";
import { type Connection, connectTcp } from "../../src/net/mod.ts";
import { type FakeHost, fakeHost } from "../smtp/fake_host.ts";
import { Browser, query } from "../web/webmail/server.ts";
import { freePorts } from "./instance.ts";
import { type Receiver, startReceiver } from "./receiver.ts";

/** An IMAP client that sends lines. */
class Client {
  readonly conn: Connection;
  #tag = 0;
  constructor(conn: Connection) {
    this.conn = conn;
  }
  async run(command: string, literal?: string): Promise<string> {
    const tag = `a${++this.#tag}`;
    this.conn.write(
      `${tag} ${command}${literal === undefined ? "" : ` {${literal.length}+}\r\n${literal}`}\r\n`,
    );
    await this.conn.flush();
    const lines: string[] = [];
    for (;;) {
      const line = new TextDecoder().decode(await this.conn.readLine(100_000));
      lines.push(line);
      if (line.startsWith(`${tag} `)) break;
    }
    assert.match(lines[lines.length - 1], / OK/, command);
    return lines.join("\n");
  }
}

async function withClient(
  fn: (c: Client, r: Receiver, host: FakeHost, webmail: string) => Promise<void>,
): Promise<void> {
  const [port, http] = await freePorts(2);
  await using host = await fakeHost({ extensions: ["8BITMIME"] });
  await using r = await startReceiver({
    outgoingPort: host.port,
    zone: { "reports.example": { A: ["127.0.0.1"] } },
    smtp: `\t\tIMAP:\n\t\t\tEnabled: true\n\t\t\tPort: ${port}\n\t\t\tNoRequireSTARTTLS: true\n` +
      `\t\tWebmailHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${http}\n`,
  });
  await r.account("cas", (a) => a.credentials.setPassword("correct horse battery"));
  const conn = await connectTcp({ host: "127.0.0.1", port, readTimeout: 10_000 });
  try {
    await conn.readLine(10_000);
    const c = new Client(conn);
    assert.match(await c.run("CAPABILITY"), /IMAPSIEVE=sieve:\/\/mail\.example/);
    await c.run(`LOGIN cas@ours.example "correct horse battery"`);
    await fn(c, r, host, `http://127.0.0.1:${http}/webmail/`);
  } finally {
    await conn.close();
  }
}

/** Waits until a condition holds. */
async function until(fn: () => Promise<boolean>): Promise<void> {
  for (let i = 0; !await fn(); i++) {
    assert.ok(i < 3000, "it never came to be");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const message = "From: a@b.example\r\nSubject: x\r\n\r\nhi\r\n";

Deno.test("a message moved to a mailbox is reported, and marked", () =>
  withClient(async (c, r, host) => {
    await r.server.sieve!.scripts.put(
      "cas",
      "spam",
      `require ["imapsieve", "environment", "imap4flags", "copy"];
if environment "imap.cause" "COPY" { redirect :copy "spam@reports.example"; addflag "reported"; }`,
    );
    await c.run(`SETMETADATA Junk (/shared/imapsieve/script "spam")`);
    await c.run("APPEND INBOX", message);
    await c.run("SELECT INBOX");
    await c.run("MOVE 1 Junk");
    await until(async () => {
      await r.server.queue.idle();
      return host.mails.length === 1;
    });
    assert.deepEqual(host.mails[0].to, ["spam@reports.example"]);
    await c.run("SELECT Junk");
    await until(async () => /reported/.test(await c.run("FETCH 1 FLAGS")));
    assert.deepEqual(r.server.sieve!.log.latest("cas").length, 1);
  }));

Deno.test("flags that change file a copy, and what isn't kept is marked as deleted", () =>
  withClient(async (c, r) => {
    await r.server.sieve!.scripts.put(
      "cas",
      "events",
      `require ["imapsieve", "environment", "fileinto", "copy", "relational"];
if allof (environment "imap.cause" "FLAG", environment :contains "imap.changedflags" "\\\\Flagged") { fileinto :copy "Starred"; }
elsif allof (environment "imap.cause" "APPEND", environment "imap.mailbox" "Drafts") { discard; }`,
    );
    await c.run(`SETMETADATA "" (/shared/imapsieve/script "events")`);
    await c.run("APPEND INBOX", message);
    await c.run("APPEND Drafts", message);
    await c.run("SELECT INBOX");
    await c.run("STORE 1 +FLAGS (\\Flagged)");
    await c.run("STORE 1 +FLAGS (\\Seen)");
    await until(async () => {
      const list = await c.run(`LIST "" Starred RETURN (STATUS (MESSAGES))`);
      return /MESSAGES 1/.test(list);
    });
    await c.run("SELECT Drafts");
    await until(async () => /\\Deleted/.test(await c.run("FETCH 1 FLAGS")));
  }));

Deno.test("what REPLACE brings is what APPEND brings", () =>
  withClient(async (c, r) => {
    await r.server.sieve!.scripts.put(
      "cas",
      "mark",
      `require ["imapsieve", "environment", "imap4flags"];
if environment "imap.cause" "APPEND" { addflag "came"; }`,
    );
    await c.run("APPEND INBOX", message);
    await c.run(`SETMETADATA INBOX (/shared/imapsieve/script "mark")`);
    await c.run("SELECT INBOX");
    await c.run("REPLACE 1 INBOX", message.replace("hi", "ho"));
    await until(async () => /came/.test(await c.run("FETCH 1 FLAGS")));
    assert.match(await c.run("FETCH 1 BODY.PEEK[TEXT]"), /ho/);
  }));

Deno.test("what the webmail moves, marks, imports and takes back runs scripts too", () =>
  withClient(async (c, r, host, base) => {
    await r.server.sieve!.scripts.put(
      "cas",
      "learn",
      `require ["imapsieve", "environment", "imap4flags", "copy", "variables"];
if environment :matches "imap.cause" "*" { set :lower "cause" "${"${1}"}"; }
if environment "imap.mailbox" "Junk" { redirect :copy "spam@reports.example"; addflag "spam-${"${cause}"}"; }
elsif environment "imap.mailbox" "Inbox" { redirect :copy "ham@reports.example"; addflag "ham-${"${cause}"}"; }
elsif environment :matches "imap.changedflags" "*" { addflag "changed-${"${1}"}"; }`,
    );
    await c.run("APPEND INBOX", message);
    await c.run(`SETMETADATA "" (/shared/imapsieve/script "learn")`);
    const b = new Browser(base);
    await b.call("Login", { username: "cas@ours.example", password: "correct horse battery" });
    const start = await (await b.events(query(null))).expect("start");
    const box = (name: string) => start.mailboxes.find((m) => m.name === name)!.id;
    const flagged = async (name: string, keyword: string) => {
      await c.run(`SELECT ${name}`);
      await until(async () => (await c.run("FETCH 1:* FLAGS")).toLowerCase().includes(keyword));
    };
    const whole = { query: query(box("Inbox")) };
    const moved = await b.call("MoveTo", { target: whole, specialUse: "junk" });
    await flagged("Junk", "spam-copy");
    await b.call("Undo", { undo: moved.undo! });
    await flagged("Inbox", "ham-copy");
    await b.call("Delete", { target: whole });
    const trash = { query: query(box("Trash")) };
    await b.call("FlagsSet", {
      target: trash,
      ...{ add: [], remove: [], addKeywords: ["seen-by-web"], removeKeywords: [] },
    });
    await flagged("Trash", "changed-seen-by-web");
    const put = await b.upload("x.eml", "message/rfc822", new TextEncoder().encode(message));
    const { uploadId } = await put.json();
    await b.call("MessageImport", { uploadId, mailboxId: box("Junk") });
    await flagged("Junk", "spam-append");
    b.close();
    await r.server.queue.idle();
    await until(() => Promise.resolve(host.mails.length === 3));
    assert.deepEqual(host.mails.map((m) => m.to[0].split("@")[0]).sort(), ["ham", "spam", "spam"]);
  }));
