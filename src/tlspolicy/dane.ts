/**
 * DANE for SMTP: TLSA records of a host, and checking certificates against them (RFC 6698, 7671, 7672).
 *
 * @module
 */
import { createHash, createPublicKey, X509Certificate } from "node:crypto";
import { DnsError, type Resolver, type TlsaRecord } from "../dns/mod.ts";
import type { DanePolicy, MxHost, TlsFailureDetail } from "./types.ts";

/** Certificates of a chain that are checked. */
const maxChain = 10;

/** A record in zone file format. */
export function tlsaText(record: TlsaRecord): string {
  const data = Array.from(record.data, (b) => b.toString(16).padStart(2, "0")).join("");
  return `${record.usage} ${record.selector} ${record.matchingType} ${data}`;
}

/** Usages of the public authorities (0 and 1) mean nothing between mail servers (RFC 7672 §3.1.3). */
export function usable(record: TlsaRecord): boolean {
  if (record.usage !== 2 && record.usage !== 3) return false;
  if (record.selector !== 0 && record.selector !== 1) return false;
  return record.matchingType === 0 && record.data.length > 0 ||
    record.matchingType === 1 && record.data.length === 32 ||
    record.matchingType === 2 && record.data.length === 64;
}

/**
 * Of several digests of the same data only the strongest counts, so that a weak one can't be exploited
 * (RFC 7671 §9).
 */
function strongest(records: readonly TlsaRecord[]): TlsaRecord[] {
  return records.filter((r) =>
    r.matchingType !== 1 ||
    !records.some((o) => o.matchingType === 2 && o.usage === r.usage && o.selector === r.selector)
  );
}

/** Looks up a host's requirements. Never fails. */
export async function danePolicy(
  resolver: Resolver,
  mx: MxHost,
  signal: AbortSignal,
): Promise<DanePolicy> {
  for (const name of mx.names) {
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
    const good = strongest(records.filter(usable));
    // RFC 7672 §2.2: even unusable records mean that the host supports TLS.
    if (good.length === 0) return { kind: "encrypt", policyString };
    // RFC 7672 §3.2.2: valid names in certificates for usage 2.
    const right = [...new Set([name, mx.host, ...mx.domains])];
    return {
      kind: "verify",
      serverName: name,
      policyString,
      verify: (chain) => verifyChain(good, chain, right),
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
  // RFC 7671 §5.1: with usage 3 neither names nor dates matter.
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

function matches(record: TlsaRecord, certificate: X509Certificate): boolean {
  const of = record.selector === 0
    ? new Uint8Array(certificate.raw)
    : new Uint8Array(certificate.publicKey.export({ type: "spki", format: "der" }));
  const data = record.matchingType === 0 ? of : new Uint8Array(
    createHash(record.matchingType === 1 ? "sha256" : "sha512").update(of).digest(),
  );
  return data.length === record.data.length && data.every((b, i) => b === record.data[i]);
}

/**
 * From the leaf up to the certificate that a record of usage 2 names, each signed by the next; undefined
 * if there is no such path. The record's own certificate may be missing from what the server sent
 * (RFC 7671 §5.2.2).
 */
function pathTo(
  record: TlsaRecord,
  certificates: readonly X509Certificate[],
): X509Certificate[] | undefined {
  const [leaf, ...others] = certificates;
  // A server's own certificate can serve as an authority if it is self-signed.
  if (matches(record, leaf) && signedBy(leaf, leaf)) return [leaf];
  if (record.selector === 0 && record.matchingType === 0) {
    try {
      others.push(new X509Certificate(record.data as never));
    } catch {
      // Then it isn't one of those the server sent, either.
    }
  }
  // Each certificate is followed once, which ends loops.
  const paths = [[leaf]];
  const seen = new Set([leaf]);
  for (const path of paths) {
    const last = path[path.length - 1];
    if (path.length > 1 && matches(record, last) || signedByKeyOf(record, last)) return path;
    for (const c of others) {
      // RFC 5280 §4.2.1.9: a certificate issued by an authority is not an authority itself, unless the DNS names it.
      if (seen.has(c) || !(c.ca || matches(record, c)) || !signedBy(last, c)) continue;
      seen.add(c);
      paths.push([...path, c]);
    }
  }
  return undefined;
}

/** The record has the whole key of an authority, and that has signed (RFC 7671 §5.2.2: "2 1 0"). */
function signedByKeyOf(record: TlsaRecord, certificate: X509Certificate): boolean {
  if (record.selector !== 1 || record.matchingType !== 0) return false;
  try {
    const key = createPublicKey({ key: record.data as never, format: "der", type: "spki" });
    return certificate.verify(key);
  } catch {
    return false;
  }
}

function signedBy(c: X509Certificate, by: X509Certificate): boolean {
  try {
    return c.checkIssued(by) && c.verify(by.publicKey);
  } catch {
    return false;
  }
}
