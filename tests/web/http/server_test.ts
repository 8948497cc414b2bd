/** HTTP over real sockets: routing, bodies, limits, errors, slow and broken clients, stopping. */
import assert from "node:assert/strict";
import { get } from "node:https";
import { connect, Socket } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { Log } from "../../../src/log/mod.ts";
import { selfSignedCertificate } from "../../../src/net/mod.ts";
import {
  HttpError,
  ownHost,
  routeServices,
  serveHttp,
  textResponse,
  type WebHandler,
  type WebRequest,
  type WebService,
} from "../../../src/web/http/mod.ts";

async function withServer(
  services: WebService[],
  fn: (base: string, port: number) => Promise<void>,
  tls?: { key: string; cert: string },
): Promise<void> {
  const server = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    log: new Log("httptest"),
    tls: tls && { certificateFor: () => tls, alpnProtocols: ["http/1.1"] },
  }, routeServices(services));
  try {
    await fn(`${tls ? "https" : "http"}://127.0.0.1:${server.port}`, server.port);
  } finally {
    await server.shutdown(1000);
  }
}

function service(path: string, handle: WebHandler): WebService {
  return { name: path, path, host: ownHost("mail.example"), handle };
}

/** Sends text on a connection of its own and gives all that comes back until it is closed. */
function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect(port, "127.0.0.1", () => socket.write(text));
    let got = "";
    socket.on("data", (d) => got += d.toString("latin1"));
    socket.on("close", () => resolve(got));
    socket.on("error", reject);
  });
}

Deno.test("the pieces of an answer don't wait for acknowledgements of those before", async () => {
  const set: unknown[] = [];
  const { setNoDelay } = Socket.prototype;
  Socket.prototype.setNoDelay = function (on) {
    set.push(on ?? true);
    return setNoDelay.call(this, on);
  };
  try {
    await withServer([service("/", () => textResponse(200, "yes"))], async (base) => {
      assert.equal(await (await fetch(base)).text(), "yes\n");
    });
  } finally {
    Socket.prototype.setNoDelay = setNoDelay;
  }
  assert.ok(set.includes(true), JSON.stringify(set));
});

Deno.test("the service with the longest path answers, and sees the path below its own", async () => {
  await withServer([
    service("/", (r) => textResponse(200, `root ${r.path}`)),
    service("/mail/", (r) => textResponse(200, `mail ${r.path} ${r.url.search}`)),
  ], async (base) => {
    assert.equal(await (await fetch(`${base}/a/b`)).text(), "root /a/b\n");
    assert.equal(await (await fetch(`${base}/mail/x/y?z=1`)).text(), "mail /x/y ?z=1\n");
    const redirected = await fetch(`${base}/mail?q`, { redirect: "manual" });
    assert.equal(redirected.status, 308);
    assert.equal(redirected.headers.get("location"), "/mail/?q");
    await redirected.body?.cancel();
  });
});

Deno.test("a service knows where the others of its port and host are", async () => {
  const paths = (r: { sibling(name: string): string | undefined }) =>
    `${r.sibling("mail")} ${r.sibling("other")} ${r.sibling("none")}`;
  const at = (name: string, path: string, host: string) => ({
    name,
    path,
    host: ownHost(host),
    handle: (r: WebRequest) => textResponse(200, paths(r)),
  });
  const services = [
    at("account", "/", "mail.example"),
    at("mail", "/mail/", "mail.example"),
    { ...at("other", "/other/", ""), host: (name: string) => name === "other.example" },
  ];
  await withServer(services, async (_base, port) => {
    for (const path of ["/x", "/mail/y"]) {
      const got = await exchange(
        port,
        `GET ${path} HTTP/1.1\r\nHost: mail.example\r\nConnection: close\r\n\r\n`,
      );
      assert.match(got, /\/mail\/ undefined undefined\n$/);
    }
  });
});

Deno.test("a host that isn't the server's is refused: DNS rebinding", async () => {
  await withServer([service("/", () => textResponse(200, "secret"))], async (_base, port) => {
    const ask = (host: string) =>
      exchange(port, `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(await ask("evil.example"), /^HTTP\/1\.1 421 /);
    assert.match(await ask("mail.example"), /^HTTP\/1\.1 200 /);
    assert.match(await ask("MAIL.example:8080"), /^HTTP\/1\.1 200 /);
    assert.match(await ask("[::1]:8080"), /^HTTP\/1\.1 200 /);
    assert.match(await ask("bad host/"), /^HTTP\/1\.1 400 /);
  });
});

Deno.test("answers carry security headers, and their own policy if they set one", async () => {
  await withServer([
    service("/", () => textResponse(200, "x")),
    service(
      "/own/",
      () => new Response("y", { headers: { "Content-Security-Policy": "default-src 'self'" } }),
    ),
  ], async (base) => {
    const plain = await fetch(base);
    assert.equal(plain.headers.get("x-content-type-options"), "nosniff");
    assert.equal(
      plain.headers.get("content-security-policy"),
      "default-src 'none'; frame-ancestors 'none'",
    );
    await plain.body?.cancel();
    const own = await fetch(`${base}/own/`);
    assert.equal(own.headers.get("content-security-policy"), "default-src 'self'");
    await own.body?.cancel();
  });
});

Deno.test("a body comes whole, and one beyond the limit is refused with 413", async () => {
  await withServer([
    service("/", async (r) => textResponse(200, String((await r.body(100_000)).length))),
  ], async (base) => {
    const send = (n: number) => fetch(base, { method: "POST", body: new Uint8Array(n) });
    assert.equal(await (await send(100_000)).text(), "100000\n");
    const large = await send(100_001);
    assert.equal(large.status, 413);
    await large.body?.cancel();
    // Without a length too.
    const stream = new ReadableStream<Uint8Array>({
      pull(c) {
        c.enqueue(new Uint8Array(60_000));
      },
    });
    const endless = await fetch(base, { method: "POST", body: stream });
    assert.equal(endless.status, 413);
    await endless.body?.cancel();
  });
});

Deno.test("an HttpError becomes its answer, any other error 500 for that request only", async () => {
  await withServer([
    service("/", (r) => {
      if (r.path === "/teapot") throw new HttpError(418, "short and stout", { "X-Kind": "pot" });
      if (r.path === "/broken") throw new TypeError("a mistake");
      return textResponse(200, "fine");
    }),
  ], async (base) => {
    const pot = await fetch(`${base}/teapot`);
    assert.equal(pot.status, 418);
    assert.equal(pot.headers.get("x-kind"), "pot");
    assert.equal(await pot.text(), "short and stout\n");
    const broken = await fetch(`${base}/broken`);
    assert.equal(broken.status, 500);
    assert.doesNotMatch(await broken.text(), /mistake/);
    assert.equal(await (await fetch(base)).text(), "fine\n");
  });
});

Deno.test("streams come piece by piece, and the handler hears when the client goes away", async () => {
  const aborted = Promise.withResolvers<void>();
  await withServer([
    service("/", (r) => {
      r.signal.addEventListener("abort", () => aborted.resolve());
      let n = 0;
      return new Response(
        new ReadableStream({
          async pull(c) {
            if (n === 2) return await new Promise(() => {});
            c.enqueue(new TextEncoder().encode(`data: ${n++}\n\n`));
          },
        }),
        { headers: { "Content-Type": "text/event-stream" } },
      );
    }),
  ], async (base) => {
    const stop = new AbortController();
    const res = await fetch(base, { signal: stop.signal });
    const reader = res.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("data: 1")) text += (await reader.read()).value;
    stop.abort();
    await aborted.promise;
    await reader.read().catch(() => {});
  });
});

Deno.test("requests one after the other use one connection; a request in pieces is put together", async () => {
  await withServer([service("/", (r) => textResponse(200, r.path))], async (_base, port) => {
    const got = await exchange(
      port,
      "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\nGET /b HTTP/1.1\r\nHost: localhost\r\n" +
        "Connection: close\r\n\r\n",
    );
    assert.match(got, /\/a\n.*\/b\n$/s);
  });
});

Deno.test("a connection stays open after each answer has been read, with TLS too", async () => {
  const handle: WebHandler = async (r) => {
    if (r.path === "/empty") return new Response(null, { status: 204 });
    if (r.path === "/body") return textResponse(200, new TextDecoder().decode(await r.body(100)));
    return textResponse(200, r.path);
  };
  const pair = await selfSignedCertificate({ names: ["mail.example"], authority: true });
  for (const tls of [undefined, pair]) {
    await withServer([service("/", handle)], async (_base, port) => {
      const socket: Socket = await new Promise((resolve, reject) => {
        const s = tls === undefined
          ? connect(port, "127.0.0.1", () => resolve(s))
          : tlsConnect({ port, host: "127.0.0.1", rejectUnauthorized: false }, () => resolve(s));
        s.on("error", reject);
      });
      const ask = (request: string, end: string) =>
        new Promise<string>((resolve, reject) => {
          let got = "";
          const take = (d: Uint8Array) => {
            got += new TextDecoder().decode(d);
            if (!got.endsWith(end)) return;
            socket.off("data", take);
            socket.off("close", gone);
            resolve(got);
          };
          const gone = () => reject(new Error(`closed after ${request}`));
          socket.on("data", take);
          socket.on("close", gone);
          socket.write(`${request.replace("\r\n", "\r\nHost: mail.example\r\n")}`);
        });
      for (let i = 0; i < 5; i++) {
        assert.match(await ask("GET /a HTTP/1.1\r\n\r\n", "/a\n"), / 200 /);
        assert.match(
          await ask("POST /body HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "abc\n"),
          / 200 /,
        );
        assert.match(await ask("HEAD /a HTTP/1.1\r\n\r\n", "\r\n\r\n"), / 200 /);
        assert.match(await ask("GET /empty HTTP/1.1\r\n\r\n", "\r\n\r\n"), / 204 /);
        // Answered without a look at what it brings.
        assert.match(
          await ask("POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "/a\n"),
          / 200 /,
        );
      }
      socket.destroy();
    }, tls);
  }
});

Deno.test("what is not HTTP gets 400 and the connection is closed", async () => {
  await withServer([service("/", () => textResponse(200, "x"))], async (_base, port) => {
    assert.match(await exchange(port, "EHLO me\r\n\r\n"), /^HTTP\/1\.1 400 |^$/);
    const many = "X-Many: 0123456789\r\n".repeat(5000);
    assert.match(
      await exchange(port, `GET / HTTP/1.1\r\nHost: localhost\r\n${many}\r\n`),
      /^HTTP\/1\.1 4\d\d |^$/,
    );
  });
});

Deno.test("HTTPS: the certificate of the listener, and requests know that they are secure", async () => {
  const pair = await selfSignedCertificate({ names: ["localhost"], authority: true });
  await withServer(
    [service("/", (r) => textResponse(200, `${r.secure} ${r.url.protocol}`))],
    async (base) => {
      const got = await new Promise<string>((resolve, reject) => {
        get(base, { rejectUnauthorized: false, agent: false }, (res) => {
          let text = "";
          res.on("data", (d) => text += d);
          res.on("end", () => resolve(text));
        }).on("error", reject);
      });
      assert.equal(got, "true https:\n");
    },
    pair,
  );
});

Deno.test("stopping ends idle connections at once and lets an answer under way finish", async () => {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const server = await serveHttp(
    { hostname: "127.0.0.1", port: 0, log: new Log("httptest") },
    routeServices([service("/", async () => {
      started.resolve();
      await release.promise;
      return textResponse(200, "whole");
    })]),
  );
  const idle = exchange(server.port, "");
  const answer = fetch(`http://127.0.0.1:${server.port}/`);
  await started.promise;
  const stopped = server.shutdown(60_000);
  await idle;
  release.resolve();
  assert.equal(await (await answer).text(), "whole\n");
  await stopped;
});

Deno.test("a request that came with another is not cut off by the time between requests", async () => {
  const asked = Promise.withResolvers<void>();
  const handle: WebHandler = async (r) => {
    if (r.path !== "/slow") return textResponse(200, "quick");
    asked.resolve();
    // Far longer than the time between requests.
    await new Promise((resolve) => setTimeout(resolve, 300));
    return textResponse(200, "slow");
  };
  const server = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    log: new Log("httptest"),
    idleTimeout: 20,
  }, routeServices([service("/", handle)]));
  try {
    const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: mail.example\r\n\r\n`;
    const got = await exchange(server.port, request("/quick") + request("/slow"));
    await asked.promise;
    assert.match(got, /quick[^]*slow/);
  } finally {
    await server.shutdown(1000);
  }
});

Deno.test("a connection that was opened ahead is served later; one that stops within its header is closed", async () => {
  const server = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    log: new Log("httptest"),
    idleTimeout: 600_000,
    headerTimeout: 50,
  }, routeServices([service("/", () => textResponse(200, "here"))]));
  try {
    const half = exchange(server.port, "GET / HTTP/1.1\r\nHost: ma");
    const ahead = await new Promise<Socket>((resolve) => {
      const s = connect(server.port, "127.0.0.1", () => resolve(s));
    });
    // The other was there first: when it is closed, the header's time is over for this one too.
    assert.equal(await half, "");
    await new Promise((resolve) => setTimeout(resolve, 100));
    const answer = new Promise<string>((resolve) =>
      ahead.once("data", (d) => resolve(d.toString("latin1")))
    );
    ahead.write("GET / HTTP/1.1\r\nHost: mail.example\r\n\r\n");
    assert.match(await answer, /here/);
    ahead.destroy();
  } finally {
    await server.shutdown(1000);
  }
});
