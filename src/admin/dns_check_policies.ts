/** Checks of a domain's records for sender authentication and TLS policies. @module */
import type { TlsaRecord } from "../dns/mod.ts";
import {
  checkSpf,
  type DkimKey,
  DkimKeyError,
  isDkimKeyRecord,
  isDmarcRecord,
  isSpfRecord,
  parseDkimKey,
  parseDmarcRecord,
  parseSpfRecord,
  SpfSyntaxError,
} from "../senderauth/mod.ts";
import type { CheckContext, Part } from "./dns_check_part.ts";
import { addressesOf, recordsOf, zoneLine } from "./dns_check_host.ts";
import { dkimTexts, dmarcText, hostSpfText, hostTlsa, spfText, tlsrptText } from "./records.ts";

async function textsOf(
  context: CheckContext,
  name: string,
  isOne: (text: string) => boolean,
): Promise<string[]> {
  return (await recordsOf(context.resolver, name, "TXT") as string[]).filter(isOne);
}

const txt = (name: string, text: string) => zoneLine(name, "TXT", `"${text}"`);

/** Reports a missing record, or several where there should be one. */
function single(part: Part, what: string, name: string, texts: string[], wanted: string): boolean {
  part.found.push(...texts);
  if (texts.length === 0) {
    part.error(`${name} has no record for ${what}.`, txt(name, wanted));
  } else if (texts.length > 1) {
    part.error(
      `${name} has ${texts.length} records for ${what}, which is as good as none.`,
      `Keep one of them, such as "${wanted}".`,
    );
  }
  return texts.length === 1;
}

/** Whether SPF allows this host to send for the domain, and in its own name. */
export async function checkSpfRecords(context: CheckContext, part: Part): Promise<void> {
  for (const [name, wanted] of [[context.domain, spfText], [context.host, hostSpfText]] as const) {
    if (!single(part, "SPF", name, await textsOf(context, name, isSpfRecord), wanted)) continue;
    try {
      const record = parseSpfRecord(part.found.at(-1)!);
      const all = record.directives.find((d) => d.mechanism.name === "all");
      if (all && all.qualifier === "+") {
        part.error(`${name} lets all the world send ("+all").`, txt(name, wanted));
      }
    } catch (err) {
      if (!(err instanceof SpfSyntaxError)) throw err;
      part.error(`SPF record of ${name}: ${err.message}.`, txt(name, wanted));
      continue;
    }
    for (const ip of context.ips) {
      const own = name === context.host;
      const r = await checkSpf({
        ip,
        helo: context.host,
        mailFrom: own ? "" : `postmaster@${name}`,
        resolver: context.resolver,
        hostname: context.host,
        now: new Date(),
      });
      if (r.result === "pass") continue;
      part.error(
        `SPF of ${name} gives ${r.result} for ${ip}, from which this host sends${
          r.error ? `: ${r.error}` : ""
        }.`,
        txt(name, wanted),
      );
    }
  }
}

/** Whether the signing keys are published. */
export async function checkDkim(context: CheckContext, part: Part): Promise<void> {
  const texts = await dkimTexts(context.config, context.settings);
  if (texts.size === 0) {
    part.warn(
      "The domain has no DKIM keys: its messages are not signed, and many will be taken for junk.",
      'Make keys with "mox dkim genrsa" or "mox dkim gened25519", and name them as Selectors in domains.conf.',
    );
  }
  for (const [selector, wanted] of texts) {
    const name = `${selector}._domainkey.${context.domain}`;
    const records = await textsOf(context, name, isDkimKeyRecord);
    if (!single(part, "DKIM", name, records, wanted)) continue;
    let key: DkimKey;
    try {
      key = parseDkimKey(records[0]);
    } catch (err) {
      if (!(err instanceof DkimKeyError)) throw err;
      part.error(`${name}: ${err.message}.`, txt(name, wanted));
      continue;
    }
    const same = key.key.equals(parseDkimKey(wanted).key);
    if (!same) part.error(`${name} has another key than the one here.`, txt(name, wanted));
    if (key.testing) {
      part.warn(
        `${name} says that DKIM is being tested ("t=y").`,
        `Remove t=y from the record of ${name}.`,
      );
    }
  }
  const idle = [...texts.keys()].filter((s) => !context.settings.DKIM.Sign.includes(s));
  if (texts.size > 0 && idle.length === texts.size) {
    part.warn("No selector signs.", "List selectors at Sign in DKIM of the domain.");
  }
}

/** Whether there is a policy for unauthenticated mail, and its reports are sent here. */
export async function checkDmarcRecord(context: CheckContext, part: Part): Promise<void> {
  const name = `_dmarc.${context.domain}`;
  const wanted = dmarcText(context.settings, context.domain) ?? "v=DMARC1;p=reject";
  const records = await textsOf(context, name, isDmarcRecord);
  if (!single(part, "DMARC", name, records, wanted)) return;
  const record = parseDmarcRecord(records[0]);
  if (!record) {
    part.error(`The record of ${name} is malformed.`, txt(name, wanted));
    return;
  }
  if (record.policy === "none") {
    part.warn(
      'With p=none anybody can send in the name of the domain: "reject" is the policy that protects it.',
      txt(name, wanted),
    );
  }
  const reports = parseDmarcRecord(wanted)?.aggregateReports[0]?.uri.toLowerCase();
  if (reports !== undefined) {
    if (!record.aggregateReports.some((r) => r.uri.toLowerCase() === reports)) {
      part.warn(`Reports do not come to ${reports}, which is set up here.`, txt(name, wanted));
    }
  }
}

/** Whether TLS reports are sent here. */
export async function checkTlsrpt(context: CheckContext, part: Part): Promise<void> {
  const wanted = tlsrptText(context.settings, context.domain);
  if (wanted === undefined) {
    part.skipped = true;
    return;
  }
  const name = `_smtp._tls.${context.domain}`;
  const records = await textsOf(context, name, (t) => /^v=TLSRPTv1\s*(;|$)/.test(t));
  if (!single(part, "TLS reporting", name, records, wanted)) return;
  const uri = wanted.slice(wanted.indexOf("mailto:")).toLowerCase();
  if (!records[0].toLowerCase().includes(uri)) {
    part.warn(`Reports do not come to ${uri}, which is set up here.`, txt(name, wanted));
  }
}

/** Whether the MTA-STS policy is announced, and served as configured. */
export async function checkMtasts(context: CheckContext, part: Part): Promise<void> {
  const policy = context.settings.MTASTS;
  const name = `_mta-sts.${context.domain}`;
  const records = await textsOf(context, name, (t) => /^v=STSv1\s*(;|$)/.test(t));
  if (!policy) {
    part.found.push(...records);
    part.skipped = records.length === 0;
    if (records.length > 0) {
      part.error(
        "The DNS announces an MTA-STS policy, but none is configured here.",
        `Configure MTASTS of the domain, or remove the TXT record of ${name}.`,
      );
    }
    return;
  }
  const wanted = `v=STSv1; id=${policy.PolicyID}`;
  if (single(part, "MTA-STS", name, records, wanted)) {
    const id = /;\s*id\s*=\s*([A-Za-z0-9]+)/.exec(records[0])?.[1];
    if (id !== policy.PolicyID) {
      part.warn(
        `The announced policy has id ${
          id ?? "none"
        }, the one here ${policy.PolicyID}: others keep the old one.`,
        txt(name, wanted),
      );
    }
  }
  const host = `mta-sts.${context.domain}`;
  const addresses = await addressesOf(context.resolver, host);
  if (addresses.length === 0) {
    part.error(
      `${host} has no address: others can't get the policy.`,
      zoneLine(host, "CNAME", `${context.host}.`),
    );
  } else if (context.ips.length > 0 && !addresses.some((a) => context.ips.includes(a))) {
    part.warn(
      `${host} leads to ${addresses.join(", ")}: the policy has to be served there.`,
      zoneLine(host, "CNAME", `${context.host}.`),
    );
  }
  if (addresses.length === 0 || !context.fetchPolicy) return;
  try {
    const text = await context.fetchPolicy(context.domain);
    const mode = /^mode:[ \t]*(\S+)/m.exec(text)?.[1];
    part.found.push(`policy with mode ${mode ?? "missing"}`);
    if (mode !== policy.Mode) {
      part.error(
        `The policy that is served has mode ${
          mode ?? "missing"
        }, the configured one ${policy.Mode}.`,
        `See what answers at https://${host}/.well-known/mta-sts.txt.`,
      );
    }
  } catch (err) {
    part.error(
      `The policy can't be had: ${err instanceof Error ? err.message : String(err)}.`,
      `See that MTASTSHTTPS of a listener is on, and that https://${host}/.well-known/mta-sts.txt has a ` +
        `certificate for ${host}.`,
    );
  }
}

/** Whether the TLSA records match the host's keys. */
export async function checkDane(context: CheckContext, part: Part): Promise<void> {
  const name = `_25._tcp.${context.host}`;
  const wanted = await hostTlsa(context.config);
  const records = (await recordsOf(context.resolver, name, "TLSA") as TlsaRecord[]).map((r) =>
    `${r.usage} ${r.selector} ${r.matchingType} ${r.data.toHex()}`
  );
  part.found.push(...records);
  if (wanted.length === 0 && records.length === 0) {
    part.skipped = true;
    return;
  }
  for (const data of wanted.filter((d) => !records.includes(d))) {
    part.warn(`${name} lacks the record of a key of this host.`, zoneLine(name, "TLSA", data));
  }
  for (const data of records.filter((d) => !wanted.includes(d))) {
    part.error(
      `${name} has a record of a key that is not in HostPrivateKeyFiles: with DANE others may refuse to ` +
        `deliver here.`,
      `Remove from the zone: ${name}. TLSA ${data}`,
    );
  }
}
