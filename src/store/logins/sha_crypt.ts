/**
 * SHA-crypt, the `$5$` and `$6$` hashes of Unix password files, for passwords that come from other servers.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

const digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The order of the digest's bytes: three make four digits each. */
const orders = {
  sha256: [
    0,
    10,
    20,
    21,
    1,
    11,
    12,
    22,
    2,
    3,
    13,
    23,
    24,
    4,
    14,
    15,
    25,
    5,
    6,
    16,
    26,
    27,
    7,
    17,
    18,
    28,
    8,
    9,
    19,
    29,
  ],
  sha512: [
    0,
    21,
    42,
    22,
    43,
    1,
    44,
    2,
    23,
    3,
    24,
    45,
    25,
    46,
    4,
    47,
    5,
    26,
    6,
    27,
    48,
    28,
    49,
    7,
    50,
    8,
    29,
    9,
    30,
    51,
    31,
    52,
    10,
    53,
    11,
    32,
    12,
    33,
    54,
    34,
    55,
    13,
    56,
    14,
    35,
    15,
    36,
    57,
    37,
    58,
    16,
    59,
    17,
    38,
    18,
    39,
    60,
    40,
    61,
    19,
    62,
    20,
    41,
  ],
};

/** A parsed SHA-crypt hash. */
export interface ShaCrypt {
  algorithm: "sha256" | "sha512";
  rounds: number;
  salt: string;
  /** The digits after the last dollar. */
  digest: string;
}

/** Most rounds that are computed: some seconds. */
const maxRounds = 2_000_000;

/** Parses a `$5$` or `$6$` text; undefined if it is not one, or would take minutes. */
export function parseShaCrypt(text: string): ShaCrypt | undefined {
  const m = /^\$([56])\$(?:rounds=([0-9]{1,9})\$)?([^$:\n]{0,16})\$([./0-9A-Za-z]+)$/.exec(text);
  if (!m) return undefined;
  const algorithm = m[1] === "5" ? "sha256" : "sha512";
  const rounds = Math.max(1000, m[2] === undefined ? 5000 : Number(m[2]));
  if (rounds > maxRounds || m[4].length !== (algorithm === "sha256" ? 43 : 86)) return undefined;
  return { algorithm, rounds, salt: m[3], digest: m[4] };
}

/** The digits for a password. */
export function shaCrypt(hash: Omit<ShaCrypt, "digest">, password: string): string {
  const { algorithm } = hash;
  const key = Buffer.from(password);
  const salt = Buffer.from(hash.salt);
  const sum = (...parts: Uint8Array[]): Buffer => {
    const h = createHash(algorithm);
    for (const p of parts) h.update(p);
    return h.digest();
  };
  const size = algorithm === "sha256" ? 32 : 64;
  const stretched = (from: Buffer, length: number): Buffer => {
    const out = Buffer.alloc(length);
    for (let i = 0; i < length; i++) out[i] = from[i % size];
    return out;
  };

  const alternate = sum(key, salt, key);
  const first = createHash(algorithm).update(key).update(salt)
    .update(stretched(alternate, key.length));
  for (let n = key.length; n > 0; n >>>= 1) first.update((n & 1) !== 0 ? alternate : key);
  let digest: Buffer = first.digest();

  const keys = createHash(algorithm);
  for (let i = 0; i < key.length; i++) keys.update(key);
  const p = stretched(keys.digest(), key.length);
  const salts = createHash(algorithm);
  for (let i = 0; i < 16 + digest[0]; i++) salts.update(salt);
  const s = stretched(salts.digest(), salt.length);

  for (let round = 0; round < hash.rounds; round++) {
    const odd = (round & 1) !== 0;
    const parts: Uint8Array[] = [odd ? p : digest];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push(odd ? digest : p);
    digest = sum(Buffer.concat(parts));
  }
  return encode(digest, algorithm);
}

function encode(digest: Buffer, algorithm: ShaCrypt["algorithm"]): string {
  const order = orders[algorithm];
  let out = "";
  const put = (bits: number, count: number) => {
    for (let i = 0; i < count; i++) out += digits[bits >>> (6 * i) & 63];
  };
  const whole = Math.floor(digest.length / 3) * 3;
  for (let i = 0; i < whole; i += 3) {
    put(digest[order[i]] << 16 | digest[order[i + 1]] << 8 | digest[order[i + 2]], 4);
  }
  if (algorithm === "sha256") put(digest[31] << 8 | digest[30], 3);
  else put(digest[63], 2);
  return out;
}
