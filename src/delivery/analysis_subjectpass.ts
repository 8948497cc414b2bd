/**
 * Subject passes: a sender whose good message looks like spam is told to send it again with a token
 * in the subject. The token is bound to the From address and to a time.
 *
 * Form: `(pass:<base64url>)` of 4 bits version (0), 28 bits of time in units of 256 seconds, and 12
 * bytes of HMAC-SHA256 over those 4 bytes and the address.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { Buffer } from "node:buffer";

const prefix = "(pass:";
const macBytes = 12;
const timeUnit = 256 * 1000;

/** Text before the token in the answer to the sender. */
export const subjectPassExplanation =
  "Your message looks like spam. If it is not, please send it again with this added to its subject: ";

function mac(key: Uint8Array, head: Uint8Array, from: string): Uint8Array {
  return createHmac("sha256", key).update(head).update(from).digest().subarray(0, macBytes);
}

/** A token for messages from this address (localpart@domain), valid from the given time. */
export function generateSubjectPass(from: string, key: Uint8Array, now: number): string {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, Math.floor(now / timeUnit) & 0x0fffffff);
  const token = Buffer.concat([head, mac(key, head, from)]);
  return `${prefix}${token.toString("base64url")})`;
}

/** The result of checking a subject's token. */
export type SubjectPassResult = "ok" | "absent" | "invalid" | "wrong" | "expired";

/** Looks for a token in a subject and checks it. */
export function verifySubjectPass(
  subject: string,
  from: string | undefined,
  key: Uint8Array,
  periodMs: number,
  now: number,
): SubjectPassResult {
  const start = subject.indexOf(prefix);
  const end = start < 0 ? -1 : subject.indexOf(")", start);
  if (end < 0) return "absent";
  const encoded = subject.slice(start + prefix.length, end);
  if (from === undefined || !/^[A-Za-z0-9_-]{22}$/.test(encoded)) return "invalid";
  const token = Buffer.from(encoded, "base64url");
  if (token.length !== 4 + macBytes || token[0] >> 4 !== 0) return "invalid";
  const head = token.subarray(0, 4);
  if (!timingSafeEqual(token.subarray(4), mac(key, head, from))) return "wrong";
  const made = head.readUInt32BE(0) * timeUnit;
  return now - made > periodMs + timeUnit || made > now ? "expired" : "ok";
}
