/** The open junk filters of accounts, and what a filter sees of a message. */
import assert from "node:assert/strict";
import { JunkFilters } from "../../src/delivery/junk_filters.ts";
import { messageText } from "../../src/delivery/message_text.ts";
import { type JunkFilter, junkParams } from "../../src/junk/mod.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";

const params = junkParams({
  Onegrams: true,
  Twograms: true,
  Threegrams: false,
  MaxPower: 0.1,
  TopWords: 10,
  IgnoreWords: 0.1,
  RareWords: 1,
});

Deno.test("a filter is open once for all who use it, and anew with other parameters when nobody does", async () => {
  const dir = await Deno.makeTempDir();
  const filters = new JunkFilters();
  try {
    const seen: JunkFilter[] = [];
    const use = (p = params) =>
      filters.use(dir, p, (f) => {
        seen.push(f);
        return Promise.resolve();
      });
    await Promise.all([use(), use()]);
    await use();
    assert.equal(new Set(seen).size, 1);
    const other = { ...params, twograms: false };
    await filters.use(dir, params, async (f) => {
      // In use: the parameters of before hold on.
      await use(other);
      assert.equal(seen.at(-1), f);
    });
    await use(other);
    assert.notEqual(seen.at(-1), seen[0]);
    await use(other);
    assert.equal(seen.at(-1), seen.at(-2));
    await assert.rejects(filters.use(dir, other, () => Promise.reject(new Error("no"))), /no/);
    await use(other);
    assert.equal(seen.at(-1), seen.at(-2), "one that failed for its user stays open");
    await filters.closeAll();
    await use(other);
    assert.notEqual(seen.at(-1), seen.at(-2), "closed, and opened again");
  } finally {
    await filters.closeAll();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a filter is closed some time after its last use, not while it is used", async () => {
  const dir = await Deno.makeTempDir();
  const filters = new JunkFilters();
  // Time passes when the test says so.
  const real = { set: globalThis.setTimeout, clear: globalThis.clearTimeout };
  const waits = new Map<number, () => void>();
  let next = 1e9;
  globalThis.setTimeout = ((fn: () => void, ms: number) => {
    if (ms < 1000) return real.set(fn, ms);
    waits.set(++next, fn);
    return next;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (id) => waits.delete(Number(id)) ? undefined : real.clear(id);
  const pass = () => {
    const due = [...waits.values()];
    waits.clear();
    due.forEach((fn) => fn());
  };
  try {
    const first = await filters.use(dir, params, (f) => f);
    assert.equal(waits.size, 1);
    const gate = Promise.withResolvers<void>();
    const inUse = Promise.withResolvers<void>();
    const long = filters.use(dir, params, async (f) => {
      inUse.resolve();
      await gate.promise;
      return f.classify(["x"]).probability;
    });
    await inUse.promise;
    // Its wait ended with the use, and no other that ends meanwhile begins one.
    assert.equal(await filters.use(dir, params, (f) => f), first);
    assert.equal(waits.size, 0);
    pass();
    gate.resolve();
    assert.equal(await long, 0.5);
    assert.equal(waits.size, 1);
    pass();
    const again = await filters.use(dir, params, (f) => f);
    assert.notEqual(again, first);
    assert.throws(() => first.classify(["x"]), /closed/);
  } finally {
    Object.assign(globalThis, { setTimeout: real.set, clearTimeout: real.clear });
    await filters.closeAll();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a folder where no filter can be opened is tried again", async () => {
  const filters = new JunkFilters();
  const dir = `${await Deno.makeTempDir()}/missing`;
  await assert.rejects(filters.use(dir, params, () => {}));
  await Deno.mkdir(dir);
  await filters.use(dir, params, (f) => assert.equal(f.hams, 0));
  await filters.closeAll();
  await Deno.remove(dir, { recursive: true });
});

Deno.test("a filter sees headers, texts, names of files, and messages that are encoded within one", () => {
  const inner = "Subject: inner\r\nContent-Type: text/plain\r\n\r\ninner text\r\n";
  const message = [
    "Subject: =?utf-8?q?=C3=BC?=",
    "Content-Type: multipart/mixed; boundary=b",
    "",
    "--b",
    "Content-Type: text/html",
    "",
    "<p>a</p>",
    "--b",
    'Content-Type: text/plain; name="notes.txt"',
    "Content-Disposition: attachment",
    "",
    "not read",
    "--b",
    "Content-Type: message/rfc822",
    "Content-Transfer-Encoding: base64",
    "",
    btoa(inner),
    "--b--",
    "",
  ].join("\r\n");
  const bytes = new TextEncoder().encode(message);
  const prefix = new TextEncoder().encode("X-Prefix: yes\r\n");
  const t = messageText(parseMessage(bytes).root, (from, to) => bytes.subarray(from, to), prefix);
  assert.deepEqual([...t.headers].slice(0, 2), [["x-prefix", "yes"], ["subject", "ü"]]);
  assert.deepEqual([...t.texts].map((x) => [x.html, x.text.trim()]), [[true, "<p>a</p>"], [
    false,
    "inner text",
  ]]);
  assert.deepEqual(t.attachments, ["notes.txt"]);
  const big = new TextEncoder().encode(`Content-Type: text/plain\r\n\r\n${"x".repeat(300 * 1024)}`);
  const cut = messageText(parseMessage(big).root, (from, to) => big.subarray(from, to));
  assert.equal([...cut.texts][0].text.length, 256 * 1024);
});
