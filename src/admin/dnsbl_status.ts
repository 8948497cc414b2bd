/** Whether block lists contain the addresses that this host sends from. @module */
import type { Config } from "../config/mod.ts";
import { isLoopbackIp, isUnspecifiedIp } from "../config/sconf/types.ts";
import { dnsblChecker, type Resolver } from "../dns/mod.ts";
import { addressesOf } from "./dns_check_host.ts";

/** A list's result for an address. */
export interface DnsblState {
  ip: string;
  zone: string;
  /** "pass": not listed. */
  status: "pass" | "fail" | "temperror";
  text: string;
}

/** Most pairs of list and address that are checked. */
const maxPairs = 200;

/** Public addresses of this host: the configured ones, else those of its name. */
export async function publicAddresses(config: Config, resolver: Resolver): Promise<string[]> {
  const listeners = [...config.static.Listeners.values()].filter((l) => l.SMTP.Enabled);
  const named = listeners.flatMap((l) => l.NATIPs.length > 0 ? l.NATIPs : l.IPs)
    .filter((ip) => !isUnspecifiedIp(ip) && !isLoopbackIp(ip));
  if (named.length > 0) return [...new Set(named)];
  return await addressesOf(resolver, config.static.Hostname).catch(() => []);
}

/** Checks all addresses with all lists that are used or monitored. */
export async function dnsblStatus(config: Config, resolver: Resolver): Promise<DnsblState[]> {
  const zones = new Set([
    ...config.dynamic.MonitorDNSBLs,
    ...[...config.static.Listeners.values()].flatMap((l) => l.SMTP.DNSBLs),
  ]);
  const checker = dnsblChecker(resolver);
  const pairs = (await publicAddresses(config, resolver)).flatMap((ip) =>
    [...zones].map((zone) => ({ ip, zone }))
  );
  return await Promise.all(
    pairs.slice(0, maxPairs).map(async ({ ip, zone }) => {
      // A list without its own test entry can't be trusted about this address.
      const wrong = await checker.health(zone);
      if (wrong !== undefined) return { ip, zone, status: "temperror" as const, text: wrong };
      const r = await checker.check(zone, ip);
      const text = r.error ?? r.explanation ?? r.codes.join(", ");
      return { ip, zone, status: r.status, text };
    }),
  );
}
