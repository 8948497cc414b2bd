/** `mox dns lookup`. @module */
import { DnsError, parseIp, type RecordData, type RecordType, reverseName } from "../dns/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { dnssec, resolverOf, serverFlag, serverHelp } from "./inputs.ts";

const types: readonly RecordType[] = [
  "A",
  "AAAA",
  "CNAME",
  "MX",
  "NS",
  "PTR",
  "SRV",
  "TLSA",
  "TXT",
];

function recordText(type: RecordType, record: RecordData[RecordType]): string {
  if (typeof record === "string") return type === "TXT" ? JSON.stringify(record) : record;
  if ("exchange" in record) return `${record.preference} ${record.exchange || "."}`;
  if ("target" in record) {
    return `${record.priority} ${record.weight} ${record.port} ${record.target || "."}`;
  }
  const data = Array.from(record.data, (b) => b.toString(16).padStart(2, "0")).join("");
  return `${record.usage} ${record.selector} ${record.matchingType} ${data}`;
}

export const dnsLookup: Command = {
  name: "dns lookup",
  usage: "dns lookup [-server address] [type] name",
  summary: "Ask the DNS, and tell whether the answer was authenticated",
  help: `
Asks the DNS as the server does, and prints the records, the names that CNAME records led to, and
whether a trusted resolver verified the answer with DNSSEC. Only the answers of a resolver on this
machine are trusted, as nobody can change them on their way.

Types: ${types.join(", ")}. Without one, A and AAAA are asked; of an IP address, PTR.
${serverHelp}`,
  async run(args) {
    const { flags, args: rest } = parseFlags(args, serverFlag, { min: 1, max: 2 });
    const [first, second] = rest;
    let asked: RecordType[] = ["A", "AAAA"];
    let name = first;
    if (second !== undefined) {
      const type = types.find((t) => t === first.toUpperCase());
      if (!type) throw new UsageError(`type is one of ${types.join(", ")}, not ${first}`);
      asked = [type];
      name = second;
    }
    const ip = parseIp(name);
    if (ip && (second === undefined || asked[0] === "PTR")) {
      asked = ["PTR"];
      name = reverseName(ip);
    }
    const resolver = resolverOf(flags);
    let found = false;
    for (const type of asked) {
      try {
        const answer = await resolver.lookup(name, type);
        found = true;
        writeStdout(
          `${answer.name} ${type}: ${answer.records.length} records, ${
            dnssec(answer.authenticated)
          }, ttl ${answer.ttl}s\n`,
        );
        for (const cname of answer.cnames) writeStdout(`  by way of ${cname}\n`);
        for (const record of answer.records) writeStdout(`  ${recordText(type, record)}\n`);
      } catch (err) {
        if (!(err instanceof DnsError)) throw err;
        const status = err.notFound ? ` (${err.kind}, ${dnssec(err.authenticated)})` : "";
        writeStdout(`${name} ${type}: ${err.notFound ? "no such record" : err.message}${status}\n`);
      }
    }
    return found ? 0 : 1;
  },
};
