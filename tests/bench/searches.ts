/**
 * CPU time of what clients ask of a mailbox, beside Dovecot: milliseconds of all threads of the server, so that it can
 * be told on a machine where others work too. The first time of each command, and the least of the rounds after it.
 *
 * usage: deno run -A tests/bench/searches.ts [messages [rounds [offset of ports]]], as root
 *
 * @module
 */
import { fill } from "./corpus.ts";
import { ImapLoad } from "./imap.ts";
import { startMox } from "./peers/mox.ts";
import { startPostfixDovecot } from "./peers/postfix_dovecot.ts";
import type { Peer } from "./peers/types.ts";

const count = Number(Deno.args[0] ?? 10_000);
const rounds = Number(Deno.args[1] ?? 5);
const offset = Number(Deno.args[2] ?? 21_000);

const commands = [
  "SEARCH SUBJECT ba",
  'SEARCH SUBJECT "about"',
  "SEARCH FROM nobody@nowhere",
  'SEARCH FROM "person 77"',
  "SEARCH FLAGGED",
  "SEARCH UNSEEN NOT DELETED",
  "SEARCH SINCE 1-Jan-2100",
  "SEARCH SENTSINCE 1-Jan-2100",
  "SEARCH TEXT zzyzx",
  "SEARCH TEXT hundredth",
  "SEARCH TEXT tenthpart",
  "SEARCH TEXT halfofall",
  "SORT (SUBJECT) UTF-8 ALL",
  "SORT (FROM) UTF-8 ALL",
  "SORT (DATE) UTF-8 ALL",
  "THREAD REFERENCES UTF-8 ALL",
  "FETCH 1:* (FLAGS) (CHANGEDSINCE 99999999)",
  "UID EXPUNGE 1:*",
  "FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)",
  "FETCH 1:* (UID FLAGS)",
  "FETCH 1:* (UID RFC822.SIZE INTERNALDATE)",
  `FETCH 1:${Math.min(count, 2000)} (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])`,
  `FETCH 1:${Math.min(count, 2000)} (BODY.PEEK[])`,
  "STORE 1:* +FLAGS (\\Flagged)",
];

interface Measured {
  first: number;
  least: number;
}

async function measure(peer: Peer): Promise<Measured[]> {
  const c = await ImapLoad.connect(peer.imapPort, peer.user, peer.password);
  await c.run("SELECT INBOX");
  const all: Measured[] = [];
  for (const command of commands) {
    const times: number[] = [];
    for (let i = 0; i <= rounds; i++) {
      const before = await peer.cpu();
      await c.run(command);
      times.push(await peer.cpu() - before);
    }
    // Less than nothing where a thread has ended meanwhile.
    all.push({ first: times[0], least: Math.min(...times.slice(1).filter((t) => t >= 0)) });
    if (command.startsWith("STORE")) await c.run("STORE 1:* -FLAGS.SILENT (\\Flagged)");
  }
  await c.close();
  return all;
}

const mox = await startMox(offset);
const peer = await startPostfixDovecot();
try {
  for (const p of [mox, peer]) await fill(p, count);
  // The index follows the messages before long.
  for (let before = -1; before < 0 || await mox.cpu() - before > 50;) {
    before = await mox.cpu();
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  const [a, b] = [await measure(mox), await measure(peer)];
  const f = (n: number) => n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0);
  console.log(`\nCPU in ms, ${count} messages, least of ${rounds}`);
  console.log("| command | first | Dovecot | ratio | again | Dovecot | ratio |");
  console.log("|---|---|---|---|---|---|---|");
  commands.forEach((command, i) => {
    const cells = [a[i].first, b[i].first, b[i].first / a[i].first].map(f);
    const again = [a[i].least, b[i].least, b[i].least / a[i].least].map(f);
    console.log(`| \`${command}\` | ${[...cells, ...again].join(" | ")} |`);
  });
} finally {
  await mox.stop();
  await peer.stop();
}
