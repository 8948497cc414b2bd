/**
 * Time elapsed for what clients ask of a mailbox, beside Dovecot in turns, with a client that does nothing but
 * read: so that the ratio is that of the servers, and not of what the client takes itself. The first time of each
 * command, and the median of the rounds after it.
 *
 * usage: deno run -A tests/bench/elapsed.ts [messages [rounds [offset of ports]]], as root
 *
 * @module
 */
import { fill } from "./corpus.ts";
import { startMox } from "./peers/mox.ts";
import { startPostfixDovecot } from "./peers/postfix_dovecot.ts";
import type { Peer } from "./peers/types.ts";

const count = Number(Deno.args[0] ?? 10_000);
const rounds = Number(Deno.args[1] ?? 15);
const offset = Number(Deno.args[2] ?? 21_000);

/** Messages of the commands that take some. */
const some = Math.min(count, 2000);
/** Messages of an EXPUNGE. */
const expunged = Math.min(count, 1000);

const commands = [
  "NOOP",
  "FETCH 1:* (UID FLAGS)",
  `FETCH 1:${some} (BODY.PEEK[])`,
  `FETCH 1:${some} (BODY.PEEK[HEADER.FIELDS (FROM SUBJECT DATE)])`,
  "SEARCH FLAGGED",
  "SEARCH UNSEEN NOT DELETED",
  "FETCH 1:* (FLAGS) (CHANGEDSINCE 99999999)",
  "UID EXPUNGE 1:*",
  "FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE)",
  "SORT (SUBJECT) UTF-8 ALL",
  "STORE 1:* +FLAGS (\\Flagged)",
  "STORE 1:* -FLAGS.SILENT (\\Flagged)",
];

/** What follows in an answer is looked at no further back than that. */
const tailLength = 4096;

/** Reads answers into one buffer, and looks at their last line only. */
class Reader {
  readonly #conn: Deno.TcpConn;
  readonly #buffer = new Uint8Array(1024 * 1024);
  #tag = 0;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  static async connect(peer: Peer): Promise<Reader> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: peer.imapPort });
    conn.setNoDelay(true);
    const r = new Reader(conn);
    await conn.read(r.#buffer);
    await r.run(`LOGIN "${peer.user}" "${peer.password}"`);
    await r.run("SELECT INBOX");
    return r;
  }

  /** Milliseconds until the command is answered. @throws Error with an answer that isn't OK */
  async run(command: string): Promise<number> {
    const tag = `z${++this.#tag} `;
    const bytes = new TextEncoder().encode(`${tag}${command}\r\n`);
    const begun = performance.now();
    await this.#conn.write(bytes);
    for (let tail = "";;) {
      const n = await this.#conn.read(this.#buffer);
      if (n === null) throw new Error("closed");
      const end = this.#buffer.subarray(Math.max(0, n - tailLength), n);
      tail = (tail + new TextDecoder("latin1").decode(end)).slice(-2 * tailLength);
      const at = tail.startsWith(tag) ? 0 : tail.lastIndexOf(`\n${tag}`) + 1;
      if ((at === 0 && !tail.startsWith(tag)) || !tail.endsWith("\r\n")) continue;
      if (!tail.startsWith(`${tag}OK`, at)) throw new Error(tail.slice(at));
      return performance.now() - begun;
    }
  }

  close(): void {
    this.#conn.close();
  }
}

const f = (n: number) => n.toFixed(n < 10 ? 2 : n < 100 ? 1 : 0);
const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[list.length >> 1];

function row(what: string, times: readonly number[][]): void {
  const first = times.map((t) => t[0]);
  const again = times.map((t) => median(t.slice(1)));
  const cells = [...first, first[1] / first[0], ...again, again[1] / again[0]];
  console.log(`| ${what} | ${cells.map(f).join(" | ")} |`);
}

const peers = [await startMox(offset), await startPostfixDovecot()];
try {
  for (const p of peers) await fill(p, count);
  // The index follows the messages before long.
  for (let before = -1; before < 0 || await peers[0].cpu() - before > 50;) {
    before = await peers[0].cpu();
    await new Promise((resolve) => setTimeout(resolve, 2000));
  }
  const readers: Reader[] = [];
  for (const p of peers) readers.push(await Reader.connect(p));
  console.log(`${count} messages; ms elapsed, the first time and the median of ${rounds}`);
  console.log("| command | first | Dovecot | ratio | again | Dovecot | ratio |");
  console.log("|---|---|---|---|---|---|---|");
  for (const command of commands) {
    const times: number[][] = [[], []];
    for (let i = 0; i <= rounds; i++) {
      for (const [side, r] of readers.entries()) times[side].push(await r.run(command));
    }
    row(`\`${command}\``, times);
  }
  const times: number[][] = [[], []];
  for (let i = 0; i < 5; i++) {
    for (const [side, r] of readers.entries()) {
      await r.run(`CREATE e${i}`);
      await r.run(`COPY 1:${expunged} e${i}`);
      await r.run(`SELECT e${i}`);
      await r.run("STORE 1:* +FLAGS.SILENT (\\Deleted)");
      times[side].push(await r.run("EXPUNGE"));
      await r.run("SELECT INBOX");
    }
  }
  row(`EXPUNGE of ${expunged}, durable`, times);
  for (const r of readers) r.close();
} finally {
  for (const p of peers) await p.stop();
}
