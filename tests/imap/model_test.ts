/**
 * Several sessions change one mailbox at random. What each client knows from what it was told must
 * agree with every answer, and at the end with the store. The seed is printed; set MODEL_SEED to repeat.
 */
import assert from "node:assert/strict";
import { formatFlags } from "../../src/imap/format/text.ts";
import { seedOf } from "../support/seed.ts";
import { expandSet, randomFrom } from "./random.ts";
import { type Client, message, startServer, type TestServer } from "./server.ts";

const seed = seedOf("MODEL_SEED");
const steps = Number(Deno.env.get("MODEL_STEPS") ?? 1500);

interface Known {
  uid: number;
  flags: string | undefined;
}

/** What a client knows, kept up by the rules of the RFC only. */
class Model {
  readonly c: Client;
  list: Known[] = [];
  uidOnly = false;
  modseq = 0;

  constructor(c: Client) {
    this.c = c;
  }

  async run(command: string): Promise<string> {
    const lines = await this.c.run(command);
    const last = lines.pop()!;
    for (const l of lines) this.take(l, command);
    this.#rises(last);
    return last;
  }

  /** RFC 7162 §3.1: HIGHESTMODSEQ never falls. */
  #rises(line: string): void {
    const m = /HIGHESTMODSEQ (\d+)/.exec(line);
    if (!m) return;
    assert.ok(Number(m[1]) >= this.modseq, `${line} after ${this.modseq}`);
    this.modseq = Number(m[1]);
  }

  append(text: string): Promise<string> {
    return this.run(`APPEND INBOX {${text.length}+}\r\n${text}`);
  }

  take(l: string, command: string): void {
    let m = /^\* (\d+) EXISTS$/.exec(l);
    if (m) {
      const n = Number(m[1]);
      assert.ok(n >= this.list.length, `EXISTS ${n} below ${this.list.length}`);
      while (this.list.length < n) this.list.push({ uid: 0, flags: undefined });
      return;
    }
    m = /^\* (\d+) EXPUNGE$/.exec(l);
    if (m) {
      // RFC 9051 §7.5.1.
      assert.ok(!/^(FETCH|STORE|SEARCH)/.test(command), `EXPUNGE during ${command}`);
      const n = Number(m[1]);
      assert.ok(n >= 1 && n <= this.list.length, `EXPUNGE ${n} of ${this.list.length}`);
      this.list.splice(n - 1, 1);
      return;
    }
    m = /^\* VANISHED ([\d:,]+)$/.exec(l);
    if (m) {
      assert.ok(!/^(FETCH|STORE|SEARCH)/.test(command), `VANISHED during ${command}`);
      const gone = expandSet(m[1]);
      for (const uid of gone) {
        let i = this.list.findIndex((k) => k.uid === uid);
        // One of which only the number was known: it stands between the known ones around it.
        if (i < 0 && this.uidOnly) i = this.list.findIndex((k) => k.uid === 0);
        if (i < 0) {
          const next = this.list.findIndex((k) => k.uid > uid);
          i = next < 0 ? this.list.length - 1 : next - 1;
        }
        const k = this.list[i];
        assert.ok(k && (k.uid === uid || k.uid === 0), `VANISHED of an unknown uid ${uid}: ${l}`);
        this.list.splice(i, 1);
      }
      return;
    }
    m = /^\* (\d+) UIDFETCH \((.*)\)$/.exec(l);
    if (m) {
      assert.ok(this.uidOnly, l);
      const uid = Number(m[1]);
      // One of which only the number was known.
      const k = this.list.find((x) => x.uid === uid) ?? this.list.find((x) => x.uid === 0);
      assert.ok(k, `UIDFETCH of ${uid} beyond what EXISTS told`);
      k.uid = uid;
      k.flags = /FLAGS \(([^)]*)\)/.exec(m[2])?.[1] ?? k.flags;
      this.list.sort((x, y) => (x.uid || Infinity) - (y.uid || Infinity));
      return;
    }
    m = /^\* (\d+) FETCH \((.*)\)$/.exec(l);
    if (m) {
      assert.ok(!this.uidOnly, l);
      const k = this.list[Number(m[1]) - 1];
      assert.ok(k, `FETCH of ${m[1]}, there are ${this.list.length}`);
      const uid = /UID (\d+)/.exec(m[2]);
      if (uid) {
        if (k.uid !== 0) assert.equal(Number(uid[1]), k.uid, `number ${m[1]} changed its uid`);
        k.uid = Number(uid[1]);
      }
      const flags = /FLAGS \(([^)]*)\)/.exec(m[2]);
      if (flags) k.flags = flags[1];
    }
  }

  /** Learns the uids that it was only told the existence of. */
  async learn(): Promise<void> {
    const from = this.list.findIndex((k) => k.uid === 0);
    if (from < 0) return;
    if (!this.uidOnly) {
      await this.run(`FETCH ${from + 1}:* (UID FLAGS)`);
      return;
    }
    await this.run("UID FETCH 1:* (FLAGS)");
  }
}

async function compare(s: TestServer, m: Model): Promise<void> {
  await m.run("NOOP");
  await m.learn();
  await m.run("NOOP");
  const inbox = s.account.mailboxByName("Inbox")!;
  const want: Known[] = [];
  s.account.fetch(inbox.id, s.account.uids(inbox.id), 0, (row) => {
    want.push({ uid: row.uid, flags: formatFlags(row.flags, row.keywords) });
  });
  assert.deepEqual(m.list, want);
}

Deno.test(`sequence numbers and flags of many sessions never go wrong (MODEL_SEED=${seed})`, async () => {
  console.log(`MODEL_SEED=${seed}`);
  const random = randomFrom(seed);
  const s = await startServer();
  try {
    const models: Model[] = [];
    for (let i = 0; i < 6; i++) {
      const m = new Model(await s.client());
      if (i === 2) await m.run("ENABLE QRESYNC");
      if (i === 3) await m.run("ENABLE CONDSTORE");
      m.uidOnly = i >= 4;
      if (i === 4) await m.run("ENABLE UIDONLY");
      if (i === 5) await m.run("ENABLE UIDONLY QRESYNC");
      await m.run("SELECT INBOX");
      models.push(m);
    }
    for (let step = 0; step < steps; step++) {
      const m = models[random(models.length)];
      await m.learn();
      const n = m.list.length;
      const a = n > 0 ? random(n) + 1 : 1;
      const b = n > 0 ? Math.min(n, a + random(4)) : 1;
      const flags = ["\\Seen", "\\Deleted", "\\Flagged", "work", "$Junk"][random(5)];
      const op = ["", "+", "-"][random(3)];
      const what = random(12);
      // Messages by their numbers, or by uids where there are no numbers.
      const uid = m.uidOnly || random(3) === 0;
      const set = n === 0 ? "1" : uid ? `${m.list[a - 1].uid}:${m.list[b - 1].uid}` : `${a}:${b}`;
      const verb = uid ? "UID " : "";
      if (n === 0 || what < 3) {
        if (n > 60) continue;
        assert.match(await m.append(message(`m${step}`)), /^OK/);
      } else if (what < 5) {
        await m.run(`${verb}STORE ${set} ${op}FLAGS${random(4) === 0 ? ".SILENT" : ""} (${flags})`);
        // After .SILENT what the client assumes is checked by asking.
        await m.run(`${verb}FETCH ${set} (UID FLAGS)`);
      } else if (what === 5) {
        await m.run("EXPUNGE");
      } else if (what === 6) {
        await m.run(`${verb}STORE ${set} +FLAGS (\\Deleted)`);
      } else if (what === 7) {
        await m.run(`${verb}MOVE ${set} ${random(4) === 0 ? "INBOX" : "Archive"}`);
      } else if (what === 8) {
        await m.run(`${verb}COPY ${set} INBOX`);
      } else if (what === 9) {
        await m.run(`UID EXPUNGE ${m.list[a - 1].uid}:${m.list[b - 1].uid}`);
      } else if (what === 10) {
        await m.run(`${verb}SEARCH DELETED`);
      } else {
        await m.run(`${verb}FETCH 1:* (UID FLAGS)`);
      }
      if (step % 50 === 49) { for (const x of models) await compare(s, x); }
    }
    for (const x of models) await compare(s, x);
  } finally {
    await s.stop();
  }
});
