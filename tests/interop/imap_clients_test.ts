/** IMAP clients that others wrote, against `localserve`. */
import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { findProgram, lacks } from "../support/programs.ts";
import { startLocalserve } from "../support/localserve.ts";

const auth = { user: "mox@localhost", pass: "moxmoxmox" };
const tls = { rejectUnauthorized: false };
const message = (subject: string) =>
  `From: <a@localhost>\r\nTo: <mox@localhost>\r\nSubject: ${subject}\r\n` +
  `Message-ID: <${subject}@localhost>\r\n\r\nbody of ${subject}\r\n`;

Deno.test("imapflow: list, append, fetch, flags, search, notice while idle, move, delete", async () => {
  const s = await startLocalserve();
  const c = new ImapFlow({ host: "127.0.0.1", port: s.imap, auth, tls, logger: false });
  try {
    await c.connect();
    assert.ok((await c.list()).some((m) => m.path === "INBOX"));
    for (const x of ["one", "two"]) assert.ok(await c.append("INBOX", message(x)));
    await c.mailboxOpen("INBOX");
    const one = await c.fetchOne("1", { source: true });
    assert.equal(one && one.source!.toString(), message("one"));
    assert.ok(await c.messageFlagsAdd("1", ["\\Flagged"]));
    assert.deepEqual(await c.search({ flagged: true }), [1]);
    const told = new Promise<number>((r) => c.once("exists", (e: { count: number }) => r(e.count)));
    const idling = c.idle();
    const transport = nodemailer.createTransport({ host: "127.0.0.1", tls, port: s.smtp });
    await transport.sendMail({ from: auth.user, to: auth.user, subject: "three", text: "x" });
    assert.equal(await told, 3);
    await c.noop();
    await idling;
    assert.ok(await c.messageMove("2", "Archive"));
    assert.ok(await c.messageDelete("1"));
    const status = await c.status("Archive", { messages: true });
    assert.equal(status && status.messages, 1);
    assert.deepEqual(await c.search({ all: true }), [1]);
    // Flags are those that were given, in whatever mailbox.
    await c.append("Archive", message("four"), ["\\Seen"]);
    await c.mailboxOpen("Archive");
    const four = await c.fetchOne("*", { flags: true });
    assert.deepEqual(four && [...four.flags!], ["\\Seen"]);
    await c.logout();
  } finally {
    c.close();
    await s.close();
  }
});

const python = `
import imaplib, sys
c = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]))
def ok(r):
    assert r[0] == "OK", r
    return r[1]
ok(c.login("mox@localhost", "moxmoxmox"))
text = b"From: <a@localhost>\\r\\nSubject: one\\r\\n\\r\\nbody\\r\\n"
ok(c.append("INBOX", "(\\\\Seen)", None, text))
ok(c.append("INBOX", None, None, text.replace(b"one", b"two")))
assert ok(c.select("INBOX")) == [b"2"]
assert ok(c.search(None, "SUBJECT", "two")) == [b"2"]
assert ok(c.fetch("1", "(RFC822)"))[0][1] == text
ok(c.copy("1", "Archive"))
ok(c.store("1", "+FLAGS", "\\\\Deleted"))
assert ok(c.expunge()) == [b"1"]
assert ok(c.select("Archive")) == [b"1"]
c.logout()
print("done")
`;

Deno.test({
  name: "python's imaplib: login, append, search, fetch, copy, store, expunge",
  ignore: lacks("python3"),
  async fn() {
    const s = await startLocalserve();
    try {
      const r = await new Deno.Command(findProgram("python3")!, {
        args: ["-c", python, String(s.imap)],
      }).output();
      assert.equal(
        new TextDecoder().decode(r.stdout),
        "done\n",
        new TextDecoder().decode(r.stderr),
      );
    } finally {
      await s.close();
    }
  },
});

/** What is in a Maildir, by subject. mbsync adds a line X-TUID of its own; it is left out. */
async function maildir(dir: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const sub of ["new", "cur"]) {
    for await (const e of Deno.readDir(`${dir}/${sub}`)) {
      const raw = await Deno.readTextFile(`${dir}/${sub}/${e.name}`);
      const text = raw.replaceAll("\r\n", "\n").replace(/^X-TUID: .*\n/m, "");
      const subject = /^Subject: (\S+)/m.exec(text)![1];
      assert.ok(!found.has(subject), `${subject} is there twice`);
      found.set(subject, text);
    }
  }
  return found;
}

Deno.test({
  name: "mbsync: 1,000 messages up, and down into another Maildir",
  ignore: lacks("mbsync"),
  async fn() {
    const s = await startLocalserve();
    const dir = await Deno.makeTempDir();
    try {
      for (const d of ["up", "down"]) {
        for (const sub of ["cur", "new", "tmp"]) {
          await Deno.mkdir(`${dir}/${d}/${sub}`, { recursive: true });
        }
      }
      for (let i = 0; i < 1000; i++) {
        const text = message(`m${i}`).replaceAll("\r\n", "\n");
        await Deno.writeTextFile(`${dir}/up/new/${1700000000 + i}.M${i}P1.localhost`, text);
      }
      const channels = ["up", "down"].map((d) =>
        `MaildirStore ${d}\nInbox ${dir}/${d}\n\nChannel ${d}\nFar :server:INBOX\n` +
        `Near :${d}:INBOX\nSync ${d === "up" ? "Push" : "Pull"}\nSyncState ${dir}/${d}.state\n\n`
      );
      await Deno.writeTextFile(
        `${dir}/rc`,
        `IMAPStore server\nHost localhost\nPort ${s.imaps}\nUser ${auth.user}\nPass ${auth.pass}\n` +
          `SSLType IMAPS\nCertificateFile ${s.dir}/localhost.crt\nAuthMechs LOGIN\n\n` +
          channels.join(""),
      );
      for (const d of ["up", "down"]) {
        const r = await new Deno.Command(findProgram("mbsync")!, {
          args: ["-c", `${dir}/rc`, d],
          env: { HOME: dir },
        }).output();
        assert.equal(r.code, 0, new TextDecoder().decode(r.stderr));
      }
      const down = await maildir(`${dir}/down`);
      assert.equal(down.size, 1000);
      assert.deepEqual(down, await maildir(`${dir}/up`));
    } finally {
      await s.close();
      await Deno.remove(dir, { recursive: true });
    }
  },
});
