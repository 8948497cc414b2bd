/** A name server on loopback for commands: answers from a zone. */
import type packet from "dns-packet";
import { type FakeServer, fakeServer } from "../dns/fake_server.ts";

/** Records by name and type. */
export type Records = Record<
  string,
  Partial<Record<"A" | "AAAA" | "MX" | "PTR" | "TXT", string[]>>
>;

export interface ZoneServer extends Disposable {
  /** The flag for commands. */
  flag: string[];
  server: FakeServer;
}

/** Answers that are not there are denied; all are authenticated. */
export async function zoneServer(records: Records): Promise<ZoneServer> {
  const server = await fakeServer((name, type) => {
    const entry = records[name.toLowerCase()];
    const values = entry?.[type as "A"] ?? [];
    return {
      ad: true,
      rcode: entry ? 0 : 3,
      answers: values.map((v): packet.Answer => {
        const base = { name, ttl: 60, class: "IN" } as const;
        if (type === "TXT") return { ...base, type, data: v.match(/.{1,255}/g)! };
        if (type === "MX") {
          const [preference, exchange] = v.split(" ");
          return { ...base, type, data: { preference: Number(preference), exchange } };
        }
        return { ...base, type: type as "A", data: v };
      }),
    };
  });
  const { address, port } = server.server;
  return {
    flag: ["-server", `${address}:${port}`],
    server,
    [Symbol.dispose]: () => server[Symbol.dispose](),
  };
}
