/** Ways out for tests: names that are given, and loopback by its own. */
import { hostAddresses, scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { Authorities, Outbound } from "../../src/net/mod.ts";

/** A way that trusts these authorities (PEM) alone, and knows the zone's names. */
export function outboundTo(roots: string[] = [], zone: Zone = {}): Outbound {
  return new Outbound({
    authorities: Authorities.of(...roots),
    lookup: hostAddresses(scriptedResolver(zone)),
  });
}
