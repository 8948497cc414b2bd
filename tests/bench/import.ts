/**
 * Import of a large mbox: messages a second, memory over time, and what another user's IMAP session waits
 * meanwhile.
 *
 * usage: deno run --allow-all tests/bench/import.ts [messages [messages of a thread]]
 *
 * @module
 */
import { join } from "node:path";
import process from "node:process";
import { Log, setLevel } from "../../src/log/mod.ts";
import { Accounts } from "../../src/store/account/accounts.ts";
import { importMessages } from "../../src/store/import/import.ts";
import { mboxSource } from "../../src/store/import/mbox.ts";
import { serveBenchImap } from "./imap_backend.ts";

const count = Number(Deno.args[0] ?? 100_000);
/** Each message answers the one before, up to so many. */
const depth = Number(Deno.args[1] ?? 10);
const password = "password of the bench";

setLevel("", "error");
const log = new Log("imapserver");
const dir = await Deno.makeTempDir({ prefix: "bench-import-" });
const accounts = new Accounts(join(dir, "accounts"), log, () => ({
  initialMailboxes: () => [],
  quotaMessageSize: () => undefined,
  junkFlags: () => undefined,
}));

function text(n: number): string {
  const thread = Math.floor(n / depth);
  const reply = n % depth > 0;
  return `From: Person ${n % 997} <p${n % 997}@example.org>\nTo: <me@mox.example>\n` +
    `Subject: ${reply ? "Re: " : ""}thread ${thread}\nMessage-ID: <${n}@example.org>\n` +
    (reply ? `References: <${n - 1}@example.org>\n` : "") +
    `Date: Mon, 23 Nov 2026 10:00:00 +0000\n\n` +
    `Hello, this is message ${n} with some words in it.\n`.repeat(20);
}

async function writeMbox(path: string): Promise<void> {
  using f = await Deno.open(path, { write: true, create: true });
  const w = f.writable.getWriter();
  let piece = "";
  for (let n = 0; n < count; n++) {
    piece += `From p@example.org Mon Nov 23 10:00:00 2026\n${text(n)}\n`;
    if (piece.length > 1024 * 1024 || n === count - 1) {
      await w.write(new TextEncoder().encode(piece));
      piece = "";
    }
  }
  await w.close().catch(() => {});
}

/** Asks the worker; resolves with its next message. */
function ask<T>(worker: Worker, message: unknown): Promise<T> {
  return new Promise((resolve) => {
    worker.onmessage = (e) => resolve(e.data);
    worker.postMessage(message);
  });
}

function told(name: string, times: number[]): void {
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor((times.length - 1) * part)].toFixed(1);
  console.log(
    `${name}: median ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms (${times.length})`,
  );
}

/** Another user for some time, or until `work` is done. */
async function withOther<T>(port: number, name: string, work: () => Promise<T>): Promise<T> {
  const worker = new Worker(new URL("./import_client.ts", import.meta.url), { type: "module" });
  await ask(worker, { port, user: "other", password });
  const r = await work();
  const { noop, fetch } = await ask<{ noop: number[]; fetch: number[] }>(worker, "stop");
  worker.terminate();
  told(`${name}, NOOP`, noop);
  told(`${name}, FETCH of 50`, fetch);
  return r;
}

const mib = (n: number) => `${(n / 1048576).toFixed(0)} MiB`;
const other = await accounts.open("other");
for (let n = 0; n < 50; n++) {
  const file = join(dir, "message");
  const bytes = new TextEncoder().encode(text(n).replaceAll("\n", "\r\n"));
  await Deno.writeFile(file, bytes);
  await other.deliver("Inbox", { file, fileSize: bytes.length, prefix: new Uint8Array(0) });
}
await other.credentials.setPassword(password);
const account = await accounts.open("big");
const server = await serveBenchImap({ log, tempDir: dir, account: () => accounts.open("other") });
try {
  await writeMbox(join(dir, "mbox"));
  console.log(`mbox of ${count}: ${mib(Deno.statSync(join(dir, "mbox")).size)}`);
  await withOther(server.port, "before", () => new Promise((r) => setTimeout(r, 3000)));
  const start = performance.now();
  const done = await withOther(server.port, "meanwhile", () => {
    let next = 0;
    let spent = process.cpuUsage();
    return importMessages(
      account,
      mboxSource("mbox", Deno.openSync(join(dir, "mbox")).readable, "", false),
      {
        mailbox: "Inbox",
        tempDir: dir,
        progress: ({ imported }) => {
          if (imported < next) return;
          next += count / 10;
          const { rss, heapUsed } = Deno.memoryUsage();
          const cpu = process.cpuUsage(spent);
          spent = process.cpuUsage();
          console.log(
            `${imported} imported: ${mib(rss)} resident, heap ${
              mib(heapUsed)
            }, since the last line ` +
              `${(cpu.user / 1e6).toFixed(1)} s user, ${(cpu.system / 1e6).toFixed(1)} s system`,
          );
        },
      },
    );
  });
  const took = (performance.now() - start) / 1000;
  console.log(
    `${done.imported} in ${took.toFixed(1)} s, ${(done.imported / took).toFixed(0)}/s; ` +
      `${done.warnings.length} warnings`,
  );
} finally {
  await server.shutdown(1000);
  other.close();
  account.close();
  await accounts.closeAll();
  await Deno.remove(dir, { recursive: true });
}
