/**
 * Clients that keep a copy of a mailbox, with CONDSTORE, QRESYNC and UIDONLY, over random histories: changes while
 * they are connected and while they are away, renames, and mailboxes that are removed and made anew. After each
 * synchronisation the copy must be the server's state. The seed is printed; set MODEL_SEED to repeat.
 */
import assert from "node:assert/strict";
import { formatFlags } from "../../src/imap/format/text.ts";
import { seedOf } from "../support/seed.ts";
import { expandSet, randomFrom } from "./random.ts";
import { type Client, message, startServer, type TestServer } from "./server.ts";

const seed = seedOf("MODEL_SEED");
const steps = Number(Deno.env.get("MODEL_STEPS") ?? 1500);
/** Changes between two synchronisations. */
const perRound = 12;

/** Changes the mailbox as any client might. */
class Worker {
  readonly c: Client;
  readonly random: (below: number) => number;
  name = "box";
  #n = 0;

  constructor(c: Client, random: (below: number) => number) {
    this.c = c;
    this.random = random;
  }

  async begin(): Promise<void> {
    await this.c.ok(`CREATE ${this.name}`);
    await this.c.ok(`SELECT ${this.name}`);
  }

  async #uids(): Promise<number[]> {
    const [line] = await this.c.ok("UID SEARCH ALL");
    return (line.match(/\d+/g) ?? []).map(Number);
  }

  async step(): Promise<void> {
    const { c, random } = this;
    const uids = await this.#uids();
    const uid = uids[random(Math.max(1, uids.length))];
    const what = random(24);
    const flag = ["\\Flagged", "\\Seen", "k1", "k2", "$Junk"][random(5)];
    if (uids.length === 0 || what < 7) await c.append(this.name, message(`m${this.#n++}`));
    else if (what < 11) await c.ok(`UID STORE ${uid} +FLAGS (${flag})`);
    else if (what < 14) await c.ok(`UID STORE ${uid}:* -FLAGS.SILENT (${flag})`);
    else if (what < 16) await c.ok(`UID MOVE ${uid} Archive`);
    else if (what === 16) await c.ok(`UID MOVE ${uid}:* ${this.name}`);
    else if (what < 19) await c.ok(`UID COPY ${uid} ${this.name}`);
    else if (what < 22) {
      await c.ok(`UID STORE ${uid} +FLAGS (\\Deleted)`);
      await c.ok("EXPUNGE");
    } else if (what === 22) {
      const to = `box${this.#n++}`;
      await c.ok(`RENAME ${this.name} ${to}`);
      this.name = to;
    } else if (random(4) === 0) {
      await c.ok("UNSELECT");
      await c.ok(`DELETE ${this.name}`);
      await this.begin();
    }
  }
}

/** A copy of the mailbox, as a client keeps it on its disk. */
class Copy {
  readonly enable: string;
  readonly random: (below: number) => number;
  readonly messages = new Map<number, string>();
  #validity = 0;
  #modseq = 0;
  #c: Client | undefined;
  #name = "";

  constructor(enable: string, random: (below: number) => number) {
    this.enable = enable;
    this.random = random;
  }

  get #qresync(): boolean {
    return this.enable.includes("QRESYNC");
  }

  #take(lines: string[]): void {
    for (const l of lines) {
      const gone = /^\* VANISHED (?:\(EARLIER\) )?([\d:,]+)$/.exec(l);
      if (gone) { for (const uid of expandSet(gone[1])) this.messages.delete(uid); }
      const f = /^\* \d+ FETCH \(UID (\d+) .*?FLAGS \(([^)]*)\)/.exec(l) ??
        /^\* (\d+) UIDFETCH \(.*?FLAGS \(([^)]*)\)/.exec(l);
      if (f) this.messages.set(Number(f[1]), f[2]);
      const h = /HIGHESTMODSEQ (\d+)/.exec(l);
      if (h) {
        assert.ok(Number(h[1]) >= this.#modseq, `modseq fell from ${this.#modseq}: ${l}`);
        this.#modseq = Number(h[1]);
      }
    }
  }

  /** Connects again and selects the mailbox, with what the copy knows. */
  async #connect(s: TestServer, name: string): Promise<void> {
    this.#c?.close();
    const c = this.#c = await s.client();
    this.#name = name;
    await c.ok(`ENABLE ${this.enable}`);
    const before = this.#modseq;
    const known = [...this.messages.keys()].sort((a, b) => a - b);
    let args = "(CONDSTORE)";
    if (this.#qresync && this.#validity > 0) {
      args = `${this.#validity} ${Math.max(1, before)}`;
      const kind = this.random(3);
      if (kind > 0 && known.length > 0) args += ` 1:${known.at(-1)}`;
      if (kind > 1 && known.length > 0 && !this.enable.includes("UIDONLY")) {
        // What the client thinks that the numbers were, at some places.
        const places = known.map((_, i) => i).filter((i) => i % 3 === 0);
        args += ` (${places.map((i) => i + 1)} ${places.map((i) => known[i])})`;
      }
      args = `(QRESYNC (${args}))`;
    }
    const lines = await c.ok(`SELECT ${name} ${args}`);
    const validity = Number(/UIDVALIDITY (\d+)/.exec(lines.join("\n"))![1]);
    const anew = validity !== this.#validity;
    if (anew) {
      this.#validity = validity;
      this.#modseq = 0;
      this.messages.clear();
    }
    this.#take(lines);
    if (anew) this.#take(await c.ok("UID FETCH 1:* (UID FLAGS)"));
    else if (!this.#qresync) await this.#catchUp(before);
    else if (known.length > 0 && args.includes(" 1:")) {
      // RFC 7162 §3.2.5.2: with known uids the server tells of these only.
      this.#take(await c.ok(`UID FETCH ${known.at(-1)! + 1}:* (UID FLAGS)`));
    }
  }

  /** CONDSTORE alone: what was changed, and then what is still there. */
  async #catchUp(since: number): Promise<void> {
    const c = this.#c!;
    this.#take(await c.ok(`UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE ${since})`));
    const found = (await c.ok("UID SEARCH RETURN (ALL) ALL")).find((l) => l.includes("ESEARCH"))!;
    const all = new Set(expandSet(/ ALL ([\d:,]+)/.exec(found)?.[1] ?? "0"));
    for (const uid of [...this.messages.keys()]) if (!all.has(uid)) this.messages.delete(uid);
  }

  async sync(s: TestServer, name: string): Promise<void> {
    const stays = this.#c && this.#name === name && this.random(2) === 0;
    const [status] = stays ? (await this.#c!.ok(`STATUS ${name} (UIDVALIDITY)`)).slice(-1) : [];
    // Another one that was made under the same name.
    if (!stays || !status.includes(`UIDVALIDITY ${this.#validity})`)) {
      await this.#connect(s, name);
      return;
    }
    const c = this.#c!;
    const before = this.#modseq;
    this.#take(await c.ok("NOOP"));
    if (this.#qresync && this.random(2) === 0) {
      this.#take(await c.ok(`UID FETCH 1:* (UID FLAGS) (CHANGEDSINCE ${before} VANISHED)`));
    } else {
      await this.#catchUp(before);
    }
    this.#take(await c.ok(`STATUS ${name} (HIGHESTMODSEQ)`));
  }
}

Deno.test(`clients that resync end with the server's state (MODEL_SEED=${seed})`, async () => {
  console.log(`MODEL_SEED=${seed} MODEL_STEPS=${steps}`);
  const random = randomFrom(seed + 1);
  const s = await startServer();
  try {
    const worker = new Worker(await s.client(), random);
    await worker.begin();
    const copies = ["CONDSTORE", "QRESYNC", "QRESYNC UIDONLY", "CONDSTORE UIDONLY"]
      .map((enable) => new Copy(enable, random));
    for (let step = 0; step < steps;) {
      for (const end = step + 1 + random(perRound); step < end; step++) await worker.step();
      for (const copy of copies) {
        // Some are away for longer.
        if (random(3) === 0) continue;
        await copy.sync(s, worker.name);
        const want = new Map<number, string>();
        const box = s.account.mailboxByName(worker.name)!;
        s.account.fetch(box.id, s.account.uids(box.id), 0, (row) => {
          want.set(row.uid, formatFlags(row.flags, row.keywords));
        });
        const have = new Map([...copy.messages].sort((x, y) => x[0] - y[0]));
        assert.deepEqual(have, want, `step ${step}, ${copy.enable}`);
      }
    }
  } finally {
    await s.stop();
  }
});
