/**
 * `deno task bench`: this server beside Postfix and Dovecot, the same work from the same client in its
 * own process, alternating A B A B; medians and ratios as a table.
 *
 * usage: deno task bench [rounds [messages in the mailbox [parts [offset of ports]]]]
 * Parts, with commas between: smtp, sizes, imap, tls, idle. All without.
 *
 * @module
 */
import { ImapLoad } from "./imap.ts";
import { append, handshakes, idleSessions, imapWork, logins } from "./imap_work.ts";
import { startMox } from "./peers/mox.ts";
import { startPostfixDovecot } from "./peers/postfix_dovecot.ts";
import type { Peer } from "./peers/types.ts";
import { notice, smtpIn } from "./smtp.ts";
import { printTable, record, type Side } from "./table.ts";

const rounds = Number(Deno.args[0] ?? 3);
const mailboxSize = Number(Deno.args[1] ?? 10_000);
const parts = new Set((Deno.args[2] ?? "smtp,sizes,imap,tls,idle").split(","));

const KB = 1024;

const begun = performance.now();
const mox = await startMox(Number(Deno.args[3] ?? 21_000));
record("start to ready (mox alone)", "ms", "a", performance.now() - begun);
record("memory after start", "MB", "a", await mox.memory());
const peer = await startPostfixDovecot();
// What starting took has been given back by then.
await new Promise((resolve) => setTimeout(resolve, 20_000));
record("memory 20 s after start", "MB", "a", await mox.memory());
record("memory 20 s after start", "MB", "b", await peer.memory());
record("memory after start", "MB", "b", await peer.memory());

/** The same for both, in turns. */
async function alternate(n: number, work: (p: Peer, side: Side, round: number) => Promise<void>) {
  for (let i = 0; i < n; i++) {
    await work(mox, "a", i);
    await work(peer, "b", i);
  }
}

try {
  if (parts.has("smtp")) {
    await alternate(rounds, async (p, side) => {
      await smtpIn(p, side, { connections: 1, messages: 400, bytes: 4 * KB });
      await smtpIn(p, side, { connections: 16, messages: 1600, bytes: 4 * KB });
      await append(p, side, 200);
      await notice(p, side);
    });
  }
  if (parts.has("imap")) {
    await alternate(1, async (p, side) => {
      const c = await ImapLoad.connect(p.imapPort, p.user, p.password);
      const missing = mailboxSize - await c.count("INBOX");
      await c.close();
      if (missing > 0) {
        await smtpIn(p, side, { connections: 16, messages: missing, bytes: 4 * KB });
      }
    });
    await alternate(rounds, (p, side, i) => imapWork(p, side, `copy${i}`));
    await alternate(rounds, (p, side) => logins(p, side, 50));
  }
  if (parts.has("sizes")) {
    await alternate(rounds, async (p, side) => {
      await smtpIn(p, side, { connections: 64, messages: 1600, bytes: 4 * KB });
      await smtpIn(p, side, { connections: 16, messages: 1600, bytes: KB });
      await smtpIn(p, side, { connections: 16, messages: 400, bytes: 100 * KB });
      await smtpIn(p, side, { connections: 4, messages: 12, bytes: 10 * KB * KB });
      await smtpIn(p, side, { connections: 4, messages: 100, bytes: 4 * KB, recipients: 10 });
    });
  }
  if (parts.has("tls")) await alternate(rounds, (p, side) => handshakes(p, side, 100));
  if (parts.has("idle")) {
    // Those that have gone leave memory behind that the next take: with TLS first, as that is the most.
    await alternate(1, (p, side) => idleSessions(p, side, 1000, true));
    await alternate(1, (p, side) => idleSessions(p, side, 1000, false));
  }
  record("memory after the load", "MB", "a", await mox.memory());
  record("memory after the load", "MB", "b", await peer.memory());
  await new Promise((resolve) => setTimeout(resolve, 45_000));
  record("memory 45 s after the load", "MB", "a", await mox.memory());
  record("memory 45 s after the load", "MB", "b", await peer.memory());
  const { model } = await cpu();
  console.log(
    `\n${navigator.hardwareConcurrency} cores (${model}), ${rounds} rounds, mailbox of ${mailboxSize}`,
  );
  printTable();
} finally {
  await mox.stop();
  await peer.stop();
}

async function cpu(): Promise<{ model: string }> {
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return { model: /model name\s*: (.*)/.exec(text)?.[1] ?? "unknown" };
}
