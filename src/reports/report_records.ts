/**
 * Who wants reports: TLSRPT records (RFC 8460 §3), and whether addresses in a DMARC record outside
 * its domain agree to get its reports (RFC 7489 §7.1).
 *
 * @module
 */
import { DnsError, type Resolver } from "../dns/mod.ts";

/** A TLSRPT record. */
export interface TlsrptRecord {
  /** URIs of rua, mailto: or https:, in order. */
  addresses: string[];
  text: string;
}

/** A record that can't be used; the text says why. */
export class TlsrptRecordError extends Error {
  override name = "TlsrptRecordError";
}

/** Characters of a record that are read. */
const maxRecord = 8192;

/** True for a TXT record that is a TLSRPT record, well formed or not. */
export function isTlsrptRecord(text: string): boolean {
  return /^v=TLSRPTv1[ \t]*(;|$)/.test(text.slice(0, 100));
}

/** Reads a record. @throws TlsrptRecordError */
export function parseTlsrptRecord(text: string): TlsrptRecord {
  if (text.length > maxRecord) throw new TlsrptRecordError("record too long");
  if (!isTlsrptRecord(text)) throw new TlsrptRecordError("does not start with v=TLSRPTv1;");
  const [, ...parts] = text.split(";");
  let rua: string | undefined;
  parts.forEach((part, i) => {
    const t = part.trim();
    if (t === "" && i === parts.length - 1) return;
    const equals = t.indexOf("=");
    if (equals <= 0) throw new TlsrptRecordError(`"${t.slice(0, 50)}" is not name=value`);
    if (t.slice(0, equals).trim() !== "rua") return;
    if (rua !== undefined) throw new TlsrptRecordError("rua is there twice");
    rua = t.slice(equals + 1).trim();
  });
  if (rua === undefined || rua === "") throw new TlsrptRecordError("has no rua");
  const addresses = rua.split(",").map((a) => a.trim());
  for (const a of addresses) {
    if (!/^(mailto:[^@\s]+@[^@\s]+|https:\/\/[^\s]+)$/i.test(a.slice(0, 1000))) {
      throw new TlsrptRecordError(`"${a.slice(0, 50)}" is neither a mailto: nor an https: URI`);
    }
  }
  return { addresses, text };
}

/**
 * The record of a domain; undefined if it has none. Several count as none (RFC 8460 §3).
 * @throws DnsError if the lookup failed for now; TlsrptRecordError
 */
export async function lookupTlsrpt(
  resolver: Resolver,
  domain: string,
): Promise<{ record: TlsrptRecord; authenticated: boolean } | undefined> {
  let texts: string[];
  let authenticated: boolean;
  try {
    ({ records: texts, authenticated } = await resolver.lookup(`_smtp._tls.${domain}`, "TXT"));
  } catch (err) {
    if (err instanceof DnsError && err.notFound) return undefined;
    throw err;
  }
  texts = texts.filter(isTlsrptRecord);
  return texts.length === 1 ? { record: parseTlsrptRecord(texts[0]), authenticated } : undefined;
}

/** Whether a domain accepts DMARC reports about another one. */
export interface ReportConsent {
  accepts: boolean;
  authenticated: boolean;
  /** The records found. */
  texts: string[];
}

/**
 * Checks whether the domain of a report address outside the organisation accepts reports about
 * `domain` (RFC 7489 §7.1).
 * @throws DnsError if the lookup failed for now
 */
export async function lookupReportConsent(
  resolver: Resolver,
  domain: string,
  addressDomain: string,
): Promise<ReportConsent> {
  try {
    const name = `${domain}._report._dmarc.${addressDomain}`;
    const { records, authenticated } = await resolver.lookup(name, "TXT");
    const texts = records.filter((t) => /^v=DMARC1[ \t]*(;|$)/.test(t.slice(0, 100)));
    return { accepts: texts.length > 0, authenticated, texts };
  } catch (err) {
    if (!(err instanceof DnsError) || !err.notFound) throw err;
    return { accepts: false, authenticated: err.authenticated, texts: [] };
  }
}
