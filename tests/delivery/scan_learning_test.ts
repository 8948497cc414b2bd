/** What scanners learn of users' marks: which messages, as what, and when they are tried again. */
import assert from "node:assert/strict";
import { ScanLearning } from "../../src/delivery/scan_learning.ts";
import { setLevel } from "../../src/log/mod.ts";
import { Flag } from "../../src/store/types.ts";
import { type TestStore, withStore } from "../store/setup.ts";

setLevel("scanning", "error");

/** Scanners that note what they are shown, and fail where they are told to. */
class Scanners {
  learning = ["one"];
  readonly seen: string[] = [];
  fails: (scanner: string) => boolean = () => false;

  teach = async (
    scanner: string,
    as: "spam" | "ham",
    message: { size: number; headerSize: number; read: (from: number, to: number) => Uint8Array },
  ): Promise<void> => {
    await Promise.resolve();
    if (this.fails(scanner)) throw new Error("is away");
    const text = new TextDecoder().decode(message.read(0, message.size));
    assert.equal(text.length, message.size);
    assert.ok(text.slice(0, message.headerSize).endsWith("\r\n\r\n"), "the header's size");
    this.seen.push(`${scanner} ${as} ${/Subject: (.*)\r/.exec(text)![1]}`);
  };
}

interface World {
  s: TestStore;
  scanners: Scanners;
  learning: ScanLearning;
  /** Milliseconds. */
  now: number;
  reopen(firstDue?: number): Promise<void>;
  /** Learns what is due now. */
  run(): Promise<string[]>;
  /** Adds a message to the Inbox; its uid and id. */
  add(subject: string, flags?: number, type?: string): Promise<{ uid: number; id: number }>;
}

async function withLearning(fn: (w: World) => Promise<void>, firstDue = 0): Promise<void> {
  const real = Date.now;
  try {
    await withStore(
      async (s) => {
        const scanners = new Scanners();
        const open = (due: number) =>
          ScanLearning.open(s.dir, scanners as never, s.accounts, (name) => name === "test", due);
        const w: World = {
          s,
          scanners,
          learning: await open(firstDue),
          now: real(),
          async reopen(due = 0) {
            await w.learning.close();
            w.learning = await open(due);
          },
          async run() {
            w.learning.start();
            await w.learning.idle();
            return scanners.seen.splice(0).sort();
          },
          async add(subject, flags = 0, type = "text/plain") {
            const inbox = s.account.mailboxByName("Inbox")!.id;
            const [m] = await s.account.append(inbox, [{
              ...await s.message(`Subject: ${subject}\nContent-Type: ${type}\n\ntext\n`),
              flags,
              keywords: [],
              received: w.now,
            }]);
            return m;
          },
        };
        Date.now = () => w.now;
        try {
          await fn(w);
        } finally {
          await w.learning.close();
        }
      },
      {},
      { inMemory: true },
    );
  } finally {
    Date.now = real;
  }
}

Deno.test("what is marked as junk is shown as spam, what is marked as not junk as ham, and nothing else", () =>
  withLearning(async (w) => {
    const inbox = w.s.account.mailboxByName("Inbox")!.id;
    const of = [
      await w.add("spam", Flag.Junk | Flag.Seen),
      await w.add("ham", Flag.NotJunk),
      await w.add("none"),
      await w.add("both", Flag.Junk | Flag.NotJunk),
      await w.add(
        "secret",
        Flag.Junk,
        "application/pkcs7-mime; smime-type=enveloped-data",
      ),
      await w.add("gone", Flag.Junk),
    ];
    await w.s.account.expunge(inbox, [of[5].uid], undefined, { force: true });
    w.learning.note("test", of.map((m) => m.id));
    assert.deepEqual(await w.run(), ["one ham ham", "one spam spam"]);
    assert.equal(w.learning.waiting, 0);
    // An account that is gone, and a message that never was.
    w.learning.note("other", [of[0].id]);
    w.learning.note("test", [99_999]);
    assert.deepEqual(await w.run(), []);
    assert.equal(w.learning.waiting, 0);
  }));

Deno.test("all scanners that learn, and one that no longer does isn't shown what waited for it", () =>
  withLearning(async (w) => {
    w.scanners.learning = ["one", "two"];
    const m = await w.add("spam", Flag.Junk);
    w.learning.note("test", [m.id]);
    assert.deepEqual(await w.run(), ["one spam spam", "two spam spam"]);
    w.scanners.fails = () => true;
    w.learning.note("test", [m.id]);
    await w.run();
    assert.equal(w.learning.waiting, 2);
    w.scanners.fails = () => false;
    w.scanners.learning = ["two"];
    w.now += 3000;
    assert.deepEqual(await w.run(), ["two spam spam"]);
    assert.equal(w.learning.waiting, 0);
    w.scanners.learning = [];
    w.learning.note("test", [m.id]);
    assert.equal(w.learning.waiting, 0);
  }));

Deno.test("a scanner that is away: all that waits for it waits, and what waits for another doesn't", () =>
  withLearning(async (w) => {
    const [a, b] = [await w.add("a", Flag.Junk), await w.add("b", Flag.Junk)];
    w.scanners.learning = ["one", "two"];
    let asked = 0;
    w.scanners.fails = (scanner) => scanner === "one" && ++asked > 0;
    w.learning.note("test", [a.id, b.id]);
    assert.deepEqual(await w.run(), ["two spam a", "two spam b"]);
    assert.equal(asked, 1, "one of two is tried");
    assert.equal(w.learning.waiting, 2);
    w.now += 2999;
    await w.run();
    assert.equal(asked, 1, "three seconds");
    // Then both are tried in turn: the first by itself moves the other on.
    w.now += 1;
    await w.run();
    assert.equal(asked, 2);
    w.scanners.fails = () => false;
    w.now += 61_000;
    assert.deepEqual(await w.run(), ["one spam a", "one spam b"]);
  }));

Deno.test("a message is tried a hundred times, with three seconds and one to sixty minutes in between", () =>
  withLearning(async (w) => {
    const m = await w.add("a", Flag.Junk);
    w.scanners.fails = () => true;
    const begin = w.now;
    const gaps: number[] = [];
    w.learning.note("test", [m.id]);
    await w.run();
    const due = () => {
      // Found by looking: a second too early nothing is tried.
      let asked = 0;
      w.scanners.fails = () => ++asked > 0;
      return async (ms: number) => {
        w.now += ms;
        await w.run();
        return asked;
      };
    };
    for (let tries = 1; tries < 100; tries++) {
      const gap = tries === 1 ? 3000 : 60_000 * Math.min(60, tries - 1);
      const after = due();
      assert.equal(await after(gap - 1), 0, `before try ${tries + 1}`);
      assert.equal(await after(1), 1, `try ${tries + 1}`);
      gaps.push(gap);
      assert.equal(w.learning.waiting, tries === 99 ? 0 : 1);
    }
    assert.ok(w.now - begin > 2 * 86_400_000, "some days");
    // It begins anew when it is marked again.
    w.learning.note("test", [m.id]);
    await w.run();
    assert.equal(w.learning.waiting, 1);
    w.scanners.fails = () => false;
    w.now += 3000;
    assert.deepEqual(await w.run(), ["one spam a"]);
  }));

Deno.test("what waits is still there after a restart; marking again is one message that waits", () =>
  withLearning(async (w) => {
    const m = await w.add("a", Flag.Junk);
    w.scanners.fails = () => true;
    w.learning.note("test", [m.id]);
    w.learning.note("test", [m.id]);
    await w.run();
    assert.equal(w.learning.waiting, 1);
    await w.reopen();
    assert.equal(w.learning.waiting, 1);
    w.scanners.fails = () => false;
    w.now += 3000;
    assert.deepEqual(await w.run(), ["one spam a"]);
  }));

Deno.test("twenty thousand wait at most; after the end nothing is noted", () =>
  withLearning(async (w) => {
    const ids = (from: number, n: number) => Array.from({ length: n }, (_, i) => from + i);
    w.learning.note("test", ids(1, 19_999));
    assert.equal(w.learning.waiting, 19_999);
    w.learning.note("test", ids(30_000, 2));
    assert.equal(w.learning.waiting, 20_000);
    w.learning.note("test", ids(50_000, 1));
    assert.equal(w.learning.waiting, 20_000);
    const { learning } = w;
    await w.reopen(Infinity);
    learning.note("test", [1]);
    assert.equal(w.learning.waiting, 20_000);
  }, Date.now() + 1e9));

Deno.test("marks of an account that was opened are noted, and who listened before still hears", () =>
  withLearning(async (w) => {
    const { account } = w.s;
    const heard: number[][] = [];
    account.onTraining = (ids) => void heard.push([...ids]);
    w.learning.attach(account);
    const inbox = account.mailboxByName("Inbox")!.id;
    const m = await w.add("a");
    await account.storeFlags(inbox, [m.uid], "add", Flag.Junk, []);
    assert.deepEqual(await w.run(), ["one spam a"]);
    assert.deepEqual(heard, [[m.id]]);
    await account.storeFlags(inbox, [m.uid], "set", Flag.NotJunk, []);
    assert.deepEqual(await w.run(), ["one ham a"]);
  }));
