/** Import of archives: of what programs make, and of what is damaged or meant to harm. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";
import { fc } from "../../support/fast_check.ts";
import tar from "tar-stream";
import {
  mailboxNames,
  maildirLevels,
  mboxLevels,
} from "../../../src/store/import/archive/names.ts";
import { openArchive } from "../../../src/store/import/archive/open.ts";
import { archiveSource, lookThrough } from "../../../src/store/import/archive/source.ts";
import { ArchiveError } from "../../../src/store/import/archive/types.ts";
import { importMessages } from "../../../src/store/import/import.ts";
import { Want } from "../../../src/store/types.ts";
import { writeTar } from "../../../src/web/export/tar.ts";
import { writeZip, type ZipEntry } from "../../../src/web/export/zip.ts";
import { type TestStore, withStore } from "../setup.ts";

const message = (subject: string, more = "") => `Subject: ${subject}\n${more}\nbody\n`;
const mbox = (...subjects: string[]) =>
  subjects.map((s) => `From a@b.example Tue Mar  3 10:20:30 2026\n${message(s)}\n`).join("");

type Files = Record<string, string>;
const entries = (files: Files): ZipEntry[] =>
  Object.entries(files).map(([name, text]) => ({
    name,
    modified: Date.UTC(2026, 2, 3, 4, 5, 6),
    pieces: [new TextEncoder().encode(text)],
  }));

async function bytesOf(pieces: AsyncIterable<unknown>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const p of pieces) all.push(p as Uint8Array);
  return Buffer.concat(all);
}

const zip = (files: Files) => bytesOf(writeZip(entries(files)));
const tgz = (files: Files) =>
  bytesOf(writeTar(
    (async function* () {
      yield* await Promise.resolve(entries(files).map((e) => ({ ...e, size: bytesIn(e) })));
    })(),
    { gzip: true, tempDir: "" },
  ));
const bytesIn = (e: ZipEntry) =>
  [...e.pieces as Iterable<Uint8Array>].reduce((n, p) => n + p.length, 0);

async function take(s: TestStore, bytes: Uint8Array, name = "upload.zip", mailbox = "") {
  const path = join(s.dir, "archive");
  const tempDir = join(s.dir, "tmp");
  await Deno.mkdir(tempDir, { recursive: true });
  await Deno.writeFile(path, bytes);
  const archive = await openArchive(path, name);
  const contents = await lookThrough(archive);
  return await importMessages(s.account, archiveSource(archive, contents), { mailbox, tempDir });
}

/** Subjects, flags and keywords by mailbox. */
function found(s: TestStore): Record<string, string[]> {
  const out: Record<string, string[]> = {};
  for (const m of s.account.mailboxes()) {
    s.account.fetch(m.id, s.account.uids(m.id), Want.Summary, (r) => {
      (out[m.name] ??= []).push(`${r.summary.subject} ${r.flags} ${r.keywords}`.trim());
    });
  }
  return out;
}

/** A message as Apple Mail keeps it, with flags after it. */
const emlx = (text: string, flags: number) =>
  `${text.length}       \n${text}<?xml version="1.0"?><plist><dict><key>date-received</key><integer>1772533230` +
  `</integer><key>flags</key><integer>${flags}</integer></dict></plist>`;

const layouts: [string, Files, Record<string, string[]>][] = [
  [
    "our own export as mbox",
    { "Inbox.mbox": mbox("a", "b"), "Sent.mbox": mbox("c"), "Work/Old.mbox": mbox("d") },
    { Inbox: ["a 0", "b 0"], Sent: ["c 0"], "Work/Old": ["d 0"] },
  ],
  [
    "Thunderbird's folders",
    {
      "Mail/Local Folders/Inbox":
        `From - Tue Mar  3 10:20:30 2026\nX-Mozilla-Status: 0005\nX-Mozilla-Keys: $label1 work\n${
          message("a")
        }\n`,
      "Mail/Local Folders/Inbox.msf": "// <!-- mork",
      "Mail/Local Folders/Inbox.sbd/Friends": mbox("b"),
      "Mail/Local Folders/filterlog.html": "x",
    },
    { Inbox: ["a 5 $label1 work"], "Inbox/Friends": ["b 0"] },
  ],
  [
    "Thunderbird's folders with a file for each message",
    {
      "Mail/Local Folders/Inbox/cur/1772533230.eml":
        `X-Mozilla-Status: 0005\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1 work\n${
          message("a")
        }`,
      "Mail/Local Folders/Inbox/cur/1772533231":
        `From - Tue Mar  3 10:20:30 2026\nX-Mozilla-Status: 0001\n${message("b")}`,
      "Mail/Local Folders/Inbox/cur/1772533232.eml": `X-Mozilla-Status: 0009\n${message("gone")}`,
      "Mail/Local Folders/Inbox/cur/1772533233.eml": message("c", "X-Mozilla-Status: 0001\n"),
      "Mail/Local Folders/Inbox/tmp/1.eml": message("t"),
      "Mail/Local Folders/Inbox.msf": "// <!-- mork",
      "Mail/Local Folders/Inbox.sbd/Friends/cur/2.eml": `X-Mozilla-Status: 1000\n${message("d")}`,
      "Saved/one.eml": `X-Mozilla-Status: 0001\n${message("e")}`,
      "Saved/two.eml": message("f"),
    },
    {
      "Mail/Local Folders/Inbox": ["a 5 $label1 work", "b 1", "c 0"],
      "Mail/Local Folders/Inbox/Friends": ["d 32"],
      Saved: ["e 1", "f 0"],
    },
  ],
  [
    "Apple Mail's mailboxes",
    {
      "Trips.mbox/mbox": mbox("a"),
      "Trips.mbox/table_of_contents": "x",
      "Home.mbox/mbox": mbox("b"),
    },
    { Home: ["b 0"], Trips: ["a 0"] },
  ],
  [
    "Gmail's Takeout",
    {
      "Takeout/Mail/All mail Including Spam and Trash.mbox": [
        ["a", "Inbox,Unread"],
        ["b", "Sent,Opened"],
        ["c", "=?UTF-8?Q?Archived,Opened,Gro=C3=9F,Starred?="],
        ["d", "Spam"],
      ].map(([s, l]) =>
        `From 1@xxx Tue Mar 03 10:20:30 +0000 2026\n${message(s, `X-Gmail-Labels: ${l}\n`)}\n`
      )
        .join(""),
      "Takeout/archive_browser.html": "x",
    },
    { Groß: ["c 5"], Inbox: ["a 0"], Junk: ["d 65"], Sent: ["b 1"] },
  ],
  [
    "Dovecot's Maildir++ with keywords",
    {
      "Maildir/cur/1.m1.host:2,FSa": message("a"),
      "Maildir/new/2.m2.host": message("b"),
      "Maildir/tmp/3.m3.host": message("lost"),
      "Maildir/dovecot-keywords": "0 project\n",
      "Maildir/dovecot-uidlist": "3 V1",
      "Maildir/.Sent.2025/cur/4.m4.host:2,S": message("c"),
    },
    { Inbox: ["b 0", "a 5 project"], "Sent/2025": ["c 1"] },
  ],
  [
    "plain Maildirs, and messages in files of their own",
    {
      "mail/Inbox/cur/1.h:2,R": message("a"),
      "mail/Notes/x.eml": message("b"),
      "mail/x.txt": "hi",
    },
    { Inbox: ["a 2"], Notes: ["b 0"] },
  ],
  [
    "Thunderbird's profile with one account and local folders, one message deleted",
    {
      "p/ImapMail/imap.example.org/INBOX":
        `From - Tue Mar  3 10:20:30 2026\nX-Mozilla-Status: 1003\n` +
        `X-Mozilla-Status2: 00800000\nX-Mozilla-Keys: $label1 NonJunk\n${message("a")}\n` +
        `From - Tue Mar  3 10:20:30 2026\nX-Mozilla-Status: 0009\n${message("gone")}\n`,
      "p/ImapMail/imap.example.org/INBOX.msf": "// <!-- mork",
      "p/ImapMail/imap.example.org/INBOX.sbd/Gr&APY-&AN8-e": mbox("b"),
      "p/Mail/Local Folders/Trash": mbox("c"),
      "p/prefs.js": "x",
    },
    {
      Inbox: ["a 675 $label1"],
      "Inbox/Größe": ["b 0"],
      "Local Folders/Trash": ["c 0"],
    },
  ],
  [
    "Thunderbird's folders with a file for each message",
    {
      "Local Folders/Inbox/cur/1.eml": message("a"),
      "Local Folders/Inbox.sbd/Deep/cur/2.eml": message("b"),
      "Local Folders/Inbox.msf": "x",
    },
    { Inbox: ["a 0"], "Inbox/Deep": ["b 0"] },
  ],
  [
    "Apple Mail's own folders",
    {
      "V10/6DB2C1E4-0000-4000-8000-0123456789AB/INBOX.mbox/6DB2C1E4-0000-4000-8000-0123456789AC/Data/4/Messages/41.emlx":
        emlx(message("a"), 0x11),
      "V10/6DB2C1E4-0000-4000-8000-0123456789AB/Trips.mbox/Italy.mbox/x/Data/Messages/42.emlx":
        emlx(
          message("b"),
          4,
        ),
      "V10/6DB2C1E4-0000-4000-8000-0123456789AB/INBOX.mbox/table_of_contents": "x",
    },
    { Inbox: ["a 5"], "Trips/Italy": ["b 2"] },
  ],
  [
    "Gmail's labels: in quotes, with commas, folded and in other languages",
    {
      "All mail.mbox": [
        ["a", `"Work, old",Work/Plans,Opened,Category Updates`],
        ["b", "Posteingang,Ungelesen,Wichtig"],
        ["c", "=?UTF-8?Q?Inbox,Caf=C3=A9?=\n =?UTF-8?Q?_au_lait,=E9=87=8D?="],
        ["d", "Drafts,Unread"],
        ["e", "Archived,Unread,Category Promotions"],
        ["f", "Spam,Important"],
        ["g", "Trash,Inbox"],
      ].map(([s, l]) =>
        `From 1@xxx Tue Mar 03 10:20:30 +0000 2026\nX-GM-THRID: 1\nX-Gmail-Labels: ${l}\n${
          message(s)
        }\n`
      )
        .join(""),
    },
    {
      "Work, old": ["a 1 category-updates work/plans"],
      Inbox: ["b 0 $important", "c 1 &kc0- cafe-au-lait"],
      Drafts: ["d 16"],
      Archive: ["e 0 category-promotions"],
      Junk: ["f 65 $important"],
      Trash: ["g 1"],
    },
  ],
  [
    "mailbox files of mutt and of UW IMAP, with flags at the header's end",
    {
      "mail/sent":
        `From a@b.example Tue Mar  3 10:20:30 2026\nSubject: a\nStatus: RO\nX-Status: AF\nContent-Length: 5\nLines: 1\n\nbody\n\n`,
      "mail/old": `From MAILER-DAEMON Tue Mar  3 10:20:30 2026\n` +
        `Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2 work\nStatus: RO\n\nx\n\n` +
        `From a@b.example Tue Mar  3 10:20:30 2026\nSubject: b\nX-UID: 1\nStatus: R\nX-Keywords: work    \n\nbody\n\n`,
    },
    { sent: ["a 7"], old: ["b 1 work"] },
  ],
  [
    "MH folders with sequences",
    {
      "Mail/inbox/1": message("a"),
      "Mail/inbox/2": message("b"),
      "Mail/inbox/30": message("c"),
      "Mail/inbox/31": "no message at all",
      "Mail/inbox/.mh_sequences": "unseen: 2 30-40\nreplied: 1\ncur: 1\n",
      "Mail/lists/deno/1": message("d"),
    },
    { Inbox: ["a 3", "b 0", "c 0"], "lists/deno": ["d 0"] },
  ],
  [
    "KMail's folders, and mbsync's with names as on the server",
    {
      "mail/inbox/cur/1.h:2,S": message("a"),
      "mail/.inbox.directory/sub/cur/2.h,U=2:2,": message("b"),
      "mail/Gr&APY-&AN8-e/new/3.h": message("c"),
      "mail/Gr&APY-&AN8-e/.uidvalidity": "1\n2\n",
    },
    { Inbox: ["a 1"], "Inbox/sub": ["b 0"], Größe: ["c 0"] },
  ],
];

for (const [what, files, expected] of layouts) {
  for (const [kind, make] of [["zip", zip], ["tgz", tgz]] as const) {
    Deno.test(`${kind}: ${what}`, () =>
      withStore(async (s) => {
        const r = await take(s, await make(files));
        assert.deepEqual(r.warnings.filter((w) => !w.includes("was deleted")), []);
        const all = found(s);
        for (const list of Object.values(all)) list.sort();
        for (const list of Object.values(expected)) list.sort();
        assert.deepEqual(all, expected);
      }));
  }
}

Deno.test("a mailbox file alone, packed or not, becomes a mailbox of its name, below another if wanted", () =>
  withStore(async (s) => {
    await take(s, new TextEncoder().encode(mbox("a")), "Friends.mbox");
    await take(s, gzipSync(mbox("b")), "Family.mbox.gz", "Old");
    assert.deepEqual(found(s), { Friends: ["a 0"], "Old/Family": ["b 0"] });
  }));

Deno.test("archives of zip and tar themselves are read", () =>
  withStore(async (s) => {
    const dir = join(s.dir, "pack");
    await Deno.mkdir(`${dir}/Maildir/cur`, { recursive: true });
    for (let i = 0; i < 50; i++) {
      await Deno.writeTextFile(
        `${dir}/Maildir/cur/${i}.h:2,S`,
        message(`m${i}`, `X: ${"y".repeat(2000)}\n`),
      );
    }
    // Made by others: deflated, with times and owners.
    const python = "import shutil,sys; shutil.make_archive(sys.argv[1], sys.argv[2], sys.argv[3])";
    for (const [format, ending] of [["zip", "zip"], ["gztar", "tar.gz"], ["tar", "tar"]]) {
      const r = spawnSync("python3", ["-c", python, join(s.dir, "made"), format, dir]);
      if (r.error) return;
      const result = await take(s, await Deno.readFile(join(s.dir, `made.${ending}`)), "x", format);
      assert.equal(result.imported, 50, format);
    }
  }));

const refused: [string, () => Promise<Uint8Array> | Uint8Array, RegExp][] = [
  ["an empty file", () => new Uint8Array(0), /is empty/],
  ["something else", () => new TextEncoder().encode("%PDF-1.7"), /no zip, tar or tgz archive/],
  [
    "an archive without mail",
    () => zip({ "readme.txt": "hello" }),
    /there is no mail in the archive/,
  ],
  [
    "names that lead out of it",
    () => zip({ "../../etc/x.mbox": mbox("a") }),
    /leads out of the archive/,
  ],
  ["names from the root", () => zip({ "/etc/x.mbox": mbox("a") }), /no name below the archive/],
  ["names of drives", () => zip({ "C:\\x.mbox": mbox("a") }), /no name below the archive/],
  [
    "a zip that ends too soon",
    async () => (await zip({ "a.mbox": mbox("a") })).subarray(0, 100),
    /damaged: its end is missing/,
  ],
  [
    "a zip whose content was changed",
    async () => {
      const b = Uint8Array.from(await zip({ "a.mbox": mbox("a") }));
      b[60] ^= 1;
      return b;
    },
    /a\.mbox is not what was packed/,
  ],
  [
    "an encrypted zip",
    async () => {
      const b = Uint8Array.from(await zip({ "a.mbox": mbox("a") }));
      const at = Buffer.from(b).indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
      b[at + 8] |= 1;
      return b;
    },
    /is encrypted/,
  ],
  [
    "a tgz that ends too soon",
    async () => {
      const b = await tgz({
        "a.mbox": mbox(...Array.from({ length: 5000 }, (_, i) => `m${i * 7919}`)),
      });
      return b.subarray(0, b.length / 2);
    },
    /damaged/,
  ],
  [
    "links in a tar",
    async () => {
      const pack = tar.pack();
      pack.entry({ name: "a.mbox", type: "symlink", linkname: "/etc/passwd" });
      pack.finalize();
      return await bytesOf(pack);
    },
    /is a link: it is refused/,
  ],
  [
    "a bomb",
    () => {
      const pack = tar.pack();
      const zeros = Buffer.alloc(64 * 1024 * 1024);
      pack.entry({ name: "a.mbox" }, zeros);
      pack.finalize();
      return bytesOf(pack).then((b) => gzipSync(b, { level: 9 }));
    },
    /packed more tightly than mail can be/,
  ],
];

for (const [what, make, why] of refused) {
  Deno.test(`refused with the reason, and nothing is changed: ${what}`, () =>
    withStore(async (s) => {
      const before = s.account.mailboxes().map((m) => m.name);
      await assert.rejects(async () => await take(s, await make()), (e: unknown) => {
        assert.ok(e instanceof ArchiveError, String(e));
        assert.match(e.message, why);
        return true;
      });
      assert.deepEqual(s.account.mailboxes().map((m) => m.name), before);
      assert.deepEqual(found(s), {});
    }));
}

Deno.test("whatever bytes of an archive are changed, it is read or refused", async () => {
  const whole = await zip({ "Inbox.mbox": mbox("a", "b"), "x/cur/1.h:2,S": message("c") });
  const dir = await Deno.makeTempDir();
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }),
        fc.nat(whole.length),
        async (changes, length) => {
          const b = Uint8Array.from(whole);
          for (const [at, value] of changes) b[at] = value;
          await Deno.writeFile(`${dir}/a`, b.subarray(0, length));
          try {
            const archive = await openArchive(`${dir}/a`, "a");
            const c = await lookThrough(archive);
            for await (const _ of archiveSource(archive, c)) {
              // It can be read.
            }
          } catch (e) {
            assert.ok(e instanceof ArchiveError, String(e));
          }
        },
      ),
      { numRuns: 200 },
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("mailboxes' names: what is above all is left out, what can't be in a name is replaced", () => {
  const names = (...levels: string[][]) => [...mailboxNames(levels).values()];
  assert.deepEqual([...mailboxNames([[], ["a", "b"]], true).values()], ["", "a/b"]);
  assert.deepEqual(names(["a", "b", "X"], ["a", "b", "Y"]), ["X", "Y"]);
  assert.deepEqual(names(["a", "Only"]), ["Only"]);
  assert.deepEqual(names(["Maildir"], ["Maildir", "Sent"]), ["Inbox", "Sent"]);
  assert.deepEqual(names(["INBOX"], ["INBOX", "x%y"], ["#z"]), ["Inbox", "Inbox/x_y", "z"]);
  assert.deepEqual(maildirLevels(["M", ".A.B"]), ["M", "A", "B"]);
  assert.deepEqual(mboxLevels("Inbox.sbd/A.sbd/B"), ["Inbox", "A", "B"]);
});
