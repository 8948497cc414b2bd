/**
 * Several sessions change one mailbox at random. What each client knows from what it was told must
 * agree with every answer, and at the end with the store. The seed is printed; set MODEL_SEED to repeat.
 */
import assert from "node:assert/strict";
import { formatFlags } from "../../src/imap/format/text.ts";
import { type Client, message, startServer, type TestServer } from "./server.ts";

const seed = Number(Deno.env.get("MODEL_SEED") ?? Date.now() % 1_000_000_000);
const steps = Number(Deno.env.get("MODEL_STEPS") ?? 1500);

function randomFrom(start: number): (below: number) => number {
  let x = start >>> 0 || 1;
  return (below) => {
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x % below;
  };
}

interface Known {
  uid: number;
  flags: string | undefined;
}

/** What a client knows, kept up by the rules of the RFC only. */
class Model {
  readonly c: Client;
  list: Known[] = [];
  qresync = false;
  modseq = 0;

  constructor(c: Client) {
    this.c = c;
  }

  async run(command: string): Promise<string> {
    const lines = await this.c.run(command);
    const last = lines.pop()!;
    for (const l of lines) this.take(l, command);
    const m = /HIGHESTMODSEQ (\d+)/.exec(last);
    if (m) this.modseq = Math.max(this.modseq, Number(m[1]));
    return last;
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
      const gone = expand(m[1]);
      for (const uid of gone) {
        let i = this.list.findIndex((k) => k.uid === uid);
        // One of which only the number was known: it stands between the known ones around it.
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
    m = /^\* (\d+) FETCH \((.*)\)$/.exec(l);
    if (m) {
      const k = this.list[Number(m[1]) - 1];
      assert.ok(k, `FETCH of ${m[1]}, there are ${this.list.length}`);
      const uid = /UID (\d+)/.exec(m[2]);
      if (uid) {
        if (k.uid !== 0) assert.equal(Number(uid[1]), k.uid, `number ${m[1]} changed its uid`);
        k.uid = Number(uid[1]);
      }
      const flags = /FLAGS \(([^)]*)\)/.exec(m[2]);
      if (flags) k.flags = flags[1];
      const modseq = /MODSEQ \((\d+)\)/.exec(m[2]);
      if (modseq) this.modseq = Math.max(this.modseq, Number(modseq[1]));
    }
  }

  /** Learns the uids that it was only told the existence of. */
  async learn(): Promise<void> {
    const from = this.list.findIndex((k) => k.uid === 0);
    if (from >= 0) await this.run(`FETCH ${from + 1}:* (UID FLAGS)`);
  }
}

function expand(set: string): number[] {
  return set.split(",").flatMap((r) => {
    const [a, b = a] = r.split(":").map(Number);
    return Array.from({ length: b - a + 1 }, (_, i) => a + i);
  });
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
    for (let i = 0; i < 4; i++) {
      const m = new Model(await s.client());
      if (i === 2) {
        await m.run("ENABLE QRESYNC");
        m.qresync = true;
      }
      if (i === 3) await m.run("ENABLE CONDSTORE");
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
      if (n === 0 || what < 3) {
        if (n > 60) continue;
        assert.match(await m.append(message(`m${step}`)), /^OK/);
      } else if (what < 5) {
        await m.run(`STORE ${a}:${b} ${op}FLAGS${random(4) === 0 ? ".SILENT" : ""} (${flags})`);
        // After .SILENT what the client assumes is checked by asking.
        await m.run(`FETCH ${a}:${b} (UID FLAGS)`);
      } else if (what === 5) {
        await m.run("EXPUNGE");
      } else if (what === 6) {
        await m.run(`UID STORE ${m.list[a - 1].uid} +FLAGS (\\Deleted)`);
      } else if (what === 7) {
        await m.run(`MOVE ${a} Archive`);
      } else if (what === 8) {
        await m.run(`UID COPY ${m.list[a - 1].uid} INBOX`);
      } else if (what === 9) {
        await m.run(`UID EXPUNGE ${m.list[a - 1].uid}:${m.list[b - 1].uid}`);
      } else if (what === 10) {
        await m.run("SEARCH DELETED");
      } else {
        await m.run(`FETCH 1:* (UID FLAGS)`);
      }
      if (step % 50 === 49) { for (const x of models) await compare(s, x); }
    }
    for (const x of models) await compare(s, x);
  } finally {
    await s.stop();
  }
});

/** A client that keeps a copy and syncs it with QRESYNC, or with CONDSTORE and a search. */
Deno.test(`a client that resyncs ends with the server's state (MODEL_SEED=${seed})`, async () => {
  const random = randomFrom(seed + 1);
  const s = await startServer();
  try {
    const worker = new Model(await s.client());
    await worker.run("SELECT INBOX");
    let copy = new Map<number, string>();
    let modseq = 1;
    let uidValidity = 0;
    for (let round = 0; round < Math.max(10, steps / 50); round++) {
      for (let i = 0; i < 12; i++) {
        await worker.learn();
        const n = worker.list.length;
        const a = n > 0 ? random(n) + 1 : 1;
        const what = random(8);
        if (n === 0 || what < 3) await worker.append(message(`r${round}.${i}`));
        else if (what < 5) await worker.run(`STORE ${a} +FLAGS (\\Flagged k${random(3)})`);
        else if (what === 5) await worker.run(`STORE ${a}:* -FLAGS (\\Flagged)`);
        else if (what === 6) await worker.run(`UID MOVE ${worker.list[a - 1].uid} Archive`);
        else {
          await worker.run(`STORE ${a} +FLAGS (\\Deleted)`);
          await worker.run("EXPUNGE");
        }
        await worker.run("NOOP");
      }
      const c = await s.client();
      const qresync = random(2) === 0;
      await c.ok(qresync ? "ENABLE QRESYNC" : "ENABLE CONDSTORE");
      const lines = await c.ok(
        qresync && uidValidity > 0
          ? `SELECT INBOX (QRESYNC (${uidValidity} ${modseq}))`
          : "SELECT INBOX (CONDSTORE)",
      );
      const more = qresync && uidValidity > 0
        ? []
        : await c.ok(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${modseq - 1})`);
      for (const l of [...lines, ...more]) {
        const gone = /^\* VANISHED \(EARLIER\) ([\d:,]+)$/.exec(l);
        if (gone) { for (const uid of expand(gone[1])) copy.delete(uid); }
        const f = /^\* \d+ FETCH \(UID (\d+) .*FLAGS \(([^)]*)\)/.exec(l);
        if (f) copy.set(Number(f[1]), f[2]);
        const v = /UIDVALIDITY (\d+)/.exec(l);
        if (v) uidValidity = Number(v[1]);
        const h = /HIGHESTMODSEQ (\d+)/.exec(l);
        if (h) {
          assert.ok(Number(h[1]) >= modseq, "modseq fell");
          modseq = Number(h[1]);
        }
      }
      if (!qresync || uidValidity === 0) {
        const found = (await c.ok("UID SEARCH RETURN (ALL) ALL"))[0];
        const all = new Set(expand(/ALL ([\d:,]+)/.exec(found)?.[1] ?? "0"));
        copy = new Map([...copy].filter(([uid]) => all.has(uid)));
      }
      const inbox = s.account.mailboxByName("Inbox")!;
      const want = new Map<number, string>();
      s.account.fetch(inbox.id, s.account.uids(inbox.id), 0, (row) => {
        want.set(row.uid, formatFlags(row.flags, row.keywords));
      });
      const sorted = new Map([...copy].sort((x, y) => x[0] - y[0]));
      assert.deepEqual(sorted, want, `round ${round}, ${qresync ? "QRESYNC" : "CONDSTORE"}`);
      c.close();
    }
  } finally {
    await s.stop();
  }
});
