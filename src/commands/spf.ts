/** `mox spf check`, `lookup` and `parse`. @module */
import { DnsError, parseIp } from "../dns/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { checkSpf, isSpfRecord, parseSpfRecord, SpfSyntaxError } from "../senderauth/mod.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { dnssec, resolverOf, serverFlag, serverHelp } from "./inputs.ts";

export const spfCheck: Command = {
  name: "spf check",
  usage: "spf check [-server address] [-helo name] domain ip",
  summary: "Check whether an IP address may send for a domain",
  help: `
Evaluates a domain's SPF policy (RFC 7208) for an IP address, and prints the result with the part of
the record that decided. In place of the domain an address can be given, for policies that look at
its localpart. The exit status is 0 for pass, otherwise 1.

  -helo     what the sender would say in EHLO; default the domain
${serverHelp.slice(1)}`,
  async run(args) {
    const { flags, args: [sender, ip] } = parseFlags(args, { ...serverFlag, helo: "" }, { min: 2 });
    if (!parseIp(ip)) throw new UsageError(`not an IP address: ${ip}`);
    const domain = sender.slice(sender.lastIndexOf("@") + 1);
    const r = await checkSpf({
      ip,
      helo: flags.helo || domain,
      mailFrom: sender.includes("@") ? sender : `postmaster@${domain}`,
      resolver: resolverOf(flags),
      hostname: "localhost",
      now: new Date(),
    });
    writeStdout(`${r.result}, ${dnssec(r.authenticated)}\n`);
    if (r.mechanism) writeStdout(`mechanism: ${r.mechanism}\n`);
    if (r.error) writeStdout(`problem: ${r.error}\n`);
    if (r.explanation) writeStdout(`explanation by the domain: ${r.explanation}\n`);
    return r.result === "pass" ? 0 : 1;
  },
};

function describeRecord(text: string): string {
  const r = parseSpfRecord(text);
  const lines = r.directives.map((directive) => {
    const result =
      { "+": "pass", "-": "fail", "~": "softfail", "?": "neutral" }[directive.qualifier];
    return `${result.padEnd(8)} ${directive.text}`;
  });
  if (r.redirect !== undefined) lines.push("redirect (the rest is up to another domain's record)");
  if (r.explanation !== undefined) lines.push("exp (has an explanation for those who fail)");
  for (const o of r.other) lines.push(`ignored  ${o.name}=${o.value}`);
  return lines.map((l) => `  ${l}\n`).join("");
}

export const spfLookup: Command = {
  name: "spf lookup",
  usage: "spf lookup [-server address] domain",
  summary: "Look up a domain's SPF record",
  help: `
Looks up the SPF record of a domain, and prints it with what it says. A domain must have one only.
${serverHelp}`,
  async run(args) {
    const { flags, args: [domain] } = parseFlags(args, serverFlag, { min: 1 });
    let found: { records: string[]; authenticated: boolean };
    try {
      found = await resolverOf(flags).lookup(domain, "TXT");
    } catch (err) {
      if (!(err instanceof DnsError) || !err.notFound) throw err;
      found = { records: [], authenticated: err.authenticated };
    }
    const texts = found.records.filter(isSpfRecord);
    writeStdout(`${texts.length} SPF records, ${dnssec(found.authenticated)}\n`);
    let broken = texts.length !== 1;
    for (const text of texts) {
      writeStdout(`${text}\n`);
      try {
        writeStdout(describeRecord(text));
      } catch (err) {
        if (!(err instanceof SpfSyntaxError)) throw err;
        writeStdout(`  malformed: ${err.message}\n`);
        broken = true;
      }
    }
    return broken ? 1 : 0;
  },
};

export const spfParse: Command = {
  name: "spf parse",
  usage: "spf parse record",
  summary: "Parse an SPF record",
  help: `
Parses the text of an SPF record, as in "v=spf1 mx -all", and prints what it says, or what is wrong
with it.`,
  run(args) {
    const { args: words } = parseFlags(args, {}, { min: 1, max: 100 });
    try {
      writeStdout(describeRecord(words.join(" ")));
    } catch (err) {
      if (!(err instanceof SpfSyntaxError)) throw err;
      writeStdout(`malformed: ${err.message}\n`);
      return Promise.resolve(1);
    }
    return Promise.resolve(0);
  },
};
