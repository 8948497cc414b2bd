/** DMARC policy records (RFC 7489 §6.3, RFC 9091, RFC 9989 §4.7). @module */
import { parseDigits, withoutWhiteSpace } from "./tag_list.ts";

export type DmarcPolicy = "none" | "quarantine" | "reject";

/** The destination of reports. */
export interface DmarcUri {
  /** As given, usually "mailto:address". */
  uri: string;
  /** Largest report in bytes that it accepts. */
  maxSize?: number;
}

export interface DmarcRecord {
  /** p=; "none" if it is missing or unknown but reports are requested (RFC 7489 §6.6.3). */
  policy: DmarcPolicy;
  /** sp=: for subdomains. */
  subdomainPolicy?: DmarcPolicy;
  /** np=: for subdomains that don't exist. */
  nonexistentPolicy?: DmarcPolicy;
  /** adkim= and aspf=: true for strict. */
  strictDkim: boolean;
  strictSpf: boolean;
  /** pct=: percentage of messages that the policy applies to. */
  percentage: number;
  /** fo=: when failure reports are requested: 0, 1, d, s. */
  failureOptions: string[];
  aggregateReports: DmarcUri[];
  failureReports: DmarcUri[];
  /** ri=: seconds between aggregate reports. */
  reportInterval: number;
  /** psd=: y for a public suffix, n for an organizational domain, u for unknown. */
  psd: "y" | "n" | "u";
  /** t=y: the domain is testing its policy. */
  testing: boolean;
  text: string;
}

/** Most characters of a record. */
const MAX_RECORD = 16_384;
const MAX_URIS = 20;

/** True for a TXT record that is a DMARC record, well formed or not. */
export function isDmarcRecord(text: string): boolean {
  // RFC 7489 §6.4: "v=DMARC1", case-sensitive, followed by a separator or nothing.
  const first = text.slice(0, 64).split(";", 1)[0];
  return withoutWhiteSpace(first) === "v=DMARC1";
}

/**
 * Parses a record; undefined if it is not one, or has neither a policy nor a report address. Unknown tags are
 * ignored, and malformed values of optional ones count as not given (RFC 7489 §6.3).
 */
export function parseDmarcRecord(text: string): DmarcRecord | undefined {
  if (text.length > MAX_RECORD || !isDmarcRecord(text)) return undefined;
  const tags = new Map<string, string>();
  for (const part of text.split(";").slice(1)) {
    const equals = part.indexOf("=");
    if (equals < 0) continue;
    const name = part.slice(0, equals).trim().toLowerCase();
    // The first of two is used, so that nothing later can weaken it.
    if (!tags.has(name)) tags.set(name, part.slice(equals + 1).trim());
  }
  const policyOf = (tag: string): DmarcPolicy | undefined => {
    const value = tags.get(tag)?.toLowerCase();
    return value === "none" || value === "quarantine" || value === "reject" ? value : undefined;
  };
  const aggregateReports = parseUris(tags.get("rua"));
  const policy = policyOf("p");
  // RFC 7489 §6.6.3 step 6: without a valid policy it is "none" if reports are requested.
  if (policy === undefined && aggregateReports.length === 0) return undefined;
  const percentage = parseDigits(tags.get("pct") ?? "", 3);
  const psd = tags.get("psd")?.toLowerCase();
  return {
    policy: policy ?? "none",
    subdomainPolicy: policyOf("sp"),
    nonexistentPolicy: policyOf("np"),
    strictDkim: tags.get("adkim")?.toLowerCase() === "s",
    strictSpf: tags.get("aspf")?.toLowerCase() === "s",
    percentage: percentage === undefined || percentage > 100 ? 100 : percentage,
    failureOptions: withoutWhiteSpace(tags.get("fo") ?? "0").toLowerCase().split(":")
      .filter((o) => ["0", "1", "d", "s"].includes(o)),
    aggregateReports,
    failureReports: parseUris(tags.get("ruf")),
    reportInterval: parseDigits(tags.get("ri") ?? "", 10) ?? 86400,
    psd: psd === "y" || psd === "n" ? psd : "u",
    testing: tags.get("t")?.toLowerCase() === "y",
    text,
  };
}

/** "mailto:a@example.com!10m,mailto:b@example.com" (RFC 7489 §6.2). */
function parseUris(value: string | undefined): DmarcUri[] {
  if (value === undefined) return [];
  return value.split(",", MAX_URIS).flatMap((part) => {
    const text = part.trim();
    const colon = text.indexOf(":");
    if (colon <= 0 || colon === text.length - 1) return [];
    const bang = text.indexOf("!");
    if (bang < 0) return [{ uri: text }];
    const limit = text.slice(bang + 1).toLowerCase();
    const unit = "kmgt".indexOf(limit.at(-1) ?? " ");
    const n = parseDigits(unit < 0 ? limit : limit.slice(0, -1), 15);
    if (n === undefined) return [{ uri: text.slice(0, bang) }];
    return [{ uri: text.slice(0, bang), maxSize: n * 1024 ** (unit + 1) }];
  });
}
