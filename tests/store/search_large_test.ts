/** SEARCH is exact whatever the size: bodies, headers and addresses far beyond what is read in one go. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fc } from "../support/fast_check.ts";
import { StructureParser } from "../../src/mail/structure/structure.ts";
import { packStructure } from "../../src/mail/structure/packed.ts";
import { foldCase, searchMailbox } from "../../src/store/account/search.ts";
import { foldPieces, MessageText } from "../../src/store/search/text.ts";
import type { SearchNode } from "../../src/store/search/types.ts";
import { type TestStore, withStore } from "./setup.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FUZZ_SEED");

async function add(s: TestStore, text: string): Promise<void> {
  const inbox = s.account.mailboxByName("Inbox")!;
  await s.account.append(inbox.id, [await s.message(text)]);
}

async function find(s: TestStore, node: SearchNode): Promise<number[]> {
  const inbox = s.account.mailboxByName("Inbox")!;
  return (await searchMailbox(s.account, inbox.id, node)).uids;
}

/** The texts of a message in memory. */
function textOf(bytes: Uint8Array, reads: number[] = []): MessageText {
  const parser = new StructureParser();
  parser.write(bytes);
  return new MessageText(packStructure(parser.end().root, 0), () => ({
    size: bytes.length,
    readInto: () => 0,
    read: (from, to) => {
      reads.push(to - from);
      return bytes.slice(from, to);
    },
    close: () => {},
  }));
}

const head = (charset: string, encoding: string) =>
  `From: a@example.org\r\nSubject: x\r\nContent-Type: text/plain; charset=${charset}\r\n` +
  `Content-Transfer-Encoding: ${encoding}\r\n\r\n`;

Deno.test("text at the end of 40 MB is found, before and after it is indexed", async () => {
  await withStore(async (s) => {
    const filler = `${"lorem ipsum dolor sit amet ".repeat(3)}\r\n`;
    await add(s, `${head("utf-8", "8bit")}${filler.repeat(500_000)}the needle of Straße\r\n`);
    await add(s, `${head("utf-8", "8bit")}short, with a needle\r\n`);
    const ask = async () => {
      assert.deepEqual(await find(s, { op: "body", text: "NEEDLE" }), [1, 2]);
      assert.deepEqual(await find(s, { op: "text", text: "of strasse" }), [1]);
      assert.deepEqual(await find(s, { op: "body", text: "amet lorem needle" }), []);
      assert.deepEqual(
        await find(s, {
          op: "and",
          nodes: [{ op: "body", text: "lorem" }, { op: "text", text: "needle" }],
        }),
        [1],
      );
      assert.deepEqual(await find(s, { op: "not", node: { op: "body", text: "needle of" } }), [2]);
    };
    await ask();
    await s.account.fulltext.update();
    assert.equal(s.account.fulltext.behind, 0);
    await ask();
  });
});

Deno.test(`large parts decode in pieces as in one go, in every encoding and charset (FUZZ_SEED=${seed})`, () => {
  const unit = fc.constantFrom(
    "a",
    "ß",
    "e\u0301",
    "\u0301",
    "日本",
    "ᄒ\u1161\u11ab",
    "😀",
    " ",
    "\r\n",
    "Σ",
    "İ",
    "=",
  );
  const encoders: Record<string, (text: string) => Uint8Array> = {
    "utf-8": (t) => new TextEncoder().encode(t),
    "utf-16le": (t) => Buffer.from(t, "utf16le"),
    "us-ascii": (t) => new TextEncoder().encode(t),
  };
  fc.assert(
    fc.property(
      fc.array(unit, { minLength: 1, maxLength: 50 }),
      fc.constantFrom(...Object.keys(encoders)),
      fc.constantFrom("base64", "quoted-printable", "8bit"),
      (units, charset, encoding) => {
        const text = units.join("").repeat(Math.ceil(600_000 / units.join("").length));
        const bytes = encoders[charset](text);
        let body: Uint8Array = bytes;
        if (encoding === "base64") {
          body = Buffer.from(Buffer.from(bytes).toString("base64").replace(/.{76}/g, "$&\r\n"));
        } else if (encoding === "quoted-printable") {
          const hex = Buffer.from(bytes).toString("hex").toUpperCase();
          body = Buffer.from(hex.replace(/../g, "=$&").replace(/(?:...){24}/g, "$&=\r\n"));
        } else if (charset === "utf-16le") return;
        const message = Buffer.concat([Buffer.from(head(charset, encoding)), body]);
        const parts = [...textOf(message).bodyTexts()].map((pieces) => [...pieces]);
        assert.equal(parts.length, 1);
        // Of marks alone there is no place at which they could be cut.
        const cut = message.length > 1_100_000 && units.some((u) => u !== "\u0301");
        if (cut) assert.ok(parts[0].length > 1);
        assert.ok(parts[0].join("") === foldCase(text), `${charset} ${encoding}: another text`);
      },
    ),
    { seed, numRuns: 8 },
  );
});

Deno.test(`folding in pieces is folding of the whole (FUZZ_SEED=${seed})`, () => {
  const unit = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 3 }),
    fc.constantFrom(
      "\u0301",
      "\u0327",
      "ᄒ",
      "\u1161",
      "\u11ab",
      "\ud83d",
      "\ude00",
      "ß",
      "ŉ",
      "가",
    ),
  );
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 40 }), (pieces) => {
      assert.equal([...foldPieces(pieces)].join(""), foldCase(pieces.join("")));
    }),
    { seed, numRuns: 2000 },
  );
});

Deno.test("the 1,500th address, the end of a long subject, and fields at the end of a header of 3 MB", async () => {
  await withStore(async (s) => {
    const to = Array.from({ length: 1500 }, (_, i) => `"User ${i}" <user${i}@example.org>`);
    await add(
      s,
      `From: a@example.org\r\nTo: ${to.join(",\r\n ")}\r\nCc: Last One <last@example.org>\r\n` +
        `Subject: ${"word ".repeat(1000)}\r\n =?utf-8?q?der_Schlu=C3=9F?=\r\n\r\nx\r\n`,
    );
    const filler = Array.from({ length: 30_000 }, (_, i) => `X-Filler-${i}: ${"y".repeat(80)}\r\n`);
    await add(
      s,
      `From: a@example.org\r\n${filler.join("")}X-Last: the final field\r\n\r\nbody here\r\n`,
    );
    const ask = async () => {
      const table: [SearchNode, number[]][] = [
        [{ op: "summary", field: "to", text: "user1499@" }, [1]],
        [{ op: "summary", field: "to", text: "User 1499 <user1499" }, [1]],
        [{ op: "summary", field: "to", text: "user1500@" }, []],
        [{ op: "summary", field: "cc", text: "last one" }, [1]],
        [{ op: "summary", field: "subject", text: "der schluss" }, [1]],
        [{ op: "header", name: "x-last", text: "FINAL" }, [2]],
        [{ op: "text", text: "x-last: the final" }, [2]],
        [{ op: "header", name: "x-filler-29999", text: "" }, [2]],
        [{ op: "body", text: "body here" }, [2]],
      ];
      for (const [node, want] of table) {
        assert.deepEqual(await find(s, node), want, JSON.stringify(node));
      }
    };
    await ask();
    await s.account.fulltext.update();
    await ask();
  });
});

Deno.test("a large part is read and handed on in small pieces, and others run meanwhile", async () => {
  const line = `${"=C3=BC".repeat(12)}\r\n`;
  const text = `${head("utf-8", "quoted-printable")}${line.repeat(80_000)}`;
  const reads: number[] = [];
  const [pieces] = textOf(new TextEncoder().encode(text), reads).bodyTexts();
  let total = 0;
  for (const p of pieces) {
    assert.ok(p.length <= 512 * 1024, `a piece of ${p.length} characters`);
    total += p.length;
  }
  assert.equal(total, 14 * 80_000);
  assert.ok(Math.max(...reads) <= 256 * 1024, `a read of ${Math.max(...reads)} bytes`);

  await withStore(async (s) => {
    await add(s, text);
    let turns = 0;
    const watch = setInterval(() => turns++, 0);
    try {
      assert.deepEqual(await find(s, { op: "body", text: "nowhere" }), []);
    } finally {
      clearInterval(watch);
    }
    assert.ok(turns > 0);
  });
});
