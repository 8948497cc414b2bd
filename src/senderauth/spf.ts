/** Whether an address may send mail for a domain: SPF's check_host (RFC 7208 §4). @module */
import {
  DnsError,
  formatIp,
  isUnder,
  normalizeName,
  parseIp,
  type RecordType,
  type Resolver,
  reverseLabels,
  reverseName,
  sameNetwork,
} from "../dns/mod.ts";
import {
  SPF_MAX_EXPLANATION,
  SPF_MAX_NAMES,
  SPF_MAX_TERMS,
  SPF_MAX_VOID_LOOKUPS,
} from "./limits.ts";
import { SpfSyntaxError } from "./spf_error.ts";
import { expandMacros, type MacroString, parseMacroString } from "./spf_macro.ts";
import {
  isSpfRecord,
  parseSpfRecord,
  type SpfMechanism,
  type SpfQualifier,
  type SpfRecord,
} from "./spf_record.ts";

export type SpfResult =
  | "none"
  | "neutral"
  | "pass"
  | "fail"
  | "softfail"
  | "temperror"
  | "permerror";

export interface SpfInput {
  /** The client's address in text. */
  ip: string;
  /** Argument of HELO or EHLO. */
  helo: string;
  /** The reverse path without brackets; "" for the null one, then HELO's domain is checked. */
  mailFrom: string;
  resolver: Resolver;
  /** This host's name, for explanations. */
  hostname: string;
  now: Date;
}

/** Outcome of an SPF check. */
export interface SpfOutcome {
  result: SpfResult;
  identity: "mailfrom" | "helo";
  /** The checked domain in ASCII, or as given if it is invalid. */
  domain: string;
  /** The directive that decided, as in its record; undefined if none did. */
  mechanism?: string;
  /** The domain's explanation for `fail`. Visible ASCII and spaces; untrusted. */
  explanation?: string;
  /** True if every DNS answer that led here was authenticated. */
  authenticated: boolean;
  /** What is wrong, on temperror and permerror. */
  error?: string;
}

/** Ends a check with a result. */
class Abort extends Error {
  readonly result: "temperror" | "permerror";
  constructor(result: "temperror" | "permerror", message: string) {
    super(message);
    this.result = result;
  }
}

interface Check {
  ip: Uint8Array;
  resolver: Resolver;
  input: SpfInput;
  localpart: string;
  senderDomain: string;
  terms: number;
  voids: number;
  authenticated: boolean;
  /** PTR names that resolve back to the address, once looked up. */
  validated?: Promise<string[]>;
}

const results: Record<SpfQualifier, SpfResult> = {
  "+": "pass",
  "-": "fail",
  "~": "softfail",
  "?": "neutral",
};

/** Checks the reverse path, or HELO's domain if there is none. Never throws because of the DNS. */
export async function checkSpf(input: SpfInput): Promise<SpfOutcome> {
  const at = input.mailFrom.lastIndexOf("@");
  const identity = input.mailFrom === "" ? "helo" : "mailfrom";
  const given = identity === "helo" ? input.helo : input.mailFrom.slice(at + 1);
  const domain = checkableDomain(given);
  const ip = parseIp(input.ip);
  if (domain === undefined || !ip) {
    // RFC 7208 §4.3: not a name that could have a record.
    return { result: "none", identity, domain: given, authenticated: false };
  }
  const check: Check = {
    ip,
    resolver: input.resolver,
    input,
    // RFC 7208 §4.3: without a local part it is "postmaster".
    localpart: identity === "mailfrom" && at > 0 ? input.mailFrom.slice(0, at) : "postmaster",
    senderDomain: domain,
    terms: 0,
    voids: 0,
    authenticated: true,
  };
  try {
    const found = await checkHost(check, domain);
    const explanation = found.result === "fail" && found.explanation
      ? await explain(check, found.explanation, found.domain)
      : undefined;
    return {
      result: found.result,
      identity,
      domain,
      mechanism: found.mechanism,
      explanation,
      authenticated: check.authenticated,
    };
  } catch (err) {
    if (!(err instanceof Abort)) throw err;
    return {
      result: err.result,
      identity,
      domain,
      authenticated: check.authenticated,
      error: err.message,
    };
  }
}

/** RFC 7208 §4.3: a multi-label domain name. */
function checkableDomain(text: string): string | undefined {
  if (text.startsWith("[") || parseIp(text)) return undefined;
  const domain = normalizeName(text);
  return domain?.includes(".") ? domain : undefined;
}

interface Found {
  result: SpfResult;
  mechanism?: string;
  explanation?: MacroString;
  /** The domain whose record decided; redirect changes it. */
  domain: string;
}

async function checkHost(check: Check, domain: string): Promise<Found> {
  const record = await lookupRecord(check, domain);
  if (!record) return { result: "none", domain };
  for (const { qualifier, mechanism, text } of record.directives) {
    if (await matches(check, mechanism, domain)) {
      return {
        result: results[qualifier],
        mechanism: text,
        explanation: record.explanation,
        domain,
      };
    }
  }
  if (!record.redirect) return { result: "neutral", domain };
  countTerm(check);
  const target = await expandDomain(check, record.redirect, domain);
  const found = checkableDomain(target) === undefined
    ? undefined
    : await checkHost(check, normalizeName(target)!);
  // RFC 7208 §6.1: no record where one was promised.
  if (!found || found.result === "none") throw new Abort("permerror", `no record at ${target}`);
  return found;
}

async function lookupRecord(check: Check, domain: string): Promise<SpfRecord | undefined> {
  const texts = (await lookup(check, domain, "TXT")).filter(isSpfRecord);
  if (texts.length === 0) return undefined;
  // RFC 7208 §4.5.
  if (texts.length > 1) throw new Abort("permerror", `${domain} has more than one record`);
  try {
    return parseSpfRecord(texts[0]);
  } catch (err) {
    if (!(err instanceof SpfSyntaxError)) throw err;
    throw new Abort("permerror", `record of ${domain}: ${err.message}`);
  }
}

/** The records, empty if there are none. Throws Abort for failures. */
async function lookup<K extends RecordType>(check: Check, name: string, type: K, isVoid = false) {
  try {
    const answer = await check.resolver.lookup(name, type);
    check.authenticated &&= answer.authenticated;
    return answer.records;
  } catch (err) {
    if (!(err instanceof DnsError)) throw err;
    if (err.notFound) {
      check.authenticated &&= err.authenticated;
      if (isVoid && ++check.voids > SPF_MAX_VOID_LOOKUPS) {
        throw new Abort("permerror", "too many lookups found nothing");
      }
      return [];
    }
    // A name with an empty or overlong label can't exist.
    if (err.kind === "badname") return [];
    check.authenticated = false;
    throw new Abort(err.temporary ? "temperror" : "permerror", err.message);
  }
}

function countTerm(check: Check): void {
  if (++check.terms > SPF_MAX_TERMS) {
    throw new Abort("permerror", `more than ${SPF_MAX_TERMS} terms that need lookups`);
  }
}

async function matches(check: Check, mechanism: SpfMechanism, domain: string): Promise<boolean> {
  switch (mechanism.name) {
    case "all":
      return true;
    case "ip4":
    case "ip6":
      return sameNetwork(check.ip, mechanism.network, mechanism.bits);
    case "include": {
      countTerm(check);
      const target = await expandDomain(check, mechanism.domain, domain);
      const name = checkableDomain(target);
      const found = name === undefined ? undefined : await checkHost(check, name);
      // RFC 7208 §5.2.
      if (!found || found.result === "none") throw new Abort("permerror", `no record at ${target}`);
      return found.result === "pass";
    }
    case "exists": {
      countTerm(check);
      // RFC 7208 §5.7: always an A lookup.
      const target = await expandDomain(check, mechanism.domain, domain);
      return (await lookup(check, target, "A", true)).length > 0;
    }
    case "a": {
      countTerm(check);
      const target = mechanism.domain
        ? await expandDomain(check, mechanism.domain, domain)
        : domain;
      return await hasAddress(check, target, mechanism.ip4Bits, mechanism.ip6Bits, true);
    }
    case "mx": {
      countTerm(check);
      const target = mechanism.domain
        ? await expandDomain(check, mechanism.domain, domain)
        : domain;
      const hosts = await lookup(check, target, "MX", true);
      // RFC 7208 §4.6.4.
      if (hosts.length > SPF_MAX_NAMES) throw new Abort("permerror", `${target} has too many MX`);
      for (const { exchange } of hosts) {
        if (
          exchange !== "" &&
          await hasAddress(check, exchange, mechanism.ip4Bits, mechanism.ip6Bits, true)
        ) {
          return true;
        }
      }
      return false;
    }
    case "ptr": {
      countTerm(check);
      const target = mechanism.domain
        ? await expandDomain(check, mechanism.domain, domain)
        : domain;
      const name = normalizeName(target);
      return name !== undefined && (await validatedNames(check)).some((n) => isUnder(n, name));
    }
  }
}

async function hasAddress(
  check: Check,
  host: string,
  ip4Bits: number,
  ip6Bits: number,
  isVoid: boolean,
): Promise<boolean> {
  const v4 = check.ip.length === 4;
  const addresses = await lookup(check, host, v4 ? "A" : "AAAA", isVoid);
  return addresses.some((a) => {
    const bytes = parseIp(a);
    return bytes !== undefined && sameNetwork(check.ip, bytes, v4 ? ip4Bits : ip6Bits);
  });
}

/** RFC 7208 §5.5: names of the address that resolve back to it; failures count as no name. */
function validatedNames(check: Check): Promise<string[]> {
  const { resolver, ip } = check;
  const type = ip.length === 4 ? "A" : "AAAA";
  const find = async () => {
    const good: string[] = [];
    try {
      const answer = await resolver.lookup(reverseName(ip), "PTR");
      check.authenticated &&= answer.authenticated;
      for (const name of answer.records.slice(0, SPF_MAX_NAMES)) {
        try {
          const forward = await resolver.lookup(name, type);
          check.authenticated &&= forward.authenticated;
          if (forward.records.includes(formatIp(ip))) good.push(name);
        } catch (err) {
          if (!(err instanceof DnsError)) throw err;
        }
      }
    } catch (err) {
      if (!(err instanceof DnsError)) throw err;
      check.authenticated &&= err.authenticated;
    }
    return good;
  };
  return check.validated ??= find();
}

function macroValue(check: Check, letter: string, domain: string): string | Promise<string> {
  const { ip, input } = check;
  switch (letter) {
    case "s":
      return `${check.localpart}@${check.senderDomain}`;
    case "l":
      return check.localpart;
    case "o":
      return check.senderDomain;
    case "d":
      return domain;
    case "i":
      return ip.length === 4 ? formatIp(ip) : reverseLabels(ip).split(".").reverse().join(".");
    case "p":
      return validatedNames(check).then((names) =>
        // RFC 7208 §7.3: the domain itself, otherwise one under it, otherwise any.
        names.find((n) => n === domain) ?? names.find((n) => isUnder(n, domain)) ?? names[0] ??
          "unknown"
      );
    case "v":
      return ip.length === 4 ? "in-addr" : "ip6";
    case "h":
      return input.helo;
    case "c":
      return formatIp(ip);
    case "r":
      return input.hostname || "unknown";
    default:
      return String(Math.floor(input.now.getTime() / 1000));
  }
}

async function expandDomain(check: Check, spec: MacroString, domain: string): Promise<string> {
  let name = await expandMacros(spec, (letter) => macroValue(check, letter, domain));
  if (name.endsWith(".")) name = name.slice(0, -1);
  // RFC 7208 §7.3: a name that is too long loses labels on the left.
  while (name.length > 253) {
    const dot = name.indexOf(".");
    if (dot < 0) break;
    name = name.slice(dot + 1);
  }
  return name;
}

/** RFC 7208 §6.2: any failure means no explanation. */
async function explain(
  check: Check,
  spec: MacroString,
  domain: string,
): Promise<string | undefined> {
  try {
    const target = await expandDomain(check, spec, domain);
    const texts = (await check.resolver.lookup(target, "TXT")).records;
    if (texts.length !== 1) return undefined;
    const parts = parseMacroString(texts[0], true);
    const text = await expandMacros(parts, (letter) => macroValue(check, letter, domain));
    // A local part may contain characters that are not allowed in an SMTP answer.
    return text.replace(/[^\x20-\x7e]/g, "?").slice(0, SPF_MAX_EXPLANATION) || undefined;
  } catch (err) {
    if (err instanceof DnsError || err instanceof SpfSyntaxError) return undefined;
    throw err;
  }
}
