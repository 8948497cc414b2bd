import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fc } from "../support/fast_check.ts";
import {
  bytesSource,
  canonicalField,
  type Canonicalization,
  hashBody,
  type MessageSource,
} from "../../src/senderauth/canonical.ts";
import { scanHeader } from "../../src/senderauth/header_fields.ts";
import { createHash } from "node:crypto";

async function bodyHash(body: string, form: Canonicalization, length?: number, piece = 1 << 16) {
  const bytes = Buffer.from(body, "latin1");
  const source: MessageSource = {
    size: bytes.length,
    read: (offset, n) => Promise.resolve(bytes.subarray(offset, offset + Math.min(n, piece))),
  };
  const [hash] = await hashBody(source, 0, [{ form, length }]);
  return { ...hash, text: Buffer.from(hash.digest).toString("base64") };
}

const sha256 = (text: string) => createHash("sha256").update(text, "latin1").digest("base64");

/** The definition, in the plainest words: for comparing. */
function plain(body: string, form: Canonicalization): string {
  let text = body;
  if (form === "relaxed") {
    text = text.replace(/[ \t]+(?=\r\n|$)/g, "").replace(/[ \t]+/g, " ");
  }
  text = text.replace(/(\r\n)+$/, "");
  if (form === "simple") return text + "\r\n";
  return text === "" ? "" : text + "\r\n";
}

Deno.test("RFC 6376 §3.4.3 and §3.4.4: hashes of the empty body", async () => {
  assert.equal((await bodyHash("", "simple")).text, "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=");
  assert.equal(
    (await bodyHash("", "relaxed")).text,
    "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
  );
});

Deno.test("RFC 6376 §3.4.5: the examples", async () => {
  const header = scanHeader(Buffer.from("A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n"));
  const fields = (form: Canonicalization) =>
    header.fields.map((f) => Buffer.from(canonicalField(header, f, form)).toString()).join("");
  assert.equal(fields("relaxed"), "a:X\r\nb:Y Z\r\n");
  assert.equal(fields("simple"), "A: X\r\nB : Y\t\r\n\tZ  \r\n");
  const body = " C \r\nD \t E\r\n\r\n\r\n";
  assert.equal((await bodyHash(body, "relaxed")).text, sha256(" C\r\nD E\r\n"));
  assert.equal((await bodyHash(body, "simple")).text, sha256(" C \r\nD \t E\r\n"));
});

Deno.test("bodies hash as defined, however they are cut into pieces", async () => {
  const bodies = fc.array(fc.constantFrom("a", " ", "\t", "\r\n", "\r", "\n", "b."), {
    maxLength: 30,
  }).map((p) => p.join(""));
  await fc.assert(
    fc.asyncProperty(
      bodies,
      fc.constantFrom<Canonicalization>("simple", "relaxed"),
      fc.integer({ min: 1, max: 7 }),
      async (body, form, piece) => {
        const hash = await bodyHash(body, form, undefined, piece);
        // What a lone CR before white space at a line's end means is nobody's business.
        if (form === "relaxed" && /\r(?!\n)/.test(body)) return;
        assert.equal(hash.text, sha256(plain(body, form)), JSON.stringify(body));
        assert.equal(hash.canonicalLength, plain(body, form).length);
        assert.equal(hash.complete, true);
      },
    ),
    { numRuns: 1000 },
  );
});

Deno.test("a part of the body is hashed for l=, and what is left out is seen", async () => {
  const hash = await bodyHash("hello\r\nworld\r\n", "simple", 7, 3);
  assert.equal(hash.text, sha256("hello\r\n"));
  assert.equal(hash.complete, false);
  assert.equal(hash.canonicalLength, 14);
  assert.equal((await bodyHash("hello\r\n\r\n", "simple", 7)).complete, true);
});

Deno.test("many empty lines take no memory and are kept if something follows", async () => {
  const body = "a\r\n" + "\r\n".repeat(100_000) + "b\r\n";
  assert.equal((await bodyHash(body, "simple")).text, sha256(body));
  assert.equal((await bodyHash(body, "relaxed")).text, sha256(body));
  assert.equal(
    (await bodyHash("a\r\n" + "\r\n".repeat(100_000), "relaxed")).text,
    sha256("a\r\n"),
  );
});

Deno.test("several hashes come from one reading", async () => {
  let reads = 0;
  const inner = bytesSource(Buffer.from("x \r\n"));
  const source = { size: inner.size, read: (o: number, n: number) => (reads++, inner.read(o, n)) };
  const hashes = await hashBody(source, 0, [
    { form: "simple" },
    { form: "relaxed" },
    { form: "relaxed", length: 1 },
  ]);
  assert.deepEqual(
    hashes.map((h) => Buffer.from(h.digest).toString("base64")),
    [sha256("x \r\n"), sha256("x\r\n"), sha256("x")],
  );
  assert.equal(reads, 1);
});
