/** One subject of the check of a domain's DNS: its name, findings, and what to do. @module */
import type { Config, Domain } from "../config/mod.ts";
import type { Resolver } from "../dns/mod.ts";

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

/** A problem. */
export interface Finding {
  /** Errors keep mail from working as configured; warnings are worth a look. */
  level: "error" | "warning";
  message: string;
}

/** One subject of the check. */
export interface DomainCheckPart {
  name: CheckName;
  title: string;
  /** "skipped" if it is not configured, or can't be checked from here. */
  state: "ok" | "warning" | "error" | "skipped";
  findings: Finding[];
  /** The DNS records found, for display. */
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
  /** Fetches a domain's MTA-STS policy by HTTPS; if absent, the policy is not checked. */
  fetchPolicy?: (domain: string) => Promise<string>;
  /** Milliseconds for each subject. */
  timeout?: number;
}

/** Common input of all subjects. */
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
