/** Challenges by records that a DNS provider writes (dns-01). @module */
import type { DnsProofs } from "../../acme/mod.ts";
import type { Config } from "../../config/mod.ts";
import type { Resolver } from "../../dns/mod.ts";
import { providerFor, waitSeen, writeZone } from "../../dnsupdate/provider.ts";
import type { ZoneRecord } from "../../dnsupdate/records.ts";
import type { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";

/** Length of a chain of aliases that is followed. */
const maxAliases = 8;

/**
 * Where a record has to be written: zones that can't be updated have an alias to one that can (the authority follows it,
 * RFC 8555 §8.4). The name itself if it isn't an alias, or if that is unknown for now.
 */
async function aliasedTo(resolver: Resolver, name: string): Promise<string> {
  let current = name;
  for (let i = 0; i < maxAliases; i++) {
    let next: string | undefined;
    try {
      next = (await resolver.lookup(current, "CNAME")).records[0];
    } catch {
      return current;
    }
    if (next === undefined) return current;
    current = next.replace(/\.$/, "").toLowerCase();
  }
  return name;
}

/** By the DNSProviders of the configuration. */
export function dnsProofs(
  config: Config,
  outbound: Outbound,
  log: Log,
  fresh: () => Resolver,
): DnsProofs {
  const s = { config, outbound, log };
  const txt = (name: string, data: string): ZoneRecord => ({ name, type: "TXT", data });
  return {
    async covers(name) {
      if (config.static.DNSProviders.size === 0) return false;
      if (providerFor(config, name) !== undefined) return true;
      const record = `_acme-challenge.${name.replace(/^\*\./, "")}`;
      return providerFor(config, await aliasedTo(fresh(), record)) !== undefined;
    },
    async add(asked, value) {
      const record = await aliasedTo(fresh(), asked);
      const change = { remove: [], add: [txt(record, value)] };
      await writeZone(s, record, change);
      const { Timeout } = providerFor(config, record)!.provider;
      const missing = await waitSeen(fresh, change, Timeout);
      if (missing.length > 0) {
        throw new Error(
          `${record} was written, but is not seen in the DNS after ${Timeout / 1000} s`,
        );
      }
    },
    async remove(asked, value) {
      const record = await aliasedTo(fresh(), asked);
      try {
        await writeZone(s, record, { remove: [txt(record, value)], add: [] });
      } catch (err) {
        // It does no harm, and must not delay the certificate.
        log.warn("record of a proof stays", { record, err: err as Error });
      }
    },
  };
}
