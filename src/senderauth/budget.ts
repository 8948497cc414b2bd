/** Limits the number and time of the lookups of one check. @module */
import {
  type DnsAnswer,
  DnsError,
  type LookupOptions,
  type RecordType,
  type Resolver,
} from "../dns/mod.ts";

/**
 * A resolver that refuses lookups past `maxLookups` with a DnsError `limit` (permanent: the same message would
 * exceed it again), and ends waiting ones when the signal is aborted.
 */
export function limitLookups(
  resolver: Resolver,
  maxLookups: number,
  signal?: AbortSignal,
): Resolver {
  let count = 0;
  return {
    lookup<K extends RecordType>(
      name: string,
      type: K,
      options?: LookupOptions,
    ): Promise<DnsAnswer<K>> {
      if (++count > maxLookups) {
        return Promise.reject(
          new DnsError("limit", name, type, { detail: `more than ${maxLookups} lookups` }),
        );
      }
      return resolver.lookup(name, type, signal ? { ...options, signal } : options);
    },
  };
}
