/** Keywords, rights, annotations and names of mailboxes, and what is read of messages: tables and bounds. */
import { asMailboxId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import {
  flagBit,
  maxKeywordBytes,
  maxKeywordsPerMailbox,
  maxKeywordsPerMessage,
  normalizeKeywords,
} from "../../src/store/mailboxes/keywords.ts";
import { normalizeMailboxName } from "../../src/store/mailboxes/mailboxes.ts";
import {
  allRights,
  anyone,
  changeRights,
  effectiveRights,
  forgetIdentifier,
  formatRights,
  grantedRights,
  parseRights,
  sharedMailboxIds,
} from "../../src/store/mailboxes/rights.ts";
import { Flag, SpecialUse, type StoreError } from "../../src/store/types.ts";
import { withStore } from "./setup.ts";

const code = (want: StoreError["code"]) => (e: unknown) => (e as StoreError).code === want;

Deno.test("flags by their names, also as other clients spell them", () => {
  const cases: [string, number | undefined][] = [
    ["\\Seen", Flag.Seen],
    ["\\ANSWERED", Flag.Answered],
    ["\\flagged", Flag.Flagged],
    ["\\Deleted", Flag.Deleted],
    ["\\Draft", Flag.Draft],
    ["$Forwarded", Flag.Forwarded],
    ["Forwarded", Flag.Forwarded],
    ["$Junk", Flag.Junk],
    ["junk", Flag.Junk],
    ["$NotJunk", Flag.NotJunk],
    ["NonJunk", Flag.NotJunk],
    ["NotJunk", Flag.NotJunk],
    ["$Phishing", Flag.Phishing],
    ["phishing", Flag.Phishing],
    ["$MDNSent", Flag.MDNSent],
    ["Seen", undefined],
    ["other", undefined],
  ];
  for (const [name, bit] of cases) assert.equal(flagBit(name), bit, name);
});

Deno.test("keywords: lower case, sorted, each once; characters, lengths and numbers that are refused", () => {
  assert.deepEqual(normalizeKeywords(["b", "A", "B", "!~$"]), ["!~$", "a", "b"]);
  for (const bad of ["", " ", "a b", "ü", "\x7f", "\x1f", ...'(){%*"\\]']) {
    if (bad === "}" || bad === ")") continue;
    assert.throws(() => normalizeKeywords([bad]), code("keyword"), JSON.stringify(bad));
  }
  assert.deepEqual([maxKeywordBytes, maxKeywordsPerMessage, maxKeywordsPerMailbox], [
    100,
    100,
    1000,
  ]);
  assert.equal(normalizeKeywords(["x".repeat(100)])[0].length, 100);
  assert.throws(() => normalizeKeywords(["x".repeat(101)]), code("keyword"));
  const many = (n: number) => Array.from({ length: n }, (_, i) => `k${i}`);
  assert.equal(normalizeKeywords(many(100)).length, 100);
  assert.throws(() => normalizeKeywords(many(101)), code("tooManyKeywords"));
});

Deno.test("names of mailboxes: their form, and what can't be one", () => {
  const good: [string, string][] = [
    ["inbox", "Inbox"],
    ["INBOX/x", "Inbox/x"],
    ["x/inbox", "x/inbox"],
    ["Inboxes", "Inboxes"],
    ["e\u0301", "\u00e9"],
    ["a/.b/..c", "a/.b/..c"],
    ["a".repeat(1000), "a".repeat(1000)],
    [Array(32).fill("a").join("/"), Array(32).fill("a").join("/")],
  ];
  for (const [name, want] of good) assert.equal(normalizeMailboxName(name), want);
  for (
    const bad of [
      ...[
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        "#a",
        ".",
        "a/..",
        "./a",
        "a\0",
        "a\x1f",
        "a\x7f",
        "a\x9f",
        "a\u2028",
      ],
      ...["\ud800", "a".repeat(1001), "ü".repeat(501), Array(33).fill("a").join("/")],
    ]
  ) assert.throws(() => normalizeMailboxName(bad), code("mailboxName"), bad.slice(0, 20));
});

Deno.test("rights: texts, old letters, and what somebody may do by all that was granted and denied", () =>
  withStore(async ({ account }) => {
    const texts: [string, string | undefined][] = [
      ["", ""],
      ["rl", "lr"],
      ["llr", "lr"],
      ["c", "k"],
      ["d", "xte"],
      ["z", undefined],
      ["L", undefined],
      [allRights, allRights],
    ];
    for (const [text, want] of texts) {
      const got = parseRights(text);
      assert.deepEqual(got && [...got].sort(), want && [...want].sort(), text);
    }
    assert.deepEqual(["lr", "lk", "x", "t", "e", "kx"].map(formatRights), [
      "lr",
      "lkc",
      "xd",
      "td",
      "ed",
      "kxcd",
    ]);
    const id = account.mailboxByName("Archive")!.id;
    const other = account.mailboxByName("Trash")!.id;
    const grant = (who: string, rights: string, box = id) =>
      changeRights(account, box, who, () => rights);
    const may = (who: string) => effectiveRights(account, id, who);
    assert.equal(may(account.name), allRights);
    assert.equal(may("bob"), "");
    await grant("bob", "rl");
    await grant(anyone, "s");
    assert.equal([...may("bob")].sort().join(""), "lrs");
    assert.equal(may("eve"), "s");
    await grant("-bob", "s");
    assert.equal([...may("bob")].sort().join(""), "lr");
    await grant(`-${anyone}`, "r");
    assert.equal(may("bob"), "l");
    assert.deepEqual(grantedRights(account.db, id).map((g) => g.identifier), [
      "-anyone",
      "-bob",
      "anyone",
      "bob",
    ]);
    assert.deepEqual(grantedRights(account.db, other), []);
    const formseq = account.mailbox(id)!.formseq;
    await grant("bob", "lr");
    assert.equal(account.mailbox(id)!.formseq, formseq, "nothing changed");
    await changeRights(account, id, "bob", (before) => before + "w");
    assert.ok(account.mailbox(id)!.formseq > formseq);
    assert.equal([...grantedRights(account.db, id)[3].rights].sort().join(""), "lrw");
    await grant("bob", "");
    assert.deepEqual(grantedRights(account.db, id).map((g) => g.identifier), [
      "-anyone",
      "-bob",
      "anyone",
    ]);
    await grant("bob", "l", other);
    assert.deepEqual(
      [...sharedMailboxIds(account.db)].sort((a, b) => a - b),
      [id, other].sort((a, b) => a - b),
    );
    await forgetIdentifier(account, "bob");
    assert.deepEqual([...sharedMailboxIds(account.db)], [id]);
    assert.deepEqual(grantedRights(account.db, id).map((g) => g.identifier), ["-anyone", "anyone"]);
    await assert.rejects(grant("x", "l", asMailboxId(999)), code("mailboxMissing"));
    await account.writer.write(() => {
      for (let i = 0; i < 198; i++) {
        account.db.run("INSERT INTO mailbox_rights VALUES (?, ?, 'l')", id, `u${i}`);
      }
    });
    await assert.rejects(grant("one more", "l"), code("rights"));
    await grant("u1", "lr");
    // A mailbox below has the rights of the one above.
    const { mailbox } = await account.createMailbox("Archive/below");
    assert.equal(grantedRights(account.db, mailbox.id).length, 200);
  }));

Deno.test("annotations: set, changed, removed, all or nothing, within bounds", () =>
  withStore(async ({ account }) => {
    const { annotations } = account;
    const id = account.mailboxByName("Archive")!.id;
    const value = (s: string) => new TextEncoder().encode(s);
    const list = (box = id) =>
      annotations.list(box).map((a) => `${a.key}=${new TextDecoder().decode(a.value)}`);
    await annotations.set(id, [{ key: "/Private/B", value: value("1") }, {
      key: "/private/a",
      value: value("2"),
    }]);
    assert.deepEqual(list(), ["/private/a=2", "/private/b=1"]);
    await annotations.set(id, [{ key: "/PRIVATE/b", value: value("3") }, {
      key: "/private/A",
      value: null,
    }]);
    assert.deepEqual([list(), list(asMailboxId(0))], [["/private/b=3"], []]);
    const big = { key: "/private/big", value: new Uint8Array(100 * 1024 * 1024) };
    await assert.rejects(
      annotations.set(id, [{ key: "/private/c", value: value("4") }, big]),
      code("annotation"),
    );
    assert.deepEqual(list(), ["/private/b=3"]);
    await account.deleteMailbox("Archive");
    assert.deepEqual(list(), []);
  }));

Deno.test("what is read of messages: the live ones only, in their order", () =>
  withStore(async ({ account, message }) => {
    const m = await message("Subject: x\n\nx\n");
    const list = [];
    for (const flags of [Flag.Seen, 0, Flag.Deleted, Flag.Seen | Flag.Flagged, 0]) {
      list.push(await account.deliver("Inbox", { ...m, flags }));
    }
    const inbox = list[0].mailboxId;
    const archive = account.mailboxBySpecialUse(SpecialUse.Archive)!.id;
    await account.copy(inbox, [4], archive);
    await account.expunge(inbox, [2], undefined, { force: true });
    assert.equal(account.message(list[1].id), undefined);
    assert.equal(account.messageByUid(inbox, 2), undefined);
    assert.equal(account.messageByUid(archive, 3), undefined);
    assert.equal(account.message(list[3].id)!.uid, 4);
    assert.equal(account.messageByUid(inbox, 4)!.id, list[3].id);
    assert.deepEqual([...account.uids(inbox)], [1, 3, 4, 5]);
    assert.equal(account.firstUnseenUid(inbox), 3);
    assert.equal(account.firstUnseenUid(archive), undefined);
    assert.equal(account.highestEverUid(inbox), 5);
    assert.equal(account.highestEverUid(asMailboxId(999)), 0);
    const emails = list.map((l) => l.emailId);
    assert.deepEqual([...account.uidsOfEmails(inbox, [emails[0], emails[1]], emails[3])], [
      1,
      4,
      5,
    ]);
    assert.deepEqual([...account.uidsOfEmails(archive, [emails[0]], emails[3])], [1]);
    const since: number[] = [];
    account.fetchSince(inbox, list[2].modseq, 0, (r) => void since.push(r.uid));
    assert.deepEqual(since, [4, 5]);
    const first: number[] = [];
    account.fetchSince(inbox, 0, 0, (r) => {
      first.push(r.uid);
      return first.length < 2;
    });
    assert.deepEqual(first, [1, 3]);
    const flagged = (set: number, clear: number) => {
      const uids: number[] = [];
      account.eachWithFlags(inbox, set, clear, (uid) => void uids.push(uid));
      return uids;
    };
    for (const inMemory of [false, true]) {
      if (inMemory) await account.prepareRows(inbox);
      assert.deepEqual(flagged(Flag.Seen, 0), [1, 4], `in memory: ${inMemory}`);
      assert.deepEqual(flagged(0, Flag.Seen), [3, 5]);
      assert.deepEqual(flagged(Flag.Seen, Flag.Flagged), [1]);
      assert.deepEqual(flagged(0, Flag.Seen | Flag.Deleted), [5]);
      assert.deepEqual(flagged(0, 0), [1, 3, 4, 5]);
    }
    assert.equal(account.newestMessageId(), 6);
    assert.throws(() => account.openMessage(emails[1]), code("mailboxMissing"));
  }));
