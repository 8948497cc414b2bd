/** Messages as other programs keep them, each form by itself: names, flags, dates, what is no message. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { emlxMessage } from "../../../src/store/import/emlx.ts";
import { gmailLabels } from "../../../src/store/import/gmail.ts";
import { maildirMessage, parseDovecotKeywords } from "../../../src/store/import/maildir.ts";
import { mboxSource } from "../../../src/store/import/mbox.ts";
import { mhMessage, parseMhSequences } from "../../../src/store/import/mh.ts";
import { pathSource } from "../../../src/store/import/path.ts";
import {
  flagsOf,
  headerEnd,
  headerOf,
  receivedOf,
  withCrlf,
} from "../../../src/store/import/sources.ts";
import { Flag, SpecialUse } from "../../../src/store/types.ts";

const utf8 = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

Deno.test("flags by their names, with and without marks; the others are keywords, each once", () => {
  assert.deepEqual(
    flagsOf([
      "Seen",
      "\\Answered",
      "$Forwarded",
      "NonJunk",
      "$Junk",
      "A",
      "a",
      "b c",
      "",
      "(",
      "x".repeat(101),
    ]),
    {
      flags: Flag.Seen | Flag.Answered | Flag.Forwarded | Flag.NotJunk | Flag.Junk,
      keywords: ["a"],
    },
  );
});

Deno.test("headers end at the empty line; line ends become CRLF", () => {
  assert.equal(headerEnd(utf8("A: 1\r\n\r\nx")), 6);
  assert.equal(headerEnd(utf8("\r\nx")), 0);
  assert.equal(headerEnd(utf8("A: 1\r\n")), 6);
  assert.equal(text(withCrlf(utf8("a\nb\r\n\nc"))), "a\r\nb\r\n\r\nc");
  const whole = utf8("a\r\n");
  assert.equal(withCrlf(whole), whole);
  const received = (s: string) => receivedOf(headerOf(utf8(s)));
  const at = Date.UTC(2026, 0, 2, 3, 4, 5);
  assert.equal(
    received(
      "Received: from a; by b; Fri, 2 Jan 2026 03:04:05 +0000\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\n\r\n",
    ),
    at,
  );
  assert.equal(received("Received: from a\r\nDate: Fri, 2 Jan 2026 03:04:05 +0000\r\n\r\n"), at);
  assert.equal(received("Subject: x\r\n\r\n"), undefined);
});

Deno.test("Maildir: letters of flags, and those that stand for keywords", () => {
  const keywords = parseDovecotKeywords("0 $Forwarded\n1 work\nnonsense\n25 last\n26x no\n");
  assert.deepEqual([...keywords], [["a", "$Forwarded"], ["b", "work"], ["z", "last"]]);
  const read = (name: string, more: string[] = []) => {
    const m = maildirMessage(name, utf8("a\n"), 7, keywords, more);
    assert.deepEqual([text(m.content), m.received, m.place], ["a\r\n", 7, name]);
    return [m.flags, m.keywords];
  };
  assert.deepEqual(read("1.x:2,DFPRSTabz"), [
    Flag.Draft | Flag.Flagged | Flag.Forwarded | Flag.Answered | Flag.Seen | Flag.Deleted,
    ["work", "last"],
  ]);
  assert.deepEqual(read("1.x;2,S"), [Flag.Seen, []]);
  assert.deepEqual(read("1.x!2,S"), [Flag.Seen, []]);
  assert.deepEqual(read("1.x"), [0, []]);
  assert.deepEqual(read("1.x:1,S", ["more", "$NotJunk"]), [Flag.NotJunk, ["more"]]);
});

Deno.test("Apple Mail: the length before, the property list behind", () => {
  const message = "Date: Thu, 1 Jan 2026 00:00:00 +0000\n\nx\n";
  const list = (flags: number, more = "") =>
    `<plist><dict><key>flags</key><integer>${flags}</integer>${more}</dict></plist>`;
  const read = (file: string) => emlxMessage("p", utf8(file), 5);
  const all = read(`${message.length}  \n${message}${list(0b1_0101_0111)}`)!;
  assert.equal(
    all.flags,
    Flag.Seen | Flag.Deleted | Flag.Answered | Flag.Flagged | Flag.Draft | Flag.Forwarded,
  );
  assert.equal(text(all.content), message.replaceAll("\n", "\r\n"));
  assert.equal(all.received, Date.UTC(2026, 0, 1));
  const dated = "<key>date-received</key>\n<integer>1700000000</integer>";
  assert.equal(read(`${message.length}\n${message}${list(0, dated)}`)!.received, 1_700_000_000_000);
  assert.equal(read("4\na\nb\n")!.received, 5);
  assert.equal(read("4\na\nb\n")!.flags, 0);
  assert.equal(read("5\na\nb\n"), undefined);
  assert.equal(read("x\na\nb\n"), undefined);
  assert.equal(read("4"), undefined);
});

Deno.test("MH: sequences, and what is in none of the unseen", () => {
  const sequences = parseMhSequences(
    "unseen: 1 3-5\nReplied: 2\nflagged: 6\nforwarded: 7\nno sequence\nmarked: 8\n",
  );
  const flags = (n: number, s: typeof sequences | undefined) =>
    mhMessage(`inbox/${n}`, utf8("Subject: x\n\n"), 9, s).flags;
  assert.deepEqual([1, 2, 3, 5, 6, 7, 8, 9].map((n) => flags(n, sequences)), [
    0,
    Flag.Seen | Flag.Answered,
    0,
    0,
    Flag.Seen | Flag.Flagged,
    Flag.Seen | Flag.Forwarded,
    Flag.Seen | Flag.Flagged,
    Flag.Seen,
  ]);
  // Without a list nothing is known to be read.
  assert.equal(flags(2, undefined), 0);
  assert.equal(mhMessage("1", utf8("Subject: x\n\n"), 9, undefined).received, 9);
});

Deno.test("Gmail: labels as mailbox, flags and keywords", () => {
  const rows: [string, unknown, string[], string[]][] = [
    ["", {}, [], []],
    ["Inbox,Unread", { below: "Inbox" }, [], []],
    ["Inbox,Opened,Starred,Important", { below: "Inbox" }, ["Seen", "Flagged", "$Important"], []],
    ["Spam", { below: "Junk", use: SpecialUse.Junk }, ["Seen", "Junk"], []],
    ["Drafts,Ungelesen", { below: "Drafts", use: SpecialUse.Drafts }, ["Draft"], []],
    // The first place that fits: who is in the bin is there.
    ["Inbox,Papierkorb", { below: "Trash", use: SpecialUse.Trash }, ["Seen"], []],
    ["Gesendet,Kunden", { below: "Sent", use: SpecialUse.Sent }, ["Seen", "Kunden"], []],
    ["Archived", { below: "Archive", use: SpecialUse.Archive }, ["Seen"], []],
    ["Category Updates", { below: "Archive", use: SpecialUse.Archive }, [
      "Seen",
      "Category-Updates",
    ], []],
    ['"A, ""b""",Größe', { below: 'A, "b"' }, ["Seen", "Grosse"], ["A,-b-"]],
  ];
  for (const [value, mailbox, flags, mailboxKeywords] of rows) {
    assert.deepEqual(gmailLabels(value), { mailbox, flags, mailboxKeywords }, value);
  }
});

async function* once(s: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield utf8(s);
}

const from = "From a@b.example Fri Jan  2 03:04:05 2026\n";

Deno.test("mailbox files: fields of programs are flags, and go with the file", async () => {
  const read = async (file: string, byLabels = false) =>
    (await Array.fromAsync(mboxSource("f", once(file), "Top", byLabels))).map((m) =>
      "content" in m
        ? {
          below: m.below,
          flags: m.flags,
          keywords: m.keywords,
          text: text(m.content),
          received: m.received,
        }
        : m
    );
  const at = Date.UTC(2026, 0, 2, 3, 4, 5);
  const one = (fields: string) => `${from}${fields}Subject: x\n\ny\n`;
  const plain = {
    below: "Top",
    flags: 0,
    keywords: [],
    text: "Subject: x\r\n\r\ny\r\n",
    received: at,
  };
  assert.deepEqual(await read(one("")), [plain]);
  assert.deepEqual(await read(one("Status: RO\nX-Status: AF\nX-Keywords: work\n")), [
    { ...plain, flags: Flag.Seen | Flag.Answered | Flag.Flagged, keywords: ["work"] },
  ]);
  // At the end, as mutt has them.
  assert.deepEqual(
    await read(`${from}Subject: x\nStatus: RO\nContent-Length: 2\nLines: 1\n\ny\n`),
    [
      { ...plain, flags: Flag.Seen },
    ],
  );
  // Among the message's own fields they stay.
  const among = await read(`${from}From: a\nStatus: RO\nSubject: x\n\ny\n`);
  assert.deepEqual(among, [{
    ...plain,
    flags: Flag.Seen,
    text: "From: a\r\nStatus: RO\r\nSubject: x\r\n\r\ny\r\n",
  }]);
  assert.deepEqual(
    await read(
      one("X-Mozilla-Status: 1007\nX-Mozilla-Status2: 00a00000\nX-Mozilla-Keys: work $Label1\n"),
    ),
    [{
      ...plain,
      flags: Flag.Seen | Flag.Answered | Flag.Flagged | Flag.Forwarded | Flag.Deleted |
        flagsOf(["MDNSent"]).flags,
      keywords: ["work", ...flagsOf(["MDNSent", "$Label1"]).keywords],
    }],
  );
  assert.deepEqual(await read(one("X-Mozilla-Status: 0008\n")), [
    {
      place: "f, message 1",
      problem: "was deleted, though not yet removed from its file: left out",
    },
  ]);
  // A line between messages of the file that it came from, quoted as if it were text; a name may begin like one.
  const quoted = one(
    ">From - Sat Apr 12 2025 15:59:28\n>>From a@x.example Sat Apr 12 15:59 2025\n",
  );
  assert.deepEqual(await read(quoted), [plain]);
  const field = await read(`${from}From : a\nSubject: x\n\ny\n`);
  assert.deepEqual(field, [{ ...plain, text: "From : a\r\nSubject: x\r\n\r\ny\r\n" }]);
  // What Alpine remembers is no message; one that only has its fields is.
  const internal =
    `${from}X-IMAP: 1 2\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\n\nz\n\n`;
  assert.deepEqual(await read(internal + one("")), [plain]);
  const labelled = one("X-GM-THRID: 1\nX-Gmail-Labels: Inbox,Unread,Work\n");
  assert.deepEqual((await read(labelled, true))[0], {
    ...plain,
    below: "Inbox",
    keywords: ["work"],
  });
  assert.deepEqual((await read(labelled))[0], { ...plain, keywords: ["work"] });
});

Deno.test("a path: a mailbox file, an empty Maildir, a folder, or none of these", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const belows = async (path: string, into: string) => {
      const { source, bytes } = await pathSource(path, into);
      return {
        bytes,
        items: (await Array.fromAsync(source)).map((m) => "below" in m ? m.below : m),
      };
    };
    const file = join(dir, "x.mbox");
    await Deno.writeTextFile(file, `${from}Subject: x\n\ny\n`);
    assert.deepEqual(await belows(file, "Top"), { bytes: from.length + 14, items: [""] });
    const empty = join(dir, "empty");
    await Deno.writeTextFile(empty, "");
    assert.deepEqual(await belows(empty, ""), { bytes: 0, items: [] });
    const box = join(dir, "box");
    for (const f of ["cur", "new", "tmp"]) await Deno.mkdir(join(box, f), { recursive: true });
    assert.deepEqual(await belows(box, "Top"), { bytes: 0, items: [""] });
    await Deno.writeTextFile(join(box, "new", "1.a"), "Subject: x\n\n");
    assert.deepEqual((await belows(box, "Top")).items, [""]);
    await assert.rejects(pathSource(join(dir, "none"), ""), Deno.errors.NotFound);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
