/**
 * The input for analysing an incoming message: the message, its sender, the recipient's
 * configuration and history.
 *
 * @module
 */
import { accountSecret } from "../../store/account/settings.ts";
import { noMailbox } from "../../store/ids.ts";
import { createHmac } from "node:crypto";
import type { Account as AccountConfig, Config } from "../../config/mod.ts";
import { accountHistory } from "../../store/messages/history.ts";
import type { AnalysisContext } from "../../delivery/analysis_types.ts";
import type { JunkFilters } from "../../delivery/junk_filters.ts";
import { correspondentsOf, suspectOf } from "../../delivery/suspicion/message.ts";
import { linkDomains, listedLink, type Signal, signalsOf } from "../../delivery/suspicion/mod.ts";
import { messageText } from "../../delivery/message_text.ts";
import type { DnsblChecker } from "../../dns/mod.ts";
import { junkParams, messageWords } from "../../junk/mod.ts";
import {
  findDmarcReport,
  findFailureReport,
  findTlsReport,
  reportParts,
} from "../../reports/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { type DeliveryFacts, SpecialUse } from "../../store/types.ts";
import type { Arrived } from "../arrival/arrived.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan, Target } from "../arrival/plan.ts";

/** Sources besides the account. */
export interface AnalysisServices {
  config: Config;
  filters: JunkFilters;
  /** Undefined if DNS is not used. */
  dnsbl: DnsblChecker | undefined;
  /** Block lists of the listener. */
  dnsblZones: readonly string[];
  /** Lists of domains for links. */
  linkDnsblZones: readonly string[];
  now: () => number;
  random: () => number;
}

/** The context for one target of a recipient. `prefix` is what will be put in front of the message. */
export async function analysisContext(
  services: AnalysisServices,
  incoming: Incoming,
  plan: Plan,
  target: Target,
  account: Account,
  conf: AccountConfig,
  prefix: Uint8Array,
): Promise<AnalysisContext> {
  const { sender, arrived } = incoming;
  const { auth } = sender;
  const { summary, fields } = arrived.description;
  const { address } = plan.recipient;
  const rcptTo = `${address.localpart}@${address.domain ?? ""}`;
  const facts = sender.factsFor(address);
  return {
    now: services.now(),
    facts,
    size: incoming.size,
    tls: incoming.session.tls !== undefined,
    smtputf8: incoming.transaction.smtpUtf8,
    iprevPass: auth?.iprev.result === "pass",
    spf: auth?.spf.result ?? "none",
    signatures: sender.signatures,
    dmarc: {
      use: auth !== undefined && !auth.dmarc.sampledOut,
      pass: auth?.dmarc.result === "pass",
      // Nothing is delivered to a junk mailbox here: quarantine is a rejection as well.
      reject: auth !== undefined && auth.dmarc.applied !== "none",
      temporary: auth?.dmarc.result === "temperror",
    },
    headers: fields.map((f) => [f.name, f.value] as const),
    subject: summary.subject,
    from: summary.from.length === 1 ? summary.from[0].address : undefined,
    toCc: [...summary.to, ...summary.cc].map((a) => a.address),
    rcptTo,
    destination: {
      mailbox: target.destination.Mailbox,
      rulesets: target.destination.Rulesets.map((value) => ({
        ...value,
        HeadersRegexp: Object.fromEntries(value.HeadersRegexp),
      })),
      dmarcReports: target.reports === "dmarc",
      tlsReports: target.reports === "domainTls" || target.reports === "hostTls",
    },
    introbox: auth ? conf.Introbox : "",
    history: accountHistory(account.db),
    junkMailbox: account.mailboxBySpecialUse(SpecialUse.Junk)?.name,
    mailboxId: (name) => account.mailboxByName(name)?.id ?? noMailbox,
    junk: junkCheck(services.filters, account, conf, arrived, prefix),
    scans: incoming.scans,
    signals: conf.JunkFilter && auth
      ? () => signalsIn(services, account, arrived, facts)
      : undefined,
    subjectPass: conf.SubjectPass.Period > 0
      ? {
        key: await subjectPassKey(account, rcptTo),
        periodMs: conf.SubjectPass.Period,
      }
      : undefined,
    dnsbls: services.dnsbl
      ? services.dnsblZones.map((zone) =>
        blockList(services.dnsbl!, zone, incoming.session.remoteIp)
      )
      : [],
    failureReport: () =>
      findFailureReport(arrived.read(0, Math.min(incoming.size, maxFailureReport))),
    dmarcReport: () => findDmarcReport(reportParts(arrived.root, arrived.read)),
    tlsReport: () => findTlsReport(reportParts(arrived.root, arrived.read)),
    isOurDomain: (domain) => isOurDomain(services.config, domain),
    random: services.random,
  };
}

/** Bytes of a failure report that are read: it quotes one message, or its header. */
const maxFailureReport = 1024 * 1024;

/** Whether reports about a domain concern us: a configured domain, or this host. */
export function isOurDomain(config: Config, domain: string): boolean {
  return config.domain(domain) !== undefined ||
    domain.toLowerCase() === config.static.Hostname.toLowerCase();
}

function junkCheck(
  filters: JunkFilters,
  account: Account,
  conf: AccountConfig,
  arrived: Arrived,
  prefix: Uint8Array,
): AnalysisContext["junk"] {
  if (!conf.JunkFilter) return undefined;
  const params = junkParams(conf.JunkFilter.Params);
  return {
    threshold: conf.JunkFilter.Threshold,
    refuseThreshold: Math.max(conf.JunkFilter.Threshold, conf.JunkFilter.RefuseThreshold),
    classify: () =>
      filters.use(account.dir, params, (filter) => {
        const text = messageText(arrived.root, (a, b) => arrived.read(a, b), prefix);
        return filter.classify(messageWords(text, params));
      }),
  };
}

/** Signs of phishing in the message, taking into account whom the user has written to. */
async function signalsIn(
  services: AnalysisServices,
  account: Account,
  arrived: Arrived,
  facts: DeliveryFacts,
): Promise<Signal[]> {
  const text = messageText(arrived.root, (a, b) => arrived.read(a, b));
  const own = correspondentsOf(account.db);
  const suspect = suspectOf(arrived.description, text, facts.msgFromValidated, own);
  const signals = signalsOf(suspect);
  if (!services.dnsbl || services.linkDnsblZones.length === 0) return signals;
  return [
    ...signals,
    ...await listedLinks(services.dnsbl, services.linkDnsblZones, linkDomains(suspect)),
  ];
}

/** The first link that is on a list. A list that does not work counts as empty. */
async function listedLinks(
  dnsbl: DnsblChecker,
  zones: readonly string[],
  domains: readonly string[],
): Promise<Signal[]> {
  for (const zone of zones) {
    if (domains.length === 0 || await dnsbl.domainHealth(zone) !== undefined) continue;
    const answers = await Promise.all(domains.map((d) => dnsbl.checkDomain(zone, d)));
    const at = answers.findIndex((a) => a.status === "fail");
    if (at >= 0) return [listedLink(domains[at], zone)];
  }
  return [];
}

function blockList(dnsbl: DnsblChecker, zone: string, ip: string): AnalysisContext["dnsbls"][0] {
  return {
    zone,
    listed: async () => {
      // A list that is broken, or abandoned and answers to everything, is ignored.
      if (await dnsbl.health(zone) !== undefined) throw new Error("list does not work");
      const r = await dnsbl.check(zone, ip);
      if (r.status === "temperror") throw new Error(r.error ?? "no answer");
      return r.status === "fail";
    },
  };
}

/** The key for an account's subject passes; created when first needed. */
async function subjectPassKey(account: Account, rcptTo: string): Promise<Uint8Array> {
  const secret = await accountSecret(account, "subjectPassKey");
  return createHmac("sha256", secret).update(rcptTo.toLowerCase()).digest();
}
