/** `mox dnsbl check` and `checkhealth`. @module */
import { dnsblChecker, parseIp } from "../dns/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { resolverOf, serverFlag, serverHelp } from "./inputs.ts";

export const dnsblCheck: Command = {
  name: "dnsbl check",
  usage: "dnsbl check [-server address] list ip",
  summary: "Ask a DNS block list about an IP address",
  help: `
Asks a DNS block list, such as sbl.spamhaus.org, whether it has an IP address, and prints "pass" if
it has not, "fail" with the list's codes and explanation if it has, or "temperror". The exit status
is 0, 1 or 2.
${serverHelp}`,
  async run(args) {
    const { flags, args: [zone, ip] } = parseFlags(args, serverFlag, { min: 2 });
    if (!parseIp(ip)) throw new UsageError(`not an IP address: ${ip}`);
    const r = await dnsblChecker(resolverOf(flags)).check(zone, ip);
    const details = [r.codes.join(" "), r.explanation ?? "", r.error ?? ""].filter((s) => s !== "");
    writeStdout([r.status, ...details].join(": ") + "\n");
    return { pass: 0, fail: 1, temperror: 2 }[r.status];
  },
};

export const dnsblCheckHealth: Command = {
  name: "dnsbl checkhealth",
  usage: "dnsbl checkhealth [-server address] list",
  summary: "Check that a DNS block list works",
  help: `
Checks by the entries for testing (RFC 5782 §5) that a DNS block list is in operation: it must have
127.0.0.2, and must not have 127.0.0.1. One that was given up may answer yes, or no, to everything.
${serverHelp}`,
  async run(args) {
    const { flags, args: [zone] } = parseFlags(args, serverFlag, { min: 1 });
    const problem = await dnsblChecker(resolverOf(flags)).health(zone);
    writeStdout(
      problem === undefined ? "the list works\n" : `the list does not work: ${problem}\n`,
    );
    return problem === undefined ? 0 : 1;
  },
};
