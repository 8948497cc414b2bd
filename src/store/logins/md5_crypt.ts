/**
 * MD5-crypt, the `$1$` hashes of older Unix password files: too weak to keep, but common in accounts moved from
 * other servers.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";

const digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** The order of the digest's bytes: three make four digits each; the last byte makes two. */
const order = [0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5];

function md5(...parts: Uint8Array[]): Buffer {
  const h = createHash("md5");
  for (const p of parts) h.update(p);
  return h.digest();
}

/** The digits after the last dollar, for a password and the salt before them. */
export function md5Crypt(password: string, saltText: string): string {
  const key = Buffer.from(password);
  const salt = Buffer.from(saltText);
  const alternate = md5(key, salt, key);
  const first = createHash("md5").update(key).update("$1$").update(salt);
  for (let left = key.length; left > 0; left -= 16) {
    first.update(alternate.subarray(0, Math.min(16, left)));
  }
  const zero = Buffer.alloc(1);
  for (let n = key.length; n > 0; n >>>= 1) {
    first.update((n & 1) !== 0 ? zero : key.subarray(0, 1));
  }
  let digest: Buffer = first.digest();
  for (let round = 0; round < 1000; round++) {
    const odd = (round & 1) !== 0;
    const parts: Uint8Array[] = [odd ? key : digest];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(key);
    parts.push(odd ? digest : key);
    digest = md5(...parts);
  }
  let out = "";
  const put = (bits: number, count: number) => {
    for (let i = 0; i < count; i++) out += digits[bits >>> (6 * i) & 63];
  };
  for (let i = 0; i < 15; i += 3) {
    put(digest[order[i]] << 16 | digest[order[i + 1]] << 8 | digest[order[i + 2]], 4);
  }
  put(digest[11], 2);
  return out;
}
