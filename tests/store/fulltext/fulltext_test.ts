/** The full-text index: exact results whether or not a message is indexed, and nothing kept of those gone. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { fc } from "../../support/fast_check.ts";
import { trigramQuery } from "../../../src/store/fulltext/query.ts";
import { foldCase, searchMailbox } from "../../../src/store/account/search.ts";
import type { SearchNode } from "../../../src/store/search/types.ts";
import { type TestStore, withStore } from "../setup.ts";

function message(subject: string, body: string, extra = ""): string {
  return `From: "Ann Lee" <ann@example.org>\r\nTo: bob@example.org\r\nSubject: ${subject}\r\n${extra}` +
    `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${body}\r\n`;
}

async function add(s: TestStore, text: string): Promise<void> {
  const inbox = s.account.mailboxByName("Inbox")!;
  await s.account.append(inbox.id, [await s.message(text)]);
}

async function find(s: TestStore, node: SearchNode): Promise<number[]> {
  const inbox = s.account.mailboxByName("Inbox")!;
  return (await searchMailbox(s.account, inbox.id, node)).uids;
}

Deno.test("people find what they see: without marks on letters, within tags, by names of files", async () => {
  await withStore(async (s) => {
    const html = (body: string) =>
      `From: =?utf-8?q?Mar=C3=ADa_N=C3=BA=C3=B1ez?= <m@x.example>\r\nTo: bob@example.org\r\n` +
      `Subject: Caf\u00e9\r\nX-Hidden: secretword\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
      `--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${body}\r\n--b\r\n` +
      `Content-Type: application/pdf\r\nContent-Disposition: attachment;\r\n` +
      ` filename*=utf-8''Rechnung%20M%C3%A4rz.pdf\r\n\r\nx\r\n--b--\r\n`;
    await add(
      s,
      html('<p class="wrapper">Gr&uuml;&szlig;e, <b>un</b>believable \u0141\u00f3d\u017a</p>'),
    );
    await add(s, message("r\u00e9sum\u00e9", "Stra\u00dfe nach Malm\u00f6"));
    const cases: [SearchNode, number[]][] = [
      [{ op: "summary", field: "from", text: "nunez", loose: true }, [1]],
      [{ op: "summary", field: "from", text: "nu\u00f1ez", loose: true }, [1]],
      [{ op: "summary", field: "from", text: "nunez" }, []],
      [{ op: "summary", field: "subject", text: "resume", loose: true }, [2]],
      [{ op: "shown", text: "cafe" }, [1]],
      [{ op: "shown", text: "Maria Nunez" }, [1]],
      [{ op: "shown", text: "grusse" }, [1]],
      [{ op: "shown", text: "Gr\u00fc\u00dfe" }, [1]],
      [{ op: "shown", text: "unbelievable" }, [1]],
      [{ op: "shown", text: "lodz" }, [1]],
      [{ op: "shown", text: "marz.pdf" }, [1]],
      [{ op: "shown", text: "malmo" }, [2]],
      [{ op: "shown", text: "strasse" }, [2]],
      [{ op: "shown", text: "example.org" }, [1, 2]],
      [{ op: "shown", text: "wrapper" }, []],
      [{ op: "shown", text: "secretword" }, []],
      [{ op: "shown", text: "quoted-printable" }, []],
      [{ op: "header", name: "x-hidden", text: "secretword" }, [1]],
      [{ op: "text", text: "M\u00e4rz.pdf" }, [1]],
      [{ op: "not", node: { op: "shown", text: "malmo" } }, [1]],
    ];
    for (const indexed of [false, true]) {
      if (indexed) await s.account.fulltext.update();
      for (const [node, want] of cases) {
        assert.deepEqual(await find(s, node), want, `${indexed} ${JSON.stringify(node)}`);
      }
    }
  });
});

Deno.test("a search finds the same before, while and after messages are indexed", async () => {
  await withStore(async (s) => {
    // It doesn't follow by itself: that would be in the middle of the searches where the machine is slow.
    const { fulltext } = s.account;
    const update = fulltext.update.bind(fulltext);
    fulltext.update = () => Promise.resolve();
    const bodies = [
      "Die Straße nach ΚΌΣΜΟΣ, κόσμος",
      "the quick brown fox",
      'quotes " and \\ and % and _ and *',
      "tschüß, naïve café",
      "日本語のテキスト",
      "short ab",
      "needle in a haystack",
    ];
    for (const b of bodies.slice(0, 4)) await add(s, message("first half", b));
    const texts = [
      "strasse",
      "STRASSE",
      "κόσμοσ",
      "quick b",
      '" and',
      "\\ and",
      "%",
      "ab",
      "日本語",
      "NEEDLE",
      "tschüss",
      "cafe\u0301",
      "nothing like this",
      "example",
      "Subject: second",
      "SECOND HALF",
    ];
    const ask = async () => {
      const all: number[][] = [];
      for (const text of texts) {
        for (const op of ["text", "body"] as const) all.push(await find(s, { op, text }));
        all.push(await find(s, { op: "not", node: { op: "text", text } }));
        all.push(await find(s, { op: "summary", field: "subject", text }));
        all.push(await find(s, { op: "header", name: "subject", text }));
        all.push(
          await find(s, {
            op: "or",
            nodes: [{ op: "body", text }, { op: "summary", field: "from", text: "ann lee <" }],
          }),
        );
      }
      return all;
    };
    await update();
    for (const b of bodies.slice(4)) await add(s, message("second half", b));
    const half = await ask();
    assert.equal(fulltext.below, 5);
    await update();
    assert.equal(fulltext.below, 8);
    assert.deepEqual(await ask(), half);
    assert.deepEqual(await find(s, { op: "text", text: "strasse" }), [1]);
    assert.deepEqual(await find(s, { op: "body", text: "日本語" }), [5]);
    assert.deepEqual(await find(s, { op: "text", text: "subject: second" }), [5, 6, 7]);
    assert.deepEqual(await find(s, { op: "summary", field: "from", text: "ann lee <ann" }), [
      1,
      2,
      3,
      4,
      5,
      6,
      7,
    ]);
  });
});

Deno.test("random texts are found exactly where they are", async () => {
  await withStore(async (s) => {
    const letters = ["a", "b", "ß", "Σ", "ς", '"', " ", "é", "e\u0301", "😀", "-"];
    const word = (size: number) =>
      fc.array(fc.constantFrom(...letters), { minLength: 1, maxLength: size }).map((l) =>
        l.join("")
      );
    const bodies = fc.sample(word(60), { numRuns: 40, seed: 7 });
    for (const b of bodies) await add(s, message("x", b));
    await s.account.fulltext.update();
    await fc.assert(
      fc.asyncProperty(word(6), async (text) => {
        const found = await find(s, { op: "body", text });
        const expected = bodies.flatMap((b, i) =>
          foldCase(`${b}\r\n`).includes(foldCase(text)) ? [i + 1] : []
        );
        assert.deepEqual(found, expected);
      }),
      { numRuns: 60 },
    );
  });
});

Deno.test("what is expunged leaves the index", async () => {
  await withStore(async (s) => {
    await add(s, message("one", "secret words"));
    await add(s, message("two", "other words"));
    await s.account.fulltext.update();
    const inbox = s.account.mailboxByName("Inbox")!;
    await s.account.expunge(inbox.id, [1], undefined, { force: true });
    await s.account.fulltext.update();
    assert.deepEqual(await find(s, { op: "text", text: "words" }), [2]);
    const db = new DatabaseSync(join(s.account.dir, "fulltext.db"), { readOnly: true });
    assert.deepEqual(
      db.prepare("SELECT n, here FROM blocks").all().map((r) => ({ ...r })),
      [{ n: 0, here: 1 << 2 }],
    );
    assert.deepEqual(
      db.prepare("SELECT rowid FROM trigrams WHERE trigrams MATCH '\"SEC\"'").all(),
      [],
    );
    db.close();
  });
});

Deno.test("messages of an account from before the index are indexed at its next start", async () => {
  await withStore(async (s) => {
    await add(s, message("old", "words from long ago"));
    const dir = s.account.dir;
    await s.reopen();
    await s.account.fulltext.update();
    for (const end of ["", "-wal", "-shm"]) {
      await Deno.remove(join(dir, `fulltext.db${end}`)).catch(() => {});
    }
    await s.reopen();
    assert.deepEqual(await find(s, { op: "text", text: "long ago" }), [1]);
    await s.account.fulltext.update();
    assert.equal(s.account.fulltext.below, 2);
    assert.deepEqual(await find(s, { op: "text", text: "long ago" }), [1]);
  });
});

Deno.test("a damaged index is made anew", async () => {
  await withStore(async (s) => {
    await add(s, message("a", "some words"));
    await s.account.fulltext.update();
    const path = join(s.account.dir, "fulltext.db");
    await s.reopen(() => Deno.writeTextFileSync(path, "this is no database".repeat(500)));
    assert.deepEqual(await find(s, { op: "text", text: "some words" }), [1]);
    await s.account.fulltext.update();
    assert.equal(s.account.fulltext.below, 2);
  });
});

Deno.test("queries: any text gives one or none, and each of its trigrams is in the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 80 }), (text) => {
      const q = trigramQuery(text);
      if (q === undefined) return assert.ok([...text].length < 3 || text.includes("\0"));
      const db = new DatabaseSync(":memory:");
      db.exec(
        "CREATE VIRTUAL TABLE t USING fts5 (x, content='', detail=none, tokenize='trigram case_sensitive 1')",
      );
      const whole = text.isWellFormed() ? text : text.toWellFormed();
      db.prepare("INSERT INTO t (rowid, x) VALUES (1, ?)").run(whole);
      assert.equal(
        db.prepare("SELECT rowid FROM t WHERE t MATCH ?").all(trigramQuery(whole)!).length,
        1,
      );
      db.close();
    }),
    { numRuns: 200 },
  );
});
