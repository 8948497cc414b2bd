/** The DKIM-Signature field as a value (RFC 6376 §3.5). @module */
import { isUnder, normalizeName } from "../dns/mod.ts";
import type { Canonicalization } from "./canonical.ts";
import { DKIM_MAX_SIGNATURE_FIELD } from "./limits.ts";
import {
  decodeBase64,
  parseDigits,
  parseTagList,
  TagListError,
  withoutWhiteSpace,
} from "./tag_list.ts";

export interface DkimSignature {
  algorithm: "rsa-sha256" | "ed25519-sha256";
  signature: Uint8Array;
  bodyHash: Uint8Array;
  headerForm: Canonicalization;
  bodyForm: Canonicalization;
  /** d=, in lower case and ASCII. */
  domain: string;
  /** Signed header names in lower case, in the order of h=. */
  headers: string[];
  /** i= as given, or "@" and the domain. */
  identity: string;
  /** The domain of i= in ASCII. */
  identityDomain: string;
  /** l=: signed bytes of the canonical body. */
  bodyLength?: number;
  selector: string;
  /** t= and x= in seconds since 1970. */
  signedAt?: number;
  expiresAt?: number;
}

/**
 * A field that can't be evaluated as a signature. `syntax` ones are neutral for the message, `policy` ones are
 * well formed but of a kind that proves nothing; the error contains the readable parts.
 */
export class DkimSignatureError extends Error {
  readonly reason: "syntax" | "policy";
  readonly domain?: string;
  readonly selector?: string;
  constructor(
    reason: DkimSignatureError["reason"],
    message: string,
    about: { domain?: string; selector?: string } = {},
  ) {
    super(message);
    this.name = "DkimSignatureError";
    this.reason = reason;
    this.domain = about.domain;
    this.selector = about.selector;
  }
}

/** Most names in h=. */
const MAX_SIGNED_HEADERS = 1000;

/** The common parts of DKIM and ARC signatures. */
export type SignatureTags = Omit<DkimSignature, "identity" | "identityDomain">;

/** Parses the value of a DKIM-Signature field. Throws {@link DkimSignatureError}. */
export function parseDkimSignature(value: string): DkimSignature {
  const tags = signatureTagList(value);
  const about = { domain: asciiDomain(tags.get("d")), selector: asciiDomain(tags.get("s")) };
  if (tags.get("v") !== "1") throw new DkimSignatureError("syntax", "version is not 1", about);
  const common = parseSignatureTags(tags);
  const identity = withoutWhiteSpace(tags.get("i") ?? `@${common.domain}`);
  const at = identity.lastIndexOf("@");
  const identityDomain = at < 0 ? undefined : normalizeName(identity.slice(at + 1));
  if (identityDomain === undefined || !isUnder(identityDomain, common.domain)) {
    throw new DkimSignatureError("syntax", "i= is not under d=", about);
  }
  // RFC 6376 §6.1.1: the From field must be signed.
  if (!common.headers.includes("from")) {
    throw new DkimSignatureError("syntax", "From is not signed", about);
  }
  return { ...common, identity, identityDomain };
}

/** The tags of a signature field, bounded. Throws {@link DkimSignatureError}. */
export function signatureTagList(value: string): Map<string, string> {
  if (value.length > DKIM_MAX_SIGNATURE_FIELD) {
    throw new DkimSignatureError("syntax", "signature field too long");
  }
  try {
    return parseTagList(value);
  } catch (err) {
    if (!(err instanceof TagListError)) throw err;
    throw new DkimSignatureError("syntax", err.message);
  }
}

/** The tags a, b, bh, c, d, h, l, q, s, t and x. Throws {@link DkimSignatureError}. */
export function parseSignatureTags(tags: Map<string, string>): SignatureTags {
  const domain = asciiDomain(tags.get("d"));
  const selector = asciiDomain(tags.get("s"));
  const fail = (reason: "syntax" | "policy", message: string): never => {
    throw new DkimSignatureError(reason, message, { domain, selector });
  };
  if (!domain?.includes(".")) return fail("syntax", "d= is no domain");
  if (selector === undefined) return fail("syntax", "s= is no selector");

  const algorithm = tags.get("a")?.toLowerCase();
  // RFC 8301 §3.1: rsa-sha1 must not be relied on.
  if (algorithm === "rsa-sha1") return fail("policy", "rsa-sha1 proves nothing");
  if (algorithm !== "rsa-sha256" && algorithm !== "ed25519-sha256") {
    return fail("syntax", "unknown algorithm");
  }
  const signature = decodeBase64(tags.get("b") ?? "");
  if (!signature?.length) return fail("syntax", "b= is no signature");
  const bodyHash = decodeBase64(tags.get("bh") ?? "");
  if (bodyHash?.length !== 32) return fail("syntax", "bh= is no SHA-256 hash");

  const [headerForm = "", bodyForm = "simple"] = (tags.get("c") ?? "simple").toLowerCase().split(
    "/",
    3,
  );
  if (!isForm(headerForm) || !isForm(bodyForm)) return fail("syntax", "unknown canonical form");

  const names = withoutWhiteSpace(tags.get("h") ?? "").toLowerCase().split(
    ":",
    MAX_SIGNED_HEADERS + 1,
  );
  if (names.length > MAX_SIGNED_HEADERS) return fail("syntax", "h= has too many names");
  if (names.includes("")) return fail("syntax", "h= has an empty name");

  const number = (tag: string, digits: number): number | undefined => {
    const text = tags.get(tag);
    if (text === undefined) return undefined;
    return parseDigits(text, digits) ?? fail("syntax", `${tag}= is no number`);
  };
  const q = tags.get("q");
  // RFC 6376 §3.5: "dns/txt" is the only method.
  if (q !== undefined && !withoutWhiteSpace(q).toLowerCase().split(":").includes("dns/txt")) {
    return fail("syntax", "unknown query method");
  }
  const signedAt = number("t", 12);
  const expiresAt = number("x", 12);
  if (signedAt !== undefined && expiresAt !== undefined && expiresAt < signedAt) {
    return fail("syntax", "x= is before t=");
  }
  return {
    algorithm,
    signature,
    bodyHash,
    headerForm,
    bodyForm,
    domain,
    headers: names,
    bodyLength: number("l", 15),
    selector,
    signedAt,
    expiresAt,
  };
}

function isForm(s: string): s is Canonicalization {
  return s === "simple" || s === "relaxed";
}

function asciiDomain(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const name = normalizeName(withoutWhiteSpace(text));
  // These are used in header fields and answers written by this server.
  return name !== undefined && /^[a-z0-9._-]+$/.test(name) ? name : undefined;
}
