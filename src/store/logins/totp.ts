/**
 * Time-based one-time passwords (RFC 6238) with SHA-1, six digits and steps of 30 seconds, as apps generate
 * them. @module
 */
import { createHmac, randomBytes } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const stepMs = 30_000;
const digits = 6;

/** A new key: 20 random bytes in base32. */
export function newTotpKey(): string {
  return [...randomBytes(32)].map((b) => alphabet[b & 31]).join("");
}

/** Bytes of a key in base32 (RFC 4648 §6); undefined if it is not one. */
function keyBytes(key: string): Uint8Array | undefined {
  const out: number[] = [];
  let bits = 0;
  let value = 0;
  for (const c of key.toUpperCase()) {
    const i = alphabet.indexOf(c);
    if (i < 0) return undefined;
    value = (value << 5) | i;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out.push((value >> bits) & 255);
    }
    value &= 255;
  }
  return Uint8Array.from(out);
}

/** The code of a step (RFC 4226 §5.3). */
export function totpCode(key: string, step: number): string {
  const counter = new Uint8Array(8);
  new DataView(counter.buffer).setBigUint64(0, BigInt(step));
  const mac = createHmac("sha1", keyBytes(key) ?? new Uint8Array(0)).update(counter).digest();
  const at = mac[mac.length - 1] & 15;
  const number = mac.readUInt32BE(at) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/** The step of a time in milliseconds since the epoch. */
export function totpStep(now: number): number {
  return Math.floor(now / stepMs);
}

/**
 * The step that a code belongs to: the current one, or one before or after as clocks differ (RFC 6238 §5.2),
 * but later than the last used one. Undefined if the code is wrong.
 */
export function matchingStep(
  key: string,
  code: string,
  now: number,
  lastUsed: number,
): number | undefined {
  const current = totpStep(now);
  for (const step of [current, current - 1, current + 1]) {
    if (step > lastUsed && totpCode(key, step) === code) return step;
  }
  return undefined;
}
