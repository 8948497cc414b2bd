/**
 * `deno task bench`: this server beside Postfix and Dovecot, the same work from the same client in its
 * own process, alternating A B A B; medians and ratios as a table.
 *
 * usage: deno task bench [rounds] [messages in the mailbox]
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ImapLoad } from "./imap.ts";
import { startMox } from "./peers/mox.ts";
import { startPostfixDovecot } from "./peers/postfix_dovecot.ts";
import type { Peer } from "./peers/types.ts";

const here = dirname(fileURLToPath(import.meta.url));
const rounds = Number(Deno.args[0] ?? 3);
const mailboxSize = Number(Deno.args[1] ?? 10_000);

/** Row of the table: median per server, in the row's unit. */
const rows: { name: string; unit: string; higherIsBetter: boolean; a: number[]; b: number[] }[] =
  [];

function record(name: string, unit: string, higher: boolean, which: "a" | "b", value: number) {
  let row = rows.find((r) => r.name === name);
  if (!row) rows.push(row = { name, unit, higherIsBetter: higher, a: [], b: [] });
  row[which].push(value);
}

function median(list: number[]): number {
  const s = [...list].sort((x, y) => x - y);
  return s[s.length >> 1] ?? NaN;
}

/** Sends over SMTP; messages a second until accepted, and until the last is in the mailbox. */
async function smtp(peer: Peer, which: "a" | "b", connections: number, n: number, bytes: number) {
  const imap = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
  const before = await imap.count("INBOX");
  const start = performance.now();
  const r = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "-A",
      join(here, "smtp_load.ts"),
      String(peer.smtpPort),
      peer.recipient,
      String(connections),
      String(n),
      String(bytes),
    ],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  const { accepted } = JSON.parse(new TextDecoder().decode(r.stdout));
  const startUp = performance.now() - start - accepted;
  while (await imap.count("INBOX") < before + n) await new Promise((d) => setTimeout(d, 5));
  const total = performance.now() - start - startUp;
  await imap.close();
  const label = `SMTP ${bytes >= 1024 ? bytes / 1024 + " KB" : bytes}, ${connections} conn.`;
  record(`${label}: accepted`, "msg/s", true, which, n / accepted * 1000);
  record(`${label}: in the mailbox`, "msg/s", true, which, n / total * 1000);
}

async function imapWork(peer: Peer, which: "a" | "b", folder: string) {
  const c = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
  const time = async (name: string, command: string) => {
    const start = performance.now();
    await c.run(command);
    record(`IMAP ${name}`, "ms", false, which, performance.now() - start);
  };
  await time("SELECT", "SELECT INBOX");
  await time(
    "FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)",
    "FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)",
  );
  await time("FETCH 1:* (UID FLAGS)", "FETCH 1:* (UID FLAGS)");
  await time("FETCH 1:2000 BODY.PEEK[]", "FETCH 1:2000 (BODY.PEEK[])");
  await time("STORE 1:* +FLAGS", "STORE 1:* +FLAGS (\\Flagged)");
  await time("STORE 1:* -FLAGS.SILENT", "STORE 1:* -FLAGS.SILENT (\\Flagged)");
  await time("SEARCH SUBJECT", 'SEARCH SUBJECT "message 77"');
  await time("SEARCH FLAGGED", "SEARCH FLAGGED");
  await time("SEARCH TEXT (rare)", 'SEARCH TEXT "zebra crossing"');
  await c.run(`CREATE "${folder}"`);
  await time("COPY 1:2000", `COPY 1:2000 "${folder}"`);
  await c.run(`SELECT "${folder}"`);
  await c.run("STORE 1:* +FLAGS.SILENT (\\Deleted)");
  await time("EXPUNGE of 2000", "EXPUNGE");
  await c.close();
}

async function append(peer: Peer, which: "a" | "b", n: number) {
  const c = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
  const body = "From: a@example.org\r\nSubject: appended\r\n\r\n" +
    "text text text text\r\n".repeat(200);
  const start = performance.now();
  for (let i = 0; i < n; i++) await c.run(`APPEND INBOX {${body.length}+}\r\n${body}`);
  record("IMAP APPEND 4 KB", "msg/s", true, which, n / (performance.now() - start) * 1000);
  await c.close();
}

async function resident(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

const begun = performance.now();
const mox = await startMox();
console.log(`start to ready: ${(performance.now() - begun).toFixed(0)} ms`);
const idle = await resident(mox.pid);
const peer = await startPostfixDovecot();
try {
  for (let i = 0; i < rounds; i++) {
    for (const [p, which] of [[mox, "a"], [peer, "b"]] as const) {
      await smtp(p, which, 1, 400, 4096);
      await smtp(p, which, 16, 1600, 4096);
      await append(p, which, 200);
    }
  }
  for (const [p] of [[mox], [peer]] as const) {
    const c = await ImapLoad.connect(p.imapPort, p.user, p.password);
    const have = await c.count("INBOX");
    await c.close();
    if (have < mailboxSize) {
      await smtp(p, p === mox ? "a" : "b", 16, mailboxSize - have, 4096);
    }
  }
  for (let i = 0; i < rounds; i++) {
    await imapWork(mox, "a", `copy${i}`);
    await imapWork(peer, "b", `copy${i}`);
  }
  console.log(
    `\n${navigator.hardwareConcurrency} cores, ${rounds} rounds, mailbox of ${mailboxSize}`,
  );
  console.log("| what | unit | mox | Postfix+Dovecot | ratio |\n|---|---|---|---|---|");
  for (const r of rows) {
    const [a, b] = [median(r.a), median(r.b)];
    const ratio = r.higherIsBetter ? a / b : b / a;
    console.log(
      `| ${r.name} | ${r.unit} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${ratio.toFixed(2)} |`,
    );
  }
  console.log(
    `\nmemory: ${idle.toFixed(0)} MB after start, ${
      (await resident(mox.pid)).toFixed(0)
    } MB after the load`,
  );
} finally {
  await mox.stop();
  await peer.stop();
}
