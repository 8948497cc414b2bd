/** Which resolvers to use: the system's, or configured ones. @module */
import { getServers } from "node:dns";
import { readFileSync } from "node:fs";
import { environment } from "../platform/process.ts";
import { isLoopback, parseIp } from "./ip.ts";

/** A recursive resolver. */
export interface DnsServer {
  /** IP address in text. */
  address: string;
  port: number;
  /**
   * Whether its authenticated-data flag can be trusted: it validates, and nobody can change its
   * answers on the way. True for a loopback address (RFC 7672 §2.1.1 requires no less).
   */
  trusted: boolean;
}

/** RFC 1035 has no limit; common resolvers read only the first three. */
const MAX_SERVERS = 3;

/** A server from "192.0.2.1", "[2001:db8::1]:5353" or "192.0.2.1:5353"; undefined for anything else. */
export function parseServer(text: string, trusted = false): DnsServer | undefined {
  let address = text;
  let port = 53;
  const bracket = text.startsWith("[") ? text.indexOf("]") : -1;
  const colon = text.lastIndexOf(":");
  if (bracket > 0) {
    address = text.slice(1, bracket);
    const rest = text.slice(bracket + 1);
    if (rest !== "") port = rest.startsWith(":") ? Number(rest.slice(1)) : NaN;
  } else if (colon > 0 && text.indexOf(":") === colon) {
    address = text.slice(0, colon);
    port = Number(text.slice(colon + 1));
  }
  const bytes = parseIp(address);
  if (!bytes || !Number.isInteger(port) || port < 1 || port > 65535) return undefined;
  return { address, port, trusted: trusted || isLoopback(bytes) };
}

/**
 * The name servers of a resolv.conf text. `options trust-ad` means that the operator trusts the
 * flag of all of them; other options and unknown lines are ignored.
 */
export function parseResolvConf(text: string): DnsServer[] {
  const addresses: string[] = [];
  let trustAd = false;
  for (const line of text.split("\n")) {
    const words = line.trim().split(/[ \t]+/);
    if (words[0] === "nameserver" && words[1] && addresses.length < MAX_SERVERS) {
      addresses.push(words[1]);
    } else if (words[0] === "options" && words.includes("trust-ad")) {
      trustAd = true;
    }
  }
  return addresses.flatMap((a) => parseServer(a, trustAd) ?? []);
}

/**
 * The servers of /etc/resolv.conf, else those known to the runtime; possibly none. The environment
 * variable MOX_DNS_SERVERS (addresses separated by spaces, with ports if they are not 53) overrides
 * them.
 */
export function systemServers(resolvConfPath = "/etc/resolv.conf"): DnsServer[] {
  const named = environment("MOX_DNS_SERVERS");
  if (named !== undefined) return named.split(/\s+/).flatMap((s) => parseServer(s) ?? []);
  let text: string;
  try {
    text = readFileSync(resolvConfPath, "utf8");
  } catch {
    // No such file (Windows) or not readable.
    try {
      return getServers().flatMap((s) => parseServer(s) ?? []).slice(0, MAX_SERVERS);
    } catch {
      return [];
    }
  }
  return parseResolvConf(text);
}
