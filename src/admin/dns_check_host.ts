/** Checks of the host: names and addresses, resolver, block lists, and mail routing to it. @module */
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

/** Records of a name; empty if there are none. */
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
export async function checkDnssec(context: CheckContext, part: Part): Promise<void> {
  // The root zone is signed since 2010: a validating resolver marks it as authentic.
  const validates = await context.resolver.lookup("com", "NS").then(
    (a) => a.authenticated,
    () => false,
  );
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
  const signed = await context.resolver.lookup(context.domain, "MX").then(
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
export async function checkHost(context: CheckContext, part: Part): Promise<void> {
  const addresses = await addressesOf(context.resolver, context.host);
  part.found.push(...addresses.map((a) => `${context.host} ${a}`));
  if (addresses.length === 0) {
    part.error(
      `${context.host} has no address.`,
      zoneLine(
        context.host,
        "A",
        context.ips.find((ip) => !ip.includes(":")) ?? "<your IPv4 address>",
      ),
    );
  }
  if (context.ips.length === 0) {
    part.warn("Whether the addresses are right can't be told.", unknownIps);
    return;
  }
  for (const ip of context.ips.filter((i) => !addresses.includes(i))) {
    if (addresses.length === 0) break;
    part.warn(
      `${context.host} does not have the address ${ip}, which a listener is on.`,
      zoneLine(context.host, ip.includes(":") ? "AAAA" : "A", ip),
    );
  }
  for (const a of addresses.filter((a) => !context.ips.includes(a))) {
    part.error(
      `${context.host} has the address ${a}, on which no listener takes mail.`,
      `Remove ${a} from ${context.host}, or add it to IPs (behind NAT to NATIPs) of the public listener.`,
    );
  }
}

/** Whether each address has the host's name as its reverse name, and forward again. */
export async function checkIprevs(context: CheckContext, part: Part): Promise<void> {
  if (context.ips.length === 0) {
    part.skipped = true;
    return;
  }
  for (const ip of context.ips) {
    const r = await checkIprev(context.resolver, ip);
    part.found.push(`${ip} ${r.names.length === 0 ? "has no name" : r.names.join(" ")}`);
    const fix =
      `Have the owner of the address (your hosting provider) set its reverse DNS: ${ip} to ` +
      `${context.host}. Many servers refuse mail without.`;
    if (r.result === "temperror") part.warn(`The reverse DNS of ${ip} can't be had: ${r.error}.`);
    else if (r.result !== "pass") part.error(`Reverse DNS of ${ip}: ${r.error}.`, fix);
    else if (!r.names.includes(context.host)) {
      part.warn(`${ip} is called ${r.names.join(", ")}, not ${context.host}.`, fix);
    }
  }
}

/** Whether our own addresses are on block lists. */
export async function checkDnsbls(context: CheckContext, part: Part): Promise<void> {
  const zones = new Set(context.config.dynamic.MonitorDNSBLs);
  for (const l of context.config.static.Listeners.values()) {
    for (const zone of l.SMTP.Enabled ? l.SMTP.DNSBLs : []) zones.add(zone);
  }
  if (zones.size === 0 || context.ips.length === 0) {
    part.skipped = true;
    return;
  }
  const checker = dnsblChecker(context.resolver);
  for (const zone of zones) {
    // With a dead resolver, or one that the list refuses, everything would look "not listed".
    const wrong = await checker.health(zone);
    if (wrong !== undefined) {
      part.found.push(`${zone}: not known`);
      part.warn(
        `${zone} can't be asked by this resolver: ${wrong}.`,
        "Use a resolver of your own on this machine (unbound): lists refuse those that many share.",
      );
      continue;
    }
    for (const ip of context.ips) {
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

/** Whether mail for the domain is routed to this host. */
export async function checkMx(context: CheckContext, part: Part): Promise<void> {
  const entry = context.config.domain(context.domain);
  const records = await recordsOf(context.resolver, context.domain, "MX") as {
    preference: number;
    exchange: string;
  }[];
  part.found.push(...records.map((r) => `${r.preference} ${r.exchange}.`));
  if (entry?.reportsOnly && records.length === 0) {
    part.skipped = true;
    return;
  }
  const fix = zoneLine(context.domain, "MX", `10 ${context.host}.`);
  if (records.length === 0) {
    part.error("The domain has no MX record: others do not know where its mail goes.", fix);
  } else if (!records.some((r) => context.config.hostnames.has(r.exchange))) {
    part.error(`No MX record of the domain names this host, ${context.host}.`, fix);
  }
  for (const { exchange } of records) {
    if (exchange === "") {
      part.error('The domain has a null MX ("."): it says that it takes no mail.', fix);
    } else if (!context.config.hostnames.has(exchange)) {
      part.warn(
        `Mail may go to ${exchange} as well, which is not this host.`,
        `Unless ${exchange} is a backup of yours that knows the same addresses, remove it from the MX records.`,
      );
    }
  }
}

/** Whether the names that mail programs use lead here. */
export async function checkClients(context: CheckContext, part: Part): Promise<void> {
  const names: string[] = [];
  if (context.settings.ClientSettingsDomain !== "") {
    names.push(context.settings.ClientSettingsDomain);
  }
  if ([...context.config.static.Listeners.values()].some((l) => l.AutoconfigHTTPS.Enabled)) {
    names.push(`autoconfig.${context.domain}`);
  }
  if (names.length === 0) part.skipped = true;
  for (const name of names) {
    const addresses = await addressesOf(context.resolver, domainName(name).ascii);
    part.found.push(`${name} ${addresses.join(" ") || "has no address"}`);
    const fix = zoneLine(domainName(name).ascii, "CNAME", `${context.host}.`);
    if (addresses.length === 0) {
      part.error(`${name} has no address: mail programs can't connect there.`, fix);
    } else if (context.ips.length > 0 && !addresses.some((a) => context.ips.includes(a))) {
      part.error(`${name} leads to ${addresses.join(", ")}, not to this host.`, fix);
    }
  }
}

/** Whether the SRV records by which mail programs find the services name this host and its ports. */
export async function checkServices(context: CheckContext, part: Part): Promise<void> {
  const wanted = clientRecords(context.config, context.domain, context.settings).filter((r) =>
    r.type === "SRV"
  );
  for (const { name, data } of wanted) {
    const [, , port, target] = data.split(" ");
    const records = await recordsOf(context.resolver, name, "SRV") as SrvRecord[];
    part.found.push(...records.map((r) => `${name} ${r.port} ${r.target || "."}`));
    const right = records.some((r) => `${r.target}.` === target && (r.port === Number(port)));
    const add = zoneLine(name, "SRV", data);
    if (target === ".") {
      // RFC 6186 §3.4: a missing service may be declared, but need not be.
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
