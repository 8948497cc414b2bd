/**
 * Looks whether the DNS says of a domain, and of this host, what it should; for each finding with what to
 * do about it.
 *
 * @module
 */
import type { Config, Domain } from "../config/mod.ts";
import type { Resolver } from "../dns/mod.ts";
import {
  checkClients,
  checkDnsbls,
  checkDnssec,
  checkHost,
  checkIprevs,
  checkMx,
  checkServices,
} from "./dns_check_host.ts";
import {
  checkDane,
  checkDkim,
  checkDmarcRecord,
  checkMtasts,
  checkSpfRecords,
  checkTlsrpt,
} from "./dns_check_policies.ts";
import { domainName } from "./domains.ts";
import { AdminError } from "./errors.ts";
import { publicIps } from "./records.ts";

export type CheckName =
  | "dnssec"
  | "host"
  | "iprev"
  | "dnsbl"
  | "mx"
  | "spf"
  | "dkim"
  | "dmarc"
  | "mtasts"
  | "tlsrpt"
  | "dane"
  | "clients"
  | "services";

/** Something that is not as it should be. */
export interface Finding {
  /** Errors keep mail from working as configured; warnings are worth a look. */
  level: "error" | "warning";
  message: string;
}

/** One subject of the check. */
export interface DomainCheckPart {
  name: CheckName;
  title: string;
  /** "skipped" if it is not configured, or can't be told from here. */
  state: "ok" | "warning" | "error" | "skipped";
  findings: Finding[];
  /** What the DNS has, for showing. */
  found: string[];
  /** What to do: records to add or change, settings to correct. Empty if all is well. */
  fix: string[];
}

export interface DomainCheck {
  domain: string;
  parts: DomainCheckPart[];
}

export interface DnsCheckOptions {
  resolver: Resolver;
  /** Public addresses of this host; by default those of the configuration. */
  ips?: readonly string[];
  /** Gets the text of a domain's MTA-STS policy by HTTPS; without it that is not looked at. */
  fetchPolicy?: (domain: string) => Promise<string>;
  /** Milliseconds for each subject. */
  timeout?: number;
}

/** What all subjects need. */
export interface CheckContext extends DnsCheckOptions {
  config: Config;
  /** The domain in ASCII. */
  domain: string;
  settings: Domain;
  /** The host's name in ASCII. */
  host: string;
  ips: readonly string[];
}

/** Collects what one subject finds. */
export class Part {
  readonly findings: Finding[] = [];
  readonly found: string[] = [];
  readonly fix: string[] = [];
  skipped = false;

  error(message: string, fix?: string): void {
    this.findings.push({ level: "error", message });
    if (fix !== undefined) this.fix.push(fix);
  }

  warn(message: string, fix?: string): void {
    this.findings.push({ level: "warning", message });
    if (fix !== undefined) this.fix.push(fix);
  }
}

type Check = (c: CheckContext, part: Part) => Promise<void> | void;

const checks: readonly [CheckName, string, Check][] = [
  ["dnssec", "DNSSEC", checkDnssec],
  ["host", "Addresses of the host", checkHost],
  ["iprev", "Reverse DNS", checkIprevs],
  ["dnsbl", "Block lists", checkDnsbls],
  ["mx", "MX", checkMx],
  ["spf", "SPF", checkSpfRecords],
  ["dkim", "DKIM", checkDkim],
  ["dmarc", "DMARC", checkDmarcRecord],
  ["mtasts", "MTA-STS", checkMtasts],
  ["tlsrpt", "TLS reporting", checkTlsrpt],
  ["dane", "DANE", checkDane],
  ["clients", "Names for mail programs", checkClients],
  ["services", "Services for mail programs", checkServices],
];

/** Does all checks, at the same time. @throws AdminError if it is not a domain of this server */
export async function checkDomainDns(
  config: Config,
  domain: string,
  options: DnsCheckOptions,
): Promise<DomainCheck> {
  const name = domainName(domain);
  const entry = config.domain(name.ascii);
  if (!entry) throw new AdminError(`no domain ${name.unicode}`);
  const context: CheckContext = {
    ...options,
    config,
    domain: name.ascii,
    settings: entry.config,
    host: domainName(config.static.Hostname).ascii,
    ips: options.ips ?? publicIps(config),
  };
  const parts = await Promise.all(
    checks.map(([part, title, check]) => runPart(context, part, title, check)),
  );
  return { domain: name.unicode, parts };
}

async function runPart(
  context: CheckContext,
  name: CheckName,
  title: string,
  check: Check,
): Promise<DomainCheckPart> {
  const part = new Part();
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error("the DNS did not answer in time")),
    context.timeout ?? 20_000,
  );
  try {
    await Promise.race([check(context, part), late]);
  } catch (err) {
    part.error(
      err instanceof Error ? err.message : String(err),
      "Try again; if it stays, look at the resolver in /etc/resolv.conf.",
    );
  } finally {
    clearTimeout(timer);
  }
  const state = part.findings.some((f) => f.level === "error")
    ? "error"
    : part.findings.length > 0
    ? "warning"
    : part.skipped
    ? "skipped"
    : "ok";
  const { findings, found, fix } = part;
  return { name, title, state, findings, found, fix };
}
