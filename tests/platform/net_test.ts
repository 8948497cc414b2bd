import assert from "node:assert/strict";
import {
  acceptConnections,
  boundPort,
  closeListener,
  hasIpv6Loopback,
  hostPort,
  inheritedSockets,
  listenEach,
  ListenError,
  listenTcp,
} from "../../src/platform/net.ts";
import { isWindows } from "../../src/platform/os.ts";

Deno.test("a connection made before there is a handler waits for it", async () => {
  const server = await listenTcp({ hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: boundPort(server) });
  await client.write(new TextEncoder().encode("EHLO"));
  // A full turn of the loop: the server accepts meanwhile.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const text = await new Promise<string>((resolve) =>
    acceptConnections(server, (socket) => {
      socket.once("data", (d) => {
        resolve(String(d));
        socket.end("220 hello\r\n");
      });
    })
  );
  assert.equal(text, "EHLO");
  assert.equal(await new Response(client.readable).text(), "220 hello\r\n");
  await closeListener(server);
});

Deno.test("a port in use and a foreign address say what to do", async () => {
  const server = await listenTcp({ hostname: "127.0.0.1", port: 0 });
  const port = boundPort(server);
  await assert.rejects(
    listenTcp({ hostname: "127.0.0.1", port, service: "SMTP" }),
    (err: unknown) => {
      assert.ok(err instanceof ListenError);
      assert.equal(err.reason, "in-use");
      assert.match(err.message, /127\.0\.0\.1:\d+ for SMTP: another program already listens there/);
      return true;
    },
  );
  await closeListener(server);
  await assert.rejects(listenTcp({ hostname: "192.0.2.1", port: 0 }), {
    name: "ListenError",
    reason: "no-address",
  });
});

Deno.test("IPv4 and IPv6 wildcards can share a port", async () => {
  if (!await hasIpv6Loopback()) return;
  const servers = await listenEach(["0.0.0.0", "::"], { port: 0 });
  const port = boundPort(servers[0]);
  for (const hostname of ["127.0.0.1", "::1"]) (await Deno.connect({ hostname, port })).close();
  await Promise.all(servers.map(closeListener));
});

Deno.test("listening on several addresses is all or nothing", async () => {
  const taken = await listenTcp({ hostname: "127.0.0.2", port: 0 });
  const port = boundPort(taken);
  await assert.rejects(listenEach(["127.0.0.1", "127.0.0.2"], { port }), { reason: "in-use" });
  const free = await listenTcp({ hostname: "127.0.0.1", port });
  await Promise.all([closeListener(taken), closeListener(free)]);
});

Deno.test("sockets of the service manager are taken only if meant for this process", () => {
  const env = (vars: Record<string, string>) => (name: string) => vars[name];
  const vars = { LISTEN_PID: "42", LISTEN_FDS: "2", LISTEN_FDNAMES: "smtp:imap" };
  assert.deepEqual(inheritedSockets(env(vars), 43), []);
  assert.deepEqual(inheritedSockets(env({ ...vars, LISTEN_FDS: "-1" }), 42), []);
  if (!isWindows) {
    assert.deepEqual(inheritedSockets(env(vars), 42), [
      { fd: 3, name: "smtp" },
      { fd: 4, name: "imap" },
    ]);
  }
  assert.equal(hostPort("::1", 25), "[::1]:25");
});
