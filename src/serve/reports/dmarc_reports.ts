/**
 * Sending DMARC aggregate reports (RFC 7489 §7.2): every full hour, to the domains whose interval ends
 * then, about the messages in their name.
 *
 * @module
 */
import { DnsError, type Resolver } from "../../dns/mod.ts";
import { reportAddresses } from "../../delivery/dmarc_evaluation.ts";
import type { Log } from "../../log/mod.ts";
import {
  buildDmarcReport,
  type DmarcEvaluation,
  type DmarcEvaluations,
  dmarcReportAttachment,
  dmarcReportsSent as reports,
  lookupReportConsent,
} from "../../reports/mod.ts";
import { parseDmarcRecord } from "../../senderauth/mod.ts";
import { organizationalDomain } from "../../store/messages/describe.ts";
import { type ReportServices, sendReport } from "./report_mail.ts";

const hour = 3_600_000;
/** Milliseconds that evaluations are kept which don't cause a report by themselves. */
const optionalKept = 48 * hour;
/** Recipients of one report. */
const maxAddresses = 10;
/** Overhead in bytes of a message with a base64 attachment, for size limits. */
const overhead = 2048;

export interface DmarcReportServices extends ReportServices {
  evaluations: DmarcEvaluations;
  resolver: Resolver;
  log: Log;
}

/**
 * Sends the reports due at a full hour.
 * @param at milliseconds since the epoch; evaluations of its own hour wait for the next
 * @returns the domains that got a report
 */
export async function sendDmarcReports(
  services: DmarcReportServices,
  at: number,
): Promise<string[]> {
  const end = Math.floor(at / hour) * hour;
  const hourOfDay = new Date(end).getUTCHours();
  const sent: string[] = [];
  for (const p of services.evaluations.pending(end)) {
    const oldest = services.evaluations.list(p.domain, end, 1)[0]?.evaluated ?? end;
    if (!p.wanted) {
      if (oldest < end - optionalKept) services.evaluations.remove(p.domain, end - optionalKept);
      continue;
    }
    // A server that was off at the end of an interval catches up.
    const due = hourOfDay % p.intervalHours === 0 || oldest < end - p.intervalHours * hour;
    if (!due) continue;
    try {
      const did = await report(services, p.domain, end);
      reports.inc({ result: did ? "sent" : "unwanted" });
      if (did) sent.push(p.domain);
      services.evaluations.remove(p.domain, end);
    } catch (err) {
      reports.inc({ result: "error" });
      // Retried at the next interval, for a day.
      if (oldest < end - 24 * hour) services.evaluations.remove(p.domain, end);
      services.log.error("dmarc report", { domain: p.domain, err: err as Error });
    }
  }
  return sent;
}

async function report(
  services: DmarcReportServices,
  domain: string,
  end: number,
): Promise<boolean> {
  const evaluations = services.evaluations.list(domain, end);
  const newest = evaluations[evaluations.length - 1];
  const addresses = await recipients(services, domain, newest);
  if (addresses.length === 0) return false;
  const hostname = services.config.static.Hostname;
  const from = `postmaster@${hostname}`;
  const begin = Math.min(
    end - newest.intervalHours * hour,
    Math.floor(evaluations[0].evaluated / hour) * hour,
  );
  const made = buildDmarcReport(
    {
      orgName: hostname,
      email: from,
      extraContactInfo: "",
      reportId: `${Math.floor(end / 1000)}.${crypto.randomUUID().slice(0, 8)}`,
    },
    begin / 1000,
    end / 1000 - 1,
    evaluations,
  );
  const attachment = dmarcReportAttachment(made, hostname);
  const size = Math.ceil(attachment.data.length * 4 / 3) + overhead;
  const fitting = addresses.filter((a) => a.maxSize === undefined || size <= a.maxSize);
  if (fitting.length === 0) {
    services.log.info("dmarc report is larger than its addresses take", { domain, size });
    return false;
  }
  await sendReport(services, {
    from,
    recipients: fitting.map((a) => a.address),
    attachment,
    multipart: ["mixed", {}],
    text:
      `Attached is an aggregate report about messages that named ${domain} as their sender, by\n` +
      `its DMARC policy, as received by ${hostname}.\n\n` +
      `Period: ${new Date(begin).toISOString()} to ${new Date(end).toISOString()}\n` +
      `Messages: ${evaluations.length}\n`,
  });
  services.log.info("dmarc report queued", {
    domain,
    to: fitting.map((a) => a.address).join(","),
    messages: evaluations.length,
  });
  return true;
}

/** The addresses that may get a report about the domain. @throws DnsError if that is unknown for now */
async function recipients(
  services: DmarcReportServices,
  domain: string,
  newest: DmarcEvaluation,
): Promise<DmarcEvaluation["addresses"]> {
  const suppressed = new Set(services.evaluations.suppressed().map((x) => x.address));
  const found = new Map<string, DmarcEvaluation["addresses"][number]>();
  for (const a of newest.addresses.slice(0, maxAddresses)) {
    const at = domainOf(a.address);
    const inside = organizationalDomain(at) === organizationalDomain(domain);
    for (const to of inside ? [a] : await agreed(services, domain, a, at)) {
      const address = to.address.toLowerCase();
      if (!suppressed.has(address) && !found.has(address)) found.set(address, to);
    }
  }
  return [...found.values()].slice(0, maxAddresses);
}

const domainOf = (address: string) => address.slice(address.lastIndexOf("@") + 1).toLowerCase();

/**
 * Other domains must have agreed to get reports about the domain; if their record has addresses, at the same
 * domain, these replace the given one (RFC 7489 §7.1).
 */
async function agreed(
  services: DmarcReportServices,
  domain: string,
  given: DmarcEvaluation["addresses"][number],
  at: string,
): Promise<DmarcEvaluation["addresses"]> {
  try {
    const consent = await lookupReportConsent(services.resolver, domain, at);
    if (!consent.accepts) return [];
    const own = consent.texts.flatMap((t) =>
      reportAddresses(parseDmarcRecord(t)?.aggregateReports ?? [])
    ).filter((a) => domainOf(a.address) === at);
    return own.length > 0 ? own : [given];
  } catch (err) {
    if (!(err instanceof DnsError) || err.temporary) throw err;
    return [];
  }
}
