/**
 * The world around a server on its first day, on loopback: the DNS, a certificate authority, and servers of others
 * by HTTPS. All of it speaks for real, with certificates that nobody else trusts.
 *
 * @module
 */
import type { Answer } from "dns-packet";
import { createServer, type Server } from "node:https";
import { TestAuthority } from "../../tests/acme/authority.ts";
import { readZone, zoneServer } from "../../tests/serve/zone.ts";

/** A request that came in by HTTPS. */
export interface Posted {
  host: string;
  path: string;
  type: string;
  body: Uint8Array;
}

export interface World {
  /** Records; more are added while it runs. */
  zone: Answer[];
  /** Adds the records of a zone file. */
  addZone(text: string): void;
  /** The name server, as MOX_DNS_SERVERS has it. */
  dns: string;
  authority: TestAuthority;
  /** Others' server by HTTPS: its port, and what it was asked. Any path is answered with "hello from elsewhere". */
  httpsPort: number;
  posted: Posted[];
  close(): Promise<void>;
}

/** Names of others, all on loopback. */
export const others = ["acme.example", "hooks.example", "pages.example", "reports.example"];

/** Starts it. @param addressOf where names of our servers are, for the authority that looks for proofs */
export async function makeWorld(
  addressOf: (name: string) => string,
  kindsFor: (name: string) => string[],
): Promise<World> {
  const zone: Answer[] = [{ name: "com", type: "NS", data: "a.gtld.example" }];
  for (const name of others) zone.push({ name, type: "A", data: "127.0.0.1", ttl: 60 });
  const dns = await zoneServer(zone);
  const authority = new TestAuthority({
    name: "acme.example",
    hostOf: addressOf,
    kindsFor,
    httpPort: 80,
    tlsPort: 443,
  });
  const posted: Posted[] = [];
  const server: Server = createServer(authority.ca.pair(others), async (req, res) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of req) pieces.push(piece);
    const host = (req.headers.host ?? "").replace(/:\d+$/, "");
    const type = req.headers["content-type"] ?? "";
    posted.push({ host, path: req.url ?? "", type, body: Buffer.concat(pieces) });
    res.end("hello from elsewhere");
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    zone,
    addZone: (text) => void zone.push(...readZone(text)),
    dns: `127.0.0.1:${dns.server.port}`,
    authority,
    httpsPort: (server.address() as { port: number }).port,
    posted,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await authority.stop();
      dns[Symbol.dispose]();
    },
  };
}
