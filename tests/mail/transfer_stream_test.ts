/** Decoding in pieces gives what decoding of the whole gives. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fc } from "../support/fast_check.ts";
import { decodeCharset, decodePieces } from "../../src/mail/text/charset.ts";
import { decodeTransferEncoding } from "../../src/mail/transfer/transfer.ts";
import { transferStream } from "../../src/mail/transfer/stream.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FUZZ_SEED");
const options = { seed, numRuns: 500 };

/** Bytes cut at random places. */
function pieces(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...cuts].map((c) => c % (bytes.length + 1)).sort((a, b) => a - b);
  const out: Uint8Array[] = [];
  let from = 0;
  for (const to of [...at, bytes.length]) {
    out.push(bytes.subarray(from, to));
    from = to;
  }
  return out;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((p) => [...p]));
}

const tokens = [
  "=",
  "=3D",
  "=\r\n",
  "= \t\n",
  "=20",
  " ",
  "\t",
  "\r\n",
  "\n",
  "\r",
  "ab",
  "=C3",
  "=E9=0",
  "QUJD",
  "Q==",
  "Z",
];

for (const encoding of ["base64", "quoted-printable", "8bit", "x-unknown"]) {
  Deno.test(`${encoding} in pieces (FUZZ_SEED=${seed})`, () => {
    const text = fc.array(fc.constantFrom(...tokens), { maxLength: 60 })
      .map((l) => new TextEncoder().encode(l.join("")));
    const cuts = fc.array(fc.nat(), { maxLength: 8 });
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 200 })), cuts, (bytes, at) => {
        const s = transferStream(encoding);
        const out = pieces(bytes, at).map((p) => s.push(p).slice());
        out.push(s.end().slice());
        assert.deepEqual(joined(out), joined([decodeTransferEncoding(bytes, encoding) ?? bytes]));
      }),
      options,
    );
  });
}

Deno.test("a line of quoted-printable without end is not held back whole", () => {
  const line = new TextEncoder().encode("=E3=81=82a ".repeat(40_000));
  const s = transferStream("quoted-printable");
  const out: Uint8Array[] = [];
  for (let at = 0; at < line.length; at += 10_007) {
    out.push(s.push(line.subarray(at, at + 10_007)).slice());
  }
  assert.ok(out.reduce((n, b) => n + b.length, 0) > 100_000);
  out.push(s.end().slice());
  assert.deepEqual(
    Buffer.concat(out),
    Buffer.from(decodeTransferEncoding(line, "quoted-printable")!),
  );
});

for (
  const charset of [
    "utf-8",
    "us-ascii",
    "iso-2022-jp",
    "utf-16le",
    "utf-7",
    "gb18030",
    "x-none",
    "windows-1252",
  ]
) {
  Deno.test(`charset ${charset} in pieces (FUZZ_SEED=${seed})`, () => {
    const cuts = fc.array(fc.nat(), { maxLength: 8 });
    const text = fc.string({ unit: "binary" }).map((s) => new TextEncoder().encode(s));
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array({ maxLength: 100 })), cuts, (bytes, at) => {
        const got = [...decodePieces(() => pieces(bytes, at), charset)].join("");
        assert.equal(got, decodeCharset(bytes, charset));
      }),
      options,
    );
  });
}
