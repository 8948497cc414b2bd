/** The spool of Cyrus: one that Cyrus 3.6.1 has written (testdata), and one in the layout and format of before. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { cyrusUsers } from "../../src/admin/moving/cyrus.ts";
import { Config } from "../../src/config/mod.ts";
import { SieveDatabase } from "../../src/delivery/sieve/database.ts";
import { parseCyrusHeader } from "../../src/store/import/cyrus/header.ts";
import { parseCyrusIndex } from "../../src/store/import/cyrus/index_file.ts";
import {
  type CyrusMailbox,
  cyrusMailboxes,
  cyrusNameOf,
  cyrusNameOfPath,
  cyrusSource,
} from "../../src/store/import/cyrus/spool.ts";
import { Flag } from "../../src/store/types.ts";
import { moxIn } from "../serve/instance.ts";
import { unpack } from "./originals.ts";

async function read(spool: string): Promise<string[]> {
  const mailboxes: CyrusMailbox[] = [];
  for await (const m of cyrusMailboxes(spool)) mailboxes.push(m);
  const lines: string[] = [];
  for await (const m of cyrusSource(mailboxes)) {
    if ("problem" in m) lines.push(`${m.place.slice(spool.length + 1)} ${m.problem}`);
    else if ("content" in m) {
      const subject = /Subject: (\S+)/.exec(new TextDecoder().decode(m.content))?.[1];
      const when = new Date(m.received).toISOString().slice(0, 16);
      lines.push(`${m.below} ${subject} ${when} ${m.flags} ${m.keywords.join(" ")}`.trim());
    } else lines.push(m.below);
  }
  return lines.sort();
}

const mox = `DataDir: ../data
LogLevel: error
Hostname: mail.a.example
Listeners:
	local: nil
Postmaster:
	Account: ann
	Mailbox: Inbox
`;
const domains = `Domains:
	a.example: nil
Accounts:
	ann:
		Domain: a.example
		Destinations:
			ann@a.example: nil
	bob:
		Domain: a.example
		Destinations:
			bob@a.example: nil
`;

Deno.test("a spool of Cyrus 3.6: mailboxes by id, flags, keywords, dates; again brings nothing", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await unpack("cyrus-3.6.1-spool.tgz", dir);
    const spool = join(dir, "spool");
    assert.deepEqual(await read(spool), [
      "Grüße",
      "Inbox",
      "Inbox m0 2024-03-01T09:00 0",
      "Inbox m1 2024-03-02T09:00 1 $label1",
      "Inbox m2 2024-03-03T09:00 4 other",
      "Sent",
      "Sent/2025",
      "Sent/2025 s 2024-03-05T09:00 3 myword",
      "a.b c",
      "a.b c d 2024-03-06T09:00 16",
    ]);
    await Deno.mkdir(join(dir, "config"));
    const path = join(dir, "config", "mox.conf");
    await Deno.writeTextFile(path, mox);
    await Deno.writeTextFile(join(dir, "config", "domains.conf"), domains);
    const args = ["-config", path, "import", "cyrus", "-spool", spool];
    const tried = await moxIn(dir, [...args, "-dryrun"]);
    assert.match(tried.stdout, /^ann: Grüße, Inbox, Sent, Sent\/2025, a\.b c$/m, tried.stderr);
    const first = await moxIn(dir, args);
    assert.match(first.stdout, /^ann: 5 messages$/m, first.stderr);
    const again = await moxIn(dir, args);
    assert.match(again.stdout, /^ann: 0 messages, 5 were there already$/m, again.stderr);
    const wrong = await moxIn(dir, [...args.slice(0, -1), join(dir, "none")]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /none: /);
    const config = await Config.load(path);
    const none = await cyrusUsers(config, spool, "other.example", []);
    assert.deepEqual([none.users, none.unknown], [[], ["ann"]]);
    assert.deepEqual((await cyrusUsers(config, spool, "", ["bob"])).users, []);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

const magic = '\xa1\x02\x8b\rCyrus mailbox header\n"..."\n\t--...\n';

/** A `cyrus.index` with records of uid, date in seconds, stored flags, first keywords, size. */
function index(version: number, records: [number, number, number, number, number?][]): Uint8Array {
  const [start, size] = [128, 96];
  const view = new DataView(new ArrayBuffer(start + size * records.length));
  for (const [at, value] of [[8, version], [12, start], [16, size], [20, records.length]]) {
    view.setUint32(at, value);
  }
  records.forEach(([uid, date, flags, keywords, bytes = 0], i) => {
    const at = start + i * size;
    for (const [field, value] of [[0, uid], [4, date], [12, bytes], [32, flags], [36, keywords]]) {
      view.setUint32(at + field, value);
    }
  });
  return new Uint8Array(view.buffer);
}

Deno.test("folders named after mailboxes, hashed, in domains; removed, missing and unknown ones", async () => {
  const spool = await Deno.makeTempDir();
  try {
    const latin = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));
    const mailbox = async (path: string, keywords: string, idx: Uint8Array, uids: number[]) => {
      const folder = join(spool, path);
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeFile(
        join(folder, "cyrus.header"),
        latin(`${magic}user.x\t1234\n${keywords} \nann\tlrswipcda\t\n`),
      );
      await Deno.writeFile(join(folder, "cyrus.index"), idx);
      for (const uid of uids) {
        await Deno.writeTextFile(join(folder, `${uid}.`), `Subject: n${uid}\r\n\r\nx\r\n`);
      }
    };
    const day = Date.UTC(2020, 0, 2) / 1000;
    await mailbox(
      "a/user/ann",
      "NonJunk $Label2",
      index(13, [[1, day, 0x11, 3], [2, day, 0x80000000, 0], [7, day, 0, 0], [
        9,
        day,
        0x40000000,
        0,
      ]]),
      [1, 2, 3],
    );
    await mailbox("domain/b/b.example/b/user/bob^x/Sent/2019", "", index(12, [[1, day, 2, 0]]), [
      1,
    ]);
    await mailbox("user/cas/#calendars", "", index(13, []), [1]);
    await mailbox("s/stage", "", index(13, []), [1]);
    await mailbox("c/user/cas", "", index(20, [[1, day, 2, 0]]), [1]);
    // A later version that is the same in what is read: the sizes are those of the files.
    const size = "Subject: n1\r\n\r\nx\r\n".length;
    await mailbox("d/user/dan", "", index(19, [[1, day, 2, 0, size], [2, day, 4, 0, size]]), [1]);
    const lines = await read(spool);
    assert.deepEqual(lines.filter((l) => !/^Inbox n[13] 20(?!20)/.test(l)), [
      "Inbox",
      "Inbox",
      "Inbox",
      `Inbox n1 2020-01-02T00:00 ${Flag.Seen | Flag.Answered | Flag.NotJunk} $label2`,
      "Inbox n1 2020-01-02T00:00 4",
      "Sent/2019",
      "Sent/2019 n1 2020-01-02T00:00 4",
      "a/user/ann/7. is in the index, and the file is missing here (in an archive partition?)",
      "c/user/cas/cyrus.index has version 20; those from 9 to 17 can be read: the mailbox is imported without flags",
      "d/user/dan/2. is in the index, and the file is missing here (in an archive partition?)",
    ]);
    assert.equal(lines.filter((l) => /^Inbox n3 /.test(l)).length, 1, "not in the index: kept");
  } finally {
    await Deno.remove(spool, { recursive: true });
  }
});

Deno.test("names of mailboxes, and files that are damaged or of others", async () => {
  assert.deepEqual(cyrusNameOf("user.ann"), { user: "ann", domain: "", levels: [] });
  assert.deepEqual(cyrusNameOf("b.example!user.bob^x.A^b.C"), {
    user: "bob.x",
    domain: "b.example",
    levels: ["A.b", "C"],
  });
  for (
    const name of ["shared.x", "DELETED.user.ann.5F00", "user", ""]
  ) {
    assert.equal(cyrusNameOf(name), undefined, name);
  }
  assert.deepEqual(cyrusNameOfPath(["user", "u", "x"]), { user: "u", domain: "", levels: ["x"] });
  assert.equal(cyrusNameOfPath(["uuid", "a", "b"]), undefined);
  assert.equal(parseCyrusHeader("From: x\n\n\n\n"), undefined);
  assert.equal(parseCyrusHeader(`${magic}%(N user.ann`), undefined);
  assert.deepEqual(parseCyrusHeader(`${magic}%(T c N "user.a \\"b\\"" U ())\n`), {
    name: 'user.a "b"',
    id: "",
    kind: "other",
    keywords: [],
  });
  for (const length of [0, 10, 24, 127, 128, 200]) {
    const part = index(13, [[1, 1, 0, 0]]).subarray(0, length);
    assert.equal(await parseCyrusIndex(part), "is damaged", `${length} bytes`);
  }
});

Deno.test("Sieve scripts of Cyrus 3.6, which are messages, and of before, which are files", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await unpack("cyrus-3.6.1-spool.tgz", dir);
    const [spool, sievedir] = [join(dir, "spool"), join(dir, "sieve")];
    // The test's reader makes no links.
    const inbox = join(sievedir, "uuid", "3", "h", "3hm0v15l2zgzwbj104u1ujhe");
    await Deno.symlink("my rules.bc", join(inbox, "defaultbc"));
    const bobs = join(sievedir, "domain", "a", "a.example", "b", "bob");
    await Deno.mkdir(bobs, { recursive: true });
    await Deno.writeTextFile(join(bobs, "lists.script"), "keep;\n");
    await Deno.writeTextFile(join(bobs, "no.script"), 'require "vnd.cyrus.snooze";\n');
    await Deno.symlink("lists.bc", join(bobs, "defaultbc"));
    await Deno.mkdir(join(sievedir, "c", "cas"), { recursive: true });
    await Deno.writeTextFile(join(sievedir, "c", "cas", "x.script"), "keep;\n");
    await Deno.mkdir(join(dir, "config"));
    const path = join(dir, "config", "mox.conf");
    await Deno.writeTextFile(path, mox);
    await Deno.writeTextFile(join(dir, "config", "domains.conf"), domains);
    const args = ["-config", path, "import", "sieve", "-sievedir", sievedir];
    const r = await moxIn(dir, [...args, "-spool", spool]);
    assert.match(r.stdout, /^ann: script my rules is active$/m, r.stderr);
    assert.match(r.stdout, /^ann: script old: taken over$/m);
    assert.match(r.stdout, /^bob: script lists is active$/m);
    assert.match(r.stdout, /^bob: script no: .*vnd\.cyrus\.snooze/m);
    assert.match(r.stdout, /^3 scripts taken over, 1 not$/m);
    assert.doesNotMatch(r.stdout, /removed|cas/);
    const db = await SieveDatabase.open(join(dir, "data"));
    try {
      // The newer one of two of the same name.
      assert.match(db.scripts.get("ann", "my rules")!, /^require .*"y"/s);
      assert.equal(db.scripts.get("ann", "old"), "keep;\r\n");
    } finally {
      await db.close();
    }
    const none = await moxIn(dir, [...args.slice(0, -1), join(dir, "none")]);
    assert.match(none.stderr, /no such folder/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
