/** Looks up and caches public keys. @module */
import { createHash, type KeyObject, verify } from "node:crypto";
import { DnsError, type Resolver } from "../dns/mod.ts";
import { type DkimKey, DkimKeyError, isDkimKeyRecord, parseDkimKey } from "./dkim_key.ts";
import type { SignatureTags } from "./dkim_signature.ts";

/** Most keys cached, by their record's text: the DNS cache keeps the records themselves. */
const MAX_KEPT_KEYS = 1000;
const keys = new Map<string, DkimKey>();

/** Outcome of a key lookup. */
export type KeyLookup =
  | { key: DkimKey; authenticated: boolean }
  | { status: "temperror" | "permerror" | "policy"; error: string; authenticated: boolean };

/** The key of a selector (RFC 6376 §3.6.2). Never throws because of the DNS or the record. */
export async function lookupDkimKey(
  resolver: Resolver,
  selector: string,
  domain: string,
): Promise<KeyLookup> {
  const name = `${selector}._domainkey.${domain}`;
  let texts: string[];
  let authenticated: boolean;
  try {
    const answer = await resolver.lookup(name, "TXT");
    texts = answer.records.filter(isDkimKeyRecord);
    authenticated = answer.authenticated;
  } catch (err) {
    if (!(err instanceof DnsError)) throw err;
    return {
      status: err.temporary ? "temperror" : "permerror",
      error: err.notFound ? "no key" : err.message,
      authenticated: err.authenticated,
    };
  }
  if (texts.length !== 1) {
    // RFC 6376 §3.6.2.2: the result of several records is undefined.
    const error = texts.length === 0 ? "no key" : "more than one key record";
    return { status: "permerror", error, authenticated };
  }
  try {
    return { key: keptKey(texts[0]), authenticated };
  } catch (err) {
    if (!(err instanceof DkimKeyError)) throw err;
    const status = err.reason === "weak" ? "policy" : "permerror";
    return { status, error: err.message, authenticated };
  }
}

function keptKey(text: string): DkimKey {
  const known = keys.get(text);
  if (known) return known;
  const key = parseDkimKey(text);
  if (keys.size >= MAX_KEPT_KEYS) {
    for (const oldest of keys.keys()) {
      keys.delete(oldest);
      break;
    }
  }
  keys.set(text, key);
  return key;
}

/** Why a key may not be used for this signature; undefined if it may. */
export function keyMismatch(
  key: DkimKey,
  algorithm: SignatureTags["algorithm"],
): string | undefined {
  if (!algorithm.startsWith(key.type)) return "key is of another type than the signature";
  if (!key.forMail) return "key is not for mail";
  if (key.hashes && !key.hashes.includes("sha256")) return "key is not for SHA-256";
  return undefined;
}

/** Checks a signature over data. Ed25519 signs its hash (RFC 8463 §3). */
export function verifySignature(
  algorithm: SignatureTags["algorithm"],
  data: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
): boolean {
  try {
    return algorithm === "rsa-sha256"
      ? verify("sha256", data, key, signature)
      : verify(null, createHash("sha256").update(data).digest(), key, signature);
  } catch {
    // A signature of an impossible length.
    return false;
  }
}
