/**
 * Sender authentication: SPF, DKIM, DMARC, ARC and iprev of incoming mail, the header fields with the results,
 * and DKIM signatures and ARC seals for outgoing mail.
 *
 * {@link authenticate} does all checks of one message together, in one pass over its body. It never throws
 * because of the message or the DNS: each check has a result. limits.ts bounds the cost of one message.
 *
 * May import platform, log, metrics and dns. Used by delivery, queue, smtp and commands.
 *
 * @module
 */
import type { Resolver } from "../dns/mod.ts";
import type { Log } from "../log/mod.ts";
import { arcBodyHashRequest, readArc, verifyArc } from "./arc_verify.ts";
import { authorDomain } from "./author.ts";
import { limitLookups } from "./budget.ts";
import { type BodyHash, hashBody, type MessageSource } from "./canonical.ts";
import { bodyHashRequest, readSignatures, verifyDkim } from "./dkim_verify.ts";
import { checkDmarc } from "./dmarc.ts";
import type { DmarcMethod } from "./dmarc_discovery.ts";
import { scanHeader } from "./header_fields.ts";
import { checkIprev } from "./iprev.ts";
import { LOOKUP_LIMITS, MAX_LOOKUP_MS } from "./limits.ts";
import { countResults } from "./metrics.ts";
import { signedHeader } from "./signed_header.ts";
import type { SenderAuth } from "./outcome.ts";
import { checkSpf } from "./spf.ts";

export { type ArcOutcome } from "./arc_verify.ts";
export { sealArc } from "./arc_seal.ts";
export { type AuthorDomain, authorDomain } from "./author.ts";
export { bytesSource, type Canonicalization, type MessageSource } from "./canonical.ts";
export { type DkimKey, DkimKeyError, isDkimKeyRecord, parseDkimKey } from "./dkim_key.ts";
export { type KeyLookup, lookupDkimKey } from "./dkim_keys.ts";
export {
  defaultSignedHeaders,
  type DkimSigner,
  signDkim,
  signedBodies,
  signHeader,
} from "./dkim_sign.ts";
export { type DkimSignature, DkimSignatureError, parseDkimSignature } from "./dkim_signature.ts";
export { type DkimOutcome, type DkimStatus } from "./dkim_verify.ts";
export { type DmarcOutcome } from "./dmarc.ts";
export {
  discoverDmarc,
  type DmarcDiscovery,
  type DmarcMethod,
  listedOrganization,
} from "./dmarc_discovery.ts";
export {
  type DmarcPolicy,
  type DmarcRecord,
  type DmarcUri,
  isDmarcRecord,
  parseDmarcRecord,
} from "./dmarc_record.ts";
export {
  type HeaderRange,
  isOwnResult,
  readAuthservId,
  stripForgedResults,
} from "./forged_results.ts";
export { bodyStart, scanHeader } from "./header_fields.ts";
export { type IprevOutcome } from "./iprev.ts";
export {
  authenticationResults,
  formatResults,
  type MethodResult,
  methodResults,
  receivedSpf,
} from "./results_header.ts";
export { type SenderAuth } from "./outcome.ts";
export { checkSpf, type SpfInput, type SpfOutcome, type SpfResult } from "./spf.ts";
export { isSpfRecord, parseSpfRecord, type SpfRecord } from "./spf_record.ts";
export { SpfSyntaxError } from "./spf_error.ts";
export { Srs, type SrsAddress } from "./srs.ts";

/** A message and its envelope. */
export interface AuthenticateInput {
  /** The client's IP address in text. */
  remoteIp: string;
  /** Argument of HELO or EHLO. */
  ehlo: string;
  /** The reverse path without brackets, "" for the null one. */
  mailFrom: string;
  /** The message's header as received, including its empty line. */
  headerBytes: Uint8Array;
  /** The whole message as received, including the header. */
  message: MessageSource;
  /** Where the body starts in the message; by default after `headerBytes`. */
  bodyOffset?: number;
  resolver: Resolver;
  log: Log;
  /** This host's name. */
  hostname: string;
  now: Date;
  /** How DMARC finds organizational domains. By default "psl". */
  dmarcMethod?: DmarcMethod;
  /** For DMARC's pct=: a number from 0 up to 1. By default random. */
  random?: () => number;
}

/** Does all checks. Rejects only if the message is unreadable. */
export async function authenticate(input: AuthenticateInput): Promise<SenderAuth> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), MAX_LOOKUP_MS);
  try {
    return await runChecks(input, controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

async function runChecks(input: AuthenticateInput, signal: AbortSignal): Promise<SenderAuth> {
  const { log, now } = input;
  const started = performance.now();
  const limited = (check: keyof typeof LOOKUP_LIMITS) =>
    limitLookups(input.resolver, LOOKUP_LIMITS[check], signal);

  const signed = signedHeader(scanHeader(input.headerBytes));
  const { pending, skipped } = readSignatures(signed);
  const pendingArc = readArc(signed);

  // One pass over the body for all checks that need its hash, during the DNS lookups.
  const wanted = pending.flatMap((p) => p.signature ? [bodyHashRequest(p.signature)] : []);
  const arcWanted = arcBodyHashRequest(pendingArc);
  const requests = arcWanted ? [...wanted, arcWanted] : wanted;
  const hashes = hashBody(input.message, input.bodyOffset ?? input.headerBytes.length, requests);
  // Each check waits for it and rejects if it does; perhaps none is waiting yet.
  hashes.catch(() => {});
  let next = 0;
  const nextHash = (): Promise<BodyHash> => {
    const n = next++;
    return hashes.then((all) => all[n]);
  };

  const dkimResolver = limited("dkim");
  const dkimChecks = pending.map((p) =>
    verifyDkim(p, signed, p.signature ? lazily(nextHash()) : never, dkimResolver, now)
  );
  const [iprev, spf, dkim, arc] = await Promise.all([
    checkIprev(limited("iprev"), input.remoteIp),
    checkSpf({
      ip: input.remoteIp,
      helo: input.ehlo,
      mailFrom: input.mailFrom,
      resolver: limited("spf"),
      hostname: input.hostname,
      now,
    }),
    Promise.all(dkimChecks),
    verifyArc(pendingArc, signed, arcWanted && lazily(nextHash()), limited("arc")),
    // So that an unreadable message is an error whatever its signatures are.
    hashes,
  ]);
  const dmarc = await checkDmarc({
    author: authorDomain(signed.header),
    spf,
    dkim,
    resolver: limited("dmarc"),
    method: input.dmarcMethod ?? "psl",
    random: input.random ?? Math.random,
  });
  const auth: SenderAuth = { spf, dkim, dkimSkipped: skipped, dmarc, arc, iprev };
  const elapsed = performance.now() - started;
  countResults(auth, elapsed);
  if (log.enabled("debug")) {
    log.debug("sender authentication", {
      iprev: iprev.result,
      spf: spf.result,
      spfDomain: spf.domain,
      dkim: dkim.map((d) => `${d.domain ?? "?"}=${d.status}`).join(","),
      dmarc: dmarc.result,
      dmarcPolicy: dmarc.policy,
      arc: arc.result,
      ms: Math.round(elapsed),
    });
  }
  return auth;
}

/** For signatures decided by parsing, which never wait for a hash. */
const never = new Promise<BodyHash>(() => {});

/** A promise that may never be awaited: its failure is reported elsewhere then. */
function lazily<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
