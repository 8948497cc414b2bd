/** Which transport takes a message for a recipient. @module */
import type { Config, Route } from "../../config/mod.ts";
import { normalizeName } from "../../dns/mod.ts";

/** Whether a pattern (a domain, or with a dot before it its subdomains) is of the domain. */
function matches(patterns: readonly string[], domain: string): boolean {
  if (patterns.length === 0) return true;
  const name = normalizeName(domain) ?? domain.toLowerCase();
  return patterns.some((p) => {
    if (p === ".") return true;
    const below = p.startsWith(".");
    const wanted = normalizeName(below ? p.slice(1) : p) ?? "";
    return below ? name.endsWith(`.${wanted}`) : name === wanted;
  });
}

/**
 * The name of the transport that the first fitting route has: of the account, then of the sender's domain,
 * then global. Undefined for direct delivery.
 */
export function transportFor(
  config: Config,
  m: { account: string; fromDomain: string; toDomain: string; attempts: number },
): string | undefined {
  const lists: readonly (readonly Route[])[] = [
    config.account(m.account)?.Routes ?? [],
    config.domain(m.fromDomain)?.config.Routes ?? [],
    config.dynamic.Routes,
  ];
  for (const routes of lists) {
    for (const r of routes) {
      if (
        m.attempts >= r.MinimumAttempts && matches(r.FromDomain, m.fromDomain) &&
        matches(r.ToDomain, m.toDomain)
      ) return r.Transport;
    }
  }
  return undefined;
}
