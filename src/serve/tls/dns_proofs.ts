/** Proofs of control by records that a DNS provider writes (dns-01). @module */
import type { DnsProofs } from "../../acme/mod.ts";
import type { Config } from "../../config/mod.ts";
import type { Resolver } from "../../dns/mod.ts";
import { providerFor, waitSeen, writeZone } from "../../dnsupdate/provider.ts";
import type { ZoneRecord } from "../../dnsupdate/records.ts";
import type { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";

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
    covers: (name) => providerFor(config, name) !== undefined,
    async add(record, value) {
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
    async remove(record, value) {
      try {
        await writeZone(s, record, { remove: [txt(record, value)], add: [] });
      } catch (err) {
        // It hurts nobody, and the certificate is not to wait for it.
        log.warn("record of a proof stays", { record, err: err as Error });
      }
    },
  };
}
