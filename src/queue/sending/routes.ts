/** Which transport delivers a message to a recipient. @module */
import type { Config, Route } from "../../config/mod.ts";
import { NameError, parseAddress } from "../../config/names.ts";
import { normalizeName } from "../../dns/mod.ts";
import { domainOf } from "../rows.ts";

/** Whether a pattern (a domain, or with a dot in front its subdomains) matches the domain. */
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
 * The name of the first matching route's transport: routes of the account, then of the sender's domain, then
 * global ones. Undefined for direct delivery.
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

/** The transport for all mail to an address that belongs to another server according to its domain's Relay. */
export function relayTransport(config: Config, address: string): string | undefined {
  // Few domains have one, while messages may have many recipients.
  if (config.domain(domainOf(address))?.config.Relay === undefined) return undefined;
  try {
    const { localpart, domain } = parseAddress(address);
    const found = config.lookupAddress(localpart, domain.ascii, { disabledDomains: true });
    return found.kind === "relay" ? found.relay.Transport : undefined;
  } catch (err) {
    if (!(err instanceof NameError)) throw err;
    return undefined;
  }
}
