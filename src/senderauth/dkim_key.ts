/** Public keys published by domains (RFC 6376 §3.6.1, RFC 8463). @module */
import { createPublicKey, type KeyObject } from "node:crypto";
import { Buffer } from "node:buffer";
import { DKIM_MAX_KEY_RECORD, RSA_MAX_BITS, RSA_MIN_BITS } from "./limits.ts";
import { decodeBase64, parseTagList, TagListError, withoutWhiteSpace } from "./tag_list.ts";

/** A key record with its key. */
export interface DkimKey {
  type: "rsa" | "ed25519";
  key: KeyObject;
  /** Bits of an RSA modulus; 256 for Ed25519. */
  bits: number;
  /** Hash algorithms that the domain allows; undefined for all. */
  hashes?: string[];
  /** Flag y: the domain is testing. */
  testing: boolean;
  /** Flag s: the domain of i= must be that of d=. */
  strictIdentity: boolean;
  /** Service types: true if mail is among them. */
  forMail: boolean;
}

/**
 * Why a record gives no key. `revoked`: stated by the record; `weak`: see limits.ts; otherwise it is malformed.
 */
export class DkimKeyError extends Error {
  readonly reason: "revoked" | "weak" | "syntax";
  constructor(reason: DkimKeyError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DkimKeyError";
    this.reason = reason;
  }
}

/** True if a TXT record looks like a key record: names may have other records too. */
export function isDkimKeyRecord(text: string): boolean {
  const compact = withoutWhiteSpace(text.slice(0, 64));
  if (compact.startsWith("v=")) return compact.startsWith("v=DKIM1");
  // The version is optional; the key is not.
  return /(^|;)p=/.test(withoutWhiteSpace(text.slice(0, DKIM_MAX_KEY_RECORD)));
}

/** Parses a key record. Throws {@link DkimKeyError}. */
export function parseDkimKey(text: string): DkimKey {
  if (text.length > DKIM_MAX_KEY_RECORD) throw new DkimKeyError("syntax", "key record too long");
  let tags: Map<string, string>;
  try {
    tags = parseTagList(text);
  } catch (err) {
    if (!(err instanceof TagListError)) throw err;
    throw new DkimKeyError("syntax", `key record: ${err.message}`, { cause: err });
  }
  const version = tags.get("v");
  // RFC 6376 §3.6.1: if given it is "DKIM1" and comes first.
  if (version !== undefined && (version !== "DKIM1" || tags.keys().next().value !== "v")) {
    throw new DkimKeyError("syntax", "key record has another version");
  }
  const type = (tags.get("k") ?? "rsa").toLowerCase();
  if (type !== "rsa" && type !== "ed25519") {
    throw new DkimKeyError("syntax", "unknown key type");
  }
  const p = tags.get("p");
  if (p === undefined) throw new DkimKeyError("syntax", "key record without key");
  if (p === "") throw new DkimKeyError("revoked", "key was revoked");
  const der = decodeBase64(p);
  if (!der) throw new DkimKeyError("syntax", "key is not base64");
  const list = (tag: string) =>
    tags.has(tag) ? withoutWhiteSpace(tags.get(tag)!).toLowerCase().split(":") : undefined;
  const flags = list("t") ?? [];
  const services = list("s") ?? ["*"];
  const { key, bits } = type === "rsa" ? rsaKey(der) : ed25519Key(der);
  return {
    type,
    key,
    bits,
    hashes: list("h"),
    testing: flags.includes("y"),
    strictIdentity: flags.includes("s"),
    forMail: services.includes("*") || services.includes("email"),
  };
}

function rsaKey(der: Uint8Array): { key: KeyObject; bits: number } {
  let key: KeyObject | undefined;
  // RFC 6376 §3.6.1 says RSAPublicKey, but means SubjectPublicKeyInfo (erratum 3017): both are used.
  for (const type of ["spki", "pkcs1"] as const) {
    try {
      key = createPublicKey({ key: Buffer.from(der), format: "der", type });
      break;
    } catch {
      // The other form is tried, then the error below.
    }
  }
  if (key?.asymmetricKeyType !== "rsa") throw new DkimKeyError("syntax", "not an RSA key");
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < RSA_MIN_BITS) throw new DkimKeyError("weak", `RSA key of ${bits} bits is too short`);
  if (bits > RSA_MAX_BITS) throw new DkimKeyError("weak", `RSA key of ${bits} bits is too long`);
  return { key, bits };
}

/** The prefix of the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410 §4). */
const ed25519Prefix = Buffer.from("302a300506032b6570032100", "hex");

function ed25519Key(raw: Uint8Array): { key: KeyObject; bits: number } {
  if (raw.length !== 32) throw new DkimKeyError("syntax", "Ed25519 key is not of 32 bytes");
  try {
    const key = createPublicKey({
      key: Buffer.concat([ed25519Prefix, raw]),
      format: "der",
      type: "spki",
    });
    return { key, bits: 256 };
  } catch (err) {
    throw new DkimKeyError("syntax", "not an Ed25519 key", { cause: err });
  }
}
