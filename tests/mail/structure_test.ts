import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import {
  leaves,
  parseMessage,
  type Part,
  StructureParser,
} from "../../src/mail/structure/structure.ts";
import { packStructure, unpackStructure } from "../../src/mail/structure/packed.ts";

const bytes = (s: string) => new TextEncoder().encode(s.replace(/\n/g, "\r\n"));
const bodyOf = (message: Uint8Array, p: Part) =>
  new TextDecoder().decode(message.subarray(p.bodyOffset, p.endOffset));

/** What must hold for any input: parts lie in their parents, in order. */
function checkOffsets(p: Part, from: number, to: number): void {
  assert.ok(p.headerOffset >= from && p.bodyOffset >= p.headerOffset, "header before body");
  assert.ok(p.endOffset >= p.bodyOffset && p.endOffset <= to, "body within parent");
  let at = p.bodyOffset;
  for (const c of p.parts) {
    checkOffsets(c, at, p.endOffset);
    at = c.endOffset;
  }
  if (p.message) checkOffsets(p.message, p.bodyOffset, p.endOffset);
}

Deno.test("a nested multipart: types, bodies, lines; the line end before a boundary is not the body's", () => {
  const m = bytes(`Subject: x
Content-Type: multipart/mixed; boundary="outer"

preamble
--outer
Content-Type: multipart/alternative; boundary=outer2

--outer2
Content-Type: text/plain; charset=utf-8

hello
--outer2
Content-Type: text/html

<b>a</b>

--outer2--
epilogue
--outer
Content-Type: message/rfc822

Subject: inner

inner body
--outer--
`);
  const { root, size } = parseMessage(m);
  assert.equal(size, m.length);
  checkOffsets(root, 0, m.length);
  assert.equal(root.parts.length, 2);
  const [alternative, attached] = root.parts;
  assert.deepEqual(alternative.parts.map((p) => `${p.type}/${p.subtype}`), [
    "text/plain",
    "text/html",
  ]);
  assert.equal(bodyOf(m, alternative.parts[0]), "hello");
  assert.equal(alternative.parts[0].lines, 1);
  assert.equal(bodyOf(m, alternative.parts[1]), "<b>a</b>\r\n");
  assert.equal(alternative.parts[1].lines, 1);
  assert.equal(bodyOf(m, attached.message!), "inner body");
  assert.equal(attached.lines, 3);
});

Deno.test("messages that are damaged have a structure all the same", () => {
  const cases: [string, (p: Part) => void][] = [
    ["", (p) => assert.equal(p.endOffset, 0)],
    ["Subject: only a header\n", (p) => assert.equal(p.bodyOffset, p.endOffset)],
    ["\nonly a body", (p) => assert.equal(p.bodyOffset, 2)],
    ["no header at all\n\nbody\n", (p) => assert.equal(p.lines, 3)],
    [
      "Content-Type: multipart/mixed; boundary=b\n\nno boundary\n",
      (p) => assert.equal(p.parts.length, 0),
    ],
    [
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nunterminated",
      (p) => assert.equal(p.parts.length, 1),
    ],
    [
      "Content-Type: multipart/mixed; boundary=b\n\n--b\n--b\n--b--",
      (p) => assert.equal(p.parts.length, 2),
    ],
    [
      "Content-Type: multipart/mixed; boundary=b\n\n--bc\n--b \n\nx\n--b--trailing\n",
      (p) => assert.equal(p.parts.length, 1),
    ],
    [
      "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: d\n\nbody\n--b--\n",
      (p) => assert.equal(p.parts[0].message!.type, "text"),
    ],
    [
      "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nAAAA\n",
      (p) => assert.equal(p.message, undefined),
    ],
    ["Content-Type: rubbish\n\nx", (p) => assert.equal(p.type, "text")],
  ];
  for (const [text, check] of cases) {
    const { root } = parseMessage(bytes(text));
    checkOffsets(root, 0, bytes(text).length);
    check(root);
  }
});

Deno.test("lines that end in LF alone are lines", () => {
  const m = new TextEncoder().encode(
    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n",
  );
  const { root } = parseMessage(m);
  assert.deepEqual(root.parts.map((p) => bodyOf(m, p)), ["one", "two"]);
});

const piece = fc.constantFrom(
  "\r\n",
  "\n",
  "\r",
  "--",
  "--a",
  "--a--",
  "--b\r\n",
  "\r\n--a\r\n",
  "Content-Type: multipart/mixed; boundary=a\r\n",
  "Content-Type: multipart/x; boundary=b\r\n",
  "Content-Type: message/rfc822\r\n",
  "x",
  " ",
  ":",
  "\0",
  "ü",
);
const message = fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 }).map((l) =>
  new TextEncoder().encode(l.join(""))
);

Deno.test("any bytes have a structure, the same however they are cut into pieces", () => {
  fc.assert(
    fc.property(message, fc.array(fc.nat(60), { maxLength: 20 }), (m, cuts) => {
      const whole = parseMessage(m);
      checkOffsets(whole.root, 0, m.length);
      const parser = new StructureParser();
      let at = 0;
      for (const c of cuts) {
        // A copy that is spoilt afterwards: nothing may be kept of what was given.
        const chunk = m.slice(at, at + c);
        parser.write(chunk);
        chunk.fill(0);
        at += c;
      }
      if (at < m.length) parser.write(m.subarray(at));
      assert.deepEqual(parser.end(), whole);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a packed structure is the same when unpacked, moved by the prefix", () => {
  fc.assert(fc.property(message, fc.nat(500), (m, shift) => {
    const { root } = parseMessage(m);
    const moved = unpackStructure(packStructure(root, shift));
    assert.equal(moved.headerOffset, 0);
    assert.equal(moved.bodyOffset, root.bodyOffset + shift);
    const a = [...leaves(root)];
    const b = [...leaves(moved)];
    assert.equal(a.length, b.length);
    for (const [i, p] of a.entries()) {
      assert.deepEqual([b[i].type, b[i].encoding, b[i].lines, b[i].endOffset], [
        p.type,
        p.encoding,
        p.lines,
        p.endOffset + shift,
      ]);
    }
  }));
});

Deno.test("abuse is bounded: nesting, many parts, many fields, long lines", () => {
  const deep = Array.from(
    { length: 1000 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n`,
  ).join("");
  let depth = 0;
  for (let p: Part | undefined = parseMessage(bytes(deep)).root; p; p = p.parts[0]) depth++;
  assert.ok(depth <= 101);
  const many = "Content-Type: multipart/mixed; boundary=b\r\n\r\n" +
    "--b\r\n\r\nx\r\n".repeat(30_000);
  assert.ok(parseMessage(bytes(many)).root.parts.length <= 10_000);
  parseMessage(bytes("A: b\n".repeat(100_000) + "\n"));
  parseMessage(bytes("A: " + "x".repeat(5_000_000)));
  parseMessage(bytes("Content-Type: " + "(".repeat(500_000) + "\n\n"));
});

Deno.test("a large message streams through in constant memory", () => {
  const line = new TextEncoder().encode("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=".repeat(2) + "\r\n");
  const chunk = new Uint8Array(line.length * 800);
  for (let i = 0; i < 800; i++) chunk.set(line, i * line.length);
  const parser = new StructureParser();
  parser.write(bytes("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n"));
  const count = Math.ceil(64 * 1024 * 1024 / chunk.length);
  for (let i = 0; i < count; i++) parser.write(chunk);
  parser.write(bytes("--b--\n"));
  const { root, size } = parser.end();
  assert.ok(size > 64 * 1024 * 1024);
  assert.equal(root.parts[0].lines, count * 800);
});

Deno.test("a header that no empty line ends: the text behind its fields is the body", () => {
  const html = "Content-Type: text/html";
  const cases: [message: string, ...bodies: string[]][] = [
    ["Received: by x\nhello,\nthis is all\n", "hello,\nthis is all\n"],
    ["hello", "hello"],
    [
      "Subject: x\nhttps://example.org/ is a link\n\nmore\n",
      "https://example.org/ is a link\n\nmore\n",
    ],
    ["Subject: x\nDear Sir: read this\n\nmore\n", "Dear Sir: read this\n\nmore\n"],
    [`${html}\n<p>hello</p>\n`, "<p>hello</p>\n"],
    // Fields behind it: a line that was spoilt, in a header that goes on.
    ["Subject: x\nspoilt line\n folded\nTo: a@x.example\n\nmore\n", "more\n"],
    ["Subject: x\nspoilt line\nX-Spam: no\n", ""],
    [": no name\n\nmore\n", "more\n"],
    ["From a@x Mon Jan  1 10:00 2024\n>From b\nSubject: x\n\nmore\n", "more\n"],
    // A text before it would spoil what is encoded.
    ["Content-Transfer-Encoding: base64\nspoilt line\n\nbW9yZQ==\n", "bW9yZQ==\n"],
    ["Subject: x\n\n", ""],
    ["Subject: x\n", ""],
    // Parts, and messages within.
    [
      `Content-Type: multipart/mixed; boundary=b\n\n--b\n${html}\n<p>\n\n--b\ntext\n--b--\n`,
      "<p>\n",
      "text",
    ],
    [
      "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\ntext\n\n--b--\n",
      "text\n",
    ],
    [
      "Content-Type: multipart/digest; boundary=b\n\n--b\nspoilt\n\nSubject: x\n\ntext\n--b--\n",
      "text",
    ],
    // Its own boundary ends it.
    ["Content-Type: multipart/mixed; boundary=b\n--b\n\none\n--b\n\ntwo\n--b--\n", "one", "two"],
    [
      `Content-Type: multipart/mixed; boundary="b c"\nA text for old programs\n--b c\n${html}\n\none\n--b c--\n`,
      "one",
    ],
  ];
  for (const [text, ...want] of cases) {
    const message = bytes(text);
    const found = new StructureParser();
    for (let i = 0; i < message.length; i++) found.write(message.subarray(i, i + 1));
    for (const { root } of [parseMessage(message), found.end()]) {
      checkOffsets(root, 0, message.length);
      const bodies = [...leaves(root)].map((p) => bodyOf(message, p).replaceAll("\r\n", "\n"));
      assert.deepEqual(bodies, want, text);
      const lines = [...leaves(root)].map((p) => p.lines);
      assert.deepEqual(
        lines,
        want.map((b) => b.split("\n").filter((l, i, a) => l !== "" || i < a.length - 1).length),
        text,
      );
    }
  }
});

Deno.test("for its own boundary a header is read again only some times", () => {
  const parts = (before: number) =>
    parseMessage(bytes(
      "Content-Type: multipart/mixed; boundary=b\n" + "--c\n".repeat(before) +
        "--b\n\none\n--b--\n",
    )).root.parts.length;
  assert.equal(parts(3), 1);
  assert.equal(parts(4), 0);
});
