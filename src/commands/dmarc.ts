/** `mox dmarc lookup`, `verify`, `parsereportmsg` and `checkreportaddrs`. @module */
import { parseIp } from "../dns/mod.ts";
import { parseFeedbackReport } from "../mail/dsn/feedback_parse.ts";
import { headerField } from "../mail/header/header.ts";
import { decodeWords } from "../mail/header/words.ts";
import { parseMessage } from "../mail/structure/structure.ts";
import { Log } from "../log/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import {
  dmarcReportXml,
  findDmarcReport,
  lookupReportConsent,
  ReportError,
  reportParts,
} from "../reports/mod.ts";
import { authenticate, discoverDmarc, listedOrganization } from "../senderauth/mod.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { dnssec, messageParts, readMessage, resolverOf, serverFlag, serverHelp } from "./inputs.ts";

export const dmarcLookup: Command = {
  name: "dmarc lookup",
  usage: "dmarc lookup [-server address] domain",
  summary: "Look up the DMARC policy for a domain",
  help: `
Looks up the DMARC record that holds for a domain: its own, or that of the organisation it belongs to.
${serverHelp}`,
  async run(args) {
    const { flags, args: [domain] } = parseFlags(args, serverFlag, { min: 1 });
    const found = await discoverDmarc(resolverOf(flags), domain.toLowerCase(), "psl");
    if (!found.record) {
      writeStdout(`no DMARC record for ${domain}, organisation ${found.organizationalDomain}\n`);
      return 1;
    }
    const { record } = found;
    const own = found.recordDomain === domain.toLowerCase();
    const policy = own ? record.policy : record.subdomainPolicy ?? record.policy;
    writeStdout(
      `${record.text}\n` +
        `at _dmarc.${found.recordDomain}, ${dnssec(found.authenticated)}\n` +
        `policy for ${domain}: ${policy}, for ${record.percentage}% of messages\n` +
        `alignment: dkim ${record.strictDkim ? "strict" : "relaxed"}, spf ${
          record.strictSpf ? "strict" : "relaxed"
        }\n`,
    );
    for (const { uri } of record.aggregateReports) writeStdout(`aggregate reports: ${uri}\n`);
    for (const { uri } of record.failureReports) writeStdout(`failure reports: ${uri}\n`);
    return 0;
  },
};

export const dmarcVerify: Command = {
  name: "dmarc verify",
  usage: "dmarc verify [-server address] remoteip mailfrom helo < message",
  summary: "Check a message against its domain's DMARC policy",
  help: `
Checks a message from standard input as if it came from an IP address, with this sender ("" for none)
and EHLO name: SPF, DKIM, and with them DMARC. The exit status is 0 for pass, otherwise 1.
${serverHelp}`,
  async run(args) {
    const { flags, args: rest } = parseFlags(args, serverFlag, { min: 3 });
    const [remoteIp, mailFrom, ehlo] = rest;
    if (!parseIp(remoteIp)) throw new UsageError(`not an IP address: ${remoteIp}`);
    const auth = await authenticate({
      ...messageParts(await readMessage(undefined)),
      remoteIp,
      ehlo,
      mailFrom,
      resolver: resolverOf(flags),
      log: new Log("dmarc"),
      hostname: "localhost",
      now: new Date(),
      // The policy applies to all messages, whatever the percentage.
      random: () => 0,
    });
    const { dmarc, spf } = auth;
    writeStdout(`spf: ${spf.result} for ${spf.domain}${spf.error ? `, ${spf.error}` : ""}\n`);
    for (const d of auth.dkim) {
      writeStdout(`dkim: ${d.status} for ${d.domain ?? "?"}${d.error ? `, ${d.error}` : ""}\n`);
    }
    if (auth.dkim.length === 0) writeStdout("dkim: no signature\n");
    writeStdout(
      `dmarc: ${dmarc.result}${dmarc.fromDomain ? ` for ${dmarc.fromDomain}` : ""}` +
        `${dmarc.record ? `, policy ${dmarc.policy}` : ""}${
          dmarc.error ? `, ${dmarc.error}` : ""
        }\n`,
    );
    if (dmarc.applied !== "none") writeStdout(`the policy asks to ${dmarc.applied} the message\n`);
    return dmarc.result === "pass" ? 0 : 1;
  },
};

export const dmarcParseReport: Command = {
  name: "dmarc parsereportmsg",
  usage: "dmarc parsereportmsg [message ...]",
  summary: "Print the DMARC aggregate or failure report in a message",
  help: `
Reads messages (standard input if none is named), and prints the DMARC report that each has: an aggregate
report as XML, a failure report (RFC 6591) as lines of what failed.`,
  async run(args) {
    const { args: files } = parseFlags(args, {}, { max: 1000 });
    let failed = 0;
    for (const file of files.length === 0 ? [undefined] : files) {
      try {
        writeStdout(reportText(await readMessage(file)));
      } catch (err) {
        if (!(err instanceof ReportError)) throw err;
        writeStdout(`${file ?? "message"}: ${err.message}\n`);
        failed++;
      }
    }
    return failed > 0 ? 1 : 0;
  },
};

/** An aggregate report as XML, a failure report as lines. @throws ReportError if it is neither */
function reportText(message: Uint8Array): string {
  const failure = parseFeedbackReport(message);
  if (!failure?.failure) {
    const { root } = parseMessage(message);
    return dmarcReportXml(
      findDmarcReport(reportParts(root, (from, to) => message.subarray(from, to))),
    );
  }
  const f = failure.failure;
  const field = (name: string) =>
    decodeWords(headerField(failure.original, name) ?? "").replace(/\s+/g, " ").trim();
  const lines: [string, string | undefined][] = [
    ["failure of", f.kind],
    ["domain", f.domain],
    ["source", f.sourceIp],
    ["delivery", f.delivery],
    ["dkim", f.dkimDomain && `${f.dkimDomain} selector ${f.dkimSelector || "?"}`],
    ["spf", f.spfDns],
    ["arrived", f.arrival?.toISOString()],
    ["messages", String(f.incidents)],
    ["mail from", failure.mailFrom],
    ["recipients", failure.recipients.join(" ")],
    ["from", field("from")],
    ["subject", field("subject")],
  ];
  return lines.filter(([, value]) => value).map(([name, value]) => `${name}: ${value}\n`).join("");
}

export const dmarcCheckReportAddrs: Command = {
  name: "dmarc checkreportaddrs",
  usage: "dmarc checkreportaddrs [-server address] domain",
  summary: "Check that a domain's report addresses take its reports",
  help: `
For each address that the DMARC record of a domain wants reports at: those at other organisations must
agree, by a record of theirs at domain._report._dmarc.otherdomain (RFC 7489 §7.1). Without it nobody
sends reports to them.
${serverHelp}`,
  async run(args) {
    const { flags, args: [given] } = parseFlags(args, serverFlag, { min: 1 });
    const domain = given.toLowerCase();
    const resolver = resolverOf(flags);
    const found = await discoverDmarc(resolver, domain, "psl");
    if (!found.record) {
      writeStdout(`no DMARC record for ${domain}\n`);
      return 1;
    }
    let refused = 0;
    const uris = [...found.record.aggregateReports, ...found.record.failureReports];
    for (const { uri } of uris) {
      const m = /^mailto:[^@\s]+@([^?\s]+)/i.exec(uri);
      if (!m) {
        writeStdout(`${uri}: not a mailto: address, nobody sends reports there\n`);
        refused++;
        continue;
      }
      const at = m[1].toLowerCase();
      if (listedOrganization(at) === listedOrganization(found.recordDomain!)) {
        writeStdout(`${uri}: ok, of the same organisation\n`);
        continue;
      }
      const consent = await lookupReportConsent(resolver, found.recordDomain!, at);
      const how = dnssec(consent.authenticated);
      writeStdout(
        consent.accepts
          ? `${uri}: ok, ${at} takes reports about ${found.recordDomain}, ${how}\n`
          : `${uri}: ${at} does not take reports about ${found.recordDomain}: ` +
            `no record at ${found.recordDomain}._report._dmarc.${at}, ${how}\n`,
      );
      if (!consent.accepts) refused++;
    }
    if (uris.length === 0) writeStdout("the record has no addresses for reports\n");
    return refused > 0 ? 1 : 0;
  },
};
