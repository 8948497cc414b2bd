/**
 * DMARC aggregate reports: their values, and reading them (RFC 7489 §7.2 and appendix C).
 *
 * Reading is tolerant, as reports in the wild have letters in any case, fields left out and values of
 * their own: what is not known becomes "" or is left out, as long as it is a report of a domain.
 *
 * @module
 */
import { ReportError } from "./errors.ts";
import { decodeXml, type XmlElement, XmlReader } from "./xml.ts";

export type Alignment = "r" | "s" | "";
export type Disposition = "none" | "quarantine" | "reject" | "";
export type DmarcResult = "pass" | "fail" | "";
export type PolicyOverride =
  | "forwarded"
  | "sampled_out"
  | "trusted_forwarder"
  | "mailing_list"
  | "local_policy"
  | "policy_test_mode"
  | "other"
  | "";
export type DkimReportResult =
  | "none"
  | "pass"
  | "fail"
  | "policy"
  | "neutral"
  | "temperror"
  | "permerror"
  | "";
export type SpfReportResult =
  | "none"
  | "neutral"
  | "pass"
  | "fail"
  | "softfail"
  | "temperror"
  | "permerror"
  | "";

/** The policy that was applied. */
export interface PolicyPublished {
  domain: string;
  adkim: Alignment;
  aspf: Alignment;
  p: Disposition;
  sp: Disposition;
  /** Of 100. */
  pct: number;
  fo: string;
}
export interface DkimAuthResult {
  domain: string;
  selector: string;
  result: DkimReportResult;
  humanResult: string;
}
export interface SpfAuthResult {
  domain: string;
  /** "mfrom", "helo" or "". */
  scope: "mfrom" | "helo" | "";
  result: SpfReportResult;
}
/** Messages of one source with the same result. */
export interface DmarcRecord {
  sourceIp: string;
  count: number;
  disposition: Disposition;
  /** Whether DKIM and SPF passed aligned with the From domain. */
  dkim: DmarcResult;
  spf: DmarcResult;
  reasons: { type: PolicyOverride; comment: string }[];
  envelopeTo: string;
  envelopeFrom: string;
  headerFrom: string;
  dkimResults: DkimAuthResult[];
  spfResults: SpfAuthResult[];
}
/** An aggregate report ("feedback"). */
export interface DmarcReport {
  version: string;
  orgName: string;
  email: string;
  extraContactInfo: string;
  reportId: string;
  /** Seconds since the epoch, UTC. */
  begin: number;
  end: number;
  errors: string[];
  policy: PolicyPublished;
  records: DmarcRecord[];
}

/** Records of one report; with more it is refused. */
export const maxRecords = 50_000;

/** Characters before the report that are skipped. */
const maxPrologue = 64 * 1024;

/**
 * Reads a report from XML.
 * @throws ReportError
 */
export function parseDmarcXml(data: Uint8Array): DmarcReport {
  const text = decodeXml(data);
  let xml = new XmlReader(text);
  const root = xml.next();
  if (root?.value !== "feedback") {
    // Some reporters put a schema element in front, without an end tag.
    const at = text.slice(0, maxPrologue).search(/<(?:[A-Za-z0-9_-]{1,20}:)?feedback[\s>]/);
    if (at < 0) {
      throw new ReportError(
        "content",
        `DMARC report: root element is ${root?.value}, not feedback`,
      );
    }
    xml = new XmlReader(text.slice(at));
    xml.next();
  }
  let version = "";
  let metadata: XmlElement | undefined, policy: XmlElement | undefined;
  const records: DmarcRecord[] = [];
  for (let e = xml.next(); e; e = xml.next()) {
    if (e.kind !== "start") continue;
    const element = xml.element(e.value);
    if (e.value === "version") version = element.text.slice(0, 20);
    else if (e.value === "report_metadata") metadata ??= element;
    else if (e.value === "policy_published") policy ??= element;
    else if (e.value === "record") {
      if (records.length >= maxRecords) {
        throw new ReportError("limit", `DMARC report: more than ${maxRecords} records`);
      }
      records.push(record(element));
    }
  }
  if (!metadata) throw new ReportError("content", "DMARC report: no report_metadata");
  if (!policy) throw new ReportError("content", "DMARC report: no policy_published");
  const domain = domainOf(policy, "domain");
  if (domain === "") {
    throw new ReportError("content", "DMARC report: no domain in policy_published");
  }
  const range = child(metadata, "date_range");
  const begin = seconds(textOf(range, "begin")), end = seconds(textOf(range, "end"));
  if (begin === undefined || end === undefined) {
    throw new ReportError("content", "DMARC report: no valid date_range");
  }
  return {
    version,
    orgName: textOf(metadata, "org_name").slice(0, 1000),
    email: textOf(metadata, "email").slice(0, 1000),
    extraContactInfo: textOf(metadata, "extra_contact_info").slice(0, 1000),
    reportId: textOf(metadata, "report_id").slice(0, 1000),
    begin,
    end,
    errors: metadata.children.filter((c) => c.name === "error").slice(0, 100).map((c) => c.text),
    policy: {
      domain,
      adkim: oneOf(textOf(policy, "adkim"), ["r", "s"]),
      aspf: oneOf(textOf(policy, "aspf"), ["r", "s"]),
      p: oneOf(textOf(policy, "p"), dispositions),
      sp: oneOf(textOf(policy, "sp"), dispositions),
      pct: count(textOf(policy, "pct"), 100, 100),
      fo: textOf(policy, "fo").slice(0, 20),
    },
    records,
  };
}

const dispositions = ["none", "quarantine", "reject"] as const;
const overrides = [
  "forwarded",
  "sampled_out",
  "trusted_forwarder",
  "mailing_list",
  "local_policy",
  "policy_test_mode",
  "other",
] as const;
const dkimResults = [
  "none",
  "pass",
  "fail",
  "policy",
  "neutral",
  "temperror",
  "permerror",
] as const;
const spfResults = [
  "none",
  "neutral",
  "pass",
  "fail",
  "softfail",
  "temperror",
  "permerror",
] as const;
/** Values of old drafts and of common programs. */
const synonyms: Record<string, string> = {
  hardfail: "fail",
  unknown: "temperror",
  error: "permerror",
  mailfrom: "mfrom",
};

function record(element: XmlElement): DmarcRecord {
  const row = child(element, "row");
  const evaluated = row && child(row, "policy_evaluated");
  const identifiers = child(element, "identifiers") ?? child(element, "identities");
  const auth = child(element, "auth_results");
  return {
    sourceIp: textOf(row, "source_ip").slice(0, 45),
    count: count(textOf(row, "count"), 1, 1e12),
    disposition: oneOf(textOf(evaluated, "disposition"), dispositions),
    dkim: oneOf(textOf(evaluated, "dkim"), ["pass", "fail"]),
    spf: oneOf(textOf(evaluated, "spf"), ["pass", "fail"]),
    reasons: several(evaluated, "reason").map((r) => ({
      type: oneOf(textOf(r, "type"), overrides),
      comment: textOf(r, "comment").slice(0, 1000),
    })),
    envelopeTo: domainOf(identifiers, "envelope_to"),
    envelopeFrom: domainOf(identifiers, "envelope_from"),
    headerFrom: domainOf(identifiers, "header_from"),
    dkimResults: several(auth, "dkim").map((d) => ({
      domain: domainOf(d, "domain"),
      selector: textOf(d, "selector").slice(0, 255),
      result: oneOf(textOf(d, "result"), dkimResults),
      humanResult: textOf(d, "human_result").slice(0, 1000),
    })),
    spfResults: several(auth, "spf").map((s) => ({
      domain: domainOf(s, "domain"),
      scope: oneOf(textOf(s, "scope"), ["mfrom", "helo"]),
      result: oneOf(textOf(s, "result"), spfResults),
    })),
  };
}

function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((c) => c.name === name);
}
function several(element: XmlElement | undefined, name: string): XmlElement[] {
  return element ? element.children.filter((c) => c.name === name).slice(0, 100) : [];
}
function textOf(element: XmlElement | undefined, name: string): string {
  return child(element, name)?.text ?? "";
}
/** A domain in lower case without final dot, otherwise unchanged: it may be invalid. */
function domainOf(element: XmlElement | undefined, name: string): string {
  const d = textOf(element, name).toLowerCase().slice(0, 255);
  return d.endsWith(".") ? d.slice(0, -1) : d;
}
function oneOf<T extends string>(text: string, values: readonly T[]): T | "" {
  let t = text.toLowerCase();
  if (Object.hasOwn(synonyms, t)) t = synonyms[t];
  return values.find((v) => v === t) ?? "";
}
function count(text: string, otherwise: number, max: number): number {
  return /^[0-9]{1,15}$/.test(text) ? Math.min(Number(text), max) : otherwise;
}
/** A time of a date range: seconds, in some reports milliseconds or with a fraction. */
function seconds(text: string): number | undefined {
  if (!/^[0-9]{1,13}(\.[0-9]{1,9})?$/.test(text)) return undefined;
  const n = Math.floor(Number(text));
  return n > 99_999_999_999 ? Math.floor(n / 1000) : n;
}
