/**
 * A data folder that is sent to a copy elsewhere: accounts come and go, databases are made anew, and the way there
 * breaks at any line. After each round the copy is whole and what the original is.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Log, setLevel } from "../../../src/log/mod.ts";
import type { Account } from "../../../src/store/account/account.ts";
import { Accounts } from "../../../src/store/account/accounts.ts";
import { DataFeed, type FeedChannel } from "../../../src/store/follow/feed.ts";
import type { FeedOp } from "../../../src/store/follow/protocol.ts";
import { CopySink } from "../../../src/store/follow/sink.ts";
import { isPlanted, withFault } from "../../faults/disk.ts";
import { contents, faults } from "../backup/compare.ts";
import { testRules } from "../setup.ts";

setLevel("store", "error");

class Broken extends Error {}

/** Gives lines to a sink as they go over a connection, up to one that fails, with half of its bytes. */
class Wire implements FeedChannel {
  readonly lines: FeedOp[] = [];
  /** Bytes of lines. */
  sent = 0;
  whole = () => Promise.resolve();
  #open: { op: FeedOp; parts: Uint8Array[]; left: number } | undefined;
  readonly #sink: CopySink;
  readonly #breaksAt: number;

  constructor(sink: CopySink, breaksAt = Infinity) {
    this.#sink = sink;
    this.#breaksAt = breaksAt;
  }

  async line(op: FeedOp): Promise<void> {
    assert.equal(this.#open, undefined, "bytes of the line before are missing");
    this.lines.push(op);
    const left = op.op === "file" || op.op === "append"
      ? op.size
      : op.op === "base"
      ? op.log + op.blocks.reduce((n, b) => n + Math.min(65536, op.size - b * 65536), 0)
      : 0;
    if (left > 0) this.#open = { op, parts: [], left };
    else await this.#take(op, []);
  }

  async bytes(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.sent += bytes.length;
    const o = this.#open!;
    o.parts.push(bytes);
    o.left -= bytes.length;
    assert.ok(o.left >= 0, "more bytes than the line said");
    if (o.left > 0) return;
    this.#open = undefined;
    await this.#take(o.op, o.parts);
  }

  async ask(op: FeedOp): Promise<unknown> {
    this.lines.push(op);
    return await this.#take(op, []);
  }

  async #take(op: FeedOp, parts: Uint8Array[]): Promise<unknown> {
    const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
    let end = 0;
    for (const p of parts) {
      all.set(p, end);
      end += p.length;
    }
    const breaks = this.lines.length >= this.#breaksAt;
    if (breaks) end = Math.floor(end / 2);
    let at = 0;
    async function* payload(size: number) {
      for (const until = at + size; at < until;) {
        if (at >= end) throw new Broken("the connection is gone");
        const piece = all.subarray(at, Math.min(end, until, at + 10_000));
        at += piece.length;
        yield piece;
      }
    }
    const answer = await this.#sink.take(op, payload);
    if (breaks) throw new Broken("the connection is gone");
    return answer;
  }
}

interface World {
  dir: string;
  data: string;
  accounts: Accounts;
  deliver(a: Account, text: string): Promise<void>;
  /** Sends, over a new connection if it was cut, and compares. */
  same(): Promise<void>;
  /** Sends once; over a way that breaks at a line, if it is given. @returns whether it broke */
  round(breaksAt?: number): Promise<boolean>;
  /** Ends the connection, and goes on with a new one. */
  again(): void;
  wire: Wire;
}

async function withWorld(fn: (w: World) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const data = join(dir, "data");
  const copy = join(dir, "copy");
  const config = join(dir, "config");
  for (const d of [join(data, "accounts"), join(data, "tmp"), config]) {
    await Deno.mkdir(d, { recursive: true });
  }
  await Deno.writeTextFile(join(config, "domains.conf"), "Domains:\n");
  await Deno.writeTextFile(join(config, "mox.conf"), "this machine's\n");
  let rounds = 0;
  const sink = () =>
    new CopySink({
      dataDir: copy,
      configDir: join(dir, "config2"),
      ownConfig: join(dir, "config2", "mox.conf"),
      round: () => {
        rounds++;
        return Promise.resolve();
      },
    });
  let feed: DataFeed | undefined;
  let n = 0;
  const w: World = {
    dir,
    data,
    accounts: new Accounts(join(data, "accounts"), new Log("store"), () => testRules),
    wire: undefined!,
    async deliver(a, text) {
      const file = join(dir, `in${n++}`);
      await Deno.writeTextFile(file, text);
      await a.deliver("Inbox", { file, fileSize: text.length, prefix: new Uint8Array(0) });
    },
    again() {
      feed?.close();
      feed = undefined;
    },
    async round(breaksAt) {
      if (feed === undefined || breaksAt !== undefined) {
        feed?.close();
        w.wire = new Wire(sink(), breaksAt);
        feed = new DataFeed(
          { dataDir: data, configDir: config, ownConfig: join(config, "mox.conf") },
          w.wire,
          { scanInterval: 0 },
        );
      }
      try {
        await feed.round();
        return false;
      } catch (err) {
        if (!(err instanceof Broken)) throw err;
        w.again();
        return true;
      }
    },
    async same() {
      await w.round();
      assert.deepEqual(faults(copy, dir), []);
      // After some rounds files of messages that went are gone too.
      for (let i = 0; i < 12; i++) await w.round();
      const left = (all: Record<string, string>) =>
        Object.fromEntries(
          Object.entries(all).filter(([name]) => !/(?:\.new$|^tmp|^domains\.conf$)/.test(name)),
        );
      assert.deepEqual(left(contents(copy, dir)), left(contents(data, dir)));
      assert.equal(
        await Deno.readTextFile(join(dir, "config2", "domains.conf")),
        await Deno.readTextFile(join(config, "domains.conf")),
      );
      assert.ok(rounds > 0);
    },
  };
  try {
    await Deno.mkdir(join(dir, "config2"));
    await fn(w);
  } finally {
    feed?.close();
    await w.accounts.closeAll();
    await Deno.remove(dir, { recursive: true });
  }
}

const letter = (id: string) => `From: a@x.example\r\nSubject: ${id}\r\n\r\n${id}\r\n`;

async function removeAccount(w: World, name: string, a: Account): Promise<void> {
  a.close();
  await w.accounts.closeAll();
  await Deno.remove(join(w.data, "accounts", name), { recursive: true });
  w.accounts = new Accounts(join(w.data, "accounts"), new Log("store"), () => testRules);
}

Deno.test("feed: accounts come, go, and are made anew, over new connections too", () =>
  withWorld(async (w) => {
    await w.same();
    const one = await w.accounts.open("one");
    await w.deliver(one, letter("first"));
    const two = await w.accounts.open("two");
    await w.deliver(two, letter("second"));
    await w.same();
    await removeAccount(w, "two", two);
    await w.same();
    const anew = await w.accounts.open("two");
    await w.deliver(anew, letter("another, longer one"));
    await w.same();
    // While nobody follows: removed, and made anew with files of the same names.
    w.again();
    await removeAccount(w, "two", anew);
    await w.deliver(await w.accounts.open("two"), letter("a third one"));
    await w.same();
    w.again();
    await removeAccount(w, "two", await w.accounts.open("two"));
    await w.same();
    assert.ok(Deno.readFileSync(join(w.data, "accounts", "one", "index.db")).length > 0);
  }));

Deno.test("feed: a new connection sends what is new, not all", () =>
  withWorld(async (w) => {
    const a = await w.accounts.open("one");
    for (let i = 0; i < 60; i++) await w.deliver(a, letter(`m${i} ${"x".repeat(20_000)}`));
    await w.same();
    const first = w.wire.sent;
    assert.ok(first > 1_000_000, `${first}`);
    w.again();
    await w.deliver(a, letter("new"));
    await w.same();
    assert.ok(w.wire.sent < 200_000, `${w.wire.sent} of ${first}`);
    assert.ok(!w.wire.lines.some((l) => l.op === "base" && l.path.includes("one/index.db")));
    // The log was moved into the database meanwhile, and removed: blocks that differ are sent.
    w.again();
    await w.accounts.closeAll();
    a.close();
    w.accounts = new Accounts(join(w.data, "accounts"), new Log("store"), () => testRules);
    await w.deliver(await w.accounts.open("one"), letter("newer"));
    await w.same();
    assert.ok(w.wire.sent < 1_000_000, `${w.wire.sent} of ${first}`);
  }));

Deno.test("feed: the way breaks at any line, and the next connection goes on", () =>
  withWorld(async (w) => {
    const a = await w.accounts.open("one");
    await w.deliver(a, letter("first"));
    const copy = join(w.dir, "copy");
    let at = 1;
    for (; await w.round(at); at++) {
      await w.deliver(a, letter(`at ${at}`));
      if (at % 5 === 0) a.close(), await w.accounts.open("one");
      // What is there is whole, if it is anything yet.
      if (await Deno.stat(join(copy, "accounts/one/index.db")).catch(() => undefined)) {
        assert.deepEqual(faults(copy, w.dir), [], `at line ${at}`);
      }
    }
    assert.ok(at > 5, `${at} lines`);
    await w.same();
  }));

Deno.test("feed: a log begins anew, and another database comes in place of one", () =>
  withWorld(async (w) => {
    const path = join(w.data, "some.db");
    let db = new DatabaseSync(path);
    db.exec("PRAGMA journal_mode=WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    await w.same();
    for (let i = 0; i < 5; i++) {
      db.exec(`INSERT INTO t VALUES (${i}); PRAGMA wal_checkpoint(TRUNCATE)`);
      db.exec(`INSERT INTO t VALUES (${i})`);
      await w.same();
    }
    db.close();
    await Deno.remove(path);
    db = new DatabaseSync(path);
    db.exec("PRAGMA journal_mode=WAL; CREATE TABLE other (b); INSERT INTO other VALUES (2)");
    await w.same();
    db.exec("INSERT INTO other SELECT value FROM json_each(json_array(1,2,3)); VACUUM");
    await w.same();
    db.close();
  }));

Deno.test("sink: paths outside, of its own files, and lines that are none are refused", async () => {
  const dir = await Deno.makeTempDir();
  const sink = new CopySink({
    dataDir: join(dir, "data"),
    configDir: join(dir, "config"),
    ownConfig: join(dir, "config", "mox.conf"),
    round: () => Promise.resolve(),
  });
  async function* payload(size: number) {
    yield new Uint8Array(size);
  }
  const file = (path: unknown, config?: true) =>
    sink.take({ op: "file", path, config, size: 1, mtime: 0 } as FeedOp, payload);
  for (
    const path of ["../x", "a/../../x", "/etc/x", "a//b", ".", "a\\b", "C:x", "a\0b", 7, "ctl"]
  ) await assert.rejects(() => file(path), /path|not copied/, String(path));
  for (const path of ["node-role.json", "standby.pem", "tmp/x", "removed/x", "accounts/../ctl"]) {
    await assert.rejects(() => file(path), /path|not copied/, path);
  }
  await assert.rejects(() => file("mox.conf", true), /not copied/);
  await assert.rejects(() => file("../mox.conf", true), /no path/);
  for (const op of [{ op: "what" }, {}, { op: "round", at: -1 }, { op: "round", at: "x" }]) {
    await assert.rejects(() => sink.take(op as FeedOp, payload));
  }
  const gap = { op: "append", path: "a.db", at: 4152, size: 10 } as FeedOp;
  await assert.rejects(() => sink.take(gap, payload), /has 0 bytes, not 4152/);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("feed: the copy's disk is full at any call; what is there is whole, and it goes on when there is room", () =>
  withWorld(async (w) => {
    const a = await w.accounts.open("one");
    await w.deliver(a, letter("first"));
    await w.same();
    const copy = join(w.dir, "copy");
    let full = 0;
    // Each time at a later call, until one round has fewer calls than that.
    for (let n = 1, done = false; !done; n = Math.ceil(n * 1.7)) {
      await w.deliver(a, letter(`letter ${n}`));
      await w.deliver(await w.accounts.open(`new${n}`), letter(`to ${n}`));
      // A new connection, as a standby makes one after each failure.
      w.again();
      const { error, failed } = await withFault(
        copy,
        n,
        "ENOSPC",
        async () => void await w.round(),
        { lasting: true },
      );
      done = failed.length === 0;
      if (error !== undefined) {
        assert.ok(isPlanted(error), String(error));
        full++;
      }
      w.again();
      // Of a new account the files come first; it is none before its database is there.
      const wrong = faults(copy, w.dir).filter((f) => !/^is missing, but there are/.test(f));
      assert.deepEqual(wrong, []);
    }
    assert.ok(full > 3, `${full} rounds failed`);
    await w.same();
  }));
