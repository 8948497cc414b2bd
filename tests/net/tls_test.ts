import assert from "node:assert/strict";
import { Socket } from "node:net";
import { X509Certificate } from "node:crypto";
import {
  Authorities,
  endPointBinding,
  type KeyCert,
  selfSignedCertificate,
  type ServerTls,
} from "../../src/net/mod.ts";
import { fromPem } from "../../src/net/der.ts";
import { bytes, connectedPair, noise, reasonOf, text } from "./loopback.ts";

const one = await selfSignedCertificate({ names: ["one.example", "localhost", "127.0.0.1"] });
const two = await selfSignedCertificate({ names: ["two.example"], keyType: "rsa" });

const both: ServerTls = {
  certificateFor(name) {
    if (name === undefined || name === "one.example" || name === "localhost") return one;
    return name === "two.example" ? Promise.resolve(two) : undefined;
  },
};

const der = (pair: KeyCert) => fromPem(pair.cert, "CERTIFICATE")!;

Deno.test("self-signed certificates name their hosts and addresses", () => {
  const cert = new X509Certificate(one.cert);
  assert.equal(cert.subject, "CN=one.example");
  assert.equal(cert.subjectAltName, "DNS:one.example, DNS:localhost, IP Address:127.0.0.1");
  assert.equal(cert.verify(cert.publicKey), true);
  assert.ok(new Date(cert.validFrom) < new Date());
  assert.ok(new Date(cert.validTo).getTime() > Date.now() + 3 * 365 * 86400_000);
  assert.equal(new X509Certificate(two.cert).publicKey.asymmetricKeyType, "rsa");
});

Deno.test("TLS is put on in the middle of a conversation", async () => {
  await using pair = await connectedPair();
  pair.client.write("STARTTLS\r\n");
  await pair.client.flush();
  assert.equal(text(await pair.server.readLine(100)), "STARTTLS");
  pair.server.write("220 go ahead\r\n");
  await pair.server.flush();
  const server = pair.server.startTlsServer(both);
  assert.equal(text(await pair.client.readLine(100)), "220 go ahead");
  await pair.client.startTlsClient({
    serverName: "one.example",
    verify: true,
    authorities: Authorities.of(one.cert),
  });
  await server;

  assert.equal(pair.server.tls?.version, "TLSv1.3");
  assert.equal(pair.client.tls?.version, "TLSv1.3");
  assert.equal(pair.server.tls?.serverName, "one.example");
  assert.match(pair.server.tls?.cipher ?? "", /^TLS_/);
  assert.deepEqual(pair.client.tls?.peerCertificate, der(one));
  assert.deepEqual(
    pair.client.tls?.channelBindings.get("tls-server-end-point"),
    pair.server.tls?.channelBindings.get("tls-server-end-point"),
  );

  pair.client.write("EHLO again\r\n");
  await pair.client.flush();
  assert.equal(text(await pair.server.readLine(100)), "EHLO again");
  const big = noise(3_000_000);
  const writing = (async () => {
    for (let at = 0; at < big.length; at += 30_011) {
      pair.server.write(big.subarray(at, at + 30_011));
      await pair.server.flush();
    }
    pair.server.write("end\r\n");
    await pair.server.close();
  })();
  const got = new Uint8Array(big.length);
  for (let n = 0; n < got.length;) {
    const part = await pair.client.readSome(got.length - n);
    got.set(part, n);
    n += part.length;
  }
  assert.deepEqual(got, big);
  assert.equal(text(await pair.client.readLine(100)), "end");
  assert.equal(await reasonOf(pair.client.readLine(100)), "closed");
  await pair.client.close();
  await writing;
});

Deno.test("the end of a peer's side is seen, however much came right before it", async () => {
  for (let round = 0; round < 12; round++) {
    await using pair = await connectedPair();
    const server = pair.server.startTlsServer(both);
    await pair.client.startTlsClient({ serverName: "one.example", verify: false });
    await server;
    const size = 1_500_000 + round * 50_021;
    const writing = (async () => {
      for (let at = 0; at < size; at += 30_011) {
        pair.server.write(new Uint8Array(Math.min(30_011, size - at)));
        await pair.server.flush();
      }
      await pair.server.close();
    })();
    let n = 0;
    while (n < size) n += (await pair.client.readSome(size - n)).length;
    assert.equal(await reasonOf(pair.client.readLine(100)), "closed");
    await pair.client.close();
    await writing;
  }
});

Deno.test("plain text sent before the handshake is never read after it", async () => {
  await using pair = await connectedPair();
  pair.client.write("STARTTLS\r\nRSET\r\n");
  await pair.client.flush();
  assert.equal(text(await pair.server.readLine(100)), "STARTTLS");
  assert.equal(pair.server.buffered, 6);
  const server = pair.server.startTlsServer(both);
  await pair.client.startTlsClient({ serverName: "one.example", verify: false });
  await server;
  assert.equal(pair.server.buffered, 0);
  pair.client.write("NOOP\r\n");
  await pair.client.flush();
  assert.equal(text(await pair.server.readLine(100)), "NOOP");
});

Deno.test("the certificate is chosen by server name, and so is the channel binding", async () => {
  await using pair = await connectedPair();
  const server = pair.server.startTlsServer(both);
  await pair.client.startTlsClient({
    serverName: "two.example",
    verify: true,
    authorities: Authorities.of(two.cert),
  });
  await server;
  assert.deepEqual(pair.client.tls?.peerCertificate, der(two));
  const binding = pair.server.tls?.channelBindings.get("tls-server-end-point");
  assert.deepEqual(binding, endPointBinding(der(two)));
  assert.equal(binding?.length, 32);
});

Deno.test("a client that names no server gets the default certificate", async () => {
  await using pair = await connectedPair();
  const server = pair.server.startTlsServer(both);
  await pair.client.startTlsClient({
    serverName: "127.0.0.1",
    verify: true,
    authorities: Authorities.of(one.cert),
  });
  await server;
  assert.equal(pair.server.tls?.serverName, undefined);
});

Deno.test("a name without certificate ends the handshake", async () => {
  await using pair = await connectedPair();
  const server = reasonOf(pair.server.startTlsServer(both));
  const client = reasonOf(
    pair.client.startTlsClient({ serverName: "three.example", verify: false }),
  );
  assert.deepEqual(await Promise.all([server, client]), ["tls", "tls"]);
  assert.equal(pair.server.closed, true);
});

Deno.test("certificates are verified when asked for", async () => {
  for (
    const options of [
      { serverName: "one.example", verify: true },
      { serverName: "localhost", verify: true, authorities: Authorities.of(two.cert) },
      { serverName: "two.example", verify: true, authorities: Authorities.of(one.cert) },
    ]
  ) {
    await using pair = await connectedPair();
    const server = pair.server.startTlsServer({ certificateFor: () => one }).catch(() => {});
    assert.equal(await reasonOf(pair.client.startTlsClient(options)), "tls");
    await server;
  }
});

Deno.test("the client can judge the chain itself", async () => {
  for (const accept of [true, false]) {
    await using pair = await connectedPair();
    const server = pair.server.startTlsServer(both).catch(() => {});
    let chain: Uint8Array[] = [];
    const verifyChain = (c: Uint8Array[]) => {
      chain = c;
      return accept;
    };
    const result = await reasonOf(
      pair.client.startTlsClient({ serverName: "one.example", verify: false, verifyChain }),
    );
    assert.equal(result, accept ? "no error" : "tls");
    assert.deepEqual(chain, [der(one)]);
    await server;
  }
});

Deno.test("what the client sends right behind its handshake isn't lost", async () => {
  for (let i = 0; i < 20; i++) {
    await using pair = await connectedPair();
    const server = pair.server.startTlsServer(both);
    await pair.client.startTlsClient({ serverName: "one.example", verify: false });
    pair.client.write("EHLO early\r\n");
    await pair.client.flush();
    await server;
    // Some turns of the event loop before the server reads.
    for (let k = 0; k < i; k++) await new Promise((r) => setTimeout(r, 0));
    assert.equal(text(await pair.server.readLine(100)), "EHLO early");
  }
});

Deno.test("a client that goes away in the handshake is noticed at once", async () => {
  await using pair = await connectedPair();
  const server = reasonOf(pair.server.startTlsServer(both));
  pair.client.write(Uint8Array.of(22, 3, 1, 0, 200, 1));
  await pair.client.flush();
  pair.client.destroy();
  assert.equal(await server, "tls");
});

Deno.test("a peer that talks no TLS gets no further", async () => {
  await using pair = await connectedPair();
  const server = reasonOf(pair.server.startTlsServer(both));
  pair.client.write("EHLO plain.example\r\nMAIL FROM:<>\r\n");
  await pair.client.flush();
  assert.equal(await server, "tls");
});

Deno.test("a peer that is silent in the handshake is dropped after a while", async () => {
  await using pair = await connectedPair();
  pair.server.readTimeout = 50;
  assert.equal(await reasonOf(pair.server.startTlsServer(both)), "timeout");
  assert.equal(pair.server.closed, true);
});

Deno.test("a handshake that began before the server got to it succeeds", async () => {
  await using pair = await connectedPair();
  const client = pair.client.startTlsClient({ serverName: "one.example", verify: false });
  await new Promise((r) => setTimeout(r, 50));
  await pair.server.startTlsServer(both);
  await client;
  pair.client.write("hi\r\n");
  await pair.client.flush();
  assert.equal(text(await pair.server.readLine(100)), "hi");
});

Deno.test("a handshake that begins before the server knows that its answer has gone out succeeds", async () => {
  // What a busy machine does: the peer has the answer, and its own is here, when the end of the write is noticed.
  const { write } = Socket.prototype;
  const late = (...args: unknown[]) => {
    const done = args.at(-1);
    if (typeof done !== "function") return args;
    return [...args.slice(0, -1), (e?: Error) => void setTimeout(() => done(e), 100)];
  };
  for (const wait of [0, 50]) {
    await using pair = await connectedPair();
    pair.client.write("STARTTLS\r\n");
    await pair.client.flush();
    assert.equal(text(await pair.server.readLine(100)), "STARTTLS");
    Socket.prototype.write = function (this: Socket, ...args: unknown[]) {
      return Reflect.apply(write, this, late(...args));
    } as typeof write;
    try {
      pair.server.write("220 go\r\n");
      const server = pair.server.startTlsServer(both);
      assert.equal(text(await pair.client.readLine(100)), "220 go");
      await new Promise((r) => setTimeout(r, wait));
      await pair.client.startTlsClient({ serverName: "one.example", verify: false });
      await server;
    } finally {
      Socket.prototype.write = write;
    }
    pair.client.write("hi\r\n");
    await pair.client.flush();
    assert.equal(text(await pair.server.readLine(100)), "hi");
  }
});

Deno.test("no channel binding is made up for what is no certificate", () => {
  assert.equal(endPointBinding(bytes("nonsense")), undefined);
  assert.equal(endPointBinding(der(one).subarray(0, 100)), undefined);
  assert.equal(endPointBinding(new Uint8Array(0)), undefined);
});

Deno.test("a peer by TLS whose input is not read has to wait, and nothing of it is lost", async () => {
  await using pair = await connectedPair();
  const server = pair.server.startTlsServer(both);
  await pair.client.startTlsClient({
    serverName: "one.example",
    verify: true,
    authorities: Authorities.of(one.cert),
  });
  await server;
  const all = noise(48 * 1024 * 1024);
  let sent = 0;
  const sending = (async () => {
    for (; sent < all.length; sent += 64 * 1024) {
      pair.client.write(all.subarray(sent, sent + 64 * 1024));
      await pair.client.flush();
    }
    await pair.client.close();
  })();
  const got: Uint8Array[] = [await pair.server.readSome(1000)];
  // Until nothing more is taken: sockets of the system hold some megabytes.
  for (let before = -1; before !== sent;) {
    before = sent;
    await new Promise((r) => setTimeout(r, 300));
  }
  assert.ok(sent < all.length, "all of it was taken");
  let size = got[0].length;
  while (size < all.length) {
    const piece = await pair.server.readSome(1024 * 1024);
    got.push(Uint8Array.from(piece));
    size += piece.length;
  }
  let at = 0;
  for (const piece of got) {
    assert.deepEqual(piece, all.subarray(at, at + piece.length));
    at += piece.length;
  }
  assert.equal(await reasonOf(pair.server.readSome(1)), "closed");
  await sending;
});

Deno.test("a peer that closes right after the handshake is gone for who reads later", async () => {
  for (const closer of ["server", "client"] as const) {
    await using pair = await connectedPair();
    const server = pair.server.startTlsServer(both);
    const authorities = Authorities.of(one.cert);
    await pair.client.startTlsClient({ serverName: "one.example", verify: true, authorities });
    await server;
    const [closing, reading] = closer === "server"
      ? [pair.server, pair.client]
      : [pair.client, pair.server];
    const closed = closing.close();
    // Nobody reads when the end comes in.
    await new Promise((resolve) => setTimeout(resolve, 100));
    reading.readTimeout = 10_000;
    assert.equal(await reasonOf(reading.readLine(100)), "closed", closer);
    reading.destroy();
    await closed;
  }
});
