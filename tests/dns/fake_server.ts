/** A name server on loopback for tests: answers as a function says, over UDP and TCP. @module */
import packet from "dns-packet";
import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server } from "node:net";
import type { DnsServer } from "../../src/dns/mod.ts";

export interface Reply {
  answers?: packet.Answer[];
  authorities?: packet.Answer[];
  additionals?: packet.Answer[];
  rcode?: number;
  ad?: boolean;
  /** Over UDP, say that the answer is cut. */
  truncated?: boolean;
  /** Change the bytes before they are sent; undefined sends nothing. */
  mangle?: (bytes: Uint8Array) => Uint8Array | undefined;
  /** Datagrams sent before the right one. */
  before?: (bytes: Uint8Array) => Uint8Array[];
}

export type Handler = (name: string, type: string, transport: "udp" | "tcp") => Reply | undefined;

export interface FakeServer extends Disposable {
  server: DnsServer;
  /** Questions that arrived, as "udp A example.com". */
  readonly log: string[];
}

export async function fakeServer(handler: Handler, address = "127.0.0.1"): Promise<FakeServer> {
  const log: string[] = [];
  const answer = (query: Uint8Array, transport: "udp" | "tcp"): Uint8Array[] => {
    const q = packet.decode(Buffer.from(query));
    const { name, type } = q.questions![0];
    log.push(`${transport} ${type} ${name}`);
    const reply = handler(name, type, transport);
    if (!reply) return [];
    const cut = transport === "udp" && reply.truncated;
    let bytes: Uint8Array = packet.encode({
      type: "response",
      id: q.id,
      flags: packet.RECURSION_AVAILABLE | (cut ? packet.TRUNCATED_RESPONSE : 0) |
        (reply.ad ? packet.AUTHENTIC_DATA : 0) | (reply.rcode ?? 0),
      questions: q.questions,
      answers: cut ? [] : reply.answers ?? [],
      authorities: reply.authorities ?? [],
      additionals: reply.additionals ?? [],
    });
    const first = reply.before?.(bytes) ?? [];
    if (reply.mangle) {
      const mangled = reply.mangle(bytes);
      if (!mangled) return first;
      bytes = mangled;
    }
    return [...first, bytes];
  };

  const tcp = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      for (const bytes of answer(data.subarray(2), "tcp")) {
        // In two pieces, as a network may deliver it.
        const framed = Buffer.concat([
          Buffer.from([bytes.length >> 8, bytes.length & 0xff]),
          bytes,
        ]);
        socket.write(framed.subarray(0, 1));
        socket.write(framed.subarray(1));
      }
      socket.end();
    });
  });
  const udp = await bindBoth(tcp, address);
  const port = udp.address().port;
  udp.on("message", (message, from) => {
    for (const bytes of answer(message, "udp")) udp.send(bytes, from.port, from.address);
  });
  return {
    server: { address, port, trusted: true },
    log,
    [Symbol.dispose]() {
      udp.close();
      tcp.close();
    },
  };
}

/**
 * Binds UDP, and TCP to the same port. A port that is free for one may be in use for the other, by tests
 * that run beside this one: then another is taken.
 */
async function bindBoth(tcp: Server, address: string): Promise<Socket> {
  for (;;) {
    const udp = createSocket("udp4");
    await new Promise<void>((resolve) => udp.bind(0, address, resolve));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    tcp.once("error", reject);
    tcp.listen(udp.address().port, address, resolve);
    try {
      await promise;
      tcp.off("error", reject);
      return udp;
    } catch (err) {
      udp.close();
      if ((err as { code?: string }).code !== "EADDRINUSE") throw err;
    }
  }
}
