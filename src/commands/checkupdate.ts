/** `mox checkupdate`. @module */
import { DnsError, makeResolver } from "../dns/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { programVersion } from "../platform/version.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";

/** Numbers of a version; what follows a hyphen does not count. */
function numbers(version: string): number[] {
  return version.split("-", 1)[0].split(".").map(Number);
}

/** True if the first version is later than the second. */
export function isLater(a: string, b: string): boolean {
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < Math.max(x.length, y.length); i++) {
    const d = (x[i] ?? 0) - (y[i] ?? 0);
    if (d !== 0) return d > 0;
  }
  return false;
}

export const checkupdate: Command = {
  name: "checkupdate",
  usage: "checkupdate domain",
  summary: "Ask the DNS whether there is a newer version",
  help: `
Looks up the TXT record of _updates in the domain, such as "v=UPDATES0; l=0.2.0", which names the latest
version, and tells whether it is newer than this one. Nothing asks by itself: this program names no domain of
its own, and the only one that learns of the question is the domain's DNS. Ends with status 3 if there is a
newer version.`,
  async run(args) {
    const { args: [domain] } = parseFlags(args, {}, { min: 1 });
    if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(domain)) {
      throw new UsageError(`${JSON.stringify(domain)} is not a domain`);
    }
    let records: string[];
    try {
      records = (await makeResolver().lookup(`_updates.${domain}`, "TXT")).records;
    } catch (err) {
      if (!(err instanceof DnsError)) throw err;
      throw new Error(`the latest version can't be had: ${err.message}`, { cause: err });
    }
    const latest = records
      .map((r) => /^v=UPDATES0;\s*l=([0-9][0-9.]{0,30}(?:-[\w.]{1,30})?)\s*(?:;|$)/.exec(r)?.[1])
      .find((v) => v !== undefined);
    if (latest === undefined) throw new Error(`_updates.${domain} names no version`);
    const later = isLater(latest, programVersion);
    writeStdout(`this is ${programVersion}, the latest is ${latest}\n`);
    return later ? 3 : 0;
  },
};
