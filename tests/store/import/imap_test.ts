/** Messages of another IMAP server: which, from where, once each, whatever the server and its connections do. */
import assert from "node:assert/strict";
import {
  type Brought,
  broughtBefore,
  ImapSource,
  rememberBrought,
} from "../../../src/store/import/imap.ts";
import { Followed } from "../../../src/store/import/followed.ts";
import { Flag, SpecialUse, Want } from "../../../src/store/types.ts";
import { maxMessage } from "../../../src/store/import/sources.ts";
import { outboundTo } from "../../support/outbound.ts";
import { withStore } from "../setup.ts";
import { type ImapScript, imapScript, type ScriptMailbox } from "./imap_script.ts";

const text = (id: string) => `Message-ID: <${id}@x.example>\r\nSubject: ${id}\r\n\r\n${id}\r\n`;
const messages = (prefix: string, n: number, from = 1) =>
  Array.from({ length: n }, (_, i) => ({ uid: from + i, text: text(`${prefix}${from + i}`) }));

interface Options {
  brought?: Brought;
  delays?: number[];
  signal?: AbortSignal;
  isThere?: (id: string) => boolean;
  password?: string;
  host?: string;
  rule?: (ip: string) => boolean;
  follow?: Followed;
  /** Called with each thing that comes. */
  each?: (shown: string, source: ImapSource) => void;
}

const optionsOf = (s: ImapScript, o: Options = {}) => ({
  host: o.host ?? "127.0.0.1",
  port: s.port,
  tls: false,
  plain: true,
  user: "ann",
  password: o.password ?? "secret",
  outbound: outboundTo(),
  retryDelays: o.delays ?? [0, 0],
  rule: o.rule && { allowed: o.rule, refusal: "is inside" } as never,
});

/** All that a server gives, one after the other, in words. */
async function taken(s: ImapScript, o: Options = {}): Promise<string[]> {
  const found: string[] = [];
  const source = new ImapSource(
    optionsOf(s, o),
    o.brought ?? {},
    o.signal ?? new AbortController().signal,
    o.isThere ?? (() => false),
  );
  source.follow = o.follow;
  for await (const m of source.messages()) {
    const use = "use" in m && m.use !== undefined ? ` use ${m.use}` : "";
    const shown = "problem" in m
      ? `${m.place}: ${m.problem}`
      : "content" in m
      ? `${m.below}${use} ${/Subject: (.*)\r/.exec(new TextDecoder().decode(m.content))?.[1]}`
      : `[${m.below}${use}${m.unsubscribed ? " unsubscribed" : ""}]`;
    found.push(shown);
    o.each?.(shown, source);
  }
  return found;
}

/** Runs with a server. */
async function withScript(
  mailboxes: ScriptMailbox[],
  fn: (s: ImapScript) => Promise<void>,
): Promise<void> {
  const s = imapScript(mailboxes);
  try {
    await fn(s);
  } finally {
    await s.close();
  }
}

Deno.test("where mailboxes of another server go, by name and use", () =>
  withScript([
    { path: "INBOX", messages: messages("i", 1) },
    { path: "INBOX/lists" },
    { path: "Work/Deep/er" },
    { path: "Gesendet", attributes: ["\\Sent"], messages: messages("s", 1) },
    { path: "Old mail", attributes: ["\\Archive"] },
    { path: "[Gmail]", attributes: ["\\Noselect"] },
    { path: "[Gmail]/Chats" },
    { path: "[Google Mail]/Spam", attributes: ["\\Junk"] },
    { path: "[Gmail]/Starred", attributes: ["\\Flagged"], messages: messages("f", 1) },
    { path: "[Gmail]/Important", attributes: ["\\Important"], messages: messages("g", 1) },
    { path: "gone", attributes: ["\\NonExistent"] },
    { path: "##odd/50% *\\x" },
    { path: "#" },
  ], async (s) => {
    assert.deepEqual((await taken(s)).sort(), [
      "Inbox i1",
      `Sent use ${SpecialUse.Sent} s1`,
      "[Archive use 1]",
      "[Chats]",
      "[Inbox/lists]",
      "[Inbox]",
      `[Junk use ${SpecialUse.Junk}]`,
      `[Sent use ${SpecialUse.Sent}]`,
      "[Work/Deep/er]",
      "[_]",
      "[odd/50_ __x]",
    ]);
  }));

Deno.test("mailboxes that their user chose to see: where none but the Inbox is, nobody chose", async () => {
  const boxes = (...subscribed: string[]) =>
    ["INBOX", "a", "b"].map((path) => ({ path, subscribed: subscribed.includes(path) }));
  await withScript(boxes("INBOX"), async (s) => {
    assert.deepEqual(await taken(s), ["[Inbox]", "[a]", "[b]"]);
  });
  await withScript(boxes("a"), async (s) => {
    assert.deepEqual(await taken(s), ["[Inbox]", "[a]", "[b unsubscribed]"]);
  });
});

Deno.test("flags, keywords, dates and where it was", () =>
  withScript([{
    path: "INBOX",
    validity: 77,
    messages: [{
      uid: 5,
      flags: ["\\Seen", "\\Flagged", "\\Recent", "$Forwarded", "Work"],
      date: "17-Jul-2025 01:02:03 +0200",
      text: text("x"),
    }],
  }], async (s) => {
    const source = new ImapSource(optionsOf(s), {}, new AbortController().signal, () => false);
    const found = [];
    for await (const m of source.messages()) if ("content" in m) found.push(m);
    const [m] = found;
    assert.equal(m.place, "INBOX, message 5");
    assert.equal(m.flags, Flag.Seen | Flag.Flagged | Flag.Forwarded);
    assert.deepEqual(m.keywords, ["work"]);
    assert.equal(m.received, Date.UTC(2025, 6, 16, 23, 2, 3));
    assert.equal(new TextDecoder().decode(m.content), text("x"));
    assert.deepEqual({ ...m.origin, flags: [...m.origin!.flags].sort() }, {
      mailbox: "INBOX",
      validity: "77",
      uid: 5,
      flags: ["$Forwarded", "Work", "\\Flagged", "\\Recent", "\\Seen"],
    });
    // Nothing there is changed by it.
    assert.ok(s.commands.some((c) => c.startsWith("EXAMINE")));
    assert.ok(
      !s.commands.some((c) => /^(?:SELECT|STORE|UID STORE)|BODY\[\]/.test(c)),
      s.commands.join(),
    );
  }));

Deno.test("what was brought is not brought again; another UIDVALIDITY makes all new", () =>
  withScript([
    { path: "INBOX", validity: 7, messages: messages("m", 3) },
    { path: "a", validity: 8, messages: messages("a", 1) },
  ], async (s) => {
    const brought: Brought = {};
    assert.deepEqual(await taken(s, { brought }), [
      "[Inbox]",
      "Inbox m1",
      "Inbox m2",
      "Inbox m3",
      "[a]",
      "a a1",
    ]);
    assert.deepEqual(brought, { INBOX: { validity: "7", uid: 3 }, a: { validity: "8", uid: 1 } });
    assert.deepEqual(await taken(s, { brought }), ["[Inbox]", "[a]"]);
    s.mailboxes[0].messages!.push({ uid: 9, text: text("new") });
    assert.deepEqual(await taken(s, { brought }), ["[Inbox]", "Inbox new", "[a]"]);
    assert.equal(brought.INBOX.uid, 9);
    s.mailboxes[1].validity = 9;
    assert.deepEqual(await taken(s, { brought }), ["[Inbox]", "[a]", "a a1"]);
    assert.deepEqual(brought.a, { validity: "9", uid: 1 });
  }));

Deno.test("of the mailbox with all (Gmail) comes what is in no other, and it comes last", () =>
  withScript([
    {
      path: "[Gmail]/All Mail",
      attributes: ["\\All"],
      messages: [
        ...messages("in", 2),
        { uid: 3, text: "Subject: no id\r\n\r\n" },
        { uid: 4, text: text("archived") },
      ],
    },
    { path: "INBOX", messages: messages("in", 2) },
  ], async (s) => {
    const there = new Set<string>();
    const found = await taken(s, {
      isThere: (id) => there.has(id),
      each: (shown) => there.add(`${shown.split(" ").at(-1)}@x.example`),
    });
    assert.deepEqual(found, [
      "[Inbox]",
      "Inbox in1",
      "Inbox in2",
      "Archive use 1 no id",
      "Archive use 1 archived",
    ]);
  }));

Deno.test("a mailbox that can't be opened, a message that can't be read, one that is too large", () =>
  withScript([
    { path: "shut", messages: messages("s", 1) },
    {
      path: "INBOX",
      messages: [
        ...messages("m", 3),
        { uid: 4, text: text("large"), size: maxMessage + 1 },
        { uid: 5, text: text("exact"), size: maxMessage },
      ],
    },
  ], async (s) => {
    s.odd = (c) => {
      if (/^EXAMINE.*shut/.test(c)) return { say: "NO [NOPERM] not yours" };
      const uids = /^UID FETCH (\S+) .*BODY/.exec(c)?.[1].split(",");
      return uids?.includes("2") ? { say: "NO damaged" } : undefined;
    };
    assert.deepEqual(await taken(s), [
      "[Inbox]",
      `INBOX, message 4: is larger than ${maxMessage} bytes`,
      "Inbox m1",
      "INBOX, message 2: can't be fetched: damaged",
      "Inbox m3",
      `INBOX, message 4: is larger than ${maxMessage} bytes`,
      "Inbox exact",
      "shut: can't be opened: not yours",
    ]);
    assert.equal(s.connections, 1, "an answer is no reason to connect again");
  }));

Deno.test("messages that went between two commands are no problem", () =>
  withScript([{ path: "INBOX", messages: messages("m", 3) }], async (s) => {
    const brought: Brought = {};
    s.odd = (c) => {
      if (/RFC822.SIZE/.test(c)) s.mailboxes[0].messages = [s.mailboxes[0].messages![2]];
      return undefined;
    };
    assert.deepEqual(await taken(s, { brought }), ["[Inbox]", "Inbox m3"]);
    assert.equal(brought.INBOX.uid, 3);
  }));

Deno.test("a connection that breaks: each message comes once, and tries begin anew after each success", () =>
  withScript([{ path: "INBOX", messages: messages("m", 175) }], async (s) => {
    // Four batches of at most fifty; the connection breaks twice before each.
    let broken = 0;
    s.odd = (c) => {
      if (!/^UID FETCH .*BODY/.test(c)) return undefined;
      return ++broken % 3 === 0 ? undefined : "break";
    };
    const brought: Brought = {};
    const parts: number[] = [];
    const found = await taken(s, {
      brought,
      each: (_shown, source) => parts.push(source.part ?? -1),
    });
    assert.deepEqual(found.filter((f) => f.startsWith("Inbox")).length, 175);
    assert.equal(new Set(found).size, 176);
    // Twice before each of four batches; what is done is gone on with on the same connection.
    assert.equal(s.connections, 9);
    assert.equal(brought.INBOX.uid, 175);
    assert.equal(parts[0], 0);
    assert.ok(parts.at(-1)! > 0.8 && parts.every((p) => p >= 0 && p <= 1), parts.join());
    const batches = s.commands.filter((c) => /RFC822.SIZE/.test(c)).map((c) => {
      const uids = c.split(" ")[2].split(/[,:]/);
      return `${uids[0]} to ${uids.at(-1)}`;
    });
    assert.deepEqual([...new Set(batches)], ["1 to 50", "51 to 100", "101 to 150", "151 to 175"]);
  }));

Deno.test("after as many failures as there are delays it gives up, with what went wrong", () =>
  withScript([{ path: "INBOX", messages: messages("m", 2) }], async (s) => {
    s.odd = (c) => /^UID FETCH/.test(c) ? "break" : undefined;
    await assert.rejects(taken(s, { delays: [0, 0, 0] }), Error);
    assert.equal(s.connections, 4);
  }));

Deno.test("a wrong password and other refusals are told at once, without another try", () =>
  withScript([{ path: "INBOX", messages: messages("m", 2) }], async (s) => {
    s.odd = (c) => c.startsWith("LOGIN") ? { say: "NO [AUTHENTICATIONFAILED] wrong" } : undefined;
    await assert.rejects(taken(s), { message: "the server refuses name and password: wrong" });
    assert.equal(s.connections, 1);
    assert.ok(s.commands.some((c) => /^LOGIN "?ann"? "?secret"?$/.test(c)), s.commands.join());
    s.odd = (c) => /^UID SEARCH/.test(c) ? { say: "NO no search" } : undefined;
    // A server that finds nothing gives nothing.
    assert.deepEqual(await taken(s), ["[Inbox]"]);
    assert.equal(s.connections, 2);
  }));

Deno.test("a server that can't be reached is told before anything came, without another try", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const source = (host: string) =>
    new ImapSource(
      {
        host,
        port,
        tls: false,
        plain: true,
        user: "a",
        outbound: outboundTo(),
        retryDelays: [1e9],
      },
      {},
      new AbortController().signal,
      () => false,
    ).messages().next();
  await assert.rejects(source("127.0.0.1"), (err: Error) => {
    assert.match(err.message, new RegExp(`^can't connect to 127\\.0\\.0\\.1, port ${port}: `));
    return true;
  });
  await assert.rejects(source("nowhere.example"), (err: Error) => {
    assert.match(err.message, new RegExp(`^can't connect to nowhere\\.example, port ${port}: `));
    return true;
  });
});

const endless: [command: RegExp, begin: string, endless: string][] = [
  [/^CAPABILITY/, "", "* CAPABILITY IMAP4rev1\r\n"],
  [/^LOGIN/, "", "* OK wait\r\n"],
  [/^LIST "" "\*"/, "", '* LIST () "/" "x"\r\n'],
  [/^LIST "" "\*"/, '* LIST () "/" "', "x"],
  [/^LIST "" "\*"/, '* LIST () "/" {1000000000}\r\n', "x"],
  [/^LIST "" "\*"/, "* LIST (", "\\A "],
  [/^(?:SELECT|EXAMINE)/, "", "* FLAGS (\\Seen)\r\n"],
  [/^UID SEARCH/, "* SEARCH", " 1234567"],
  [/^UID SEARCH/, "", "* SEARCH 1 2\r\n"],
  [/^UID FETCH .*SIZE/, "", "* 1 FETCH (UID 1 RFC822.SIZE 10)\r\n"],
  [/^UID FETCH .*BODY/, "", "* 9 FETCH (UID 9 BODY[] {1}\r\nx)\r\n"],
  [/^UID FETCH .*BODY/, "* 1 FETCH (UID 1 BODY[] {300000000}\r\n", "x"],
];
for (const [command, begin, more] of endless) {
  Deno.test(`an answer without end is given up, without another try: ${command} ${begin}${more.trim()}`, () =>
    withScript([{ path: "INBOX", messages: messages("i", 3) }], async (s) => {
      s.odd = (c) =>
        command.test(c)
          ? { begin, endless: more.repeat(Math.ceil(100_000 / more.length)) }
          : undefined;
      await assert.rejects(
        taken(s),
        /answers are too large|sends what it isn't asked for/,
      );
      assert.equal(s.connections, 1);
    }));
}

Deno.test("a signal ends it, also while it waits", () =>
  withScript([{ path: "INBOX", messages: messages("m", 60) }], async (s) => {
    const stop = new AbortController();
    await assert.rejects(
      taken(s, {
        signal: stop.signal,
        each: (shown) => {
          if (shown === "Inbox m3") stop.abort(new Error("enough"));
        },
      }),
      { message: "enough" },
    );
    const later = new AbortController();
    s.odd = (c) => {
      if (!/^UID FETCH/.test(c)) return undefined;
      setTimeout(() => later.abort(new Error("not now")), 0);
      return "break";
    };
    await assert.rejects(taken(s, { signal: later.signal, delays: [1e9] }), { message: "not now" });
    await assert.rejects(taken(s, { signal: AbortSignal.abort(new Error("before")) }), {
      message: "before",
    });
  }));

Deno.test("what was brought is kept for each server and user, and is a copy", () =>
  withStore(async (s) => {
    const options = (user: string, host: string) => ({
      user,
      host,
      port: 1,
      tls: true,
      outbound: outboundTo(),
    });
    const one = options("ann", "a.example");
    assert.deepEqual(broughtBefore(s.account, one), {});
    const brought = { INBOX: { validity: "1", uid: 5 } };
    await rememberBrought(s.account, one, brought);
    const read = broughtBefore(s.account, one);
    assert.deepEqual(read, brought);
    read.INBOX.uid = 9;
    assert.equal(broughtBefore(s.account, one).INBOX.uid, 5);
    for (const other of [options("bob", "a.example"), options("ann", "b.example")]) {
      assert.deepEqual(broughtBefore(s.account, other), {});
    }
    await s.reopen();
    assert.deepEqual(broughtBefore(s.account, one), brought);
  }));

Deno.test("changes there are followed: flags as differences, what went, and not an empty mailbox", () =>
  withStore(async (s) => {
    const inbox = s.account.mailboxByName("Inbox")!;
    const archive = s.account.mailboxByName("Archive")!;
    const followed = await Followed.open(s.account, "ann@a.example");
    const other = await Followed.open(s.account, "ann@b.example");
    try {
      const add = async (uid: number, flags: string[]) => {
        const [m] = await s.account.append(inbox.id, [{
          ...await s.message(text(`m${uid}`)),
          flags: Flag.Seen,
          keywords: [],
          received: Date.now(),
        }]);
        const origin = { mailbox: "INBOX", validity: "7", uid, flags };
        followed.note([{ from: { origin } as never, id: m.id, mailboxId: inbox.id }]);
        return m.uid;
      };
      const uids = [await add(1, ["\\Seen"]), await add(2, ["\\Seen", "Work"]), await add(3, [])];
      followed.note([{ from: {} as never, id: 1, mailboxId: inbox.id }]);
      await followed.durable();
      assert.ok(followed.knows("INBOX", "7"));
      assert.ok(!followed.knows("INBOX", "8"), "another UIDVALIDITY");
      assert.ok(!followed.knows("a", "7"), "another mailbox");
      assert.ok(!other.knows("INBOX", "7"), "another server");
      const flagsHere = () => {
        const found: string[] = [];
        for (const { id } of [inbox, archive]) {
          s.account.fetch(id, s.account.uids(id), Want.Summary, (r) => {
            found.push(`${r.summary.subject} ${r.flags} ${r.keywords}`.trim());
          });
        }
        return found.sort();
      };
      const all = (...lists: string[][]) =>
        new Map(lists.map((flags, i): [number, string[]] => [i + 1, flags]));
      // Nothing new there, in another order and case of what doesn't count.
      assert.equal(
        await followed.follow("INBOX", "7", all(["\\Recent", "\\Seen"], ["Work", "\\Seen"], [])),
        "",
      );
      assert.equal(followed.changes, 0);
      // Here one is flagged meanwhile, one is moved.
      await s.account.storeFlags(inbox.id, [uids[0]], "add", Flag.Flagged, ["mine"]);
      await s.account.move(inbox.id, [uids[1]], archive.id);
      await followed.follow("INBOX", "7", all([], ["\\Seen", "Other"], ["\\Answered"]));
      assert.equal(followed.changes, 3);
      assert.deepEqual(flagsHere(), [
        `m1 ${Flag.Flagged} mine`,
        `m2 ${Flag.Seen} other`,
        `m3 ${Flag.Seen | Flag.Answered}`,
      ]);
      // Once is enough.
      await followed.follow("INBOX", "7", all([], ["\\Seen", "Other"], ["\\Answered"]));
      assert.equal(followed.changes, 3);
      // An empty mailbox there takes nothing away; nor does another's.
      assert.equal(
        await followed.follow("INBOX", "7", new Map()),
        "is empty there now; what was brought of it stays here",
      );
      assert.equal(flagsHere().length, 3);
      // What went there goes here, but for what was moved.
      await followed.follow("INBOX", "7", new Map([[3, ["\\Answered"]]]));
      assert.deepEqual(flagsHere(), [`m2 ${Flag.Seen} other`, `m3 ${Flag.Seen | Flag.Answered}`]);
      assert.equal(followed.changes, 4);
      assert.ok(followed.knows("INBOX", "7"));
    } finally {
      await followed.close();
      await other.close();
    }
  }));
