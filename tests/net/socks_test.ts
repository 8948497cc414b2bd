/** SOCKS5 as a client (RFC 1928, RFC 1929): bytes on the wire for each kind of target, and each refusal. */
import assert from "node:assert/strict";
import { connectSocks, type SocksOptions } from "../../src/net/socks.ts";
import { bytes, text } from "./loopback.ts";

/** A proxy that takes one connection and answers each read with the next answer; what it has read. */
async function withProxy(
  steps: readonly { take: number; answer: readonly number[] }[],
  fn: (port: number, seen: () => number[][]) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const seen: number[][] = [];
  const serving = (async () => {
    using conn = await listener.accept();
    try {
      for (const { take, answer } of steps) {
        const got: number[] = [];
        while (got.length < take) {
          const piece = new Uint8Array(take - got.length);
          const n = await conn.read(piece);
          if (n === null) break;
          got.push(...piece.subarray(0, n));
        }
        seen.push(got);
        // A byte at a time: answers come in any pieces.
        for (const b of answer) await conn.write(Uint8Array.of(b));
      }
      while (await conn.read(new Uint8Array(100)) !== null);
    } catch {
      // The client has ended it.
    }
  })();
  try {
    await fn((listener.addr as Deno.NetAddr).port, () => seen);
  } finally {
    await serving;
    listener.close();
  }
}

const options = (port: number, over: Partial<SocksOptions> = {}): SocksOptions => ({
  host: "127.0.0.1",
  port,
  targetHost: "mx.example",
  targetPort: 587,
  timeout: 20_000,
  ...over,
});

const bound4 = [5, 0, 0, 1, 192, 0, 2, 1, 0, 25];

Deno.test("each kind of target, and each kind of address that the proxy is bound to", async () => {
  const v6 = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  for (
    const [targetHost, wire, answer] of [
      ["mx.example", [3, 10, ...bytes("mx.example")], bound4],
      ["192.0.2.7", [1, 192, 0, 2, 7], [5, 0, 0, 4, ...v6, 0, 25]],
      ["2001:db8::1", [4, ...v6], [5, 0, 0, 3, 4, ...bytes("name"), 0, 25]],
      ["x".repeat(255), [3, 255, ...bytes("x".repeat(255))], bound4],
    ] as const
  ) {
    const steps = [
      { take: 3, answer: [5, 0] },
      { take: 3 + wire.length + 2, answer: [...answer, ...bytes("220 hi\r\n")] },
    ];
    await withProxy(steps, async (port, seen) => {
      const conn = await connectSocks(options(port, { targetHost, readTimeout: 45_000 }));
      assert.equal(text(await conn.readLine(100)), "220 hi", targetHost);
      assert.deepEqual(seen(), [[5, 1, 0], [5, 1, 0, ...wire, 587 >> 8, 587 & 255]]);
      assert.equal(conn.readTimeout, 45_000, "the time for the proxy does not stay");
      conn.destroy();
    });
  }
});

Deno.test("a proxy may take or leave the password; what it refuses is said", async () => {
  const named = { username: "user", password: "secret" };
  const login = [1, 4, ...bytes("user"), 6, ...bytes("secret")];
  const target = 4 + 1 + 10 + 2;
  // Without asking for it.
  await withProxy(
    [{ take: 4, answer: [5, 0] }, { take: target, answer: bound4 }],
    async (port, seen) => {
      (await connectSocks(options(port, named))).destroy();
      assert.deepEqual(seen()[0], [5, 2, 0, 2]);
    },
  );
  // An empty password is one.
  const empty = [{ take: 4, answer: [5, 2] }, { take: 7, answer: [1, 0] }, {
    take: target,
    answer: bound4,
  }];
  await withProxy(empty, async (port, seen) => {
    (await connectSocks(options(port, { username: "user" }))).destroy();
    assert.deepEqual(seen()[1], [1, 4, ...bytes("user"), 0]);
  });
  const refused: [string, Partial<SocksOptions>, { take: number; answer: number[] }[], RegExp][] = [
    [
      "password",
      named,
      [{ take: 4, answer: [5, 2] }, { take: login.length, answer: [1, 1] }],
      /refused the password/,
    ],
    ["method", named, [{ take: 4, answer: [5, 255] }], /no common authentication method/],
    ["asked without a name", {}, [{ take: 3, answer: [5, 2] }], /no common authentication method/],
    ["another protocol", {}, [{ take: 3, answer: [4, 0] }], /not a SOCKS5 proxy/],
    ["long name", { username: "x".repeat(256) }, [{ take: 4, answer: [5, 2] }], /too long/],
    [
      "long password",
      { ...named, password: "x".repeat(256) },
      [{ take: 4, answer: [5, 2] }],
      /too long/,
    ],
    ["no name", { username: "" }, [{ take: 4, answer: [5, 2] }], /too long/],
    [
      "long host",
      { targetHost: "x".repeat(256) },
      [{ take: 3, answer: [5, 0] }],
      /host name too long/,
    ],
    ["no host", { targetHost: "" }, [{ take: 3, answer: [5, 0] }], /host name too long/],
  ];
  const codes: [number, string][] = [
    [1, "general failure"],
    [2, "not allowed by its rules"],
    [3, "network unreachable"],
    [4, "host unreachable"],
    [5, "connection refused"],
    [6, "TTL expired"],
    [7, "command not supported"],
    [8, "address type not supported"],
    [9, "reply 9"],
  ];
  for (const [code, words] of codes) {
    const steps = [{ take: 3, answer: [5, 0] }, { take: target, answer: [5, code, 0, 1] }];
    refused.push([words, {}, steps, new RegExp(`connect to mx\\.example:587: ${words}`)]);
  }
  for (const [name, over, steps, what] of refused) {
    await withProxy(steps, async (port) => {
      await assert.rejects(connectSocks(options(port, over)), what, name);
    });
  }
});

Deno.test("a proxy that says nothing has the time that was given", async () => {
  await withProxy([{ take: 3, answer: [] }], async (port) => {
    await assert.rejects(connectSocks(options(port, { timeout: 50 })), { reason: "timeout" });
  });
});
