/**
 * Rules for connections at a user's request (webhooks, imports, mail to a domain, its policies): never to this
 * machine or the networks around it, whose services trust nearby hosts.
 *
 * @module
 */
import { networkOf, parseIp } from "../ip.ts";
import type { AddressRule } from "./addresses.ts";

/** A network: its address and the bits of its prefix. */
type Network = readonly [address: Uint8Array, bits: number];

/**
 * Networks in CIDR form, or addresses.
 * @throws Error naming the invalid text
 */
export function parseNetwork(text: string): Network {
  const [address, bits, ...more] = text.split("/");
  const ip = parseIp(address);
  const most = ip?.length === 4 ? 32 : 128;
  const n = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (ip === undefined || more.length > 0 || !(n <= most)) {
    throw new Error(`${JSON.stringify(text)} is no address and no network like 10.0.0.0/8`);
  }
  return [ip, n];
}

function isIn(ip: Uint8Array, [address, bits]: Network): boolean {
  return ip.length === address.length && networkOf(ip, bits) === networkOf(address, bits);
}

/** Link-local, multicast and unassigned networks: never connected to, whatever is allowed. */
const nobodys = [
  "0.0.0.0/8",
  "169.254.0.0/16",
  "224.0.0.0/3",
  "::/128",
  "fe80::/10",
  "ff00::/8",
  // The metadata address of a large provider.
  "fd00:ec2::254",
].map(parseNetwork);

/** This machine's own addresses. */
const loopback = ["127.0.0.0/8", "::1/128"].map(parseNetwork);

/** Private networks (RFC 1918, 4193, 6598, 6890), and addresses that lead elsewhere than they say. */
const inside = [
  "10.0.0.0/8",
  "100.64.0.0/10",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "fc00::/7",
  "fec0::/10",
  // Discard-only, and local translation (RFC 6666, 8215).
  "100::/64",
  "64:ff9b:1::/48",
  // Teredo: contains the addresses of its server and client in a modified form.
  "2001::/32",
].map(parseNetwork);

/**
 * IPv6 networks whose addresses contain an IPv4 address (RFC 4291 §2.5.5.1, RFC 6052, RFC 3056), and its first
 * byte. (Mapped ones are parsed as IPv4.)
 */
const holding: readonly (readonly [Network, number])[] = [
  [parseNetwork("::/96"), 12],
  [parseNetwork("64:ff9b::/96"), 12],
  [parseNetwork("2002::/16"), 2],
];

/** The address itself, and one that it contains. */
function meant(text: string): Uint8Array[] | undefined {
  const ip = parseIp(text);
  if (ip === undefined) return undefined;
  // ::1 is loopback, not 0.0.0.1.
  if (ip.length === 4 || loopback.some((n) => isIn(ip, n))) return [ip];
  const held = holding.filter(([net]) => isIn(ip, net)).map(([, at]) => ip.slice(at, at + 4));
  return [ip, ...held];
}

/** The rule for any server's address: refuses link-local, multicast and unassigned ones, in any notation. */
export const serverAddressRule: AddressRule = (text) => {
  const ips = meant(text);
  if (ips === undefined) return "no address";
  return ips.some((ip) => nobodys.some((n) => isIn(ip, n)))
    ? "no server can be there, or one that gives away secrets of this machine"
    : undefined;
};

/** Options for where the server may connect at a user's request. */
export interface UserRuleOptions {
  /** Networks that the administrator allows, in addition to the internet. */
  allowed: readonly string[];
  /** Addresses of this machine. */
  own: () => readonly string[];
}

/**
 * The rule for addresses chosen by users.
 * @param o.allowed networks or addresses that are allowed if they can belong to a server
 */
export function userAddressRule(options: UserRuleOptions): AddressRule {
  const allowed = options.allowed.map(parseNetwork);
  return (text) => {
    const refused = serverAddressRule(text);
    if (refused !== undefined) return refused;
    const ips = meant(text)!;
    if (ips.some((ip) => allowed.some((n) => isIn(ip, n)))) return undefined;
    if (ips.some((ip) => [...loopback, ...inside].some((n) => isIn(ip, n)))) {
      return "not on the internet; mox.conf, AllowedUserNetworks, may allow it";
    }
    const own = options.own().map((a) => parseIp(a)).filter((a) => a !== undefined);
    return ips.some((ip) => own.some((a) => isIn(ip, [a, a.length * 8])))
      ? "an address of this machine; mox.conf, AllowedUserNetworks, may allow it"
      : undefined;
  };
}

/** The rule for mail: it may be sent to other hosts of the own network, but never to this machine. */
export function mailAddressRule(o: Pick<UserRuleOptions, "allowed">): AddressRule {
  const allowed = o.allowed.map(parseNetwork);
  return (text) => {
    const refused = serverAddressRule(text);
    if (refused !== undefined) return refused;
    const ips = meant(text)!;
    if (ips.some((ip) => allowed.some((n) => isIn(ip, n)))) return undefined;
    return ips.some((ip) => loopback.some((n) => isIn(ip, n)))
      ? "of this machine, where no mail is delivered"
      : undefined;
  };
}
