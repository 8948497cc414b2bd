/** The DNS records that belong in the zone of a domain. @module */
import { createHash, createPublicKey } from "node:crypto";
import { privateKeyFromPem } from "../platform/private_key.ts";
import type { Config, Domain, Listener } from "../config/mod.ts";
import { packLocalpart } from "../config/names.ts";
import { dkimRecordText } from "./dkim_keys.ts";
import { domainName } from "./domains.ts";
import { AdminError } from "./errors.ts";

/** A record and its purpose. */
export interface DnsRecord {
  /** Absolute, without the dot at its end. */
  name: string;
  type: "A" | "AAAA" | "MX" | "TXT" | "CNAME" | "SRV" | "TLSA" | "CAA";
  /** Data in zone file format, except for TXT: the whole text, without quotes. */
  data: string;
  /** Its purpose; the same for records that belong together. */
  comment: string;
  /** Useful, but mail works without it. */
  optional?: boolean;
}

export interface RecordOptions {
  /** Public addresses of this host; by default those of the configuration. */
  ips?: readonly string[];
}

/** Names of ACME authorities in CAA records, by the host of their directory. */
const knownIssuers: readonly (readonly [string, string])[] = [
  ["api.letsencrypt.org", "letsencrypt.org"],
];

/** Listeners for mail from the internet. */
export function publicListeners(config: Config): Listener[] {
  return [...config.static.Listeners.values()].filter((l) => l.SMTP.Enabled);
}

/** Public addresses of the host, as far as configured. */
export function publicIps(config: Config): string[] {
  const ips = new Set<string>();
  for (const l of publicListeners(config)) {
    for (const ip of l.NATIPs.length > 0 ? l.NATIPs : l.IPsNATed ? [] : l.IPs) {
      if (ip !== "0.0.0.0" && ip !== "::") ips.add(ip);
    }
  }
  return [...ips];
}

/** Data of the TLSA records for the host's keys: DANE-EE, the key's SHA-256 (RFC 7672 §3.1.1). */
export async function hostTlsa(config: Config): Promise<string[]> {
  const data = new Set<string>();
  for (const l of publicListeners(config)) {
    for (const file of l.TLS?.HostPrivateKeyFiles ?? []) {
      const pem = await Deno.readTextFile(config.configPath(file));
      const spki = createPublicKey(privateKeyFromPem(pem)).export({ type: "spki", format: "der" });
      data.add(`3 1 1 ${createHash("sha256").update(spki).digest("hex")}`);
    }
  }
  return [...data];
}

/** SPF record of a domain: its MX hosts may send; softfail for others, as DMARC decides. */
export const spfText = "v=spf1 mx ~all";
/** SPF record of the host's name, for DSNs: they only have the host in EHLO. */
export const hostSpfText = "v=spf1 a -all";

/** Report address as a URI, escaped for mailto: and for lists in DMARC records. */
function mailto(localpart: string, domain: string): string {
  return `mailto:${encodeURIComponent(packLocalpart(localpart))}@${domain}`;
}

/** Text of the DMARC record; undefined if no reports are set up. */
export function dmarcText(domain: Domain, ascii: string): string | undefined {
  if (!domain.DMARC) return undefined;
  const at = domain.DMARC.Domain === "" ? ascii : domainName(domain.DMARC.Domain).ascii;
  return `v=DMARC1;p=reject;rua=${mailto(domain.DMARC.Localpart, at)}`;
}

/** Text of the record that requests TLS reports (RFC 8460 §3); undefined if none are set up. */
export function tlsrptText(domain: Domain, ascii: string): string | undefined {
  if (!domain.TLSRPT) return undefined;
  const at = domain.TLSRPT.Domain === "" ? ascii : domainName(domain.TLSRPT.Domain).ascii;
  return `v=TLSRPTv1; rua=${mailto(domain.TLSRPT.Localpart, at)}`;
}

/** DKIM records of a domain, by selector. @throws if a key can't be read */
export async function dkimTexts(config: Config, domain: Domain): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const [name, selector] of domain.DKIM.Selectors) {
    const pem = await Deno.readTextFile(config.configPath(selector.PrivateKeyFile));
    texts.set(name, dkimRecordText(pem, selector.Hash === "" ? undefined : selector.Hash));
  }
  return texts;
}

/** All records of a domain, and of the host if it belongs to the domain. @throws AdminError */
export async function domainRecords(
  config: Config,
  domain: string,
  options: RecordOptions = {},
): Promise<DnsRecord[]> {
  const name = domainName(domain);
  const entry = config.domain(name.ascii);
  if (!entry) throw new AdminError(`no domain ${name.unicode}`);
  return [
    ...await hostRecords(config, options.ips ?? publicIps(config)),
    ...await mailRecords(config, name.ascii, entry.config),
    ...clientRecords(config, name.ascii, entry.config),
    ...caaRecords(config, name.ascii),
  ];
}

async function hostRecords(config: Config, ips: readonly string[]): Promise<DnsRecord[]> {
  const host = domainName(config.static.Hostname).ascii;
  const records: DnsRecord[] = [];
  const add = (name: string, type: DnsRecord["type"], data: string, comment: string) =>
    records.push({ name, type, data, comment });
  for (const ip of ips) {
    add(host, ip.includes(":") ? "AAAA" : "A", ip, "Addresses of the mail server.");
  }
  for (const data of await hostTlsa(config)) {
    add(
      `_25._tcp.${host}`,
      "TLSA",
      data,
      "DANE: keys of the mail server. Only of use in a zone that is signed by DNSSEC.",
    );
  }
  add(host, "TXT", hostSpfText, "SPF of the host itself, which DSNs are sent from.");
  const reports = config.static.HostTLSRPT;
  if (reports) {
    add(
      `_smtp._tls.${host}`,
      "TXT",
      `v=TLSRPTv1; rua=${mailto(reports.Localpart, host)}`,
      "Where others report on TLS with this host (for DANE).",
    );
  }
  return records;
}

async function mailRecords(config: Config, ascii: string, domain: Domain): Promise<DnsRecord[]> {
  const host = domainName(config.static.Hostname).ascii;
  const records: DnsRecord[] = [
    {
      name: ascii,
      type: "MX",
      data: `10 ${host}.`,
      comment: "Mail for the domain goes to this host.",
    },
    {
      name: ascii,
      type: "TXT",
      data: spfText,
      comment: "SPF: mail of the domain comes from its MX hosts.",
    },
  ];
  for (const [selector, text] of await dkimTexts(config, domain)) {
    records.push({
      name: `${selector}._domainkey.${ascii}`,
      type: "TXT",
      data: text,
      comment: "DKIM: keys that messages of the domain are signed with.",
    });
  }
  const dmarc = dmarcText(domain, ascii);
  if (dmarc !== undefined) {
    records.push({
      name: `_dmarc.${ascii}`,
      type: "TXT",
      data: dmarc,
      comment:
        "DMARC: others refuse what neither SPF nor DKIM vouches for, and report on it. While mail of the " +
        "domain is sent from elsewhere too, start with p=none.",
    });
  }
  if (domain.MTASTS) {
    const comment =
      "MTA-STS: others deliver over verified TLS only. Change the id with the policy.";
    records.push(
      { name: `mta-sts.${ascii}`, type: "CNAME", data: `${host}.`, comment },
      {
        name: `_mta-sts.${ascii}`,
        type: "TXT",
        data: `v=STSv1; id=${domain.MTASTS.PolicyID}`,
        comment,
      },
    );
  }
  const tlsrpt = tlsrptText(domain, ascii);
  if (tlsrpt !== undefined) {
    records.push({
      name: `_smtp._tls.${ascii}`,
      type: "TXT",
      data: tlsrpt,
      comment: "Where others report on TLS with the domain's servers.",
    });
  }
  return records;
}

/** Records for automatic configuration of mail programs. */
export function clientRecords(config: Config, ascii: string, domain: Domain): DnsRecord[] {
  const host = domainName(config.static.Hostname).ascii;
  const records: DnsRecord[] = [];
  const settings = domain.ClientSettingsDomain;
  if (settings !== "" && domainName(settings).ascii !== host) {
    records.push({
      name: domainName(settings).ascii,
      type: "CNAME",
      data: `${host}.`,
      comment: "Name of the server in the settings of mail programs.",
    });
  }
  const listeners = [...config.static.Listeners.values()];
  /** The port of the first listener with the service; the standard port if it is forwarded. */
  const has = (
    f: (listener: Listener) => { Enabled: boolean; Port: number; NonTLS?: boolean },
    usual: number,
  ) => {
    const service = listeners.map(f).find((s) => s.Enabled);
    return service && (service.NonTLS ? usual : service.Port || usual);
  };
  const comment = "For mail programs that set themselves up.";
  const optional = true;
  const autoconfig = has((l) => l.AutoconfigHTTPS, 443);
  if (autoconfig !== undefined) {
    records.push(
      { name: `autoconfig.${ascii}`, type: "CNAME", data: `${host}.`, comment, optional },
      {
        name: `_autodiscover._tcp.${ascii}`,
        type: "SRV",
        data: `0 1 ${autoconfig} ${host}.`,
        comment,
        optional,
      },
    );
  }
  // RFC 6186, RFC 8314 §5.1; the target "." means that there is no such service.
  const services: [string, number | undefined][] = [
    ["_imaps", has((l) => l.IMAPS, 993)],
    ["_submissions", has((l) => l.Submissions, 465)],
    ["_imap", has((l) => l.IMAP, 143)],
    ["_submission", has((l) => l.Submission, 587)],
    ["_pop3", has((l) => l.POP3, 110)],
    ["_pop3s", has((l) => l.POP3S, 995)],
  ];
  // RFC 5804 §1.8.
  const sieve = has((l) => l.ManageSieve, 4190);
  if (sieve !== undefined) services.push(["_sieve", sieve]);
  // RFC 8620 §2.2.
  const jmap = has((l) => l.JMAPHTTPS, 443);
  if (jmap !== undefined) services.push(["_jmap", jmap]);
  // RFC 6764 §3, §4.
  const dav = has((l) => l.DAVHTTPS, 443);
  if (dav !== undefined) {
    services.push(["_caldavs", dav], ["_carddavs", dav]);
    const path = listeners.find((l) => l.DAVHTTPS.Enabled)!.DAVHTTPS.Path || "/dav/";
    for (const service of ["_caldavs", "_carddavs"]) {
      const name = `${service}._tcp.${ascii}`;
      records.push({ name, type: "TXT", data: `path=${path}`, comment, optional });
    }
  }
  for (const [service, port] of services) {
    records.push({
      name: `${service}._tcp.${ascii}`,
      type: "SRV",
      data: port === undefined ? "0 0 0 ." : `0 1 ${port} ${host}.`,
      comment,
      optional,
    });
  }
  return records;
}

function caaRecords(config: Config, ascii: string): DnsRecord[] {
  const issuers = new Set<string>();
  for (const acme of config.static.ACME.values()) {
    const known = knownIssuers.find(([host]) => new URL(acme.DirectoryURL).host.endsWith(host));
    const issuer = acme.IssuerDomainName !== "" ? acme.IssuerDomainName : known?.[1];
    if (issuer) issuers.add(issuer);
  }
  return [...issuers].map((issuer) => ({
    name: ascii,
    type: "CAA",
    data: `0 issue "${issuer}"`,
    comment: "Only this authority may issue certificates for the domain.",
    optional: true,
  }));
}

/** Characters of one string of a TXT record (RFC 1035 §3.3.14 has 255); short, for old web forms. */
const maxString = 200;

function quoted(text: string): string {
  const pieces: string[] = [];
  for (let at = 0; at < text.length || at === 0; at += maxString) {
    pieces.push(`"${text.slice(at, at + maxString).replace(/["\\]/g, "\\$&")}"`);
  }
  return pieces.length === 1 ? pieces[0] : `( ${pieces.join(" ")} )`;
}

/** Records in zone file format. */
export function formatZone(records: readonly DnsRecord[], ttl = 300): string {
  const lines = [`; A short TTL while things are being set up; longer ones are fine later.`];
  lines.push(`$TTL ${ttl}`);
  const width = Math.max(...records.map((r) => r.name.length + 1), 0);
  let comment = "";
  for (const r of records) {
    if (r.comment !== comment) lines.push("", ...wrap(r.comment));
    comment = r.comment;
    const data = r.type === "TXT" ? quoted(r.data) : r.data;
    lines.push(`${`${r.name}.`.padEnd(width)} ${r.type.padEnd(5)} ${data}`);
  }
  return lines.join("\n") + "\n";
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = ";";
  for (const w of text.split(" ")) {
    if (line.length + 1 + w.length > 90) {
      lines.push(line);
      line = ";";
    }
    line += ` ${w}`;
  }
  return [...lines, line];
}
