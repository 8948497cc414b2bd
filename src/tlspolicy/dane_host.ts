/** Addresses of a mail host, and the names at which its TLSA records may be. @module */
import { DnsError, lookupAddresses, type LookupOptions, type Resolver } from "../dns/mod.ts";

/** A host's DNS data. */
export interface DaneHost {
  addresses: string[];
  /** The addresses were authenticated by DNSSEC. */
  authenticated: boolean;
  /** TLSA base domains in order of precedence (RFC 7672 §2.1.3); empty without DANE. */
  names: string[];
}

/**
 * Looks up a host. If an authenticated CNAME leads out of the part protected by DNSSEC, the addresses are
 * not authenticated, but TLSA records at the CNAME's own name are.
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

/** @throws DnsError if that is unknown: treating it as "no" would allow bypassing DANE */
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
