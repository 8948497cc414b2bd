/** A resolver that queries recursive name servers. @module */
import { answerCache } from "./cache.ts";
import { lookups } from "./metrics.ts";
import { normalizeName } from "./names.ts";
import { type DnsServer, systemServers } from "./resolv_conf.ts";
import { exchange } from "./transport.ts";
import {
  type DnsAnswer,
  DnsError,
  type LookupOptions,
  type RecordData,
  type RecordType,
  type Resolver,
} from "./types.ts";
import { recordData, type Response } from "./wire.ts";

/** CNAME records followed for one lookup. */
export const MAX_CNAMES = 8;
/** Records of one answer that are read. */
export const MAX_RECORDS = 1000;
/** Most seconds that an answer is cached, whatever its TTL. */
const MAX_TTL = 24 * 3600;
/** RFC 2308 §5 recommends one to three hours at most for denials. */
const MAX_NEGATIVE_TTL = 3600;

export interface ResolverOptions {
  /** Servers in the order to try them; by default those of the system. */
  servers?: DnsServer[];
  /** Milliseconds to wait for one server in the first round; doubled in each later round. */
  timeoutMs?: number;
  /** Number of rounds over all servers. */
  rounds?: number;
  /** Entries of the cache. */
  maxCacheEntries?: number;
  /** Seconds that a failure to get an answer is cached, so that a broken domain costs one wait. */
  failureTtl?: number;
  /** The clock of the cache, in milliseconds. */
  now?: () => number;
}

/** A resolver with its own cache. CNAME chains from servers are verified, not trusted. */
export interface DnsResolver extends Resolver {
  readonly servers: readonly DnsServer[];
  /** Forgets all answers. */
  clearCache(): void;
}

/** Creates a resolver. Without servers each lookup fails immediately with a temporary error. */
export function makeResolver(options: ResolverOptions = {}): DnsResolver {
  const servers = options.servers ?? systemServers();
  const timeoutMs = options.timeoutMs ?? 3000;
  const rounds = options.rounds ?? 2;
  const failureTtl = options.failureTtl ?? 5;
  const cache = answerCache(options.maxCacheEntries ?? 10_000, options.now ?? Date.now);
  const inFlight = new Map<string, Promise<DnsAnswer>>();

  /** Asks the servers in turn until one of them answers. */
  async function ask(
    name: string,
    type: RecordType,
  ): Promise<{ server: DnsServer; response: Response }> {
    let failure: DnsError | undefined;
    for (let round = 0; round < rounds; round++) {
      for (const server of servers) {
        try {
          const response = await exchange(server, name, type, timeoutMs << round);
          if (response.rcode === "NOERROR" || response.rcode === "NXDOMAIN") {
            return { server, response };
          }
          failure = new DnsError(response.bogus ? "bogus" : "servfail", name, type, {
            detail: response.bogus
              ? "DNSSEC validation failed"
              : `server answered ${response.rcode}`,
          });
        } catch (err) {
          failure = err instanceof DnsError
            ? err
            : new DnsError("malformed", name, type, { cause: err });
        }
      }
      // A server that answered with a failure would do so again: only silent ones are retried.
      if (failure && failure.kind !== "timeout") throw failure;
    }
    throw failure ??
      new DnsError("noserver", name, type, { detail: "no name server is configured" });
  }

  async function resolve<K extends RecordType>(name: string, type: K): Promise<DnsAnswer<K>> {
    const cnames: string[] = [];
    let authenticated = true;
    let ttl = MAX_TTL;
    let current = name;
    // Recursive servers answer with the whole chain; otherwise the rest is queried.
    for (;;) {
      const { server, response } = await ask(current, type);
      authenticated &&= server.trusted && response.authenticData;
      const before = current;
      for (;;) {
        const found = recordsOf(response, current, type);
        if (found.records.length > 0) {
          return {
            name,
            type,
            records: found.records,
            authenticated,
            ttl: Math.min(ttl, found.ttl),
            cnames,
          };
        }
        if (type === "CNAME") break;
        const next = recordsOf(response, current, "CNAME");
        if (next.records.length === 0) break;
        current = next.records[0];
        ttl = Math.min(ttl, next.ttl);
        cnames.push(current);
        if (
          cnames.length > MAX_CNAMES || current === name ||
          cnames.indexOf(current) < cnames.length - 1
        ) {
          throw new DnsError("malformed", name, type, { detail: "CNAME loop or chain too long" });
        }
      }
      if (
        current !== before && response.rcode === "NOERROR" && response.negativeTtl === undefined
      ) {
        continue;
      }
      throw new DnsError(response.rcode === "NXDOMAIN" ? "nxdomain" : "nodata", name, type, {
        authenticated,
        ttl: Math.min(ttl, response.negativeTtl ?? failureTtl, MAX_NEGATIVE_TTL),
      });
    }
  }

  function start<K extends RecordType>(key: string, name: string, type: K): Promise<DnsAnswer<K>> {
    const running = inFlight.get(key) as Promise<DnsAnswer<K>> | undefined;
    if (running) return running;
    const promise = resolve(name, type).then((answer) => {
      lookups.inc({ result: "ok" });
      cache.set(key, answer, answer.ttl);
      return answer;
    }, (err) => {
      const error = err instanceof DnsError
        ? err
        : new DnsError("malformed", name, type, { cause: err });
      lookups.inc({ result: error.kind });
      cache.set(key, error, error.notFound ? error.ttl : failureTtl);
      throw error;
    }).finally(() => inFlight.delete(key));
    inFlight.set(key, promise);
    return promise;
  }

  return {
    servers,
    clearCache: () => cache.clear(),
    async lookup<K extends RecordType>(
      name: string,
      type: K,
      lookupOptions: LookupOptions = {},
    ): Promise<DnsAnswer<K>> {
      const normal = normalizeName(name);
      if (normal === undefined) {
        throw new DnsError("badname", name.slice(0, 300), type, { detail: "not a domain name" });
      }
      const key = `${type} ${normal}`;
      const known = cache.get(key);
      if (known instanceof DnsError) throw known;
      if (known) return known as DnsAnswer<K>;
      return await abortable(start(key, normal, type), normal, type, lookupOptions.signal);
    },
  };
}

function recordsOf<K extends RecordType>(
  response: Response,
  owner: string,
  type: K,
): { records: RecordData[K][]; ttl: number } {
  const records: RecordData[K][] = [];
  let ttl = MAX_TTL;
  for (const answer of response.answers) {
    if (answer.owner !== owner || answer.type !== type || records.length >= MAX_RECORDS) continue;
    const data = recordData(type, answer.data);
    if (data === undefined) continue;
    records.push(data);
    ttl = Math.min(ttl, answer.ttl);
  }
  return { records, ttl };
}

/** Stops waiting when the signal fires; the lookup goes on, for its cache and for other callers. */
export function abortable<T>(
  promise: Promise<T>,
  name: string,
  type: RecordType,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(new DnsError("timeout", name, type, { cause: signal.reason }));
    if (signal.aborted) {
      promise.catch(() => {});
      return stop();
    }
    signal.addEventListener("abort", stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
