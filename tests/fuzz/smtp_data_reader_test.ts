/** The end of a message is found at the same place however its bytes come, and nowhere else. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { DataReader } from "../../src/smtp/server/data_reader.ts";

const bytes = (s: string) => new TextEncoder().encode(s);

interface Result {
  end: number;
  bare: string | undefined;
  content: number[];
}

/** Runs the reader over chunks of the given sizes (the last one takes the rest). */
function read(input: Uint8Array, sizes: number[], dots = true): Result {
  const content: number[] = [];
  const reader = new DataReader((b) => content.push(...b), dots);
  let at = 0;
  for (const size of [...sizes, Infinity]) {
    if (at >= input.length) break;
    const chunk = input.subarray(at, Math.min(input.length, at + Math.max(1, size)));
    const end = reader.push(chunk);
    if (end >= 0) return { end: at + end, bare: reader.bareLineEnd, content };
    at += chunk.length;
  }
  return { end: -1, bare: reader.bareLineEnd, content };
}

/** What RFC 5321 §4.5.2 says, said slowly. */
function specified(input: Uint8Array): { end: number; bare: boolean; content: number[] } {
  const s = String.fromCharCode(...input);
  const marked = `\r\n${s}`;
  const i = marked.indexOf("\r\n.\r\n");
  const message = i < 0 ? s : marked.slice(2, i + 2);
  const withoutCrLf = message.replaceAll("\r\n", "");
  const lines = message.split("\r\n").map((l) => l.startsWith(".") ? l.slice(1) : l);
  return {
    end: i < 0 ? -1 : i + 3,
    bare: /[\r\n]/.test(withoutCrLf),
    content: [...bytes(lines.join("\r\n"))],
  };
}

// Mostly the bytes that matter.
const tricky = fc.array(
  fc.constantFrom(
    "\r\n",
    "\r\n.\r\n",
    "\r",
    "\n",
    ".",
    "..",
    "\n.\n",
    "\r.\r",
    "\0",
    "a",
    "long text",
  ),
  { maxLength: 25 },
).map((list) => bytes(list.join("")));
const chunks = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 40 });

Deno.test("any chunking gives the same end, line ends and content", () => {
  fc.assert(
    fc.property(tricky, chunks, fc.boolean(), (input, sizes, dots) => {
      const whole = read(input, [], dots);
      const parts = read(input, sizes, dots);
      assert.equal(parts.end, whole.end);
      assert.equal(parts.bare, whole.bare);
      if (whole.bare === undefined) assert.deepEqual(parts.content, whole.content);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("the end is where the specification has it, and bare CR and LF are always noticed", () => {
  fc.assert(
    fc.property(tricky, chunks, (input, sizes) => {
      const want = specified(input);
      const got = read(input, sizes);
      assert.equal(got.end, want.end);
      if (want.end < 0) return;
      assert.equal(got.bare !== undefined, want.bare);
      if (!want.bare) assert.deepEqual(got.content, want.content);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("any bytes at all", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), chunks, (input, sizes) => {
      const got = read(input, sizes);
      assert.equal(got.end, specified(input).end);
      assert.ok(got.content.length <= input.length);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("sequences known from smuggling never end a message", () => {
  for (
    const end of [
      "\n.\n",
      "\n.\r\n",
      "\r\n.\n",
      "\r.\r",
      "\r.\r\n",
      "\r\n.\r",
      "\n\n.\r\n",
      "\r\n\0.\r\n",
      "\r\n.\0\r\n",
    ]
  ) {
    const input = bytes(`text${end}MAIL FROM:<x@y.example>\r\n`);
    for (let size = 1; size < 12; size++) {
      const got = read(input, Array(40).fill(size));
      assert.equal(got.end, -1, JSON.stringify(end));
      assert.equal(got.bare !== undefined, !end.includes("\0"), JSON.stringify(end));
    }
  }
});

Deno.test("without dots all bytes come through unchanged", () => {
  fc.assert(
    fc.property(tricky, chunks, (input, sizes) => {
      const got = read(input, sizes, false);
      assert.equal(got.end, -1);
      assert.deepEqual(got.content, [...input]);
      const bare = /\r(?!\n)|(?<!\r)\n/.test(String.fromCharCode(...input));
      assert.equal(got.bare !== undefined, bare);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("the longest line is measured over chunks", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(300), { maxLength: 10 }), chunks, (lengths, sizes) => {
      const input = bytes(lengths.map((n) => "x".repeat(n) + "\r\n").join("") + ".\r\n");
      const reader = new DataReader(() => {});
      let at = 0;
      for (const size of [...sizes, Infinity]) {
        const chunk = input.subarray(at, Math.min(input.length, at + size));
        at += chunk.length;
        if (chunk.length > 0) reader.push(chunk);
      }
      assert.equal(reader.longestLine, Math.max(0, ...lengths));
    }),
    { numRuns: 2000 },
  );
});
