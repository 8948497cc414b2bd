/** Two ends of a connection on loopback, for tests of protocols and layers. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Log } from "../../src/log/mod.ts";
import {
  acceptConnection,
  ConnectionError,
  connectTcp,
  type SocketConnection,
} from "../../src/net/mod.ts";

/** A connected pair; dispose closes both. */
export interface Pair extends AsyncDisposable {
  server: SocketConnection;
  client: SocketConnection;
}

/** Makes a pair of connections. */
export async function connectedPair(): Promise<Pair> {
  const listener = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const accepted = Promise.withResolvers<Socket>();
  listener.on("connection", accepted.resolve);
  await new Promise<void>((r) => listener.listen(0, "127.0.0.1", r));
  const client = await connectTcp({
    host: "127.0.0.1",
    port: (listener.address() as AddressInfo).port,
    readTimeout: 60_000,
    writeTimeout: 60_000,
  });
  const server = acceptConnection(await accepted.promise, {
    cid: 1,
    log: new Log("test"),
    readTimeout: 60_000,
    writeTimeout: 60_000,
  });
  const closed = new Promise<void>((r) => listener.close(() => r()));
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await Promise.all([server.close(), client.close()]);
      await closed;
    },
  };
}

export const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
export const bytes = (s: string): Uint8Array => new TextEncoder().encode(s);

/** Repeatable pseudo-random bytes. */
export function noise(n: number, seed = 1): Uint8Array {
  const out = new Uint8Array(n);
  let x = seed | 1;
  for (let i = 0; i < n; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    out[i] = x;
  }
  return out;
}

/** The reason of a ConnectionError, or "no error". */
export async function reasonOf(p: Promise<unknown>): Promise<string> {
  try {
    await p;
  } catch (e) {
    assert.ok(e instanceof ConnectionError, String(e));
    return e.reason;
  }
  return "no error";
}
