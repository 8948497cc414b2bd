/** Verifies the chain of ARC seals (RFC 8617 §5.2). @module */
import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import type { Resolver } from "../dns/mod.ts";
import { ArcError, type ArcSet, collectArcSets } from "./arc_sets.ts";
import type { BodyHash, BodyHashRequest } from "./canonical.ts";
import { keyMismatch, lookupDkimKey, verifySignature } from "./dkim_keys.ts";
import { fieldText } from "./header_fields.ts";
import { type SignedHeader, withoutSignatureValue } from "./signed_header.ts";

/** Outcome for the chain. */
export interface ArcOutcome {
  result: "none" | "pass" | "fail";
  /** Hops, oldest first, if their fields are complete. */
  chain: { instance: number; domain: string; selector: string }[];
  /** The results that the newest hop saw: the text after "i=N;". Believe it only on pass. */
  lastResults?: string;
  /** The highest instance found; 0 without any. */
  instance: number;
  /** The chain was already sealed as failed: no further seal must be added. */
  sealedAsFailed: boolean;
  /** True if a key was temporarily unavailable: later the chain may pass. */
  temporary: boolean;
  error?: string;
}

/** Parsed sets that wait for keys and the body hash. */
export type PendingArc = { sets: ArcSet[] } | { outcome: ArcOutcome };

/** Reads the sets of a header. */
export function readArc(signed: SignedHeader): PendingArc {
  const none = { chain: [], instance: 0, sealedAsFailed: false, temporary: false };
  try {
    const sets = collectArcSets(signed.header);
    return sets.length > 0 ? { sets } : { outcome: { ...none, result: "none" } };
  } catch (err) {
    if (!(err instanceof ArcError)) throw err;
    const { instance, sealedAsFailed, message } = err;
    return {
      outcome: { ...none, result: "fail", instance, sealedAsFailed, error: message },
    };
  }
}

/** The body hash for the newest message signature. */
export function arcBodyHashRequest(pending: PendingArc): BodyHashRequest | undefined {
  const ams = "sets" in pending ? pending.sets.at(-1)!.ams : undefined;
  return ams && { form: ams.bodyForm, length: ams.bodyLength };
}

/** Evaluates the newest message signature and all seals. */
export async function verifyArc(
  pending: PendingArc,
  signed: SignedHeader,
  bodyHash: Promise<BodyHash> | undefined,
  resolver: Resolver,
): Promise<ArcOutcome> {
  if ("outcome" in pending) return pending.outcome;
  const { sets } = pending;
  const newest = sets[sets.length - 1];
  const results = fieldText(signed.header, newest.results);
  const outcome: ArcOutcome = {
    result: "pass",
    chain: sets.map((set) => ({
      instance: set.instance,
      domain: set.as.domain,
      selector: set.as.selector,
    })),
    lastResults: results.slice(results.indexOf(";") + 1).trim(),
    instance: newest.instance,
    sealedAsFailed: false,
    temporary: false,
  };
  const fail = (error: string, temporary = false): ArcOutcome => ({
    ...outcome,
    result: "fail",
    temporary,
    error,
  });
  if (signed.header.overflow) return fail("header too large");

  // Step 4: the newest message signature.
  const { ams } = newest;
  const data = Buffer.concat([
    ...signed.select(ams.headers).map((f) => signed.canonical(f, ams.headerForm)),
    withoutSignatureValue(signed.canonical(newest.messageSignature, ams.headerForm)),
  ]);
  const amsError = await check(resolver, ams, data);
  if (amsError) {
    return fail(`message signature ${newest.instance}: ${amsError.error}`, amsError.temporary);
  }
  const body = await bodyHash!;
  if (!timingSafeEqual(body.digest, ams.bodyHash) || !body.complete) {
    return fail(`message signature ${newest.instance}: body hash does not match`);
  }

  // Step 6: each seal signs the sets up to its own.
  const parts: Uint8Array[] = [];
  for (const set of sets) {
    parts.push(signed.canonical(set.results, "relaxed"));
    parts.push(signed.canonical(set.messageSignature, "relaxed"));
    const seal = signed.canonical(set.seal, "relaxed");
    const sealed = Buffer.concat([...parts, withoutSignatureValue(seal)]);
    parts.push(seal);
    const error = await check(resolver, set.as, sealed);
    if (error) return fail(`seal ${set.instance}: ${error.error}`, error.temporary);
  }
  return outcome;
}

async function check(
  resolver: Resolver,
  sig: {
    domain: string;
    selector: string;
    algorithm: "rsa-sha256" | "ed25519-sha256";
    signature: Uint8Array;
  },
  data: Uint8Array,
): Promise<{ error: string; temporary: boolean } | undefined> {
  const found = await lookupDkimKey(resolver, sig.selector, sig.domain);
  if ("status" in found) return { error: found.error, temporary: found.status === "temperror" };
  const mismatch = keyMismatch(found.key, sig.algorithm);
  if (mismatch) return { error: mismatch, temporary: false };
  return verifySignature(sig.algorithm, data, found.key.key, sig.signature)
    ? undefined
    : { error: "signature does not match", temporary: false };
}
