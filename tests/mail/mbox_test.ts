/** Mailbox files: what is written comes back, and files of other programs are read. */
import assert from "node:assert/strict";
import { nextTurn } from "../../src/platform/turns.ts";
import { fc } from "../support/fast_check.ts";
import { splitHeader } from "../../src/mail/header/header.ts";
import { statusFields, statusFlagsOf, writeMboxMessage } from "../../src/mail/mbox/mbox.ts";
import type { MboxFormat } from "../../src/mail/mbox/lines.ts";
import { MboxError, type MboxMessage, mboxMessages } from "../../src/mail/mbox/read.ts";

const utf8 = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

/** The bytes in pieces of `size`, all in one buffer that is reused as a file's reader does. */
async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(size);
  for (let i = 0; i < bytes.length; i += size) {
    const piece = bytes.subarray(i, i + size);
    buffer.set(piece);
    yield buffer.subarray(0, piece.length);
  }
}

async function read(file: string, format: MboxFormat = "mboxrd", size = 7): Promise<string[]> {
  const list: string[] = [];
  for await (const m of mboxMessages(cut(utf8(file), size), { format, maxSize: 1e7 })) {
    list.push(
      `${m.sender}|${m.date?.toISOString() ?? ""}|${m.message ? text(m.message) : "too large"}`,
    );
  }
  return list;
}

async function write(message: string, format: MboxFormat = "mboxrd", size = 7): Promise<string> {
  let s = "";
  const entry = { sender: "a@b.example", date: new Date("2026-11-03T10:11:12Z"), format };
  for await (const b of writeMboxMessage(entry, cut(utf8(message), size))) s += text(b);
  return s;
}

const head = "From a@b.example Tue Nov  3 10:11:12 2026\n";
const read1 = "a@b.example|2026-11-03T10:11:12.000Z|";

Deno.test("messages are separated by From lines, and the empty line before those is not theirs", async () => {
  assert.deepEqual(await read(`${head}S: 1\n\nx\n\n\n${head}S: 2\n\ny\n`), [
    `${read1}S: 1\r\n\r\nx\r\n\r\n`,
    `${read1}S: 2\r\n\r\ny\r\n`,
  ]);
  assert.deepEqual(await read(""), []);
  assert.deepEqual(await read("\n\n"), []);
  assert.deepEqual(await read(head), [read1]);
  assert.deepEqual(await read(`${head}${head}\n`), [read1, read1]);
});

Deno.test("quoted From lines lose one mark, in mboxo only if they have one", async () => {
  const file = `${head}\n>From x\n>>From y\n> From z\n`;
  assert.deepEqual(await read(file), [`${read1}\r\nFrom x\r\n>From y\r\n> From z\r\n`]);
  assert.deepEqual(await read(file, "mboxo"), [
    `${read1}\r\nFrom x\r\n>>From y\r\n> From z\r\n`,
  ]);
});

Deno.test("files of other programs: CRLF, other dates, no date, sentences that start with From", async () => {
  assert.deepEqual(await read(`${head}S: 1\n\nx\n`.replaceAll("\n", "\r\n")), [
    `${read1}S: 1\r\n\r\nx\r\n`,
  ]);
  assert.deepEqual(await read("From - Tue Nov 03 10:11:12 2026 +0100\n\nx\n"), [
    "-|2026-11-03T09:11:12.000Z|\r\nx\r\n",
  ]);
  assert.deepEqual(await read("From a\n\nx\n\nFrom b\n\ny"), ["a||\r\nx\r\n", "b||\r\ny"]);
  const sentence = `${head}\nx\n\nFrom here on, all is well.\nFrom 3 May 2020 too\n`;
  assert.equal((await read(sentence)).length, 1);
});

Deno.test("files with a mark of byte order, From lines that say nothing, and sentences that say much", async () => {
  assert.deepEqual(await read(`\ufeff${head}S: 1\n\nb\n`), [
    "a@b.example|2026-11-03T10:11:12.000Z|S: 1\r\n\r\nb\r\n",
  ]);
  // Reported for ImportExportTools (215, 145, 768): what Thunderbird writes, and what people write.
  const [first, second, ...more] = await read(
    "From \nS: 1\n\nFrom the President xyz@abc.example\nFrom john.doe@example.com 2025-06-15\n" +
      "\nFrom my (non technical end) some queries;\n\nFrom \nS: 2\n\nb\n",
  );
  assert.match(first, /^\|\|S: 1\r\n\r\nFrom the President[^]*queries;\r\n$/);
  assert.equal(second, "||S: 2\r\n\r\nb\r\n");
  assert.deepEqual(more, []);
});

Deno.test("what is no mailbox file is refused, and a message that is too large", async () => {
  await assert.rejects(() => read("Subject: x\n\nx\n"), MboxError);
  await assert.rejects(() => read("From here on, all is well.\n"), MboxError);
});

Deno.test("of a message that is too large only its place is told, and those after it are read", async () => {
  const file = utf8(`${head}${"x".repeat(1000)}\n\n${head}\ny\n`);
  const found: (number | undefined)[] = [];
  for await (const m of mboxMessages(cut(file, 100), { maxSize: 999 })) {
    found.push(m.message?.length);
  }
  assert.deepEqual(found, [undefined, 5]);
});

/** A message of mutt or Dovecot: nothing is quoted, its length is told. */
const counted = (body: string, length = body.length) =>
  `${head}S: 1\nContent-Length: ${length}\n\n${body}\n`;

Deno.test("Content-Length says which From lines are a message's own, if it leads to the next message", async () => {
  const body = `From x y\n>From y\n\n${head}\n${head}end\n`;
  const whole = (length: number) =>
    `${read1}S: 1\r\nContent-Length: ${length}\r\n\r\n${body.replaceAll("\n", "\r\n")}`;
  for (const size of [1, 7, 4096]) {
    assert.deepEqual(await read(counted(body) + counted(body), "mboxrd", size), [
      whole(body.length),
      whole(body.length),
    ]);
  }
  // Counted without the last line's end, as mutt does, and with CRLF.
  assert.deepEqual(await read(counted(body, body.length - 1)), [whole(body.length - 1)]);
  const crlf = counted(body).replaceAll("\n", "\r\n");
  assert.deepEqual(await read(crlf), [whole(body.length)]);
  // A length that is wrong doesn't count: each From line begins a message, and quotes are taken off.
  for (const wrong of [3, body.length - 5, body.length + 10, 1e9]) {
    const list = await read(counted(body, wrong) + counted("y\n"));
    assert.equal(list.length, 4, `${wrong}`);
    assert.match(list[0], /\r\n\r\nFrom x y\r\nFrom y\r\n$/);
    assert.equal(list[2], `${read1}end\r\n`);
  }
});

Deno.test("a message that is written has a From line and quotes", async () => {
  const message = "S: 1\r\n\r\nFrom x\r\n>From y\r\n";
  assert.equal(await write(message), `${head}S: 1\n\n>From x\n>>From y\n\n`);
  assert.equal(await write(message, "mboxo"), `${head}S: 1\n\n>From x\n>From y\n\n`);
  assert.equal(await write("no end"), `${head}no end\n\n`);
});

Deno.test("any messages come back, however they are cut", async () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom("", "From x", ">From x", ">>From x", "From", head.trim(), `>${head.trim()}`),
    // Around the size from which a line is not held whole.
    fc.integer({ min: 65_530, max: 65_545 }).map((n) => `${"x".repeat(n)}`),
  ).map((s) => s.replace(/[\r\n]/g, ""));
  const message = fc.array(line, { maxLength: 6 }).map((l) => l.map((s) => `${s}\r\n`).join(""));
  await fc.assert(
    fc.asyncProperty(
      fc.array(message, { maxLength: 4 }),
      fc.constantFrom(1, 2, 5, 4096, 65_537),
      async (messages, size) => {
        let file = "";
        for (const m of messages) file += await write(m, "mboxrd", size);
        assert.deepEqual(await read(file, "mboxrd", size), messages.map((m) => read1 + m));
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("any bytes are read or refused, the same however they are cut", async () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "\n",
      "\r",
      "\r\n",
      head,
      "From ",
      ">",
      "\nContent-Length: 60\n\n",
      "x".repeat(300),
    ),
  );
  const events = async (file: string, size: number) => {
    let s = "";
    try {
      for await (const m of mboxMessages(cut(utf8(file), size), { maxSize: 1000 })) {
        s += `${m.sender}|${m.message ? text(m.message) : "too large"}|`;
      }
    } catch (err) {
      assert.ok(err instanceof MboxError);
      return "refused";
    }
    return s;
  };
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 20 }), async (pieces) => {
      // Pieces of text are compared, so characters must not be cut.
      const file = (pieces.length % 4 === 0 ? "" : head) +
        pieces.join("").replace(/[\u0080-\u{10ffff}]/gu, "?");
      const whole = await events(file, 1e6);
      assert.equal(await events(file, 1), whole);
      assert.equal(await events(file, 3), whole);
    }),
    // More of them in `deno task fuzz`.
    { numRuns: 40 },
  );
});

Deno.test("marks are taken out of large messages as of small ones, and the next message has its own memory", async () => {
  const lines = (n: number) =>
    Array.from(
      { length: n },
      (_, i) =>
        [">From a", ">>>From b", ">no mark", "x".repeat(i % 200), "From afar", "a >From c"][i % 6],
    ).join("\n");
  for (const format of ["mboxrd", "mboxo"] as const) {
    const body = `Subject: x\n\n${lines(60_000)}`;
    const file =
      `From a@b Thu Jan  1 00:00:00 1970\n${body}\n\nFrom c@d Thu Jan  1 00:00:00 1970\nSubject: y\n\n>From z\n`;
    const wanted = body.replace(format === "mboxo" ? /^>(?=From )/gm : /^>(?=>*From )/gm, "");
    const found: MboxMessage[] = [];
    for await (const m of mboxMessages(cut(utf8(file), 50_000), { format, maxSize: 1e7 })) {
      found.push(m);
    }
    const texts = found.map((m) => new TextDecoder().decode(m.message));
    assert.equal(texts.length, 2);
    assert.ok(texts[0].length > 1024 * 1024);
    assert.ok(texts[0] === `${wanted}\n`.replaceAll("\n", "\r\n"), `${format} differs`);
    assert.equal(texts[1], "Subject: y\r\n\r\nFrom z\r\n");
  }
});

Deno.test("flags come back from Status, X-Status and X-Keywords", () => {
  const fields = statusFields(["Flagged", "Seen", "Answered"], ["$Forwarded", "work"]);
  assert.equal(fields, "Status: RO\r\nX-Status: AF\r\nX-Keywords: $Forwarded work\r\n");
  assert.deepEqual(statusFlagsOf(splitHeader(utf8(fields))), {
    flags: ["Seen", "Answered", "Flagged"],
    keywords: ["$Forwarded", "work"],
  });
  assert.equal(statusFields([], []), "Status: O\r\n");
});

Deno.test("others get turns while a message of a million quoted lines is written and read", async () => {
  const message = new TextEncoder().encode(`Subject: x\n\n${"From x\n".repeat(1_000_000)}`);
  function* pieces() {
    for (let at = 0; at < message.length; at += 65_536) yield message.subarray(at, at + 65_536);
  }
  let busy = true;
  let turns = 0;
  const others = (async () => {
    while (busy) {
      await nextTurn();
      if (busy) turns++;
    }
  })();
  const file: Uint8Array[] = [];
  const entry = { sender: "a@b.example", date: new Date(0) };
  for await (const piece of writeMboxMessage(entry, pieces())) file.push(piece.slice());
  const written = turns;
  async function* chunks() {
    yield* file;
  }
  const found: MboxMessage[] = [];
  for await (const m of mboxMessages(chunks(), { maxSize: 1e9 })) found.push(m);
  busy = false;
  await others;
  assert.equal(found.length, 1);
  assert.equal(found[0].message!.length, message.length + 1_000_000 + 2);
  assert.ok(written > 0 && turns > written, `${written}, then ${turns - written} turns`);
});
