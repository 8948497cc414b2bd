/** Checks of the host: its names and addresses, resolver, block lists, and that mail comes to it. @module */
import {
  dnsblChecker,
  DnsError,
  type RecordType,
  type Resolver,
  type SrvRecord,
} from "../dns/mod.ts";
import { checkIprev } from "../senderauth/iprev.ts";
import type { CheckContext, Part } from "./dns_check_part.ts";
import { domainName } from "./domains.ts";
import { clientRecords } from "./records.ts";

/** Records of a name; none if the DNS says that there are none. */
export async function recordsOf<K extends RecordType>(
  resolver: Resolver,
  name: string,
  type: K,
): Promise<Awaited<ReturnType<Resolver["lookup"]>>["records"]> {
  try {
    return (await resolver.lookup(name, type)).records;
  } catch (err) {
    if (err instanceof DnsError && err.notFound) return [];
    throw err;
  }
}

/** All addresses of a name. */
export async function addressesOf(resolver: Resolver, name: string): Promise<string[]> {
  const [v4, v6] = await Promise.all([
    recordsOf(resolver, name, "A"),
    recordsOf(resolver, name, "AAAA"),
  ]);
  return [...v4, ...v6] as string[];
}

/** A line of a zone file, as advice. */
export function zoneLine(name: string, type: string, data: string): string {
  return `Add to the zone: ${name}. ${type} ${data}`;
}

const unknownIps =
  "The public addresses are not known, as a listener has 0.0.0.0 or ::. Name them as IPs (or NATIPs) of the " +
  "listener.";

/** Whether the resolver validates, and the zone is signed. */
export async function checkDnssec(c: CheckContext, part: Part): Promise<void> {
  // The root zone is signed since 2010: a validating resolver vouches for it.
  const validates = await c.resolver.lookup("com", "NS").then((a) => a.authenticated, () => false);
  part.found.push(validates ? "the resolver validates" : "the resolver does not validate");
  if (!validates) {
    part.warn(
      "The resolver does not validate DNSSEC, or is not trusted to: DANE can't protect outgoing mail.",
      "Run a validating resolver on this machine (the package unbound does out of the box) and name it in " +
        "/etc/resolv.conf: nameserver 127.0.0.1. If the resolver there is on a path you trust, add " +
        '"options trust-ad".',
    );
    return;
  }
  const signed = await c.resolver.lookup(c.domain, "MX").then(
    (a) => a.authenticated,
    (err) => err instanceof DnsError && err.authenticated,
  );
  part.found.push(signed ? "the zone is signed" : "the zone is not signed");
  if (!signed) {
    part.warn(
      "The domain is not signed by DNSSEC: others can't rely on its records, and DANE is of no use.",
      "Turn DNSSEC on at the operator of the domain's DNS, and hand the DS record to the registrar.",
    );
  }
}

/** Whether the host's name has its addresses. */
export async function checkHost(c: CheckContext, part: Part): Promise<void> {
  const addresses = await addressesOf(c.resolver, c.host);
  part.found.push(...addresses.map((a) => `${c.host} ${a}`));
  if (addresses.length === 0) {
    part.error(
      `${c.host} has no address.`,
      zoneLine(c.host, "A", c.ips.find((ip) => !ip.includes(":")) ?? "<your IPv4 address>"),
    );
  }
  if (c.ips.length === 0) {
    part.warn("Whether the addresses are right can't be told.", unknownIps);
    return;
  }
  for (const ip of c.ips.filter((i) => !addresses.includes(i))) {
    if (addresses.length === 0) break;
    part.warn(
      `${c.host} does not have the address ${ip}, which a listener is on.`,
      zoneLine(c.host, ip.includes(":") ? "AAAA" : "A", ip),
    );
  }
  for (const a of addresses.filter((a) => !c.ips.includes(a))) {
    part.error(
      `${c.host} has the address ${a}, on which no listener takes mail.`,
      `Remove ${a} from ${c.host}, or add it to IPs (behind NAT to NATIPs) of the public listener.`,
    );
  }
}

/** Whether each address has the host's name, and back. */
export async function checkIprevs(c: CheckContext, part: Part): Promise<void> {
  if (c.ips.length === 0) {
    part.skipped = true;
    return;
  }
  for (const ip of c.ips) {
    const r = await checkIprev(c.resolver, ip);
    part.found.push(`${ip} ${r.names.length === 0 ? "has no name" : r.names.join(" ")}`);
    const fix =
      `Have the owner of the address (your hosting provider) set its reverse DNS: ${ip} to ` +
      `${c.host}. Many servers refuse mail without.`;
    if (r.result === "temperror") part.warn(`The reverse DNS of ${ip} can't be had: ${r.error}.`);
    else if (r.result !== "pass") part.error(`Reverse DNS of ${ip}: ${r.error}.`, fix);
    else if (!r.names.includes(c.host)) {
      part.warn(`${ip} is called ${r.names.join(", ")}, not ${c.host}.`, fix);
    }
  }
}

/** Whether the own addresses are on block lists. */
export async function checkDnsbls(c: CheckContext, part: Part): Promise<void> {
  const zones = new Set(c.config.dynamic.MonitorDNSBLs);
  for (const l of c.config.static.Listeners.values()) {
    for (const zone of l.SMTP.Enabled ? l.SMTP.DNSBLs : []) zones.add(zone);
  }
  if (zones.size === 0 || c.ips.length === 0) {
    part.skipped = true;
    return;
  }
  const checker = dnsblChecker(c.resolver);
  for (const zone of zones) {
    // A resolver that knows no name, or that the list doesn't serve, would make everything "not listed".
    const wrong = await checker.health(zone);
    if (wrong !== undefined) {
      part.found.push(`${zone}: not known`);
      part.warn(
        `${zone} can't be asked by this resolver: ${wrong}.`,
        "Use a resolver of your own on this machine (unbound): lists refuse those that many share.",
      );
      continue;
    }
    for (const ip of c.ips) {
      const r = await checker.check(zone, ip);
      part.found.push(`${ip} ${zone}: ${r.status === "pass" ? "not listed" : r.status}`);
      if (r.status === "temperror") {
        part.warn(`${zone} can't be asked about ${ip}: ${r.error ?? "no answer"}.`);
      } else if (r.status === "fail") {
        part.error(
          `${ip} is listed by ${zone}${r.explanation ? `: ${r.explanation}` : ""}.`,
          `See the site of ${zone} for why, and how to be delisted; a former user of the address may have ` +
            `sent spam.`,
        );
      }
    }
  }
}

/** Whether mail for the domain comes to this host. */
export async function checkMx(c: CheckContext, part: Part): Promise<void> {
  const entry = c.config.domain(c.domain);
  const records = await recordsOf(c.resolver, c.domain, "MX") as {
    preference: number;
    exchange: string;
  }[];
  part.found.push(...records.map((r) => `${r.preference} ${r.exchange}.`));
  if (entry?.reportsOnly && records.length === 0) {
    part.skipped = true;
    return;
  }
  const fix = zoneLine(c.domain, "MX", `10 ${c.host}.`);
  if (records.length === 0) {
    part.error("The domain has no MX record: others do not know where its mail goes.", fix);
  } else if (!records.some((r) => c.config.hostnames.has(r.exchange))) {
    part.error(`No MX record of the domain names this host, ${c.host}.`, fix);
  }
  for (const { exchange } of records) {
    if (exchange === "") {
      part.error('The domain has a null MX ("."): it says that it takes no mail.', fix);
    } else if (!c.config.hostnames.has(exchange)) {
      part.warn(
        `Mail may go to ${exchange} as well, which is not this host.`,
        `Unless ${exchange} is a backup of yours that knows the same addresses, remove it from the MX records.`,
      );
    }
  }
}

/** Whether the names that mail programs use lead here. */
export async function checkClients(c: CheckContext, part: Part): Promise<void> {
  const names: string[] = [];
  if (c.settings.ClientSettingsDomain !== "") names.push(c.settings.ClientSettingsDomain);
  if ([...c.config.static.Listeners.values()].some((l) => l.AutoconfigHTTPS.Enabled)) {
    names.push(`autoconfig.${c.domain}`);
  }
  if (names.length === 0) part.skipped = true;
  for (const name of names) {
    const addresses = await addressesOf(c.resolver, domainName(name).ascii);
    part.found.push(`${name} ${addresses.join(" ") || "has no address"}`);
    const fix = zoneLine(domainName(name).ascii, "CNAME", `${c.host}.`);
    if (addresses.length === 0) {
      part.error(`${name} has no address: mail programs can't connect there.`, fix);
    } else if (c.ips.length > 0 && !addresses.some((a) => c.ips.includes(a))) {
      part.error(`${name} leads to ${addresses.join(", ")}, not to this host.`, fix);
    }
  }
}

/** Whether the SRV records by which mail programs find the services name this host and its ports. */
export async function checkServices(c: CheckContext, part: Part): Promise<void> {
  const wanted = clientRecords(c.config, c.domain, c.settings).filter((r) => r.type === "SRV");
  for (const { name, data } of wanted) {
    const [, , port, target] = data.split(" ");
    const records = await recordsOf(c.resolver, name, "SRV") as SrvRecord[];
    part.found.push(...records.map((r) => `${name} ${r.port} ${r.target || "."}`));
    const right = records.some((r) => `${r.target}.` === target && (r.port === Number(port)));
    const add = zoneLine(name, "SRV", data);
    if (target === ".") {
      // RFC 6186 §3.4: that there is no such service may be said, and need not be.
      const other = records.find((r) => r.target !== "");
      if (other) part.warn(`${name} names ${other.target}, but the service is not on here.`, add);
    } else if (!right) {
      part.warn(
        records.length === 0
          ? `${name} has no record: mail programs that look for it need their settings typed in.`
          : `${name} does not name ${target.slice(0, -1)} port ${port}.`,
        add,
      );
    }
  }
}
