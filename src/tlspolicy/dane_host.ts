/** Addresses of a mail host, and the names at which its TLSA records may be. @module */
import { DnsError, lookupAddresses, type LookupOptions, type Resolver } from "../dns/mod.ts";

/** A host as found in the DNS. */
export interface DaneHost {
  addresses: string[];
  /** The addresses were authenticated by DNSSEC. */
  authenticated: boolean;
  /** TLSA base domains in the order in which they count (RFC 7672 §2.1.3); none: no DANE. */
  names: string[];
}

/**
 * Looks up a host. Where an authenticated CNAME leads out of the part that DNSSEC protects, the addresses can't
 * be trusted, but the name that has the CNAME can still have TLSA records that can be.
 * @throws DnsError if it has no address
 */
export async function daneHost(
  resolver: Resolver,
  host: string,
  options: LookupOptions = {},
): Promise<DaneHost> {
  const { addresses, authenticated, canonicalName } = await lookupAddresses(
    resolver,
    host,
    options,
  );
  if (authenticated) {
    return { addresses, authenticated, names: [...new Set([canonicalName, host])] };
  }
  const alias = canonicalName !== host && await isSecureAlias(resolver, host, options);
  return { addresses, authenticated, names: alias ? [host] : [] };
}

/** @throws DnsError if this can't be determined: taking that for "no" would be a way around DANE */
async function isSecureAlias(
  resolver: Resolver,
  host: string,
  options: LookupOptions,
): Promise<boolean> {
  try {
    return (await resolver.lookup(host, "CNAME", options)).authenticated;
  } catch (err) {
    if (err instanceof DnsError && err.notFound) return false;
    throw err;
  }
}
