/**
 * What an operation costs as mailboxes and accounts grow: `docs/scaling.md` and its plots are made from it.
 *
 * usage: deno run -A tests/bench/scaling.ts [largest mailbox [most accounts [folder for the plots]]]
 *
 * @module
 */
import { join } from "node:path";
import { Log, setLevel } from "../../src/log/mod.ts";
import type { Account } from "../../src/store/account/account.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { ImapLoad } from "./imap.ts";
import { serveBenchImap } from "./imap_backend.ts";
import { type Curve, plot } from "./plot.ts";

const largest = Number(Deno.args[0] ?? 100_000);
const mostAccounts = Number(Deno.args[1] ?? 1000);
const plots = Deno.args[2];
const repeats = 15;

setLevel("", "error");
const log = new Log("imapserver");
const dir = await Deno.makeTempDir({ prefix: "scaling-" });
const accounts = new Accounts(join(dir, "accounts"), log, () => ({
  initialMailboxes: () => [{ name: "Archive", specialUse: 1 }],
  quotaMessageSize: () => undefined,
  junkFlags: () => undefined,
}));
const password = "password of the bench";

function text(n: number): string {
  return `From: Person ${n % 997} <p${n % 997}@example.org>\r\nTo: <me@mox.example>\r\n` +
    `Subject: message ${n}\r\nMessage-ID: <${n}@example.org>\r\n` +
    `Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n` +
    `Hello, this is message ${n} with some words in it.\r\n`.repeat(8) +
    (n % 5000 === 77 ? "a zebra crossing\r\n" : "");
}

let files = 0;
async function newMessage(n: number) {
  const bytes = new TextEncoder().encode(text(n));
  const file = join(dir, `m${files++}`);
  await Deno.writeFile(file, bytes);
  return { file, fileSize: bytes.length, prefix: new Uint8Array(0) };
}

async function fill(account: Account, count: number): Promise<void> {
  let n = 0;
  await Promise.all(Array.from({ length: 64 }, async () => {
    while (n < count) {
      const m = await newMessage(n++);
      await account.deliver("Inbox", m);
      await Deno.remove(m.file);
    }
  }));
  while (account.fulltext.behind > 0) await new Promise((r) => setTimeout(r, 100));
}

function median(list: number[]): number {
  return list.sort((a, b) => a - b)[list.length >> 1];
}

async function timed(work: (i: number) => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await work(i);
    times.push(performance.now() - start);
  }
  return median(times);
}

const byMailbox = new Map<string, [number, number][]>();
const note = (curves: typeof byMailbox, name: string, x: number, y: number) => {
  curves.set(name, [...curves.get(name) ?? [], [x, y]]);
};

async function mailboxes(): Promise<void> {
  for (let size = 1000; size <= largest; size *= 10) {
    const name = `box${size}`;
    const account = await accounts.open(name);
    await account.credentials.setPassword(password);
    await fill(account, size);
    const server = await serveBenchImap({ log, tempDir: dir, account: () => accounts.open(name) });
    const c = await ImapLoad.connect(server.port, "me", password);
    const row = async (what: string, work: (i: number) => Promise<unknown>) =>
      note(byMailbox, what, size, await timed(work));
    await row("deliver a message", async (i) => {
      await account.deliver("Inbox", await newMessage(1_000_000 + i));
    });
    const body = text(0);
    await row("APPEND", () => c.run(`APPEND INBOX {${body.length}+}\r\n${body}`));
    await row("STATUS", () => c.run("STATUS INBOX (MESSAGES UNSEEN SIZE)"));
    await row("SELECT", () => c.run("SELECT INBOX"));
    await row(
      "FETCH metadata of 50",
      () => c.run(`FETCH ${size - 49}:${size} (UID FLAGS ENVELOPE BODYSTRUCTURE)`),
    );
    await row("FETCH a body", (i) => c.run(`FETCH ${size - i} (BODY.PEEK[])`));
    await row("STORE a flag", (i) => c.run(`STORE ${size - i} +FLAGS (\\Flagged)`));
    await row("SEARCH FLAGGED", () => c.run("SEARCH FLAGGED"));
    await row("SEARCH TEXT (rare word)", () => c.run('SEARCH TEXT "zebra crossing"'));
    await row("COPY a message", (i) => c.run(`COPY ${size - i} Archive`));
    await row("MOVE a message", () => c.run("MOVE 1 Archive"));
    await c.close();
    await server.shutdown(1000);
    account.close();
    console.log(`mailbox of ${size} done`);
  }
}

const byAccount = new Map<string, [number, number][]>();
const memory: [number, number][] = [];

async function many(): Promise<void> {
  const open: Account[] = [];
  for (let count = 1; count <= mostAccounts; count *= 10) {
    const start = performance.now();
    const before = open.length;
    while (open.length < count) open.push(await accounts.open(`a${open.length}`));
    if (count > before) {
      note(byAccount, "make an account", count, (performance.now() - start) / (count - before));
    }
    note(
      byAccount,
      "deliver a message",
      count,
      await timed(async (i) => {
        await open[(i * 7919) % count].deliver("Inbox", await newMessage(i));
      }),
    );
    memory.push([count, Deno.memoryUsage().rss / 1048576]);
  }
  for (const a of open) a.close();
}

function print(title: string, x: string, curves: typeof byMailbox): void {
  const sizes = [...new Set([...curves.values()].flat().map(([n]) => n))];
  console.log(`\n${title}\n| ${x} | ${sizes.join(" | ")} |\n|---${"|---".repeat(sizes.length)}|`);
  for (const [name, points] of curves) {
    const cells = sizes.map((n) => points.find(([p]) => p === n)?.[1].toFixed(2) ?? "");
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}

try {
  await mailboxes();
  await many();
  print("Milliseconds by messages in the mailbox", "operation", byMailbox);
  print("Milliseconds by open accounts", "operation", byAccount);
  console.log(
    `\nMemory (MB) by open accounts: ${memory.map(([n, m]) => `${n}: ${m.toFixed(0)}`).join(", ")}`,
  );
  if (plots) {
    const curves = (m: typeof byMailbox): Curve[] =>
      [...m].map(([name, points]) => ({ name, points }));
    await Deno.writeTextFile(
      join(plots, "scaling-mailbox.svg"),
      plot("Cost of an operation by size of the mailbox", "messages", "ms", curves(byMailbox)),
    );
    await Deno.writeTextFile(
      join(plots, "scaling-accounts.svg"),
      plot("Cost of an operation by open accounts", "accounts", "ms", curves(byAccount)),
    );
  }
} finally {
  await accounts.closeAll();
  await Deno.remove(dir, { recursive: true });
}
Deno.exit();
