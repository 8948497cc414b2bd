/** DNS blocklists (RFC 5782): whether an address is listed, and whether a list works. @module */
import { parseIp, reverseLabels } from "./ip.ts";
import { normalizeName } from "./names.ts";
import { DnsError, type LookupOptions, type Resolver } from "./types.ts";

/** Milliseconds that the outcome of a check or health check is cached. */
export const DNSBL_CHECK_TTL_MS = 5 * 60_000;
export const DNSBL_HEALTH_TTL_MS = 30 * 60_000;
/** Milliseconds until an unreachable list is queried again. */
export const DNSBL_ERROR_TTL_MS = 30_000;
/** Cached outcomes. */
const MAX_ENTRIES = 5000;
/** Characters of a list's explanation that are kept. */
const MAX_EXPLANATION = 500;

/** `pass`: not listed; `fail`: listed; `temperror`: unknown for now. */
export type DnsblStatus = "pass" | "fail" | "temperror";

export interface DnsblResult {
  zone: string;
  status: DnsblStatus;
  /** The list's text about the address (TXT record), if listed and given. */
  explanation?: string;
  /** The addresses in 127.0.0.0/8 that encode the reason; lists document theirs. */
  codes: string[];
  error?: string;
}

export interface DnsblChecker {
  /** Whether the list has the address. Never throws because of the DNS. */
  check(zone: string, ip: string, options?: LookupOptions): Promise<DnsblResult>;
  /** Whether the list works: undefined if so, else what is wrong. */
  health(zone: string, options?: LookupOptions): Promise<string | undefined>;
  /** Whether a list of domains has the domain. Never throws because of the DNS. */
  checkDomain(zone: string, domain: string, options?: LookupOptions): Promise<DnsblResult>;
  /** Whether a list of domains works: undefined if so, else what is wrong. */
  domainHealth(zone: string, options?: LookupOptions): Promise<string | undefined>;
}

/** Creates a checker with a cache. `now` returns milliseconds. */
export function dnsblChecker(resolver: Resolver, now: () => number = Date.now): DnsblChecker {
  const checks = outcomeCache<DnsblResult>(now);
  const healths = outcomeCache<string>(now);

  function query(zone: string, ip: string, options?: LookupOptions): Promise<DnsblResult> {
    const bytes = parseIp(ip);
    return ask(zone, bytes && reverseLabels(bytes), options);
  }

  async function ask(
    zone: string,
    entry: string | undefined,
    options?: LookupOptions,
  ): Promise<DnsblResult> {
    const base = normalizeName(zone);
    if (entry === undefined || base === undefined) {
      return { zone, status: "temperror", codes: [], error: "not an address or list name" };
    }
    const name = `${entry}.${base}`;
    let codes: string[];
    try {
      codes = (await resolver.lookup(name, "A", options)).records;
    } catch (err) {
      if (!(err instanceof DnsError)) throw err;
      if (err.notFound) return { zone, status: "pass", codes: [] };
      return { zone, status: "temperror", codes: [], error: err.message };
    }
    // RFC 5782 §2.1: entries are in 127.0.0.0/8. Anything else is an abandoned list's domain
    // that answers to every name; with 127.255.255.0/24 lists refuse to serve this
    // resolver.
    const wrong = codes.find((c) => !c.startsWith("127.") || c.startsWith("127.255.255."));
    if (wrong !== undefined) {
      return { zone, status: "temperror", codes, error: `list answers with ${wrong}` };
    }
    let explanation: string | undefined;
    try {
      const texts = (await resolver.lookup(name, "TXT", options)).records;
      explanation = texts.join("; ").slice(0, MAX_EXPLANATION);
    } catch (err) {
      // The text is optional (RFC 5782 §2.1).
      if (!(err instanceof DnsError)) throw err;
    }
    return { zone, status: "fail", explanation, codes };
  }

  async function checkHealth(zone: string, options?: LookupOptions): Promise<string | undefined> {
    // RFC 5782 §5: 127.0.0.2 is always listed, 127.0.0.1 never.
    return await tried(
      query(zone, "127.0.0.2", options),
      query(zone, "127.0.0.1", options),
      ["127.0.0.2", "127.0.0.1"],
    );
  }

  async function checkDomainHealth(
    zone: string,
    options?: LookupOptions,
  ): Promise<string | undefined> {
    // RFC 5782 §5: TEST is always listed, INVALID never.
    return await tried(ask(zone, "test", options), ask(zone, "invalid", options), [
      "test",
      "invalid",
    ]);
  }

  async function tried(
    wanted: Promise<DnsblResult>,
    unwanted: Promise<DnsblResult>,
    [has, hasNot]: [string, string],
  ): Promise<string | undefined> {
    const [listed, unlisted] = await Promise.all([wanted, unwanted]);
    if (listed.status === "temperror" || unlisted.status === "temperror") {
      return listed.error ?? unlisted.error ?? "temporary error";
    }
    if (listed.status !== "fail") return `list does not have its test entry ${has}`;
    if (unlisted.status !== "pass") return `list has ${hasNot}, which it must not`;
    return undefined;
  }

  return {
    check(zone, ip, options) {
      return checks.get(
        `${zone} ${ip}`,
        () => query(zone, ip, options),
        (r) => r?.status === "temperror" ? DNSBL_ERROR_TTL_MS : DNSBL_CHECK_TTL_MS,
      ) as Promise<DnsblResult>;
    },
    health(zone, options) {
      return healths.get(
        zone,
        () => checkHealth(zone, options),
        (error) => error === undefined ? DNSBL_HEALTH_TTL_MS : DNSBL_ERROR_TTL_MS,
      );
    },
    checkDomain(zone, domain, options) {
      return checks.get(
        `${zone} ${domain}`,
        () => ask(zone, normalizeName(domain), options),
        (r) => r?.status === "temperror" ? DNSBL_ERROR_TTL_MS : DNSBL_CHECK_TTL_MS,
      ) as Promise<DnsblResult>;
    },
    domainHealth(zone, options) {
      return healths.get(
        `domains ${zone}`,
        () => checkDomainHealth(zone, options),
        (error) => error === undefined ? DNSBL_HEALTH_TTL_MS : DNSBL_ERROR_TTL_MS,
      );
    },
  };
}

function outcomeCache<T>(now: () => number) {
  const entries = new Map<string, { value: Promise<T | undefined>; expires: number }>();
  return {
    get(
      key: string,
      make: () => Promise<T | undefined>,
      ttlMs: (value: T | undefined) => number,
    ): Promise<T | undefined> {
      const known = entries.get(key);
      if (known && known.expires > now()) return known.value;
      entries.delete(key);
      if (entries.size >= MAX_ENTRIES) {
        for (const oldest of entries.keys()) {
          entries.delete(oldest);
          break;
        }
      }
      // Cached while it runs, so that concurrent callers share the answer.
      const entry = { value: make(), expires: Infinity };
      entries.set(key, entry);
      entry.value.then(
        (value) => entry.expires = now() + ttlMs(value),
        () => entries.delete(key),
      );
      return entry.value;
    },
  };
}
