/** `mox mtasts lookup`. @module */
import { DnsError } from "../dns/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { fetchPolicy, recordId } from "../tlspolicy/mod.ts";
import { outboundFetch } from "../tlspolicy/sts_https.ts";
import { type Command, parseFlags } from "./command.ts";
import { outboundOf, resolverOf, serverFlag, serverHelp } from "./inputs.ts";

export const mtastsLookup: Command = {
  name: "mtasts lookup",
  usage: "mtasts lookup [-server address] domain",
  summary: "Show the MTA-STS record and policy of a domain",
  help: `
Looks up the record of a domain (TXT of _mta-sts.<domain>) and fetches its policy by HTTPS, as deliveries do,
and prints both. The status is 1 if the domain has none, or one that can't be used.
${serverHelp}`,
  async run(args) {
    const { flags, args: [name] } = parseFlags(args, serverFlag, { min: 1, max: 1 });
    const domain = name.toLowerCase();
    const resolver = resolverOf(flags);
    try {
      const { records } = await resolver.lookup(`_mta-sts.${domain}`, "TXT");
      const id = recordId(records);
      if (id === undefined) {
        writeStdout("no record: there is no TXT record that begins with v=STSv1\n");
        return 1;
      }
      writeStdout(`record: id ${id}\n`);
    } catch (err) {
      if (!(err instanceof DnsError) || !err.notFound) throw err;
      writeStdout("no record: the domain does not use MTA-STS\n");
      return 1;
    }
    const fetchFn = outboundFetch(await outboundOf(resolver));
    const policy = await fetchPolicy(domain, fetchFn, AbortSignal.timeout(60_000));
    writeStdout(`policy: mode ${policy.mode}, good for ${policy.maxAge} seconds\n`);
    for (const mx of policy.mx) writeStdout(`mx: ${mx}\n`);
  },
};
