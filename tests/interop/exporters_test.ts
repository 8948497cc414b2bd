/**
 * What other programs write is imported, and what is exported is read by them: Dovecot's Maildir and mailbox files,
 * mutt's, mbsync's. All of it with as many messages out as in, flags, keywords and dates.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { exportFiles, type ExportFormat } from "../../src/store/export/export.ts";
import { importMessages } from "../../src/store/import/import.ts";
import { pathSource } from "../../src/store/import/path.ts";
import { Flag, Want } from "../../src/store/types.ts";
import { doveadm, giveToNobody, noDovecot } from "../support/dovecot.ts";
import { lacks } from "../support/programs.ts";
import { type TestStore, withStore } from "../store/setup.ts";

const body = "body\n\nFrom a@b.example Tue Mar  3 10:20:30 2026\nFrom here on\n>From quoted\n";
const boxes = ["Inbox", "Work/Grö&ße", "Work/Grö&ße/Deep"];
/** Flags of each of a mailbox's messages, as doveadm and as the store have them. */
const flags: [string[], number, string][] = [
  [[], 0, ""],
  [["\\Seen"], Flag.Seen, ""],
  [["\\Seen", "\\Answered", "\\Flagged"], Flag.Seen | Flag.Answered | Flag.Flagged, ""],
  [["\\Draft", "$Forwarded", "work", "$Junk"], Flag.Draft | Flag.Forwarded | Flag.Junk, "work"],
];
const received = (i: number) => Date.UTC(2024, 1, 3, 4, 5, 6 + i);

async function withFolder(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "exporters-" });
  try {
    await Deno.chmod(dir, 0o755);
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A folder that belongs to the user that Dovecot runs as. */
async function newFolder(dir: string, name: string): Promise<string> {
  const path = join(dir, name);
  await Deno.mkdir(path);
  await giveToNobody(path);
  return path;
}

/** A Maildir that Dovecot has written, with messages in all mailboxes. */
async function written(dir: string): Promise<string> {
  const home = await newFolder(dir, "dovecot");
  const location = `maildir:${home}/Maildir`;
  for (const box of boxes) {
    const name = box === "Inbox" ? "INBOX" : box;
    if (name !== "INBOX") await doveadm(home, location)("mailbox", "create", name);
    for (const [i, [list]] of flags.entries()) {
      const text = `Subject: ${box} ${i}\nMessage-ID: <${i}@x.example>\n\n${body}`;
      const run = doveadm(home, location, text);
      await run("save", "-m", name);
      if (list.length > 0) {
        await doveadm(home, location)(
          "flags",
          "add",
          list.join(" "),
          "mailbox",
          name,
          "subject",
          `${box} ${i}`,
        );
      }
    }
  }
  const maildir = join(home, "Maildir");
  // When they came is the files' time.
  for (const sub of ["cur", "new"]) {
    for (const e of Deno.readDirSync(join(maildir, sub))) {
      const path = join(maildir, sub, e.name);
      const number = Number(/^Subject: Inbox (\d)/.exec(await Deno.readTextFile(path))![1]);
      await Deno.utime(path, received(number) / 1000, received(number) / 1000);
    }
  }
  return maildir;
}

/** Takes over all of a path; the messages by mailbox, without their dates. */
async function taken(s: TestStore, path: string) {
  const tempDir = join(s.dir, "tmp");
  await Deno.mkdir(tempDir, { recursive: true });
  const { source } = await pathSource(path, "");
  const r = await importMessages(s.account, source, { mailbox: "", tempDir });
  assert.deepEqual(r.warnings, []);
  return r;
}

function found(s: TestStore): Record<string, [string, number, string][]> {
  const out: Record<string, [string, number, string][]> = {};
  for (const m of s.account.mailboxes()) {
    s.account.fetch(m.id, s.account.uids(m.id), Want.Summary, (r) => {
      (out[m.name] ??= []).push([r.summary.subject, r.flags, r.keywords]);
    });
    out[m.name]?.sort();
  }
  return out;
}

/** What is to come of `written`; `keep` takes away what the program between can't keep. */
function expected(keep: (flags: number, keywords: string) => [number, string] = (f, k) => [f, k]) {
  return Object.fromEntries(boxes.map((b) => [
    b,
    flags.map(([, bits, keywords], i) => [`${b} ${i}`, ...keep(bits, keywords)]),
  ]));
}

/** The bytes of each message, by its subject. */
function contents(s: TestStore): Map<string, string> {
  const out = new Map<string, string>();
  for (const m of s.account.mailboxes()) {
    s.account.fetch(m.id, s.account.uids(m.id), Want.Summary | Want.Content, (r) => {
      const reader = s.account.openRow({ emailId: r.emailId, prefix: r.prefix, size: r.size });
      out.set(r.summary.subject, new TextDecoder().decode(reader.read(0, r.size)));
      reader.close();
    });
  }
  return out;
}

const whole = (subject: string, i: number) =>
  `Subject: ${subject}\nMessage-ID: <${i}@x.example>\n\n${body}`.replaceAll("\n", "\r\n");

function checkContents(s: TestStore, of = boxes): void {
  const all = contents(s);
  assert.equal(all.size, of.length * flags.length);
  for (const b of of) {
    for (const i of flags.keys()) {
      // mbsync leaves a mark of its own.
      const text = all.get(`${b} ${i}`)!.replace(/^X-TUID: .*\r\n/m, "");
      assert.equal(text, whole(`${b} ${i}`, i));
    }
  }
}

Deno.test({
  name: "a Maildir of Dovecot: as a folder, and packed by tar",
  ignore: noDovecot,
  fn: () =>
    withFolder(async (dir) => {
      const maildir = await written(dir);
      const tgz = join(dir, "mail.tgz");
      const tar = await new Deno.Command("tar", {
        args: ["czf", tgz, "-C", join(maildir, ".."), "Maildir"],
      })
        .output();
      assert.ok(tar.success);
      for (const path of [maildir, tgz]) {
        await withStore(async (s) => {
          assert.equal((await taken(s, path)).imported, 12);
          assert.deepEqual(found(s), expected());
          checkContents(s);
          const inbox = s.account.mailboxByName("Inbox")!;
          const dates: number[] = [];
          s.account.fetch(inbox.id, s.account.uids(inbox.id), 0, (r) => {
            dates.push(r.received);
          });
          assert.deepEqual(dates.sort(), flags.map((_, i) => received(i)));
        });
      }
    }),
});

Deno.test({
  name: "mailbox files of Dovecot, which quotes nothing",
  ignore: noDovecot,
  fn: () =>
    withFolder(async (dir) => {
      const maildir = await written(dir);
      const home = await newFolder(dir, "mbox");
      // A mailbox file can't have others below it.
      const there = boxes.slice(0, 2);
      const run = doveadm(home, `mbox:${home}/mail`);
      for (const box of there) {
        // Levels as the other side has them.
        const name = box === "Inbox" ? "INBOX" : box.replaceAll("/", ".");
        await run("import", `maildir:${maildir}`, "", "mailbox", name);
      }
      await withStore(async (s) => {
        assert.equal((await taken(s, join(home, "mail"))).imported, 8);
        const { [boxes[2]]: _, ...wanted } = expected();
        assert.deepEqual(found(s), wanted);
        checkContents(s, there);
      });
    }),
});

/** Fills an account as `written` does. */
async function filled(s: TestStore): Promise<void> {
  for (const box of boxes) {
    for (const [i, [, bits, keywords]] of flags.entries()) {
      const m = await s.message(whole(`${box} ${i}`, i));
      await s.account.deliver(box, {
        ...m,
        flags: bits,
        keywords: keywords === "" ? [] : [keywords],
        received: received(i),
      });
    }
  }
}

async function exported(s: TestStore, format: ExportFormat, folder: string): Promise<void> {
  const mailboxes = s.account.mailboxes().filter((m) => m.total > 0);
  for await (const f of exportFiles(s.account, mailboxes, format)) {
    const path = join(folder, f.name);
    await Deno.mkdir(f.name.endsWith("/") ? path : join(path, ".."), { recursive: true });
    if (f.name.endsWith("/")) continue;
    using file = await Deno.open(path, { write: true, createNew: true });
    for await (const p of f.pieces) {
      for (let at = 0; at < p.length;) at += await file.write(p.subarray(at));
    }
    if (f.modified) await Deno.utime(path, f.modified / 1000, f.modified / 1000);
  }
}

for (
  const [format, location, ending] of [
    ["maildir", (o: string) => `maildir:${o}:LAYOUT=fs:INBOX=${o}/Inbox:UTF-8`, ""],
    ["mbox", (o: string) => `mbox:${o}:INBOX=${o}/Inbox.mbox:UTF-8`, ".mbox"],
  ] as const
) {
  Deno.test({
    name: `Dovecot reads what is exported as ${format}`,
    ignore: noDovecot,
    fn: () =>
      withFolder((dir) =>
        withStore(async (s) => {
          await filled(s);
          const home = await newFolder(dir, "home");
          const out = join(dir, "out");
          await Deno.mkdir(out);
          await exported(s, format, out);
          await giveToNobody(out);
          const run = doveadm(home, location(out));
          for (const box of boxes) {
            const name = box === "Inbox" ? "INBOX" : `${box}${ending}`;
            const text = await run(
              "-f",
              "tab",
              "fetch",
              "hdr.subject flags date.received.unixtime size.virtual",
              "mailbox",
              name,
              "all",
            );
            const rows = text.trim().split("\n").slice(1).map((l) => l.split("\t")).sort();
            assert.deepEqual(
              rows.map(([subject, list, date]) => [
                subject,
                list.split(" ").filter((f) => f !== "" && f !== "\\Recent").sort(),
                Number(date) * 1000,
              ]),
              flags.map(([list, , keyword], i) => [
                `${box} ${i}`,
                [...list.filter((f) => f !== "work"), ...keyword ? [keyword] : []].sort(),
                received(i),
              ]),
            );
            if (format === "maildir") {
              assert.deepEqual(
                rows.map((r) => Number(r[3])),
                flags.map((_, i) => new TextEncoder().encode(whole(`${box} ${i}`, i)).length),
              );
            }
          }
        })
      ),
  });
}

/** Runs neomutt on a mailbox; the keys are pressed in its index. */
async function neomutt(box: string, settings: string[], keys: string): Promise<void> {
  const set = [
    "quit=yes",
    "move=no",
    "confirmappend=no",
    "confirmcreate=no",
    "sleep_time=0",
    ...settings,
  ];
  const commands = [...set.map((s) => `set ${s}`), `push "${keys}<quit>"`];
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, commands.join("\n") + "\n");
    // It wants a terminal.
    const r = await new Deno.Command("script", {
      args: ["-qec", `neomutt -n -F ${file} -f ${box}`, "/dev/null"],
      env: { TERM: "xterm" },
      stdin: "null",
    }).output();
    assert.ok(r.success, new TextDecoder().decode(r.stdout));
  } finally {
    await Deno.remove(file);
  }
}

for (const format of ["mbox", "maildir"] as ExportFormat[]) {
  for (const written of ["mbox", "Maildir"]) {
    Deno.test({
      name: `mutt reads what is exported as ${format}, and its ${written} is imported`,
      ignore: lacks("neomutt"),
      fn: () =>
        withFolder((dir) =>
          withStore(async (s) => {
            await filled(s);
            await exported(s, format, join(dir, "out"));
            const box = join(dir, "out", format === "mbox" ? "Inbox.mbox" : "Inbox");
            await neomutt(
              box,
              [`mbox_type=${written}`, `folder=${dir}`],
              "<tag-pattern>~A<enter><tag-prefix><copy-message>=copied<enter>",
            );
            await withStore(async (to) => {
              const { source } = await pathSource(join(dir, "copied"), "X");
              const tempDir = join(to.dir, "tmp");
              await Deno.mkdir(tempDir);
              const r = await importMessages(to.account, source, { mailbox: "X", tempDir });
              assert.deepEqual([r.imported, r.warnings], [4, []]);
              // It knows no keywords, and a Maildir's "passed" it drops.
              const known = Flag.Seen | Flag.Answered | Flag.Flagged | Flag.Draft;
              assert.deepEqual(
                found(to).X.map(([subject, bits]) => [subject, bits & known]),
                flags.map(([, bits], i) => [`Inbox ${i}`, bits & Flag.Draft ? 0 : bits & known]),
              );
              for (const [subject, text] of contents(to)) {
                // It takes no marks off lines that begin with "From ".
                const plain = format === "mbox" ? text.replaceAll(/^>(?=>*From )/gm, "") : text;
                assert.ok(
                  plain.trimEnd().endsWith(body.replaceAll("\n", "\r\n").trimEnd()),
                  subject,
                );
              }
            });
          })
        ),
    });
  }
}

Deno.test({
  name: "Maildirs of mbsync, of both of its layouts",
  ignore: noDovecot || lacks("mbsync"),
  fn: () =>
    withFolder(async (dir) => {
      const maildir = await written(dir);
      for (const layout of ["Verbatim", "Maildir++"]) {
        const to = join(dir, layout);
        await Deno.mkdir(to);
        const inbox = layout === "Verbatim" ? `${to}/INBOX` : `${to}/`;
        await Deno.writeTextFile(
          join(dir, "mbsyncrc"),
          `MaildirStore from\nInbox ${maildir}/\nSubFolders Maildir++\n\nMaildirStore to\nInbox ${inbox}\n` +
            (layout === "Verbatim" ? `Path ${to}/\n` : "") +
            `SubFolders ${layout}\n\nChannel all\nFar :from:\nNear :to:\nPatterns * \nCreate Near\nSync Pull\n` +
            `CopyArrivalDate yes\nSyncState ${dir}/state-${layout}/\n`,
        );
        await Deno.mkdir(`${dir}/state-${layout}`);
        const r = await new Deno.Command("mbsync", { args: ["-c", join(dir, "mbsyncrc"), "all"] })
          .output();
        assert.ok(r.success, new TextDecoder().decode(r.stderr));
        await withStore(async (s) => {
          assert.equal((await taken(s, to)).imported, 12, layout);
          // It knows no keywords.
          const kept = ~(Flag.Junk | Flag.Forwarded);
          const all = found(s);
          for (const list of Object.values(all)) for (const m of list) m[1] &= kept;
          assert.deepEqual(all, expected((f) => [f & kept, ""]), layout);
          checkContents(s);
        });
      }
    }),
});
