/** Export and import again: messages byte for byte, flags, keywords, dates, names of mailboxes, special uses. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { exportFiles, type ExportFormat } from "../../../src/store/export/export.ts";
import { exportPaths } from "../../../src/store/export/paths.ts";
import { openArchive } from "../../../src/store/import/archive/open.ts";
import { archiveSource, lookThrough } from "../../../src/store/import/archive/source.ts";
import { importMessages } from "../../../src/store/import/import.ts";
import { pathSource } from "../../../src/store/import/path.ts";
import { Flag, Want } from "../../../src/store/types.ts";
import { type ArchiveKind, exportArchive } from "../../../src/web/export/archive.ts";
import { writeZip } from "../../../src/web/export/zip.ts";
import { type TestStore, withStore } from "../setup.ts";

const odd = [
  "Work/a.b/c",
  "Work/.hidden",
  "cur",
  "x.mbox/y.sbd",
  "A&AOk-B",
  "CON",
  'quote"d | pipe?',
  "back\\slash",
  "Größe/日本語",
  "case",
  "Case",
  "trailing.",
  "long ".repeat(30).trim(),
  "Empty/Inside",
];

/** A mailbox of each odd name, messages of all kinds. */
async function fill(s: TestStore): Promise<void> {
  const put = async (
    mailbox: string,
    text: string,
    flags: number,
    keywords: string[],
    at: number,
  ) => {
    const m = await s.message(text);
    const received = Date.UTC(2020, 1, 3, 4, 5, at);
    await s.account.deliver(mailbox, { ...m, flags, keywords, received });
  };
  const bodies = [
    "From the start\r\n>From quoted\r\n>>From twice\r\n",
    "Von: ünïcode in UTF-8, \xff and more\r\n\r\n\r\n",
    `${"a long line ".repeat(9000)}\r\n`,
    "",
  ];
  const names = s.account.mailboxes().map((m) => m.name);
  for (const n of odd) await s.account.createMailbox(n);
  let i = 0;
  for (const name of ["Inbox", "Sent", ...odd.slice(0, -1)]) {
    for (const body of bodies) {
      const flags = [0, 1, Flag.Answered | Flag.Deleted, 1023 & ~Flag.NotJunk][i % 4];
      const keywords = i % 3 === 0 ? ["work", `$label${i % 7}`] : [];
      const more = i % 5 === 0 ? "Status: of the message\r\nLines: 7\r\n" : "";
      await put(name, `Subject: message ${i}\r\n${more}\r\n${body}`, flags, keywords, i % 60);
      i++;
    }
  }
  // More keywords than there are letters.
  for (let k = 0; k < 40; k++) {
    await put("Sent", `Subject: keyword ${k}\r\n\r\nx\r\n`, 0, [`keyword-${k}`, "common"], k);
  }
  assert.ok(names.includes("Sent"));
}

/** All that is to come back, by mailbox. */
function everything(s: TestStore): Record<string, unknown[]> {
  const out: Record<string, unknown[]> = {};
  for (const m of s.account.mailboxes()) {
    const list: unknown[] = out[`${m.name} ${m.specialUse}`] = [];
    for (const uid of s.account.uids(m.id)) {
      s.account.fetch(m.id, [uid], Want.Content, (r) => {
        const { emailId, prefix, size, flags, keywords, received } = r;
        const reader = s.account.openRow({ emailId, prefix, size });
        const text = new TextDecoder("latin1").decode(reader.read(0, size));
        reader.close();
        list.push([text, flags, keywords.split(" ").sort().join(" "), received]);
      });
    }
    // Files of a Maildir have no order of their own.
    list.sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  }
  return out;
}

async function write(path: string, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  // Thousands of small pieces are written in one go.
  let held: Uint8Array[] = [];
  let size = 0;
  const flush = async () => {
    const all = Buffer.concat(held);
    for (let at = 0; at < all.length;) at += await file.write(all.subarray(at));
    held = [];
    size = 0;
  };
  for await (const p of pieces) {
    held.push(p);
    if ((size += p.length) > 1e6) await flush();
  }
  await flush();
}

for (const format of ["mbox", "maildir"] as ExportFormat[]) {
  for (const kind of ["zip", "tgz", "tar", "folder"] as (ArchiveKind | "folder")[]) {
    Deno.test(`nothing is lost: ${format} in a ${kind}`, () =>
      withStore(async (from) => {
        await fill(from);
        const path = join(from.dir, "export");
        const tempDir = join(from.dir, "tmp");
        await Deno.mkdir(tempDir, { recursive: true });
        const mailboxes = from.account.mailboxes();
        if (kind === "folder") {
          for await (const f of exportFiles(from.account, mailboxes, format)) {
            const file = join(path, f.name);
            await Deno.mkdir(f.name.endsWith("/") ? file : join(file, ".."), { recursive: true });
            if (f.name.endsWith("/")) continue;
            await write(
              file,
              (async function* () {
                yield* f.pieces;
              })(),
            );
            if (f.modified !== undefined) {
              await Deno.utime(file, f.modified / 1000, f.modified / 1000);
            }
          }
        } else {
          await write(path, exportArchive(from.account, mailboxes, format, kind, tempDir));
        }
        assert.deepEqual([...Deno.readDirSync(tempDir)], []);
        await withStore(async (to) => {
          await Deno.mkdir(join(to.dir, "tmp"), { recursive: true });
          const { source } = await pathSource(path, "");
          const r = await importMessages(to.account, source, {
            mailbox: "",
            tempDir: join(to.dir, "tmp"),
          });
          assert.deepEqual(r.warnings, []);
          assert.deepEqual(everything(to), everything(from));
        });
      }));
  }
}

Deno.test("damaged message files: all else is exported, and a file tells what is missing", () =>
  withStore(async (s) => {
    const tempDir = join(s.dir, "tmp");
    await Deno.mkdir(tempDir);
    const paths: string[] = [];
    // Above what is kept in memory.
    for (const subject of ["one", "two", "three", "four"]) {
      const m = await s.message(`Subject: ${subject}\r\n\r\n${"a line\r\n".repeat(9000)}`);
      paths.push(s.account.files.path((await s.account.deliver("Inbox", m)).emailId));
    }
    Deno.removeSync(paths[1]);
    Deno.truncateSync(paths[2], 50);
    const missing = "Inbox: message with UID 2 was left out, its file is missing";
    const short = "Inbox: message with UID 3 has only 50 of 72018 bytes left";
    for (const format of ["mbox", "maildir"] as ExportFormat[]) {
      const told: string[] = [];
      const mailboxes = s.account.mailboxes().filter((m) => m.name === "Inbox");
      const damaged = (text: string) => void told.push(text);
      for await (const f of exportFiles(s.account, mailboxes, format, { damaged })) {
        for await (const _ of f.pieces);
      }
      assert.deepEqual(told, [missing, short]);
      for (const kind of ["zip", "tgz"] as ArchiveKind[]) {
        const path = join(s.dir, `export.${kind}`);
        await write(path, exportArchive(s.account, mailboxes, format, kind, tempDir));
        const python = "import sys,zipfile,tarfile; n='export-errors.txt'\n" +
          "print((zipfile.ZipFile(sys.argv[1]).read(n) if sys.argv[1].endswith('zip') else " +
          "tarfile.open(sys.argv[1]).extractfile(n).read()).decode())";
        const r = spawnSync("python3", ["-c", python, path]);
        if (!r.error) assert.equal(r.stdout.toString().trim(), `${missing}\r\n${short}`);
        await withStore(async (to) => {
          await Deno.mkdir(join(to.dir, "tmp"));
          const { source } = await pathSource(path, "");
          const r = await importMessages(to.account, source, {
            mailbox: "",
            tempDir: join(to.dir, "tmp"),
          });
          assert.deepEqual([r.imported, r.warnings], [3, []]);
        });
        Deno.removeSync(path);
      }
    }
    const inbox = s.account.mailboxByName("Inbox")!;
    await s.account.expunge(inbox.id, [1, 2, 3, 4], undefined, { force: true });
  }));

Deno.test("paths of mailboxes differ where case doesn't count, and no system stumbles over them", () => {
  const paths = [...exportPaths(odd).values()];
  assert.equal(new Set(paths.map((p) => p.toLowerCase())).size, paths.length);
  for (const p of paths) {
    for (const level of p.split("/")) {
      assert.doesNotMatch(
        level,
        /[<>:"\\|?*]|^\.|[. ]$|^(?:con|cur|new|tmp)$|\.mbox$/i,
      );
    }
  }
});

Deno.test("zip: more files than old programs count, read by another program and by us", () =>
  withStore(async (s) => {
    const path = join(s.dir, "many.zip");
    const count = 70_000;
    const text = new TextEncoder().encode("Subject: x\r\n\r\n");
    await write(
      path,
      writeZip((function* () {
        for (let i = 0; i < count; i++) {
          yield { name: `Many/cur/${i}.x:2,`, size: text.length, pieces: [text] };
        }
      })()),
    );
    const c = await lookThrough(await openArchive(path, "many.zip"));
    assert.equal(c.files, count);
    const python =
      "import zipfile,sys; z=zipfile.ZipFile(sys.argv[1]); print(len(z.namelist()), z.testzip())";
    const r = spawnSync("python3", ["-c", python, path]);
    if (!r.error) assert.equal(r.stdout.toString().trim(), `${count} None`, r.stderr.toString());
  }));

Deno.test("zip: a file of more than 4 GB, and another after it", () =>
  withStore(async (s) => {
    const path = join(s.dir, "large.zip");
    const zeros = new Uint8Array(64 * 1024 * 1024);
    const pieces = 65;
    const size = zeros.length * pieces;
    const small = new TextEncoder().encode(
      "From a@b Tue Mar  3 10:20:30 2026\nSubject: after\n\nx\n",
    );
    using file = await Deno.open(path, { write: true, create: true });
    const parts = writeZip([
      { name: "large.bin", atMost: size, pieces: Array(pieces).fill(zeros) as Uint8Array[] },
      { name: "After.mbox", size: small.length, pieces: [small] },
    ]);
    for await (const p of parts) {
      // Holes in place of the zeros, so that no disk is filled.
      if (p === zeros) await file.seek(zeros.length, Deno.SeekMode.Current);
      else for (let at = 0; at < p.length;) at += await file.write(p.subarray(at));
    }
    const names: [string, number | undefined][] = [];
    for await (const e of (await openArchive(path, "x")).entries()) names.push([e.name, e.size]);
    assert.deepEqual(names, [["large.bin", size], ["After.mbox", small.length]]);
    const archive = await openArchive(path, "x");
    const only = {
      async *entries() {
        for await (const e of archive.entries()) if (e.name === "After.mbox") yield e;
      },
    };
    const found = [];
    for await (const m of archiveSource(only, await lookThrough(only))) found.push(m);
    assert.equal(found.length, 1);
    const python = "import zipfile,sys; z=zipfile.ZipFile(sys.argv[1]); " +
      "print([i.file_size for i in z.infolist()], len(z.read('After.mbox')))";
    const r = spawnSync("python3", ["-c", python, path]);
    if (!r.error) {
      assert.equal(r.stdout.toString().trim(), `[${size}, ${small.length}] ${small.length}`);
    }
  }));
