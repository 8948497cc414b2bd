/**
 * Checks the DNS records of a domain and of this host; each finding says what to
 * do about it.
 *
 * @module
 */
import type { Config } from "../config/mod.ts";
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
import {
  type CheckContext,
  type CheckName,
  type DnsCheckOptions,
  type DomainCheck,
  type DomainCheckPart,
  Part,
} from "./dns_check_part.ts";
import { domainName } from "./domains.ts";
import { AdminError } from "./errors.ts";
import { publicIps } from "./records.ts";

type Check = (context: CheckContext, part: Part) => Promise<void> | void;

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

/** Runs all checks concurrently. @throws AdminError if it is not a domain of this server */
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
