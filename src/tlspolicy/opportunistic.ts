/** Opportunistic TLS without any policy: for tests and servers without DNS. @module */
import type { DomainPolicy, TlsPolicy } from "./types.ts";

/** The policy of a domain without one. */
export function noPolicy(domain: string): DomainPolicy {
  return { mode: "none", domain, mx: [], policyString: [], matches: () => true };
}

/** Knows of no policies, and drops results. */
export const opportunistic: TlsPolicy = {
  policyFor: (domain) => Promise.resolve(noPolicy(domain)),
  daneFor: () => Promise.resolve({ kind: "none" }),
  report() {},
};
