/** `mox import go`: what the original's own IMAP server said of its data is said here too, and programs go on. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { join } from "node:path";
import { copyConfig } from "../../src/admin/original/config_copy.ts";
import { findOriginal } from "../../src/admin/original/folder.ts";
import { surveyOriginal, takeOverOriginal } from "../../src/admin/original/take_over.ts";
import { Config } from "../../src/config/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { connectTcp } from "../../src/net/mod.ts";
import type { MechanismName } from "../../src/sasl/mod.ts";
import { MailServer } from "../../src/serve/server.ts";
import { SmtpClient } from "../../src/smtp/client/mod.ts";
import { consistency } from "../../src/store/account/account.ts";
import { moxIn } from "../serve/instance.ts";
import { freePorts } from "../support/ports.ts";
import { findProgram, lacks } from "../support/programs.ts";
import { expected, type ExpectedMailbox, listing, parseFetch, unpack } from "./originals.ts";
import { programArgs } from "../support/program.ts";

for (
  const pkg of ["serve", "imapserver", "smtpserver", "store", "queue", "web", "http", "control"]
) setLevel(pkg, "error");
// Counts are checked against messages, and files against rows, whenever an account is closed.
consistency.checkAtClose = true;

const quiet = { tell: () => {} };
const passwords = { mox: "moxmoxmox", ann: "ann-secret-1" } as const;

async function inTempDir(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "mox-moving-" });
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

interface Moved {
  dir: string;
  config: Config;
  imap: number;
  submission: number;
  web: number;
}

/** Takes the localserve of the original over into a folder, with ports of the test's. */
async function move(dir: string): Promise<Moved> {
  await unpack("localserve-0.0.17.tgz", join(dir, "old"));
  const from = await findOriginal(join(dir, "old", "lsA"));
  assert(from.configDir);
  const to = join(dir, "new", "config");
  await copyConfig({ ...from, configDir: from.configDir }, to);
  const [imap, submission, web, other] = await freePorts(4);
  let text = await Deno.readTextFile(join(to, "mox.conf"));
  assert.match(text, /^DataDir: \.\.\/data$/m);
  const ports: Record<string, number> = { "1143": imap, "1587": submission, "1080": web };
  text = text.replaceAll("127.0.0.40", "127.0.0.1")
    .replace(/Port: (1143|1587|1080)$/gm, (_, port) => `Port: ${ports[port]}`)
    .replace(/Port: 1081$/m, `Port: ${other}`)
    // What is left of services needs no ports of its own.
    .replace(
      /^\t\t(SMTP|Submissions|IMAPS|\w+HTTPS):\n\t\t\tEnabled: true/gm,
      "\t\t$1:\n\t\t\tEnabled: false",
    );
  await Deno.writeTextFile(join(to, "mox.conf"), text);
  const config = await Config.load(join(to, "mox.conf"));
  assert.deepEqual(config.warnings, []);
  const before = listing(from.dataDir);
  await takeOverOriginal(from, config.dataDir, quiet);
  assert.deepEqual(listing(from.dataDir), before, "nothing of the original is changed");
  return { dir, config, imap, submission, web };
}

async function withMoved(fn: (m: Moved, server: MailServer) => Promise<void>): Promise<void> {
  await inTempDir(async (dir) => {
    const m = await move(dir);
    const server = await MailServer.start({ config: m.config, local: false });
    try {
      await fn(m, server);
    } finally {
      await server.stop();
    }
  });
}

/** An IMAP connection: sends commands, gives the untagged answers. */
class Imap {
  readonly #socket;
  #text = "";
  #tag = 0;

  constructor(port: number) {
    this.#socket = connect({ host: "127.0.0.1", port });
    this.#socket.on("data", (b: Uint8Array) => this.#text += Buffer.from(b).toString());
  }

  async command(command: string): Promise<string[]> {
    const tag = `a${this.#tag++}`;
    this.#socket.write(`${tag} ${command}\r\n`);
    const end = new RegExp(`^${tag} (OK|NO|BAD).*\r\n`, "m");
    while (!end.test(this.#text)) await new Promise((r) => setTimeout(r, 2));
    const text = this.#text;
    this.#text = "";
    assert.match(text, new RegExp(`^${tag} OK`, "m"), `${command}: ${text}`);
    return text.split("\r\n");
  }

  close(): void {
    this.#socket.destroy();
  }
}

Deno.test("uidvalidity, uids, sizes, dates and flags are those of the original's IMAP server", () =>
  withMoved(async (m) => {
    for (const account of ["mox", "ann"] as const) {
      const wanted = await expected(account);
      const imap = new Imap(m.imap);
      await imap.command(`LOGIN ${account}@localhost ${passwords[account]}`);
      const names = new Set(
        (await imap.command('LIST "" *')).flatMap((l) =>
          /^\* LIST .* "?\/"? "?([^"]*)"?$/.exec(l)?.[1] ?? []
        ),
      );
      assert.deepEqual(new Set([...names].map(inboxName)), new Set(wanted.keys()));
      for (const [name, mailbox] of wanted) {
        const said = await imap.command(`EXAMINE "${name}"`);
        const found: ExpectedMailbox = {
          uidValidity: Number(/UIDVALIDITY (\d+)/.exec(said.join("\n"))![1]),
          messages: [],
        };
        if (mailbox.messages.length > 0) {
          const rows = await imap.command("UID FETCH 1:* (FLAGS RFC822.SIZE INTERNALDATE)");
          found.messages = rows.filter((l) => / FETCH \(/.test(l)).map(parseFetch);
        }
        assert.deepEqual(found, mailbox, `${account}: ${name}`);
      }
      imap.close();
    }
  }));

function inboxName(name: string): string {
  return name.toLowerCase() === "inbox" ? "INBOX" : name;
}

Deno.test("a program that was last here before the move hears nothing new, with QRESYNC", () =>
  withMoved(async (m) => {
    const imap = new Imap(m.imap);
    await imap.command("LOGIN mox@localhost moxmoxmox");
    await imap.command("ENABLE QRESYNC");
    const inbox = (await expected("mox")).get("INBOX")!;
    const said = (await imap.command(`SELECT INBOX (QRESYNC (${inbox.uidValidity} 1))`)).join("\n");
    // Since the first change: uids of removed messages are named, those that are there come.
    assert.match(said, /VANISHED \(EARLIER\) [0-9,:]*\b4/);
    const modseq = /HIGHESTMODSEQ (\d+)/.exec(said)![1];
    await imap.command("UNSELECT");
    const again = await imap.command(`SELECT INBOX (QRESYNC (${inbox.uidValidity} ${modseq}))`);
    assert(!again.some((l) => / FETCH |VANISHED/.test(l)), again.join("\n"));
    imap.close();
  }));

async function submit(m: Moved, user: string, pass: string, mechanism: MechanismName) {
  const client = await SmtpClient.start(
    await connectTcp({ host: "127.0.0.1", port: m.submission }),
    {
      log: new Log("smtpclient"),
      hostname: "laptop.example",
      tls: "never",
      auth: { username: user, password: pass, mechanisms: [mechanism] },
    },
  );
  await client.quit();
}

Deno.test("old passwords let in by each mechanism and on the pages; bcrypt is replaced", () =>
  withMoved(async (m, server) => {
    for (const account of ["mox", "ann"] as const) {
      const user = `${account}@localhost`;
      // Before the first login with the password itself: with the keys that came along.
      for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"] as const) {
        await submit(m, user, passwords[account], mechanism);
        await assert.rejects(submit(m, user, "wrong password", mechanism), mechanism);
      }
      const open = await server.accounts.open(account);
      const hash = () =>
        open.db.get("SELECT value FROM credentials WHERE kind = 'password'")![0] as string;
      assert.match(hash(), /^\$2a\$/);
      const page = await fetch(`http://127.0.0.1:${m.web}/account/api/Login`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "x-mox-request": "1" },
        body: JSON.stringify({ username: user, password: passwords[account] }),
      });
      assert.equal(page.status, 200, await page.text());
      assert.match(hash(), /^\$argon2id\$/);
      open.close();
      for (const mechanism of ["SCRAM-SHA-256", "CRAM-MD5"] as const) {
        await submit(m, user, passwords[account], mechanism);
      }
      const imap = new Imap(m.imap);
      const plain = Buffer.from(`\0${user}\0${passwords[account]}`).toString("base64");
      await imap.command(`AUTHENTICATE PLAIN ${plain}`);
      imap.close();
    }
  }));

Deno.test("mailboxes, keywords, training, suppressed addresses and hold rules come along", () =>
  withMoved(async (m, server) => {
    const a = await server.accounts.open("mox");
    try {
      const uses = a.mailboxes().filter((b) => b.specialUse !== 0).map((b) => b.name).sort();
      assert.deepEqual(uses, ["Archive", "Drafts", "Junk", "Sent", "Trash"]);
      assert.deepEqual(a.mailboxByName("Archive")!.keywords, ["$label1", "project-x"]);
      assert.equal(a.mailboxByName("Lists/deno")!.parentId, a.mailboxByName("Lists")!.id);
      const trained = a.db.get(
        "SELECT sum(trained = 1), sum(trained = 2) FROM messages WHERE expunged = 0",
      )!;
      const filter = JSON.parse(JSON.stringify(trained)) as number[];
      assert(filter[0] > 0 && filter[1] > 0, "there are trained messages of both kinds");
      assert.deepEqual(
        server.queue.suppressions("mox").map((s) => s.baseAddress),
        ["gone@example.org"],
      );
      assert.equal(server.queue.holdRules().length, 1);
      // New messages go on from the uids there were.
      const uidNext = a.mailboxByName("Inbox")!.uidNext;
      assert(uidNext > 14, String(uidNext));
    } finally {
      a.close();
    }
    const dir = m.config.dataPath("accounts", "mox", "msg", "0");
    const linked = [...Deno.readDirSync(dir)].filter((e) =>
      (Deno.statSync(join(dir, e.name)).nlink ?? 1) > 1
    );
    assert(linked.length > 100, "message files are links to the original's");
    await assert.rejects(Deno.stat(m.config.dataPath("taken-over.json")), Deno.errors.NotFound);
  }));

Deno.test("it can be made again until a server has run, and never within the original's folder", () =>
  inTempDir(async (dir) => {
    const m = await move(dir);
    const from = await findOriginal(join(dir, "old", "lsA"));
    const survey = await surveyOriginal(from, quiet);
    const again = await takeOverOriginal(from, m.config.dataDir, quiet);
    assert.deepEqual(
      [...again.accounts].map(([name, a]) => [name, a.messages, a.expunged, a.bytes]),
      [...survey.accounts].map(([name, a]) => [name, a.messages, a.expunged, a.bytes]),
    );
    assert.equal(again.accounts.get("mox")!.messages, 118);
    await (await MailServer.start({ config: m.config, local: false })).stop();
    await assert.rejects(
      takeOverOriginal(from, m.config.dataDir, quiet),
      /with which a server has run/,
    );
    await assert.rejects(takeOverOriginal(from, from.dataDir, quiet), /nothing is to be changed/);
    await assert.rejects(findOriginal(join(dir, "new")), /no databases of the original/);
    // A server on the original's own data says what to do.
    const text = await Deno.readTextFile(m.config.staticPath);
    await Deno.writeTextFile(
      m.config.staticPath,
      text.replace(/^DataDir: .*/m, `DataDir: ${from.dataDir}`),
    );
    const config = await Config.load(m.config.staticPath);
    await assert.rejects(MailServer.start({ config, local: false }), /mox import go -dir/);
  }));

Deno.test("the command: dry run, take-over, what is left behind, and a missing message file", () =>
  inTempDir(async (dir) => {
    await unpack("localserve-0.0.17.tgz", join(dir, "old"));
    await Deno.remove(join(dir, "old/lsA/accounts/ann/msg/a/7"));
    const dry = await moxIn(dir, ["import", "go", "-dir", "old/lsA", "-dryrun"]);
    assert.equal(dry.code, 0, dry.stderr);
    assert.match(dry.stdout, /would be taken over:\n {2}account ann: 11 mailboxes, 40 messages/);
    await assert.rejects(Deno.stat(join(dir, "config")), Deno.errors.NotFound);
    const run = await moxIn(dir, ["import", "go", "-dir", "old/lsA"]);
    assert.equal(run.code, 0, run.stderr);
    assert.match(
      run.stdout,
      /ann: message 7 \(uid \d+ in \w+\) is left out: its file is missing/,
    );
    assert.match(run.stdout, /account mox: 11 mailboxes, 118 messages \(156915 bytes\)/);
    const words = (s: string) => /account mox: .*, (\d+) words of the junk filter$/m.exec(s)?.[1];
    assert.equal(words(dry.stdout), words(run.stdout));
    assert.match(run.stdout, /left behind:\n {2}2 log of attempts to log in/);
    const verify = await moxIn(dir, ["verifydata", "data"]);
    assert.equal(verify.code, 0, verify.stdout + verify.stderr);
  }));

Deno.test("what gentestdata made: a queue with its message, reports, a policy, an empty account", () =>
  inTempDir(async (dir) => {
    await unpack("gentestdata-0.0.17.tgz", dir);
    const from = await findOriginal(join(dir, "gen"));
    assert.equal(from.configDir, undefined);
    const said: string[] = [];
    const taken = await takeOverOriginal(from, join(dir, "data"), { tell: (l) => said.push(l) });
    assert.deepEqual(
      [...taken.accounts].map(([name, a]) => [name, a.mailboxes, a.messages]),
      [["test0", 6, 0], ["test1", 6, 1], ["test2", 6, 2]],
    );
    assert.equal(taken.queue.messages, 1);
    assert.deepEqual(taken.reports, { dmarc: 1, tls: 1 });
    assert.equal(taken.stsPolicies, 1);
    // The key of that folder is no certificate.
    assert(said.some((l) => /TLS key testkey of .* is left out: not a certificate/.test(l)));
    const list = new Deno.Command(Deno.execPath(), {
      args: programArgs(["verifydata", join(dir, "data")]),
    });
    const { code, stdout } = await list.output();
    assert.equal(code, 0, new TextDecoder().decode(stdout));
  }));

Deno.test({
  name: "mbsync with its state from before the move syncs nothing anew",
  ignore: lacks("mbsync"),
  fn: () =>
    withMoved(async (m) => {
      const wanted = await expected("mox");
      const home = join(m.dir, "home");
      const letters: Record<string, string> = {
        "\\Draft": "D",
        "\\Flagged": "F",
        "$Forwarded": "P",
        "\\Answered": "R",
        "\\Seen": "S",
        "\\Deleted": "T",
      };
      const boxes = ["INBOX", "Archive", "Junk", "Work"];
      let channels = "";
      let total = 0;
      for (const name of boxes) {
        const { uidValidity, messages } = wanted.get(name)!;
        const box = join(home, name);
        for (const sub of ["cur", "new", "tmp"]) {
          await Deno.mkdir(join(box, sub), { recursive: true });
        }
        const max = Math.max(...messages.map((x) => x.uid));
        // As mbsync keeps them: its own uids of files, and which of the server's each is.
        let state = `FarUidValidity ${uidValidity}\nNearUidValidity 1\nMaxPulledUid ${max}\n` +
          `MaxPushedUid ${messages.length}\n\n`;
        for (const [i, x] of messages.entries()) {
          const flags = x.flags.flatMap((f) => letters[f] ?? []).sort().join("");
          state += `${x.uid} ${i + 1} ${flags}\n`;
          await Deno.writeTextFile(
            join(box, "cur", `${1700000000 + i}.1_1.host,U=${i + 1}:2,${flags}`),
            `Subject: ${x.uid}\n\n`,
          );
          total++;
        }
        await Deno.writeTextFile(join(box, ".uidvalidity"), `1\n${messages.length}\n`);
        await Deno.writeTextFile(join(box, ".mbsyncstate"), state);
        channels +=
          `Channel ${name}\nFar :server:${name}\nNear :local:${name}\nSync All\nSyncState *\n` +
          "Create None\nExpunge None\n\n";
      }
      assert(total > 40);
      await Deno.writeTextFile(
        join(home, "rc"),
        `IMAPStore server\nHost 127.0.0.1\nPort ${m.imap}\nUser mox@localhost\nPass moxmoxmox\n` +
          `SSLType None\nAuthMechs LOGIN\n\nMaildirStore local\nPath ${home}/\nInbox ${home}/INBOX\nSubFolders Verbatim\n\n` +
          channels,
      );
      const before = listing(home).filter((l) => /\/cur\//.test(l));
      const r = await new Deno.Command(findProgram("mbsync")!, {
        args: ["-c", join(home, "rc"), "-V", ...boxes],
        env: { HOME: home },
      }).output();
      const text = new TextDecoder().decode(r.stdout) + new TextDecoder().decode(r.stderr);
      assert.equal(r.code, 0, text);
      assert.deepEqual(listing(home).filter((l) => /\/cur\//.test(l)), before, text);
      assert.doesNotMatch(text, /\+[1-9]|\*[1-9]|#[1-9]/, text);
    }),
});
