/** A name server with the records that a zone file, or quickstart's output, has. */
import type { Answer } from "dns-packet";
import { type FakeServer, fakeServer } from "../dns/fake_server.ts";

/** Records from the text of a zone file as quickstart prints it. */
export function readZone(text: string): Answer[] {
  const records: Answer[] = [];
  for (const line of text.split("\n")) {
    const m = /^(\S+)\.\s+(A|MX|TXT|CNAME|SRV)\s+(.*)$/.exec(line);
    if (!m) continue;
    const [, name, type, data] = m;
    if (type === "A") records.push({ name, type: "A", data, ttl: 60 });
    else if (type === "CNAME") records.push({ name, type: "CNAME", data: data.slice(0, -1) });
    else if (type === "MX") {
      const [preference, exchange] = data.split(" ");
      records.push({
        name,
        type: "MX",
        data: { preference: Number(preference), exchange: exchange.slice(0, -1) },
      });
    } else if (type === "SRV") {
      const [priority, weight, port, target] = data.split(" ");
      records.push({
        name,
        type: "SRV",
        data: {
          priority: Number(priority),
          weight: Number(weight),
          port: Number(port),
          target: target === "." ? "." : target.slice(0, -1),
        },
      });
    } else {
      const strings = [...data.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((s) => s[1]);
      records.push({ name, type: "TXT", data: strings });
    }
  }
  return records;
}

/** Answers, with DNSSEC's flag, from records; more may be added to them while it runs. */
export function zoneServer(zone: readonly Answer[], address?: string): Promise<FakeServer> {
  return fakeServer((name, type) => {
    const named = zone.filter((r) => r.name === name.toLowerCase());
    const answers = named.filter((r) => r.type === type || r.type === "CNAME");
    if (answers[0]?.type === "CNAME") {
      const { data } = answers[0];
      answers.push(...zone.filter((r) => r.name === data && r.type === type));
    }
    return { answers, ad: true, rcode: named.length > 0 ? 0 : 3 };
  }, address);
}
