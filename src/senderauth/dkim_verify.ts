/** Verifies the DKIM signatures of a message (RFC 6376 §6). @module */
import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import { isUnder, type Resolver } from "../dns/mod.ts";
import type { BodyHash, BodyHashRequest } from "./canonical.ts";
import { type DkimSignature, DkimSignatureError, parseDkimSignature } from "./dkim_signature.ts";
import { keyMismatch, lookupDkimKey, verifySignature } from "./dkim_keys.ts";
import { fieldText, type HeaderField } from "./header_fields.ts";
import { DKIM_MAX_SIGNATURES } from "./limits.ts";
import { type SignedHeader, withoutSignatureValue } from "./signed_header.ts";

/**
 * RFC 8601 §2.7.1: `pass`; `fail`: invalid; `policy`: valid, perhaps, but proves too little to count;
 * `neutral`: unreadable; `temperror`: key temporarily unavailable; `permerror`: no usable key, or expired.
 */
export type DkimStatus = "pass" | "fail" | "policy" | "neutral" | "temperror" | "permerror";

/** Result of one signature. */
export interface DkimOutcome {
  status: DkimStatus;
  /** d= and s=, if readable. */
  domain?: string;
  selector?: string;
  /** i=: the user or agent on whose behalf it signs. */
  identity?: string;
  algorithm?: DkimSignature["algorithm"];
  /** The first characters of b=, which distinguish signatures of one domain (RFC 6008). */
  signatureStart?: string;
  /** The domain says that it is only testing DKIM (t=y). */
  testing: boolean;
  /** True if the DNS answer with the key was authenticated. */
  recordAuthenticated: boolean;
  /** Bits of the key. */
  keyBits?: number;
  /** Body bytes that l= left unsigned. If there are any, the status is `policy`. */
  unsignedBodyBytes?: number;
  /** What is wrong, on anything but pass. */
  error?: string;
}

/** A parsed signature that waits for its key and body hash. */
export interface PendingSignature {
  field: HeaderField;
  signature?: DkimSignature;
  /** The result, if parsing already gave one. */
  outcome?: DkimOutcome;
}

/** Reads the signature fields, at most {@link DKIM_MAX_SIGNATURES} from the top. */
export function readSignatures(
  signed: SignedHeader,
): { pending: PendingSignature[]; skipped: number } {
  const fields = signed.header.fields.filter((f) => f.name === "dkim-signature");
  const pending = fields.slice(0, DKIM_MAX_SIGNATURES).map((field): PendingSignature => {
    try {
      return { field, signature: parseDkimSignature(fieldText(signed.header, field)) };
    } catch (err) {
      if (!(err instanceof DkimSignatureError)) throw err;
      return {
        field,
        outcome: {
          status: err.reason === "syntax" ? "neutral" : "policy",
          domain: err.domain,
          selector: err.selector,
          testing: false,
          recordAuthenticated: false,
          error: err.message,
        },
      };
    }
  });
  return { pending, skipped: fields.length - pending.length };
}

/** The body hash for a signature. */
export function bodyHashRequest(signature: DkimSignature): BodyHashRequest {
  return { form: signature.bodyForm, length: signature.bodyLength };
}

/** Evaluates one signature against the body hash that {@link bodyHashRequest} requested. */
export async function verifyDkim(
  pending: PendingSignature,
  signed: SignedHeader,
  bodyHash: Promise<BodyHash>,
  resolver: Resolver,
  now: Date,
): Promise<DkimOutcome> {
  const sig = pending.signature;
  if (!sig) return pending.outcome!;
  const found = await lookupDkimKey(resolver, sig.selector, sig.domain);
  const outcome: DkimOutcome = {
    status: "pass",
    domain: sig.domain,
    selector: sig.selector,
    identity: sig.identity,
    algorithm: sig.algorithm,
    signatureStart: Buffer.from(sig.signature.subarray(0, 6)).toString("base64"),
    testing: false,
    recordAuthenticated: found.authenticated,
  };
  const end = (status: DkimStatus, error: string): DkimOutcome => ({ ...outcome, status, error });
  // Expiry says more than a missing key: old selectors are removed.
  if (sig.expiresAt !== undefined && sig.expiresAt < now.getTime() / 1000) {
    return end("permerror", "signature expired");
  }
  if ("status" in found) return end(found.status, found.error);
  const { key } = found;
  outcome.testing = key.testing;
  outcome.keyBits = key.bits;
  const mismatch = keyMismatch(key, sig.algorithm);
  if (mismatch) return end("permerror", mismatch);
  // RFC 6376 §3.6.1: flag s.
  if (key.strictIdentity && sig.identityDomain !== sig.domain) {
    return end("permerror", "i= is a subdomain, which the key does not allow");
  }
  if (signed.header.overflow) return end("permerror", "header too large");

  const data = Buffer.concat([
    ...signed.select(sig.headers).map((f) => signed.canonical(f, sig.headerForm)),
    withoutSignatureValue(signed.canonical(pending.field, sig.headerForm)),
  ]);
  if (!verifySignature(sig.algorithm, data, key.key, sig.signature)) {
    return end("fail", "signature does not match");
  }
  const body = await bodyHash;
  if (sig.bodyLength !== undefined && sig.bodyLength > body.canonicalLength) {
    return end("permerror", "l= is larger than the body");
  }
  if (!timingSafeEqual(body.digest, sig.bodyHash)) return end("fail", "body hash does not match");
  if (!body.complete) {
    // RFC 6376 §8.2: text added to the body may be all that a reader sees.
    outcome.unsignedBodyBytes = body.canonicalLength - sig.bodyLength!;
    return end("policy", "l= leaves a part of the body unsigned");
  }
  if (!sig.headers.includes("subject") && signed.count("subject") > 0) {
    return end("policy", "the subject is not signed");
  }
  return outcome;
}

/** True if the signature's domain is this one or above it. */
export function signsFor(outcome: DkimOutcome, domain: string): boolean {
  return outcome.domain !== undefined && isUnder(domain, outcome.domain);
}
