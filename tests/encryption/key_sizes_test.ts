/** Keys of OpenPGP that are made to keep others busy. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { KeyError, readEncryptionKey } from "../../src/encryption/keys.ts";
import { checkPgp } from "../../src/encryption/signatures/pgp.ts";
import { joined as joinedBytes } from "../../src/platform/bytes.ts";

const encoder = new TextEncoder();
const bytes = (...list: number[]) => Uint8Array.from(list);
const u16 = (n: number) => bytes(n >> 8, n & 255);
const u32 = (n: number) => bytes(n >>> 24, n >>> 16 & 255, n >>> 8 & 255, n & 255);

const joined = (...parts: Uint8Array[]) => joinedBytes(parts);

/** A number with its bits in front (RFC 9580 §3.2). */
const number = (b: Uint8Array) => joined(u16(b.length * 8 - (Math.clz32(b[0]) - 24)), b);
const packet = (tag: number, body: Uint8Array) =>
  joined(bytes(0xc0 | tag, 0xff), u32(body.length), body);

function oddNumber(bits: number): Uint8Array {
  const b = new Uint8Array(randomBytes(bits / 8));
  b[0] = 0x7f;
  b[b.length - 1] |= 1;
  return b;
}

const made = 1_700_000_000;
const armored = (kind: string, b: Uint8Array) =>
  `-----BEGIN PGP ${kind}-----\n\n${
    b.toBase64().replace(/(.{64})/g, "$1\n")
  }\n-----END PGP ${kind}-----\n`;

/** An RSA key of random numbers, and a signature that looks right until it is computed. */
function madeUp(exponent: Uint8Array, bits: number, certificates = 1) {
  const body = joined(
    bytes(4),
    u32(made),
    bytes(1),
    number(oddNumber(bits)),
    number(exponent),
  );
  const fingerprint = createHash("sha1").update(joined(bytes(0x99), u16(body.length), body))
    .digest();
  /** RFC 9580 §5.2.3, with the first bytes of the hash as they have to be. */
  const signature = (type: number, signed: Uint8Array, ...more: Uint8Array[]) => {
    const hashed = joined(bytes(5, 2), u32(made + 1), ...more);
    const head = joined(bytes(4, type, 1, 8), u16(hashed.length), hashed);
    const digest = createHash("sha256")
      .update(joined(signed, head, bytes(4, 0xff), u32(head.length))).digest();
    const issuer = joined(bytes(9, 16), fingerprint.subarray(12));
    return joined(
      head,
      u16(issuer.length),
      issuer,
      bytes(digest[0], digest[1]),
      number(joined(bytes(0x3f), randomBytes(bits / 8 - 1))),
    );
  };
  const user = encoder.encode("a <a@remote.example>");
  const about = joined(bytes(0x99), u16(body.length), body, bytes(0xb4), u32(user.length), user);
  const certificate = packet(2, signature(0x13, about, bytes(2, 27, 3)));
  const content = encoder.encode("Content-Type: text/plain\r\n\r\nhello\r\n");
  return {
    key: joined(packet(6, body), packet(13, user), ...Array(certificates).fill(certificate)),
    signature: armored("SIGNATURE", packet(2, signature(0, content))),
    content,
  };
}

async function stateOf(m: ReturnType<typeof madeUp>): Promise<string> {
  const { signature, content, key } = m;
  const from = "a@remote.example";
  return (await checkPgp({ signature, content, from, known: [], brought: [key] })).state;
}

Deno.test("signatures of keys that it takes minutes to compute with are not computed", async () => {
  const usual = bytes(1, 0, 1);
  assert.equal(await stateOf(madeUp(usual, 2048)), "bad");
  assert.equal(await stateOf(madeUp(usual, 8192)), "bad");
  // A minute and a half for one of 65,528 bits with an exponent of 8,192.
  assert.equal(await stateOf(madeUp(oddNumber(8192), 65_528)), "noKey");
  assert.equal(await stateOf(madeUp(usual, 65_528)), "noKey");
  assert.equal(await stateOf(madeUp(oddNumber(2048), 2048)), "noKey");
  assert.equal(await stateOf(madeUp(usual, 2048, 400)), "noKey");
});

Deno.test("mail is not encrypted to such keys", async () => {
  const key = armored("PUBLIC KEY BLOCK", madeUp(oddNumber(8192), 16_384).key);
  await assert.rejects(
    readEncryptionKey(key, Date.now()),
    (e) => e instanceof KeyError && e.message.startsWith("the OpenPGP key is larger"),
  );
});
