/**
 * Addresses of hosts for HTTP requests: names of this machine, the hosts file, then the DNS.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { readFileSync, statSync } from "node:fs";
import { hostsFile } from "../platform/net.ts";
import { lookupAddresses } from "./addresses.ts";
import { parseIp } from "./ip.ts";
import type { Resolver } from "./types.ts";

/** Bytes of a hosts file that are read. */
const maxHosts = 1024 * 1024;

let hosts: { path: string; stamp: string; names: Map<string, string[]> } | undefined;

/** Names of a hosts file's text, in lower case, with their addresses. */
export function parseHosts(text: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [ip, ...rest] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (!ip || !parseIp(ip)) continue;
    for (const name of rest) {
      const key = name.toLowerCase().replace(/\.$/, "");
      names.set(key, [...names.get(key) ?? [], ip]);
    }
  }
  return names;
}

function fromHosts(path: string, name: string): string[] | undefined {
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info || info.size > maxHosts) return undefined;
  const stamp = `${info.mtimeMs} ${info.size} ${info.ino}`;
  if (hosts?.stamp !== stamp || hosts.path !== path) {
    hosts = { path, stamp, names: parseHosts(readFileSync(path, "utf8")) };
  }
  return hosts.names.get(name);
}

/**
 * Creates a function that returns a host's addresses, IPv4 first, in the order of the hosts file; names without a dot
 * (of containers, or in the system's search domains) are resolved by the system.
 */
export function hostAddresses(
  resolver: Resolver,
  path: string = hostsFile,
): (name: string, signal?: AbortSignal) => Promise<string[]> {
  return async (host, signal) => {
    const name = host.toLowerCase().replace(/\.$/, "");
    const local = fromHosts(path, name);
    if (local) return [...local];
    // RFC 6761 §6.3.
    if (name === "localhost" || name.endsWith(".localhost")) return ["127.0.0.1", "::1"];
    if (!name.includes(".")) {
      return (await lookup(name, { all: true })).map((a) => a.address);
    }
    const { addresses } = await lookupAddresses(resolver, name, { signal });
    // Machines without IPv6 are more common than those without IPv4.
    return addresses.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
  };
}
