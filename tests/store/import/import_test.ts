/** Import of mailbox files and Maildirs: flags, keywords, dates; nothing is left of one that is aborted. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { importMessages } from "../../../src/store/import/import.ts";
import { pathSource } from "../../../src/store/import/path.ts";
import type { Source } from "../../../src/store/import/sources.ts";
import { Flag, SpecialUse, Want } from "../../../src/store/types.ts";
import { messageFiles, type TestStore, withStore } from "../setup.ts";

interface Row {
  subject: string;
  flags: number;
  keywords: string;
  received: number;
}

function rows(s: TestStore, mailbox: string): Row[] {
  const m = s.account.mailboxByName(mailbox)!;
  const out: Row[] = [];
  s.account.fetch(m.id, s.account.uids(m.id), Want.Summary, (r) => {
    out.push({
      subject: r.summary.subject,
      flags: r.flags,
      keywords: r.keywords,
      received: r.received,
    });
  });
  return out;
}

async function take(s: TestStore, from: Source | string, mailbox: string, more = {}) {
  const source = typeof from === "string" ? (await pathSource(from, mailbox)).source : from;
  const tempDir = join(s.dir, "tmp");
  await Deno.mkdir(tempDir, { recursive: true });
  try {
    return await importMessages(s.account, source, { mailbox, tempDir, ...more });
  } finally {
    assert.deepEqual([...Deno.readDirSync(tempDir)], []);
  }
}

const mbox = `From ann@example.org Tue Mar  3 10:20:30 2026
From: ann@example.org
Subject: first
Message-ID: <1@example.org>
Status: RO
X-Status: AF
X-Keywords: work $Junk

>From the start it was
a quoted line.

From - Wed Mar  4 11:00:00 2026
Subject: second
Message-ID: <2@example.org>
X-Gmail-Labels: Inbox,"Unread",Big plans

body

From bob@example.org Thu Mar  5 12:00:00 2026
Subject: third
Message-ID: <3@example.org>
X-Gmail-Labels: Archived,Starred

body
`;

Deno.test("mbox: flags of Status and X-Keywords, Gmail's labels, dates, quoted From lines", async () => {
  await withStore(async (s) => {
    const path = join(s.dir, "in.mbox");
    await Deno.writeTextFile(path, mbox);
    const r = await take(s, path, "Old/Mail");
    assert.equal(r.imported, 3);
    assert.deepEqual(r.warnings, []);
    assert.deepEqual(rows(s, "Old/Mail"), [
      {
        subject: "first",
        flags: Flag.Seen | Flag.Answered | Flag.Flagged | Flag.Junk,
        keywords: "work",
        received: Date.UTC(2026, 2, 3, 10, 20, 30),
      },
      { subject: "second", flags: 0, keywords: "big-plans", received: Date.UTC(2026, 2, 4, 11) },
      {
        subject: "third",
        flags: Flag.Seen | Flag.Flagged,
        keywords: "",
        received: Date.UTC(2026, 2, 5, 12),
      },
    ]);
    const inbox = s.account.mailboxByName("Old/Mail")!;
    s.account.fetch(inbox.id, [1], Want.Content, (row) => {
      const reader = s.account.openRow({
        emailId: row.emailId,
        prefix: row.prefix,
        size: row.size,
      });
      const text = new TextDecoder().decode(reader.read(0, row.size));
      reader.close();
      assert.match(text, /\r\n\r\nFrom the start it was\r\na quoted line\.\r\n/);
    });
  });
});

Deno.test("a second import leaves out what is there, if that is wanted", async () => {
  await withStore(async (s) => {
    const path = join(s.dir, "in.mbox");
    await Deno.writeTextFile(path, mbox);
    await take(s, path, "Inbox");
    const again = await take(s, path, "Inbox", { skipDuplicates: true });
    assert.equal(again.imported, 0);
    assert.equal(again.duplicates, 3);
    await take(s, path, "Inbox");
    assert.equal(rows(s, "Inbox").length, 6);
  });
});

Deno.test("what is no copy is not left out: other content of one size and time, a list's copy", async () => {
  await withStore(async (s) => {
    const folder = join(s.dir, "Maildir", "cur");
    await Deno.mkdir(folder, { recursive: true });
    const texts = [
      ...Array.from(
        { length: 12 },
        (_, i) => `Subject: no id ${String(i).padStart(3)}\r\n\r\nhi\r\n`,
      ),
      "Message-ID: <a@x.example>\r\n\r\nhi\r\n",
      "Message-ID: <a@x.example>\r\n\r\nhi\r\n-- \r\nthe list's footer\r\n",
    ];
    for (const [i, text] of texts.entries()) {
      const path = join(folder, `${i}.a:2,S`);
      await Deno.writeTextFile(path, text);
      await Deno.utime(path, 1_700_000_000, 1_700_000_000);
    }
    // The same file once more.
    await Deno.copyFile(join(folder, "3.a:2,S"), join(folder, "99.a:2,S"));
    await Deno.utime(join(folder, "99.a:2,S"), 1_700_000_000, 1_700_000_000);
    const dir = join(s.dir, "Maildir");
    const first = await take(s, dir, "Inbox", { skipDuplicates: true });
    assert.deepEqual([first.imported, first.duplicates], [texts.length, 1]);
    const again = await take(s, dir, "Inbox", { skipDuplicates: true });
    assert.deepEqual([again.imported, again.duplicates], [0, texts.length + 1]);
  });
});

Deno.test("Maildir: mailboxes without messages, and which ones their user chose to see", async () => {
  const lists: Record<string, [name: string, text: string]> = {
    "Dovecot": ["subscriptions", "V\t2\n\nLists\nB&APw-cher\nA\tB\n"],
    "Dovecot of before": ["subscriptions", "Lists\nB&APw-cher\nA.B\n"],
    "Courier": ["courierimapsubscribed", "INBOX\nINBOX.Lists\nINBOX.B&APw-cher\nINBOX.A.B\n"],
  };
  for (const [program, [name, text]] of Object.entries(lists)) {
    await withStore(async (s) => {
      const root = join(s.dir, "Maildir");
      for (const dir of ["", ".Lists", ".Old", ".B&APw-cher", ".A.B", ".Plain"]) {
        for (const d of ["cur", "new", "tmp"]) {
          await Deno.mkdir(join(root, dir, d), { recursive: true });
        }
        await Deno.writeTextFile(
          join(root, dir, dir === "" ? "dovecot-uidlist" : "maildirfolder"),
          "",
        );
      }
      await Deno.writeTextFile(join(root, ".Plain", "cur", "1.a:2,S"), "Subject: x\n\ny\n");
      await Deno.writeTextFile(join(root, name), text);
      const r = await take(s, root, "");
      assert.deepEqual([r.imported, r.warnings], [1, []], program);
      const made = ["A/B", "B\u00fccher", "Lists", "Old", "Plain"];
      for (const m of made) assert.ok(s.account.mailboxByName(m), `${program}: ${m}`);
      const subscribed = s.account.subscriptions();
      assert.deepEqual(
        made.filter((m) => subscribed.includes(m)),
        ["A/B", "B\u00fccher", "Lists"],
        program,
      );
    });
  }
  // A user who has no mail yet.
  await withStore(async (s) => {
    const root = join(s.dir, "Maildir");
    for (const d of ["cur", "new", "tmp"]) await Deno.mkdir(join(root, d), { recursive: true });
    await Deno.writeTextFile(join(root, "dovecot-uidlist"), "3 V1 N1\n");
    const r = await take(s, root, "");
    assert.deepEqual([r.imported, r.warnings], [0, []]);
  });
});

Deno.test("Maildir: letters, Dovecot's keywords, mailboxes below, bare line ends", async () => {
  await withStore(async (s) => {
    const root = join(s.dir, "Maildir");
    for (const dir of ["cur", "new", "tmp", ".Lists.deno/cur", "plain/cur"]) {
      await Deno.mkdir(join(root, dir), { recursive: true });
    }
    await Deno.writeTextFile(join(root, "dovecot-keywords"), "0 work\n1 $NotJunk\n");
    const put = async (path: string, subject: string) => {
      await Deno.writeTextFile(join(root, path), `Subject: ${subject}\n\nbody\n`);
      await Deno.utime(join(root, path), 1_700_000_000, 1_700_000_000);
    };
    await put("new/1.a.host", "unseen");
    await put("cur/2.a.host:2,FSab", "flags");
    await put(".Lists.deno/cur/3.a.host:2,RST", "list");
    await put("plain/cur/4.a.host:2,DP", "plain");
    const r = await take(s, root, "From there");
    assert.deepEqual(Object.fromEntries(r.mailboxes), {
      "From there": 2,
      "From there/Lists/deno": 1,
      "From there/plain": 1,
    });
    const received = 1_700_000_000_000;
    assert.deepEqual(rows(s, "From there"), [
      {
        subject: "flags",
        flags: Flag.Seen | Flag.Flagged | Flag.NotJunk,
        keywords: "work",
        received,
      },
      { subject: "unseen", flags: 0, keywords: "", received },
    ]);
    assert.equal(
      rows(s, "From there/Lists/deno")[0].flags,
      Flag.Answered | Flag.Seen | Flag.Deleted,
    );
    assert.equal(rows(s, "From there/plain")[0].flags, Flag.Draft | Flag.Forwarded);
  });
});

Deno.test("an import that is aborted or fails leaves nothing behind", async () => {
  await withStore(async (s) => {
    await s.account.append(s.account.mailboxByName("Inbox")!.id, [
      await s.message("Subject: own\r\n\r\nx\r\n"),
    ]);
    const before = { mailboxes: s.account.mailboxes().map((m) => m.name), files: messageFiles(s) };
    const endless = async function* (fail: boolean): Source {
      for (let i = 0;; i++) {
        if (fail && i === 450) throw new Error("the disk is gone");
        yield {
          place: String(i),
          below: i % 2 === 0 ? "" : "sub",
          content: new TextEncoder().encode(`Subject: ${i}\r\n\r\nx\r\n`),
          flags: 0,
          keywords: [],
          received: i,
        };
        await Promise.resolve();
      }
    };
    await assert.rejects(() => take(s, endless(true), "New"), /the disk is gone/);
    assert.deepEqual(s.account.mailboxes().map((m) => m.name), before.mailboxes);
    assert.deepEqual(messageFiles(s), before.files);
    const stop = new AbortController();
    await assert.rejects(
      () =>
        take(s, endless(false), "Inbox", {
          signal: stop.signal,
          progress: (p: { imported: number }) =>
            p.imported >= 300 && stop.abort(new Error("enough")),
        }),
      /enough/,
    );
    assert.deepEqual(s.account.mailboxes().map((m) => m.name), before.mailboxes);
    assert.deepEqual(messageFiles(s), before.files);
    assert.deepEqual(rows(s, "Inbox").map((r) => r.subject), ["own"]);
  });
});

Deno.test("a message that can't be written ends the import; what came before it stays only where that is asked for", () =>
  withStore(async (s) => {
    const before = messageFiles(s);
    // Its temporary files are in a folder that is gone when the 151st is to be written, and back afterwards.
    const source = async function* (): Source {
      const dir = join(s.dir, "tmp");
      for (let i = 0; i < 260; i++) {
        if (i === 150) await gone(dir);
        yield {
          place: String(i),
          below: "",
          content: new TextEncoder().encode(`Subject: ${i}\r\n\r\nx\r\n`),
          flags: 0,
          keywords: [],
          received: i,
        };
      }
    };
    // Those that are being written have their files.
    const gone = async (dir: string) => {
      while ([...Deno.readDirSync(dir)].length < 50) await new Promise((r) => setTimeout(r, 1));
      await Deno.rename(dir, `${dir}-gone`);
    };
    const back = async () => {
      await Deno.remove(join(s.dir, "tmp-gone"), { recursive: true });
      await Deno.mkdir(join(s.dir, "tmp"), { recursive: true });
    };
    const tempDir = join(s.dir, "tmp");
    await Deno.mkdir(tempDir, { recursive: true });
    await assert.rejects(
      importMessages(s.account, source(), { mailbox: "New", tempDir }),
      Deno.errors.NotFound,
    );
    await back();
    assert.equal(s.account.mailboxByName("New"), undefined);
    assert.deepEqual(messageFiles(s), before);
    const told: number[] = [];
    await assert.rejects(
      importMessages(s.account, source(), {
        mailbox: "New",
        tempDir,
        keepOnFailure: () => true,
        arrived: (list) => told.push(list.length),
      }),
      Deno.errors.NotFound,
    );
    await back();
    // The first hundred were stored before.
    assert.deepEqual(told, [100]);
    assert.deepEqual(
      rows(s, "New").map((r) => r.subject),
      Array.from({ length: 100 }, (_, i) => String(i)),
    );
  }));

/** So many messages with a junk flag, for the mailbox of sent mail. */
async function* sentMail(count: number): Source {
  for (let i = 0; i < count; i++) {
    yield await Promise.resolve({
      place: String(i),
      below: "Sent",
      use: SpecialUse.Sent,
      content: new TextEncoder().encode(`To: <p${i}@remote.example>\r\nSubject: ${i}\r\n\r\nx\r\n`),
      flags: Flag.NotJunk,
      keywords: [],
      received: i,
    });
  }
}

Deno.test("the junk filter learns of all in one go at the end, and of nothing that is taken away again", () =>
  withStore(async (s) => {
    const trained: number[] = [];
    s.account.onTraining = (ids) => trained.push(ids.length);
    const stop = new AbortController();
    const progress = (p: { imported: number }) => {
      if (p.imported >= 200) stop.abort(new Error("enough"));
    };
    const recipients = () => s.account.db.get("SELECT count(*) FROM recipients")![0];
    await assert.rejects(
      () => take(s, sentMail(450), "", { signal: stop.signal, progress }),
      /enough/,
    );
    assert.deepEqual(trained, []);
    assert.equal(recipients(), 0);
    await take(s, sentMail(450), "");
    assert.deepEqual(trained, [450]);
    assert.equal(recipients(), 450);
    assert.equal(s.account.mailboxBySpecialUse(SpecialUse.Sent)!.total, 450);
  }));

Deno.test("what is told to be stored is stored, also when the account is full in the middle", () =>
  withStore(async (s) => {
    const remembered: number[] = [];
    const sent = () => s.account.mailboxBySpecialUse(SpecialUse.Sent)!.total;
    const stored = () => {
      remembered.push(sent());
      return Promise.resolve();
    };
    await assert.rejects(
      () => take(s, sentMail(1000), "", { stored, keepOnFailure: () => true }),
      /quota/,
    );
    // In batches, and none for the one that failed.
    assert.deepEqual(remembered.slice(0, 3), [100, 200, 300]);
    assert.equal(remembered.at(-1), sent());
    assert.ok(sent() < 1000);
  }, { quotaMessageSize: () => 20_000 }));

Deno.test("messages without a Message-ID are known again by date and content", () =>
  withStore(async (s) => {
    await take(s, sentMail(5), "");
    const again = await take(s, sentMail(7), "", { skipDuplicates: true });
    assert.deepEqual([again.imported, again.duplicates], [2, 5]);
  }));

Deno.test("a name that no mailbox can have is told, and its messages go to the Inbox", () =>
  withStore(async (s) => {
    const source = async function* (): Source {
      for await (const m of sentMail(2)) yield { ...m, use: 0, below: "a\u2028b" };
    };
    const r = await take(s, source(), "");
    assert.equal(r.warnings.length, 1);
    assert.match(r.warnings[0], /control character/);
    assert.equal(rows(s, "Inbox").length, 2);
  }));

Deno.test("a Maildir without messages is imported as an empty mailbox; a folder without anything is refused", async () => {
  await withStore(async (s) => {
    const path = join(s.dir, "Empty");
    await Deno.mkdir(path);
    await assert.rejects(take(s, path, "Empty"), /no files/);
    for (const f of ["cur", "new", "tmp"]) await Deno.mkdir(join(path, f));
    assert.equal((await take(s, path, "Empty")).imported, 0);
    assert.deepEqual(rows(s, "Empty"), []);
  });
});

Deno.test("Maildir: of mailboxes below INBOX those are subscribed that Dovecot lists, by either form of its list", async () => {
  for (const list of ["V\t2\n\nINBOX\tA\nB\n", "INBOX.A\nB\n"]) {
    await withStore(async (s) => {
      const root = join(s.dir, "Maildir");
      for (const dir of ["", ".INBOX.A", ".INBOX.B", ".B"]) {
        for (const d of ["cur", "new", "tmp"]) {
          await Deno.mkdir(join(root, dir, d), { recursive: true });
        }
        await Deno.writeTextFile(join(root, dir, "cur", `1${dir}:2,S`), `Subject: x${dir}\n\ny\n`);
      }
      await Deno.writeTextFile(join(root, "subscriptions"), list);
      assert.equal((await take(s, root, "")).imported, 4);
      const made = ["Inbox/A", "Inbox/B", "B"];
      for (const m of made) assert.ok(s.account.mailboxByName(m), m);
      const subscribed = s.account.subscriptions();
      assert.deepEqual(made.filter((m) => subscribed.includes(m)), ["Inbox/A", "B"], list);
    });
  }
});
