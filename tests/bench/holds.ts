/**
 * How long IMAP commands over a large mailbox hold up everybody else: CPU time of the main thread between two turns of
 * the event loop, the longest five of each command. The messages have rows and no files.
 *
 * usage: deno run -A tests/bench/holds.ts [messages]
 *
 * @module
 */
import { join } from "node:path";
import { Log, setLevel } from "../../src/log/mod.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import { type Account, consistency } from "../../src/store/account/account.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { asEmailId } from "../../src/store/ids.ts";
import { mailboxByName } from "../../src/store/mailboxes/mailboxes.ts";
import { describe } from "../../src/store/messages/describe.ts";
import { insertEmail, type ReadyEmail } from "../../src/store/messages/insert.ts";
import { ImapLoad } from "./imap.ts";
import { serveBenchImap } from "./imap_backend.ts";

const size = Number(Deno.args[0] ?? 200_000);
const perThread = 10;
const perWrite = 1000;
const password = "password of the bench";

setLevel("", "error");
consistency.checkAtClose = false;
const log = new Log("imapserver");
const dir = await Deno.makeTempDir({ prefix: "holds-" });
const openAccounts = () =>
  new Accounts(join(dir, "accounts"), log, () => ({
    initialMailboxes: () => [],
    quotaMessageSize: () => undefined,
    junkFlags: () => undefined,
  }));

function text(i: number): string {
  const thread = Math.floor(i / perThread);
  const n = i % perThread;
  const references = Array.from({ length: n }, (_, k) => `<${thread}.${k}@example.org>`);
  // Dates and subjects are in another order than the messages.
  const date = new Date(1.6e12 + i * 7919 % size * 60_000).toUTCString().replace("GMT", "+0000");
  return `From: Person ${i % 50_000} <p${i % 50_000}@example.org>\r\nTo: <me@mox.example>\r\n` +
    `Subject: ${n > 0 ? "Re: " : ""}number ${thread * 7919 % 1_000_003} of these\r\n` +
    `Message-ID: <${thread}.${n}@example.org>\r\n` +
    (n > 0 ? `References: ${references.join(" ")}\r\n` : "") + `Date: ${date}\r\n\r\nhello\r\n`;
}

async function fill(account: Account): Promise<void> {
  const encoder = new TextEncoder();
  for (let i = 0; i < size;) {
    const emails: ReadyEmail[] = [];
    for (const end = Math.min(size, i + perWrite); i < end; i++) {
      const bytes = encoder.encode(text(i));
      emails.push({
        emailId: asEmailId(i + 1),
        prefix: new Uint8Array(0),
        size: bytes.length,
        description: await describe(parseMessage(bytes), (from, to) => bytes.subarray(from, to)),
        flags: 0,
        keywords: [],
        received: 1.6e12 + i * 60_000,
        facts: undefined,
        isReject: false,
        destinedMailboxId: 0,
        noThread: false,
        overQuota: false,
      });
    }
    await account.writer.write((ctx) => {
      const inbox = mailboxByName(account.db, "Inbox")!;
      for (const e of emails) insertEmail(account.db, ctx, inbox, account.rules, e);
    });
  }
}

const filled = await openAccounts().open("a");
await filled.credentials.setPassword(password);
await fill(filled);
filled.close();

// An account that is opened again indexes what it finds.
const accounts = openAccounts();
const account = await accounts.open("a");
await account.fulltext.update();
const server = await serveBenchImap({ log, tempDir: dir, account: () => accounts.open("a") });
const c = await ImapLoad.connect(server.port, "me", password);
await c.run("SELECT INBOX");

/** Milliseconds that the main thread has worked. */
const worked = () =>
  Number(Deno.readTextFileSync(`/proc/self/task/${Deno.pid}/schedstat`).split(" ")[0]) / 1e6;

for (
  const command of [
    "THREAD REFERENCES UTF-8 ALL",
    "THREAD REFERENCES UTF-8 ALL",
    "THREAD REFS UTF-8 ALL",
    "THREAD ORDEREDSUBJECT UTF-8 ALL",
    "SORT (SUBJECT) UTF-8 ALL",
    "SORT (SUBJECT) UTF-8 ALL",
    "SORT (FROM) UTF-8 ALL",
    "SORT (DATE) UTF-8 ALL",
    "SORT (REVERSE ARRIVAL) UTF-8 ALL",
    "SORT (SIZE SUBJECT) UTF-8 ALL",
    "SEARCH SUBJECT number",
    "SEARCH UNSEEN NOT DELETED",
    "FETCH 1:* (FLAGS) (CHANGEDSINCE 99999999)",
    "UID EXPUNGE 1:*",
    "FETCH 1:* (UID FLAGS)",
    "STORE 1:* +FLAGS.SILENT (\\Flagged)",
    "STORE 1:* +FLAGS.SILENT (\\Flagged)",
  ]
) {
  const holds: number[] = [];
  const start = worked();
  let last = start;
  const look = () => {
    const now = worked();
    holds.push(now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  await c.run(command);
  clearInterval(timer);
  look();
  const longest = holds.sort((a, b) => b - a).slice(0, 5).map((ms) => ms.toFixed(0)).join(" ");
  console.log(`${command.padEnd(44)} ${(last - start).toFixed(0)} ms of CPU; holds ${longest}`);
}
Deno.exit(0);
