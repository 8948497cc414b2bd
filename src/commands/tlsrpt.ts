/** `mox tlsrpt lookup` and `parsereportmsg`. @module */
import { writeStdout } from "../platform/stdio.ts";
import {
  findTlsReport,
  lookupTlsrpt,
  ReportError,
  tlsReportJson,
  TlsrptRecordError,
} from "../reports/mod.ts";
import { type Command, parseFlags } from "./command.ts";
import { dnssec, readReportParts, resolverOf, serverFlag, serverHelp } from "./inputs.ts";

export const tlsrptLookup: Command = {
  name: "tlsrpt lookup",
  usage: "tlsrpt lookup [-server address] domain",
  summary: "Look up where a domain wants TLS reports",
  help: `
Looks up the TLSRPT record (RFC 8460) of a domain: the addresses that other servers send their reports
about TLS to.
${serverHelp}`,
  async run(args) {
    const { flags, args: [domain] } = parseFlags(args, serverFlag, { min: 1 });
    try {
      const found = await lookupTlsrpt(resolverOf(flags), domain);
      if (!found) {
        writeStdout(`no TLSRPT record at _smtp._tls.${domain}\n`);
        return 1;
      }
      writeStdout(`${found.record.text}, ${dnssec(found.authenticated)}\n`);
      for (const a of found.record.addresses) writeStdout(`  ${a}\n`);
      return 0;
    } catch (err) {
      if (!(err instanceof TlsrptRecordError)) throw err;
      writeStdout(`the record is malformed: ${err.message}\n`);
      return 1;
    }
  },
};

export const tlsrptParseReport: Command = {
  name: "tlsrpt parsereportmsg",
  usage: "tlsrpt parsereportmsg [message ...]",
  summary: "Print the TLS report in a message",
  help: `
Reads messages (standard input if none is named), and prints the TLS report (RFC 8460) that each has
attached, as JSON.`,
  async run(args) {
    const { args: files } = parseFlags(args, {}, { max: 1000 });
    let failed = 0;
    for (const file of files.length === 0 ? [undefined] : files) {
      try {
        const report = findTlsReport(await readReportParts(file));
        writeStdout(`${JSON.stringify(JSON.parse(tlsReportJson(report)), undefined, 2)}\n`);
      } catch (err) {
        if (!(err instanceof ReportError)) throw err;
        writeStdout(`${file ?? "message"}: ${err.message}\n`);
        failed++;
      }
    }
    return failed > 0 ? 1 : 0;
  },
};
