/**
 * The DNS: answers with their authentication status, typed failures, a resolver with a cache,
 * a scripted one, and DNS blocklists.
 *
 * Everything that uses the DNS takes a {@link Resolver}, so that tests (and a server for
 * developers, which has no DNS) can pass a scripted one. An answer counts as authenticated only if a
 * resolver on this machine, or one configured as trusted, marks it so.
 *
 * May import platform, log and metrics. Used by senderauth, tlspolicy, queue, delivery, smtp, web
 * and commands.
 *
 * @module
 */
export * from "./types.ts";
export * from "./addresses.ts";
export { isLater, latestVersion } from "./latest_version.ts";
export { hostAddresses, parseHosts } from "./host_addresses.ts";
export {
  decimal,
  formatIp,
  isLoopback,
  parseIp,
  parseIpv4,
  parseIpv6,
  reverseLabels,
  reverseName,
  sameNetwork,
} from "./ip.ts";
export { isUnder, normalizeName } from "./names.ts";
export { type DnsServer, parseResolvConf, parseServer, systemServers } from "./resolv_conf.ts";
export { type DnsResolver, makeResolver, MAX_CNAMES, type ResolverOptions } from "./client.ts";
export {
  type ScriptedName,
  type ScriptedResolver,
  scriptedResolver,
  type Zone,
} from "./scripted.ts";
export { type DnsblChecker, dnsblChecker, type DnsblResult, type DnsblStatus } from "./dnsbl.ts";
