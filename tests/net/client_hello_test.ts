import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { createServer, type Socket } from "node:net";
import { connect } from "node:tls";
import { readClientHello } from "../../src/net/client_hello.ts";

/** What the runtime's TLS client says first. */
function realHello(servername: string, protocols: string[]): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket: Socket) => {
      socket.on("error", () => {});
      socket.once("data", (d: Uint8Array) => {
        socket.destroy();
        server.close();
        resolve(Uint8Array.from(d));
      });
    });
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      connect({ host: "127.0.0.1", port, servername, ALPNProtocols: protocols })
        .on("error", () => {});
    });
    server.on("error", reject);
  });
}

Deno.test("name and protocols are read of a real ClientHello, whole or in pieces", async () => {
  const bytes = await realHello("Mail.Mox.Example", ["acme-tls/1", "h2"]);
  const read = readClientHello(bytes);
  assert.ok(read && read !== "more");
  const { hello } = read;
  assert.deepEqual([hello.serverName, hello.alpn], ["mail.mox.example", ["acme-tls/1", "h2"]]);
  assert.ok(hello.versions.includes(0x0304) && hello.keyShares.length > 0);
  for (let n = 0; n < bytes.length; n++) {
    assert.equal(readClientHello(bytes.subarray(0, n)), "more");
  }
  // Cut into records of its own.
  const body = bytes.subarray(5);
  const records: number[] = [];
  for (let at = 0; at < body.length; at += 50) {
    const part = body.subarray(at, at + 50);
    records.push(22, 3, 1, 0, part.length, ...part);
  }
  assert.deepEqual(readClientHello(Uint8Array.from(records)), read);
});

Deno.test("anything else is no ClientHello, and damaged ones give an answer too", async () => {
  assert.equal(readClientHello(new TextEncoder().encode("EHLO x\r\n")), undefined);
  assert.equal(readClientHello(Uint8Array.of(22, 3, 1, 0, 0)), undefined);
  const bytes = await realHello("a.example", ["x"]);
  fc.assert(fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(bytes.length), (at, b, n) => {
    const damaged = bytes.slice();
    damaged[at] = b;
    readClientHello(damaged.subarray(0, n));
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (b) => {
    readClientHello(Uint8Array.of(22, 3, 1, ...b));
  }));
});
