/** A data folder in an object storage (s3rver, an emulator), and restored from it as it was at any moment. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import S3rver from "s3rver";
import { Log, setLevel } from "../../../src/log/mod.ts";
import { Outbound, systemAuthorities } from "../../../src/net/mod.ts";
import type { Account } from "../../../src/store/account/account.ts";
import { Accounts } from "../../../src/store/account/accounts.ts";
import { Journal, type JournalState } from "../../../src/store/objects/journal.ts";
import { Known } from "../../../src/store/objects/known.ts";
import { restoreObjects } from "../../../src/store/objects/restore.ts";
import { Bucket, signedHeaders } from "../../../src/store/objects/s3.ts";
import {
  generationKey,
  masterKey,
  openObject,
  sealObject,
} from "../../../src/store/objects/seal.ts";
import { contents, faults } from "../backup/compare.ts";
import { testRules } from "../setup.ts";

setLevel("store", "error");

const master = new Uint8Array(32).fill(7);
const outbound = new Outbound({
  authorities: systemAuthorities,
  lookup: () => Promise.resolve(["127.0.0.1"]),
});

interface World {
  dir: string;
  data: string;
  accounts: Accounts;
  bucket: Bucket;
  deliver(a: Account, text: string): Promise<void>;
  /** Begins to store; `upToDate` resolves when what is there now is stored. */
  start(o?: { fullEvery?: number; keep?: number }): {
    upToDate(): Promise<number>;
    failed(): Promise<string>;
    end(): Promise<void>;
  };
  /** Restores, and compares with what the data was. */
  restored(at: number | undefined, as: Record<string, string>): Promise<void>;
  now(): Record<string, string>;
}

/** Without what is made anew. */
const compared = (all: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(all).filter(([name]) => !/(?:\.new$|^tmp|^lastbackup)/.test(name)),
  );

async function withWorld(fn: (w: World) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const s3 = new S3rver({
    port: 0,
    address: "127.0.0.1",
    silent: true,
    directory: join(dir, "s3"),
    configureBuckets: [{ name: "mail", configs: [] }],
  });
  const { port } = await s3.run();
  const data = join(dir, "data");
  const config = join(dir, "config");
  for (const d of [join(data, "accounts"), join(data, "tmp"), config]) {
    await Deno.mkdir(d, { recursive: true });
  }
  await Deno.writeTextFile(join(config, "domains.conf"), "Domains:\n");
  const bucket = new Bucket({
    endpoint: `http://127.0.0.1:${port}`,
    region: "us-east-1",
    bucket: "mail",
    accessKey: "S3RVER",
    secretKey: "S3RVER",
  }, outbound);
  let n = 0;
  const w: World = {
    dir,
    data,
    bucket,
    accounts: new Accounts(join(data, "accounts"), new Log("store"), () => testRules),
    async deliver(a, text) {
      const file = join(dir, `in${n++}`);
      await Deno.writeTextFile(file, text);
      await a.deliver("Inbox", { file, fileSize: text.length, prefix: new Uint8Array(0) });
    },
    start({ fullEvery = 7, keep = 30 } = {}) {
      const journal = new Journal({
        dataDir: data,
        configDir: config,
        state: join(dir, "objects.db"),
        prefix: "a b/",
        key: master,
        interval: 0,
        fullEvery,
        keep,
      }, bucket);
      const stop = new AbortController();
      let waiting: ((s: JournalState) => void)[] = [];
      const running = journal.run(stop.signal, (s) => {
        const all = waiting;
        waiting = [];
        all.forEach((f) => f(s));
      });
      const next = () => new Promise<JournalState>((resolve) => waiting.push(resolve));
      return {
        async upToDate() {
          const asked = Date.now();
          for (;;) {
            const s = await Promise.race([next(), running.then(() => undefined)]);
            assert.ok(s, "it has ended");
            if (s.upToDate >= asked && s.error === undefined) return s.upToDate;
          }
        },
        async failed() {
          for (;;) {
            const { error } = await next();
            if (error !== undefined) return error;
          }
        },
        async end() {
          stop.abort();
          await running;
        },
      };
    },
    async restored(at, as) {
      const to = join(dir, `restored${n++}`);
      const o = { prefix: "a b/", key: master, at, dataDir: to, configDir: `${to}-config` };
      await restoreObjects(o, bucket, () => {});
      assert.deepEqual(faults(to, dir), []);
      assert.deepEqual(compared(contents(to, dir)), as);
      assert.equal(await Deno.readTextFile(join(`${to}-config`, "domains.conf")), "Domains:\n");
    },
    now: () => compared(contents(data, dir)),
  };
  try {
    await fn(w);
  } finally {
    await w.accounts.closeAll();
    await s3.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const letter = (id: string) => `From: a@x.example\r\nSubject: ${id}\r\n\r\n${id}\r\n`;

Deno.test("objects: restored as it was at each moment, also after a new start", () =>
  withWorld(async (w) => {
    const a = await w.accounts.open("one");
    await w.deliver(a, letter("first"));
    let running = w.start();
    const moments: [number, Record<string, string>][] = [];
    const moment = async () => {
      const at = await running.upToDate();
      moments.push([at, w.now()]);
    };
    await moment();
    for (let i = 0; i < 3; i++) {
      await w.deliver(a, letter(`more ${i}`));
      await moment();
    }
    await running.end();
    await w.deliver(a, letter("while nobody stores"));
    running = w.start();
    await moment();
    const before = (await w.bucket.list("a b/")).length;
    // The log is moved into the database and removed: blocks that differ are stored.
    a.close();
    await w.accounts.closeAll();
    w.accounts = new Accounts(join(w.data, "accounts"), new Log("store"), () => testRules);
    await w.deliver(await w.accounts.open("one"), letter("another log"));
    await w.deliver(await w.accounts.open("two"), letter("another account"));
    await moment();
    await running.end();
    assert.ok((await w.bucket.list("a b/")).length > before);
    for (const [at, was] of moments) await w.restored(at, was);
    await w.restored(undefined, w.now());
    await assert.rejects(() => w.restored(1, {}), /no backup that is whole begins before/);
  }));

Deno.test("objects: what was changed, exchanged or removed is noticed", () =>
  withWorld(async (w) => {
    const a = await w.accounts.open("one");
    const running = w.start();
    for (let i = 0; i < 3; i++) {
      await w.deliver(a, letter(`m${i}`));
      await running.upToDate();
    }
    await running.end();
    const names = await w.bucket.list("a b/");
    assert.ok(names.length >= 3);
    const all = new TextDecoder("latin1");
    const object = await w.bucket.get(names[1]);
    for (const name of names) {
      const text = all.decode(await w.bucket.get(name));
      assert.doesNotMatch(text, /index\.db|Subject|domains/);
    }
    const changed = object.slice();
    changed[changed.length - 20] ^= 1;
    await w.bucket.put(names[1], changed);
    await assert.rejects(() => w.restored(undefined, {}), /was changed, or the key is another/);
    await w.bucket.put(names[1], await w.bucket.get(names[0]));
    await assert.rejects(() => w.restored(undefined, {}), /was changed, or the key is another/);
    await w.bucket.put(names[1], object.subarray(0, 10));
    await assert.rejects(() => w.restored(undefined, {}), /is no object of a backup/);
    await w.bucket.remove(names[1]);
    await assert.rejects(() => w.restored(undefined, {}), /object 1 of generation .* is missing/);
    // Begun anew, as what is stored is not whole.
    const again = w.start();
    await again.upToDate();
    await again.end();
    await w.restored(undefined, w.now());
  }));

Deno.test("objects: the storage fails and comes back; old generations go", () =>
  withWorld(async (w) => {
    const a = await w.accounts.open("one");
    await w.deliver(a, letter("first"));
    const real = w.bucket.put.bind(w.bucket);
    let fails = 2;
    w.bucket.put = (name, body) =>
      fails-- > 0 ? Promise.reject(new Error("out of order")) : real(name, body);
    const running = w.start();
    assert.equal(await running.failed(), "out of order");
    await w.deliver(a, letter("second"));
    await running.upToDate();
    await running.end();
    await w.restored(undefined, w.now());
    const [old] = await w.bucket.list("a b/");
    // Each start begins anew; what came before goes when that is old enough.
    const remove = w.bucket.remove.bind(w.bucket);
    w.bucket.remove = () => Promise.reject(new Error("it is locked"));
    const locked = w.start({ fullEvery: 0, keep: 0 });
    await locked.upToDate();
    await locked.upToDate();
    await locked.end();
    await w.restored(undefined, w.now());
    w.bucket.remove = remove;
    assert.ok((await w.bucket.list("a b/")).includes(old));
    for (const keep of [30, 0]) {
      const next = w.start({ fullEvery: 0, keep });
      await next.upToDate();
      await next.end();
      assert.equal((await w.bucket.list("a b/")).includes(old), keep === 30);
      await w.restored(undefined, w.now());
    }
  }));

Deno.test("objects: a state of a later version is refused", async () => {
  const dir = await Deno.makeTempDir();
  const path = join(dir, "objects.db");
  new Known(path).close();
  new Known(path).close();
  const db = new DatabaseSync(path);
  db.exec("PRAGMA user_version=2");
  db.close();
  assert.throws(() => new Known(path), /objects\.db is of a later version/);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("objects: keys and signatures", () => {
  assert.deepEqual(masterKey(` ${master.toBase64()}\n`), master);
  assert.deepEqual(masterKey(master.toHex()), master);
  for (const bad of ["", "x", "00", master.subarray(1).toBase64()]) {
    assert.throws(() => masterKey(bad), /32 bytes/);
  }
  const key = generationKey(master, "g1");
  const content = new Uint8Array(100_000).fill(65);
  const sealed = sealObject(key, "n", content);
  assert.deepEqual(openObject(key, "n", sealed), content);
  assert.notDeepEqual(sealObject(key, "n", content), sealed);
  assert.throws(() => openObject(key, "m", sealed), /was changed/);
  assert.throws(() => openObject(generationKey(master, "g2"), "n", sealed), /was changed/);
  // The example "GET Bucket (List Objects)" that Amazon has published for Signature Version 4.
  const h = signedHeaders(
    {
      region: "us-east-1",
      accessKey: "AKIAIOSFODNN7EXAMPLE",
      secretKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    },
    {
      method: "GET",
      host: "examplebucket.s3.amazonaws.com",
      path: "/",
      query: [["max-keys", "2"], ["prefix", "J"]],
      bodyHash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    },
    new Date("2013-05-24T00:00:00Z"),
  );
  assert.match(
    h.authorization,
    /Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7$/,
  );
});
