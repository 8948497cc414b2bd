/**
 * The policies of other servers: MTA-STS from the DNS, HTTPS and a cache, DANE from the DNS.
 *
 * @module
 */
import { DnsError, type Resolver } from "../dns/mod.ts";
import type { Log } from "../log/mod.ts";
import { counter } from "../metrics/mod.ts";
import { danePolicy } from "./dane.ts";
import { noPolicy } from "./opportunistic.ts";
import { type CachedPolicy, StsCache } from "./sts_cache.ts";
import { type Fetch, fetchPolicy } from "./sts_fetch.ts";
import { matchesPattern, recordId, StsError } from "./sts_policy.ts";
import { certificateFailure, errorCode } from "./tls_errors.ts";
import type {
  DanePolicy,
  DomainPolicy,
  MxHost,
  TlsFailureDetail,
  TlsPolicy,
  TlsResult,
  TlsResultType,
} from "./types.ts";

const results = counter(
  "mox_tlspolicy_connections_total",
  "Connections to other servers by the policy that applied and whether it was satisfied.",
  { policy: ["none", "mtasts", "dane"], result: ["ok", "failed"] },
);
const fetches = counter(
  "mox_mtasts_fetch_total",
  "MTA-STS policies fetched, by result.",
  { result: ["ok", "failed"] },
);

/** Milliseconds until a policy that could not be fetched is tried again. */
const retryAfter = 5 * 60_000;
/** Milliseconds between checks for policies to refresh. */
const refreshEvery = 3600_000;
/** Policies refreshed at a time. */
const maxRefreshed = 500;
/** Milliseconds after which a policy without deliveries is no longer refreshed. */
const unusedAfter = 90 * 24 * 3600_000;
/** Cached failures. */
const maxFailures = 10_000;

export interface PoliciesOptions {
  dataDir: string;
  resolver: Resolver;
  log: Log;
  /** The runtime's if not given. */
  fetch: Fetch;
  now?: () => number;
  /** Called with each result, for reports. */
  onResult?: (result: TlsResult) => void;
}

/** A cached MTA-STS policy. */
export type StsPolicyState = ReturnType<StsCache["list"]>[number];

/** The policies applied to deliveries. */
export class Policies implements TlsPolicy {
  readonly #o: PoliciesOptions;
  readonly #cache: StsCache;
  readonly #now: () => number;
  readonly #running = new Map<string, Promise<DomainPolicy>>();
  readonly #failed = new Map<string, { until: number; id: string; failure: TlsFailureDetail }>();
  readonly #closed = new AbortController();

  private constructor(options: PoliciesOptions, cache: StsCache) {
    this.#o = options;
    this.#cache = cache;
    this.#now = options.now ?? Date.now;
  }

  static async open(options: PoliciesOptions): Promise<Policies> {
    return new Policies(options, await StsCache.open(options.dataDir));
  }

  /** Cached policies of other domains, for display. */
  remembered(): StsPolicyState[] {
    return this.#cache.list(this.#now(), 1000);
  }

  policyFor(domain: string, signal: AbortSignal): Promise<DomainPolicy> {
    let running = this.#running.get(domain);
    if (running === undefined) {
      running = this.#find(domain).finally(() => this.#running.delete(domain));
      this.#running.set(domain, running);
    }
    if (signal.aborted) return Promise.resolve(noPolicy(domain));
    return new Promise((resolve) => {
      const stop = () => resolve(noPolicy(domain));
      signal.addEventListener("abort", stop, { once: true });
      running.then(resolve, stop).finally(() => signal.removeEventListener("abort", stop));
    });
  }

  /** RFC 8461 §5.1: a cached policy is valid until a newer one has been fetched. */
  async #find(domain: string): Promise<DomainPolicy> {
    const now = this.#now();
    const cached = this.#cache.use(domain, now);
    // Without a record, or while the DNS fails, only what is cached counts.
    const id = await this.#recordId(domain);
    if (id === undefined) return cached ? domainPolicy(cached) : noPolicy(domain);
    // After half of its lifetime it is refreshed independently of deliveries, see keepFresh.
    if (cached?.recordId === id) return domainPolicy(cached);
    const failed = this.#failed.get(domain);
    if (failed !== undefined && failed.id === id && failed.until > now) {
      return cached
        ? { ...domainPolicy(cached), failure: failed.failure }
        : { ...noPolicy(domain), failure: failed.failure };
    }
    return await this.#fetch(domain, id, cached);
  }

  /**
   * From now on refreshes, once an hour, policies after half of their lifetime, so that an attacker who
   * blocks their server for a while can't make them expire (RFC 8461 §10.2).
   */
  keepFresh(): void {
    const timer = setInterval(() => {
      this.refresh().catch((err) => this.#o.log.error("refreshing policies", { err }));
    }, refreshEvery);
    Deno.unrefTimer(timer as unknown as number);
    this.#closed.signal.addEventListener("abort", () => clearInterval(timer));
  }

  /** Fetches the policies that {@link keepFresh} would, one at a time. Returns the domains tried. */
  async refresh(): Promise<string[]> {
    const now = this.#now();
    const domains = this.#cache.stale(now, now - unusedAfter, maxRefreshed);
    for (const domain of domains) {
      if (this.#closed.signal.aborted) break;
      const cached = this.#cache.get(domain, now);
      const id = await this.#recordId(domain);
      // Without a record the domain has given up MTA-STS, and its policy expires.
      if (cached && id !== undefined) await this.#fetch(domain, id, cached);
    }
    return domains;
  }

  /** The id of the policy in the DNS; undefined if there is none that is valid, or it can't be had. */
  async #recordId(domain: string): Promise<string | undefined> {
    try {
      const { records } = await this.#o.resolver.lookup(`_mta-sts.${domain}`, "TXT", {
        signal: this.#closed.signal,
      });
      return recordId(records);
    } catch (err) {
      if (!(err instanceof DnsError) && !(err instanceof StsError)) throw err;
      return undefined;
    }
  }

  async #fetch(
    domain: string,
    id: string,
    cached: CachedPolicy | undefined,
  ): Promise<DomainPolicy> {
    const now = this.#now();
    try {
      const policy = await fetchPolicy(domain, this.#o.fetch, this.#closed.signal);
      const fresh: CachedPolicy = {
        ...policy,
        domain,
        recordId: id,
        fetched: now,
        expires: now + policy.maxAge * 1000,
        used: cached?.used ?? now,
      };
      await this.#cache.put(fresh);
      this.#failed.delete(domain);
      fetches.inc({ result: "ok" });
      return domainPolicy(fresh);
    } catch (err) {
      fetches.inc({ result: "failed" });
      const information = err instanceof Error ? err.message : String(err);
      this.#o.log.info("mta-sts policy can't be had", { domain, err: err as Error });
      const failure: TlsFailureDetail = {
        resultType: fetchFailure(err),
        reasonCode: errorCode(err),
        information: information.slice(0, 300),
      };
      if (this.#failed.size >= maxFailures) {
        this.#failed.delete(this.#failed.keys().next().value!);
      }
      this.#failed.set(domain, { until: now + retryAfter, id, failure });
      return { ...(cached ? domainPolicy(cached) : noPolicy(domain)), failure };
    }
  }

  daneFor(mx: MxHost, signal: AbortSignal): Promise<DanePolicy> {
    return danePolicy(this.#o.resolver, mx, signal);
  }

  report(r: TlsResult): void {
    const result = r.outcomes.every((o) => o.failure === undefined) ? "ok" : "failed";
    const policy = r.dane.kind !== "none" ? "dane" : r.policy.mode !== "none" ? "mtasts" : "none";
    results.inc({ policy, result });
    try {
      this.#o.onResult?.(r);
    } catch (err) {
      // A failing report must not affect a delivery.
      this.#o.log.error("counting a result of tls", { err: err as Error });
    }
  }

  async close(): Promise<void> {
    this.#closed.abort();
    await Promise.allSettled(this.#running.values());
    await this.#cache.close();
  }
}

/** RFC 8460 §4.3.2.2. */
function fetchFailure(err: unknown): TlsResultType {
  if (err instanceof StsError) return "sts-policy-invalid";
  return certificateFailure(errorCode(err)) ? "sts-webpki-invalid" : "sts-policy-fetch-error";
}

function domainPolicy(policy: CachedPolicy): DomainPolicy {
  if (policy.mode === "none") return { ...noPolicy(policy.domain), policyString: policy.lines };
  return {
    mode: policy.mode,
    domain: policy.domain,
    mx: policy.mx,
    policyString: policy.lines,
    matches: (host) => policy.mx.some((pattern) => matchesPattern(pattern, host)),
  };
}
