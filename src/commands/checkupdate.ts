/** `mox checkupdate`. @module */
import { isLater, latestVersion, makeResolver } from "../dns/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { programVersion } from "../platform/version.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";

export const checkupdate: Command = {
  name: "checkupdate",
  usage: "checkupdate domain",
  summary: "Ask the DNS whether there is a newer version",
  help: `
Looks up the TXT record of _updates in the domain, such as "v=UPDATES0; l=0.2.0", which names the latest
version, and tells whether it is newer than this one. A server asks by itself only if CheckUpdates and
CheckUpdatesDomain of mox.conf say so: this program names no domain of its own, and the only one that learns
of the question is the domain's DNS. Ends with status 3 if there is a
newer version.`,
  async run(args) {
    const { args: [domain] } = parseFlags(args, {}, { min: 1 });
    if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(domain)) {
      throw new UsageError(`${JSON.stringify(domain)} is not a domain`);
    }
    const latest = await latestVersion(makeResolver(), domain);
    const later = isLater(latest, programVersion);
    writeStdout(`this is ${programVersion}, the latest is ${latest}\n`);
    return later ? 3 : 0;
  },
};
