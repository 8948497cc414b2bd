/**
 * DANE for SMTP: TLSA records of a host, and certificates against them (RFC 6698, 7671, 7672).
 *
 * @module
 */
import { createHash, X509Certificate } from "node:crypto";
import { DnsError, type Resolver, type TlsaRecord } from "../dns/mod.ts";
import type { DanePolicy, MxHost, TlsFailureDetail } from "./types.ts";

/** Certificates of a chain that are looked at. */
const maxChain = 10;

/** A record as it stands in zone files. */
export function tlsaText(r: TlsaRecord): string {
  const data = Array.from(r.data, (b) => b.toString(16).padStart(2, "0")).join("");
  return `${r.usage} ${r.selector} ${r.matchingType} ${data}`;
}

/** Usages of the public authorities (0 and 1) mean nothing between mail servers (RFC 7672 §3.1.3). */
export function usable(r: TlsaRecord): boolean {
  if (r.usage !== 2 && r.usage !== 3) return false;
  if (r.selector !== 0 && r.selector !== 1) return false;
  return r.matchingType === 0 && r.data.length > 0 ||
    r.matchingType === 1 && r.data.length === 32 || r.matchingType === 2 && r.data.length === 64;
}

/** Looks up what a host asks for. Never fails. */
export async function danePolicy(
  resolver: Resolver,
  mx: MxHost,
  signal: AbortSignal,
): Promise<DanePolicy> {
  if (!mx.authenticated) return { kind: "none" };
  // RFC 7672 §2.2.3: where CNAMEs lead to comes first, then the host itself.
  const names = mx.expanded === undefined || mx.expanded === mx.host
    ? [mx.host]
    : [mx.expanded, mx.host];
  for (const name of names) {
    let records: TlsaRecord[];
    try {
      const answer = await resolver.lookup(`_${mx.port}._tcp.${name}`, "TLSA", { signal });
      if (!answer.authenticated) continue;
      records = answer.records;
    } catch (err) {
      if (!(err instanceof DnsError)) throw err;
      if (err.notFound) continue;
      return {
        kind: "unavailable",
        failure: { resultType: "dnssec-invalid", reasonCode: err.kind, information: err.message },
      };
    }
    const policyString = records.map(tlsaText);
    const good = records.filter(usable);
    if (good.length === 0) return { kind: "encrypt", policyString };
    return {
      kind: "verify",
      serverName: name,
      policyString,
      verify: (chain) => verifyChain(good, chain, [...new Set([name, mx.host])]),
    };
  }
  return { kind: "none" };
}

/**
 * Checks a server's certificates against usable records.
 * @param names the host may have in its certificate, for usage 2
 * @returns what is wrong; undefined if one record matches
 */
export function verifyChain(
  records: readonly TlsaRecord[],
  chain: readonly Uint8Array[],
  names: readonly string[],
  now = Date.now(),
): TlsFailureDetail | undefined {
  const failure = (
    resultType: TlsFailureDetail["resultType"],
    information: string,
  ): TlsFailureDetail => ({ resultType, reasonCode: "", information });
  let certificates: X509Certificate[];
  try {
    certificates = chain.slice(0, maxChain).map((der) => new X509Certificate(der as never));
  } catch (err) {
    return failure("validation-failure", `certificate can't be read: ${(err as Error).message}`);
  }
  const [leaf] = certificates;
  if (leaf === undefined) return failure("validation-failure", "the server showed no certificate");
  // RFC 7671 §5.1: with usage 3 neither names nor dates count.
  if (records.some((r) => r.usage === 3 && matches(r, leaf))) return undefined;
  let why = failure("validation-failure", "no TLSA record matches the certificate");
  for (const r of records.filter((r) => r.usage === 2)) {
    const path = pathTo(r, certificates);
    if (path === undefined) continue;
    const late = path.find((c) => !(Date.parse(c.validFrom) <= now && now < Date.parse(c.validTo)));
    if (late !== undefined) {
      why = failure("certificate-expired", `${late.subject} is not valid now`);
    } else if (!names.some((n) => leaf.checkHost(n) !== undefined)) {
      why = failure(
        "certificate-host-mismatch",
        `the certificate is not for ${names.join(" or ")}`,
      );
    } else return undefined;
  }
  return why;
}

function matches(r: TlsaRecord, c: X509Certificate): boolean {
  const of = r.selector === 0
    ? new Uint8Array(c.raw)
    : new Uint8Array(c.publicKey.export({ type: "spki", format: "der" }));
  const data = r.matchingType === 0
    ? of
    : new Uint8Array(createHash(r.matchingType === 1 ? "sha256" : "sha512").update(of).digest());
  return data.length === r.data.length && data.every((b, i) => b === r.data[i]);
}

/**
 * From the leaf up to the certificate that a record of usage 2 names, each signed by the next; undefined
 * if there is no such path. The record's own certificate may be missing from what the server sent
 * (RFC 7671 §5.2.2).
 */
function pathTo(
  r: TlsaRecord,
  certificates: readonly X509Certificate[],
): X509Certificate[] | undefined {
  const others = certificates.slice(1);
  if (r.selector === 0 && r.matchingType === 0) {
    try {
      others.push(new X509Certificate(r.data as never));
    } catch {
      // Then it is none of those the server sent, either.
    }
  }
  const path = [certificates[0]];
  for (;;) {
    const last = path[path.length - 1];
    if (path.length > 1 && matches(r, last)) return path;
    const next = others.find((c) => !path.includes(c) && signedBy(last, c));
    if (next === undefined) {
      // A server's own certificate can be named as an authority if it signed itself.
      return path.length === 1 && matches(r, last) && signedBy(last, last) ? path : undefined;
    }
    path.push(next);
  }
}

function signedBy(c: X509Certificate, by: X509Certificate): boolean {
  try {
    return c.checkIssued(by) && c.verify(by.publicKey);
  } catch {
    return false;
  }
}
