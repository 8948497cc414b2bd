/**
 * Tokens in addresses and links of lists: the id of a row, and a code that only this server can make. Whoever has one
 * received it by mail, so it replaces a login.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";

/** What a token permits. */
export type TokenPurpose =
  /** A member, in the envelope sender of messages to it: bounces. */
  | "bounce"
  /** The same in a probe. */
  | "probe"
  /** A member may leave. */
  | "leave"
  /** A request is confirmed: subscribing, leaving. */
  | "confirm"
  /** An owner decides about a held message or a request. */
  | "approve"
  | "reject"
  | "discard"
  | "admit"
  /** Somebody reads the archive, until a time. */
  | "read";

/** Letters in tokens for their purpose. */
const letters: Record<TokenPurpose, string> = {
  bounce: "b",
  probe: "p",
  leave: "l",
  confirm: "c",
  approve: "a",
  reject: "r",
  discard: "d",
  admit: "m",
  read: "v",
};

const alphabet = "abcdefghijklmnopqrstuvwxyz234567";
/** Characters of a code, five bits each. */
const codeLength = 13;

function code(key: Uint8Array, purpose: TokenPurpose, list: string, id: string): string {
  const mac = createHmac("sha256", key).update(`${purpose}\n${list}\n${id}`).digest();
  let out = "";
  let bits = 0;
  let value = 0;
  for (const byte of mac) {
    value = (value << 8 | byte) & 0xfff;
    for (bits += 8; bits >= 5 && out.length < codeLength; bits -= 5) {
      out += alphabet[value >> (bits - 5) & 31];
    }
  }
  return out;
}

/** Lower case, at most 21 characters for ids below 36^6, so that a localpart with the longest suffix can hold it. */
export function makeToken(
  key: Uint8Array,
  purpose: TokenPurpose,
  list: string,
  id: number,
): string {
  const text = id.toString(36);
  return `${letters[purpose]}${text}-${code(key, purpose, list, text)}`;
}

/** Parses a token; undefined if this server didn't make it for the list. */
export function readToken(
  key: Uint8Array,
  list: string,
  token: string,
): { purpose: TokenPurpose; id: number } | undefined {
  const m = /^([a-z])([0-9a-z]{1,10})-([a-z2-7]{13})$/.exec(token);
  if (!m) return undefined;
  const purpose = (Object.keys(letters) as TokenPurpose[]).find((p) => letters[p] === m[1]);
  const id = parseInt(m[2], 36);
  if (purpose === undefined || !Number.isSafeInteger(id)) return undefined;
  const right = new TextEncoder().encode(code(key, purpose, list, m[2]));
  return timingSafeEqual(right, new TextEncoder().encode(m[3])) ? { purpose, id } : undefined;
}
