/** What the server keeps for Sieve: scripts of accounts and of the administrator, memory, log; and filing. */
import { asEmailId, asMailboxId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  accountMailboxes,
  inAddressBook,
  mailboxIdOf,
  mailboxIdText,
  serverEnvironment,
} from "../../src/delivery/sieve/context.ts";
import { SieveDatabase } from "../../src/delivery/sieve/database.ts";
import { fileMessage, flagsOf, mailboxFor } from "../../src/delivery/sieve/filing.ts";
import { ScriptError, scriptLimits } from "../../src/delivery/sieve/scripts.ts";
import { SiteScripts } from "../../src/delivery/sieve/site_scripts.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import type { Edited, Filing } from "../../src/sieve/mod.ts";
import { Flag, SpecialUse, StoreError } from "../../src/store/types.ts";
import { deliveryFacts, withStore } from "../store/setup.ts";

setLevel("sieve", "error");
const day = 24 * 3600_000;
const plainFiling: Filing = {
  mailbox: "Named",
  flags: undefined,
  create: false,
  specialUse: undefined,
  mailboxId: undefined,
};

/** A database with a clock that the test moves; `reopen` closes it and opens it again. */
async function withSieve(
  fn: (s: { db: SieveDatabase; now: number; reopen(): Promise<void> }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const open = () => SieveDatabase.open(dir, () => s.now);
  const s = {
    db: undefined as SieveDatabase | undefined,
    now: Date.UTC(2026, 0, 1),
    async reopen() {
      await s.db!.close();
      s.db = await open();
    },
  };
  s.db = await open();
  try {
    await fn(s as Parameters<typeof fn>[0]);
  } finally {
    await s.db.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const code = (want: ScriptError["code"]) => (e: unknown) => {
  assert.ok(e instanceof ScriptError, String(e));
  assert.equal(e.code, want);
  return true;
};

Deno.test("scripts: stored under their name, changed, renamed, removed; ids stay and are never given twice", () =>
  withSieve(async (s) => {
    const { scripts } = s.db;
    const names = () => scripts.list("a").map((i) => [i.id, i.name, i.active]);
    await scripts.put("a", "one", "keep;");
    s.now += 5;
    await scripts.put("b", "one", "stop;");
    await scripts.put("a", "two", "discard;");
    assert.deepEqual(names(), [[1, "one", false], [3, "two", false]]);
    assert.deepEqual(scripts.list("a").map((i) => [i.size, i.changed]), [[5, s.now - 5], [
      8,
      s.now,
    ]]);
    s.now += 5;
    await scripts.put("a", "one", 'keep; # "ü"');
    assert.deepEqual(scripts.list("a")[0], {
      id: 1,
      name: "one",
      active: false,
      size: 12,
      changed: s.now,
    });
    assert.equal(scripts.get("a", "one"), 'keep; # "ü"');
    assert.equal(scripts.get("a", "none"), undefined);
    await scripts.rename("a", "two", "zwei");
    await assert.rejects(scripts.rename("a", "one", "zwei"), code("exists"));
    await assert.rejects(scripts.rename("a", "none", "x"), code("missing"));
    await assert.rejects(scripts.rename("a", "one", ""), code("name"));
    await scripts.rename("a", "one", "one");
    await s.reopen();
    assert.deepEqual(s.db.scripts.list("a").map((i) => [i.id, i.name]), [[1, "one"], [3, "zwei"]]);
    await s.db.scripts.remove("a", "zwei");
    await assert.rejects(s.db.scripts.remove("a", "zwei"), code("missing"));
    assert.deepEqual(s.db.scripts.list("a").map((i) => i.name), ["one"]);
    assert.deepEqual(s.db.scripts.list("b").map((i) => i.name), ["one"]);
  }));

Deno.test("one script is active, or none; it can't be removed", () =>
  withSieve(async (s) => {
    const { scripts } = s.db;
    const told: string[] = [];
    scripts.onChange = (account) => told.push(account);
    for (const name of ["one", "two"]) await scripts.put("a", name, "keep;");
    await scripts.put("b", "one", "keep;");
    assert.equal(scripts.active("a"), undefined);
    assert.equal(scripts.compiledActive("a"), undefined);
    await assert.rejects(scripts.setActive("a", "three"), code("missing"));
    await scripts.setActive("a", "one");
    assert.ok(scripts.compiledActive("a"));
    await scripts.setActive("a", "two");
    assert.deepEqual(scripts.list("a").map((i) => i.active), [false, true]);
    assert.equal(scripts.active("b"), undefined);
    await assert.rejects(scripts.remove("a", "two"), code("active"));
    await scripts.rename("a", "two", "zwei");
    assert.equal(scripts.active("a"), "zwei");
    assert.ok(scripts.compiledActive("a"));
    await scripts.setActive("a", "");
    assert.equal(scripts.compiledActive("a"), undefined);
    await scripts.remove("a", "zwei");
    assert.deepEqual(told, ["a", "a", "b", "a", "a", "a", "a", "a"]);
  }));

Deno.test("a script is compiled once, anew when it is changed, and what is wrong in it is said", () =>
  withSieve(async (s) => {
    const { scripts } = s.db;
    await scripts.put("a", "one", "keep;");
    await scripts.setActive("a", "one");
    const compiled = scripts.compiledActive("a");
    assert.equal(scripts.compiled("a", "one"), compiled);
    await scripts.put("a", "one", "discard;");
    assert.notEqual(scripts.compiledActive("a"), compiled);
    assert.equal(scripts.compiled("a", "none"), undefined);
    await assert.rejects(scripts.put("a", "bad", "keep; nonsense;"), (e) => {
      assert.ok(e instanceof ScriptError && e.code === "invalid");
      assert.equal(e.problems[0].line, 1);
      return true;
    });
    assert.equal(scripts.get("a", "bad"), undefined);
  }));

Deno.test("bounds of scripts: names, number, size, size of all", () =>
  withSieve(async (s) => {
    const { scripts } = s.db;
    const refuses = (name: string, size: number, want: ScriptError["code"]) =>
      assert.throws(() => scripts.checkSpace("a", name, size), code(want));
    refuses("", 1, "name");
    refuses("x", scriptLimits.size + 1, "tooLarge");
    scripts.checkSpace("a", "x", scriptLimits.size);
    const text = `# ${"x".repeat(scriptLimits.size - 3)}\n`;
    for (let i = 0; i < 4; i++) await scripts.put("a", `big${i}`, text);
    refuses("x", 1, "overQuota");
    scripts.checkSpace("a", "big1", scriptLimits.size);
    for (let i = 0; i < scriptLimits.count; i++) await scripts.put("b", `s${i}`, "keep;");
    assert.throws(() => scripts.checkSpace("b", "x", 1), code("tooMany"));
    scripts.checkSpace("b", "s5", 1);
    assert.deepEqual(scriptLimits, { count: 100, size: 1024 * 1024, total: 4 * 1024 * 1024 });
  }));

Deno.test("an account that was removed leaves nothing behind", () =>
  withSieve(async (s) => {
    for (const account of ["a", "b"]) {
      await s.db.scripts.put(account, "one", "keep;");
      await s.db.scripts.setActive(account, "one");
      assert.ok(s.db.scripts.compiledActive(account));
      await s.db.memory.remember(account, [{ key: "k", seconds: 100 }]);
      s.db.log.add(account, asEmailId(1), { from: "", subject: "", steps: [] });
      await s.db.memory.begin({
        key: `sent ${account}`,
        account,
        address: "x@y",
        messageId: "1@x",
      });
      s.db.memory.done(`sent ${account}`);
    }
    assert.deepEqual(s.db.accounts(), ["a", "b"]);
    await s.db.forget("a");
    assert.deepEqual(s.db.accounts(), ["b"]);
    assert.equal(s.db.scripts.compiledActive("a"), undefined);
    assert.ok(s.db.scripts.compiledActive("b"));
    assert.deepEqual([s.db.memory.seen("a", "k"), s.db.memory.seen("b", "k")], [false, true]);
    const again = (account: string) =>
      s.db.memory.begin({ key: `sent ${account}`, account, address: "x@y", messageId: "1@x" });
    assert.deepEqual([await again("a"), await again("b")], [true, false]);
  }));

Deno.test("what scripts remember ends to the millisecond, is renewed, and is each account's own", () =>
  withSieve(async (s) => {
    const seen = (key = "k", account = "a") => s.db.memory.seen(account, key);
    await s.db.memory.remember("a", []);
    await s.db.memory.remember("a", [{ key: "k", seconds: 10 }, { key: "l", seconds: 20 }]);
    assert.deepEqual([seen(), seen("l"), seen("k", "b")], [true, true, false]);
    s.now += 9_999;
    assert.equal(seen(), true);
    await s.db.memory.remember("a", [{ key: "l", seconds: 5 }]);
    s.now += 1;
    assert.equal(seen(), false);
    s.now += 4_998;
    assert.equal(seen("l"), true);
    s.now += 1;
    assert.equal(seen("l"), false);
    await s.db.memory.remember("a", [{ key: "m", seconds: 1000 }]);
    await s.reopen();
    assert.equal(seen("m"), true);
  }));

Deno.test("what is sent is noted once: tried again it isn't, unless it failed or its message was taken", () =>
  withSieve(async (s) => {
    const note = (key: string) => ({ key, account: "a", address: "x@y", messageId: `${key}@x` });
    const begin = (key: string) => s.db.memory.begin(note(key));
    assert.equal(await begin("k"), true);
    assert.equal(await begin("k"), true, "not yet queued");
    s.db.memory.done("k");
    assert.equal(await begin("k"), false);
    s.db.memory.failed("k");
    assert.equal(await begin("k"), true);
    s.db.memory.done("k");
    s.db.memory.taken(["k"]);
    assert.equal(await begin("k"), true, "the same once more is another message");
    s.db.memory.done("k");
    assert.equal(await begin("k"), false);
    // What the end of a process left open is looked for in the queue.
    await begin("open");
    await begin("lost");
    await s.reopen();
    const asked: string[] = [];
    await s.db.memory.settle((n) => {
      asked.push(`${n.key} ${n.messageId} ${n.address} ${n.account} ${n.begun === s.now}`);
      return n.key === "open";
    });
    assert.deepEqual(asked.sort(), ["lost lost@x x@y a true", "open open@x x@y a true"]);
    assert.deepEqual([await begin("open"), await begin("lost"), await begin("k")], [
      false,
      true,
      false,
    ]);
    // One alone is settled too.
    await begin("alone");
    await s.db.memory.settle((n) => n.key === "alone");
    assert.equal(await begin("alone"), false);
    // It is remembered for a week, and for five minutes after its message was taken.
    s.now += 7 * day;
    assert.equal(await begin("open"), false);
    s.now += 60_000;
    assert.equal(await begin("open"), true);
    s.db.memory.done("open");
    s.db.memory.taken(["open"]);
    s.now += 5 * 60_000;
    assert.equal(await begin("other"), true);
    await s.reopen();
    assert.equal(await begin("open"), true);
    // Within those five minutes a process that begins anew still knows that it was sent.
    s.db.memory.done("open");
    s.db.memory.taken(["open"]);
    s.now += 5 * 60_000 - 1;
    assert.equal(await begin("another"), true);
    await s.reopen();
    assert.equal(await begin("open"), false);
  }));

Deno.test("what scripts did is found by message and account, the last first, for ninety days", () =>
  withSieve((s) => {
    const { log } = s.db;
    const step = (text: string) => ({ script: "one", line: 1, text });
    log.add("a", asEmailId(1), {
      from: "f".repeat(300),
      subject: "s".repeat(300),
      steps: [step("kept")],
    });
    s.now++;
    log.add("a", asEmailId(1), { from: "x", subject: "y", steps: [], error: "failed" });
    log.add("a", undefined, { from: "x", subject: "refused", steps: [] });
    log.add("b", asEmailId(1), { from: "x", subject: "of b", steps: [] });
    const found = log.ofEmail("a", asEmailId(1));
    assert.deepEqual(found.map((e) => [e.time, e.error]), [[s.now, "failed"], [
      s.now - 1,
      undefined,
    ]]);
    assert.deepEqual([found[1].from.length, found[1].subject.length], [200, 200]);
    assert.deepEqual(found[1].steps, [step("kept")]);
    assert.deepEqual(log.latest("a").map((e) => e.subject.slice(0, 9)), [
      "refused",
      "y",
      "sssssssss",
    ]);
    assert.deepEqual(log.latest("a", 1).map((e) => e.subject), ["refused"]);
    s.now += 90 * day;
    for (let i = 0; i < 252; i++) {
      log.add("a", asEmailId(2), { from: "", subject: `${i}`, steps: [] });
    }
    // Those of exactly ninety days are still there, the one of a millisecond more is gone.
    assert.equal(log.ofEmail("a", asEmailId(1)).length, 1);
    assert.equal(log.ofEmail("b", asEmailId(1)).length, 1);
    assert.equal(log.ofEmail("a", asEmailId(2)).length, 20);
    assert.equal(log.latest("a", 5000).length, 254);
    for (let i = 0; i < 800; i++) log.add("a", asEmailId(3), { from: "", subject: "", steps: [] });
    assert.equal(log.latest("a", 5000).length, 1000);
    assert.equal(log.latest("a").length, 100);
    return Promise.resolve();
  }));

Deno.test("scripts of the administrator run around those of accounts; wrong ones are left out", async () => {
  const dir = await Deno.makeTempDir();
  const real = performance.now;
  let now = 10_000;
  performance.now = () => now;
  try {
    const site = new SiteScripts(dir, new Log("sieve"));
    const count = (which: "before" | "after", domain = "X.example") =>
      site.around(which, domain).length;
    const write = async (path: string, text: string) => {
      await Deno.mkdir(join(dir, path, ".."), { recursive: true });
      await Deno.writeTextFile(join(dir, path), text);
      now += 2000;
    };
    assert.deepEqual([count("before"), count("after")], [0, 0]);
    await write("before.sieve", "keep;");
    assert.deepEqual([count("before"), count("after")], [1, 0]);
    await write("domains/x.example/before.sieve", "stop;");
    await write("domains/x.example/after.sieve", "discard;");
    await write("after.sieve", "stop;");
    const of = (which: "before" | "after") => site.around(which, "x.example");
    assert.equal(of("before").length, 2);
    assert.equal(of("after").length, 2);
    assert.equal(
      of("before")[0],
      site.around("before", "y.example")[0],
      "the server's before the domain's",
    );
    assert.equal(of("after")[1], site.around("after", "y.example")[0], "and after it");
    assert.equal(count("before", "../x.example"), 1, "no way out of the folder");
    // Looked at again after two seconds.
    const before = of("before")[0];
    await Deno.writeTextFile(join(dir, "before.sieve"), "keep; stop;");
    now += 1999;
    assert.equal(of("before")[0], before);
    now += 1;
    assert.notEqual(of("before")[0], before);
    await write("before.sieve", "nonsense;");
    assert.equal(count("before", "y.example"), 0);
    await Deno.remove(join(dir, "before.sieve"));
    now += 2000;
    assert.equal(count("before"), 1);
    await write("global/lib.sieve", "keep;");
    assert.ok(site.global("lib"));
    assert.equal(site.global("none"), undefined);
    await write("before.sieve", "keep;");
    assert.equal(site.global("../before"), undefined, "no way out of the folder");
    assert.equal(site.global(""), undefined);
    await write("global/bad.sieve", "nonsense;");
    assert.ok(Array.isArray(site.global("bad")));
  } finally {
    performance.now = real;
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("mailboxes as scripts see them: names, ids, special uses, annotations", () =>
  withStore(async ({ account }) => {
    const boxes = accountMailboxes(account);
    const archive = account.mailboxByName("Archive")!;
    const want = { name: "Archive", id: `M${archive.id}`, specialUses: ["\\Archive"] };
    assert.deepEqual(boxes.byName("Archive"), want);
    assert.deepEqual(boxes.byId(want.id), want);
    assert.deepEqual(boxes.bySpecialUse("\\archive"), want);
    assert.deepEqual(boxes.byName("Inbox")!.specialUses, []);
    for (
      const none of [
        boxes.byName("None"),
        boxes.byId("M999"),
        boxes.byId("x"),
        boxes.bySpecialUse("\\X"),
      ]
    ) {
      assert.equal(none, undefined);
    }
    const ids: [string, number | undefined][] = [
      ["M1", 1],
      ["M123456789012345", 123456789012345],
      ["M1234567890123456", undefined],
      ["M0", undefined],
      ["M01", undefined],
      ["1", undefined],
      ["M1x", undefined],
    ];
    for (const [text, id] of ids) assert.equal(mailboxIdOf(text), id, text);
    assert.equal(mailboxIdText(7), "M7");
    const value = new TextEncoder().encode("yes");
    await account.annotations.set(archive.id, [{ key: "/private/x", value }]);
    await account.annotations.set(asMailboxId(0), [{ key: "/private/y", value }]);
    assert.equal(boxes.annotation("Archive", "/PRIVATE/x"), "yes");
    assert.equal(boxes.annotation("", "/private/y"), "yes");
    assert.equal(boxes.annotation("Archive", "/private/y"), undefined);
    assert.equal(boxes.annotation("None", "/private/x"), undefined);
  }));

Deno.test("the address book has whom the account wrote to", () =>
  withStore(async ({ account, message }) => {
    await account.deliver("Sent", await message("To: Ann@x.example\nSubject: x\n\nx\n"));
    const list = ":addrbook:default";
    const has = (address: string, l = list) => inAddressBook(account, l, address);
    assert.deepEqual([has("Ann@x.example"), has("Ann@X.Example"), has("bob@x.example")], [
      true,
      true,
      false,
    ]);
    assert.deepEqual([has("@x.example"), has("x.example"), has("")], [false, false, false]);
    assert.equal(has("Ann@x.example", "URN:ietf:params:sieve:addrbook:default"), true);
    assert.equal(has("Ann@x.example", "other"), undefined);
  }));

Deno.test("what the environment of scripts says", () => {
  const of = (name: string) => serverEnvironment("mx.sub.example.org", name);
  assert.deepEqual(["domain", "host", "location", "phase", "name", "other"].map(of), [
    "sub.example.org",
    "mx.sub.example.org",
    "MDA",
    "during",
    "mox",
    undefined,
  ]);
  assert.ok(of("version"));
});

Deno.test("flags that a script gives are bits where there are such, and keywords in lower case else", () => {
  assert.deepEqual(flagsOf(["\\Seen", "$Junk", "Blue", "\\FLAGGED"]), {
    flags: Flag.Seen | Flag.Junk | Flag.Flagged,
    keywords: ["blue"],
  });
  assert.deepEqual(flagsOf(undefined), { flags: 0, keywords: [] });
});

Deno.test("filing: by id before special use before name, as it was received, and kept where a name can't be one", () =>
  withStore(async (s) => {
    const { account } = s;
    const archive = account.mailboxByName("Archive")!;
    const filing = (over: Partial<Filing>): Filing => ({ ...plainFiling, ...over });
    const box = (over: Partial<Filing>) => mailboxFor(account, filing(over));
    assert.equal(box({}), "Named");
    assert.equal(box({ specialUse: "\\Trash" }), "Trash");
    assert.equal(box({ mailboxId: `M${archive.id}`, specialUse: "\\Trash" }), "Archive");
    assert.equal(box({ mailboxId: "M999" }), "Named");
    assert.equal(box({ specialUse: "\\All" }), "Named");
    const received = Date.UTC(2020, 0, 1);
    const text = "Subject: x\n\nbody\n";
    const stored = {
      ...await s.message(text),
      received,
      prefix: new TextEncoder().encode("Received: y\r\n"),
      keywords: ["first"],
      flags: Flag.Draft,
      facts: deliveryFacts(),
    };
    const d = { account, stored, keepMailbox: "Kept", tempDir: s.dir };
    const keep = (
      flags: string[],
      edited: Edited = undefined,
    ): Parameters<typeof fileMessage>[1] => ({
      kind: "keep",
      flags,
      edited,
      implicit: false,
      line: 1,
      script: "x",
    });
    const into = (over: Partial<Filing>): Parameters<typeof fileMessage>[1] => ({
      kind: "fileinto",
      filing: filing(over),
      edited: undefined,
      line: 1,
      script: "x",
    });
    const kept = await fileMessage(d, keep(["\\Seen", "Blue"]));
    assert.deepEqual([kept.mailbox, kept.note, kept.message.flags, kept.message.keywords], [
      "Kept",
      "",
      Flag.Seen,
      ["blue", "first"],
    ]);
    assert.equal(kept.message.received, received);
    const filed = await fileMessage(
      d,
      into({ flags: ["$NotJunk"] }),
    );
    assert.deepEqual([filed.mailbox, filed.message.flags], ["Named", Flag.NotJunk]);
    const bad = await fileMessage(
      d,
      into({ mailbox: "a//b" }),
    );
    assert.equal(bad.mailbox, "Kept");
    assert.match(bad.note, /^, as bad mailbox name/);
    assert.deepEqual(bad.message.keywords, []);
    // Only names and keywords send it there: what would fail there too, or passes, is the caller's.
    for (const code of ["overQuota", "busy", "closed"] as const) {
      let asked = 0;
      const failing = Object.create(account, {
        deliver: {
          value: () => {
            asked++;
            return Promise.reject(new StoreError(code, "not now"));
          },
        },
      });
      await assert.rejects(
        fileMessage({ ...d, account: failing }, into({})),
        (err) => err instanceof StoreError && err.code === code,
      );
      assert.equal(asked, 1, code);
    }
    const read = (emailId: number) => {
      const r = account.openMessage(asEmailId(emailId));
      const all = new TextDecoder().decode(r.read(0, r.size));
      r.close();
      return all;
    };
    const crlf = text.replaceAll("\n", "\r\n");
    assert.equal(read(filed.message.emailId), `Received: y\r\n${crlf}`);
    // A changed header: pieces of the message and new bytes.
    const edited = [new TextEncoder().encode("X-New: 1\r\n"), { from: 0, to: stored.fileSize }];
    const facts = () => account.db.all("SELECT message_id FROM deliveries").map((r) => r[0]);
    const changed = await fileMessage(d, keep([], edited));
    assert.equal(read(changed.message.emailId), `X-New: 1\r\n${crlf}`);
    assert.equal(changed.message.received, received);
    assert.ok(facts().includes(changed.message.id));
    const copy = await fileMessage(
      d,
      keep([], edited),
      false,
    );
    assert.ok(!facts().includes(copy.message.id), "what a script sends came from nowhere");
    assert.equal(account.mailboxBySpecialUse(SpecialUse.Trash)!.total, 0);
    assert.deepEqual([...Deno.readDirSync(s.dir)].filter((e) => e.name.startsWith("sieve-")), []);
  }));
