/** HTTP/2 over real sockets: requests, bodies and streams; what a client can't do to the server with it. */
import assert from "node:assert/strict";
import { Log } from "../../../src/log/mod.ts";
import { selfSignedCertificate } from "../../../src/net/mod.ts";
import { Networks } from "../../../src/net/proxied/networks.ts";
import {
  HttpError,
  type HttpOptions,
  serveHttp,
  textResponse,
  type WebHandler,
} from "../../../src/web/http/mod.ts";
import {
  endHeaders,
  endStream,
  enhanceYourCalm,
  field,
  fields,
  frame,
  frameType,
  Http2Peer,
} from "../../support/http2_peer.ts";

const certificate = await selfSignedCertificate({ names: ["localhost"] });

/** Serves until the function ends. */
async function served(
  handle: WebHandler,
  fn: (port: number, stop: () => Promise<void>) => Promise<void>,
  more: Partial<HttpOptions> = {},
): Promise<void> {
  const server = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    log: new Log("httptest"),
    tls: { certificateFor: () => certificate, alpnProtocols: ["h2", "http/1.1"] },
    ...more,
  }, { service: () => "test", handle, upgrade: () => undefined });
  try {
    await fn(server.port, () => server.shutdown(2000));
  } finally {
    await server.shutdown(100);
  }
}

/** A promise from outside. */
const later = () => Promise.withResolvers<void>();

Deno.test("a request has its authority, fields, cookies in one, and body; answers have no fields of a connection", async () => {
  const handle: WebHandler = async (r) => {
    const body = new TextDecoder().decode(await r.body(100));
    const said = [r.method, r.url.href, r.headers.get("host"), r.headers.get("cookie"), body];
    return textResponse(200, JSON.stringify([...said, r.secure, r.hasBody]), {
      Connection: "close",
      "X-Two": "a",
    });
  };
  await served(handle, async (port) => {
    using peer = await Http2Peer.to(port);
    const crumbs: [string, string][] = [["cookie", "a=b"], ["cookie", "c=d"]];
    await peer.send(
      frame(frameType.headers, endHeaders, 1, fields("/x?y=z", "POST", crumbs)),
      frame(frameType.data, 0, 1, [104, 101]),
      frame(frameType.data, endStream, 1, [121]),
    );
    const wanted = ["POST", "https://localhost/x?y=z", "localhost", "a=b; c=d", "hey", true, true];
    assert.deepEqual(JSON.parse(await peer.answer(1) ?? ""), wanted);
    assert.equal(peer.frames.filter((f) => f.type === frameType.reset).length, 0);
    // The compressed names of fields: no "connection" among them.
    const head = peer.frames.find((f) => f.type === frameType.headers)!;
    assert.doesNotMatch(head.body.toString("latin1"), /connection|close/);
  });
});

Deno.test("requests that are none are refused, each for itself", async () => {
  await served(() => textResponse(200, "in"), async (port) => {
    using peer = await Http2Peer.to(port);
    await peer.get(1, "/", [["host", "other"]]);
    assert.match(await peer.answer(1) ?? "", /authority and its Host/);
    await peer.get(3, "/", [["host", "LOCALHOST"]]);
    assert.match(await peer.answer(3) ?? "", /^in/);
    const connect = [...field(":method", "CONNECT"), ...field(":authority", "localhost:25")];
    await peer.send(frame(frameType.headers, endHeaders, 5, connect));
    assert.match(await peer.answer(5) ?? "", /no proxy/);
    await peer.get(7, "/");
    assert.match(await peer.answer(7) ?? "", /^in/);
  });
});

Deno.test("HTTP/1.1 is answered beside it, to those who ask for it or for nothing", async () => {
  await served((r) => textResponse(200, `hello ${r.path}`), async (port) => {
    for (const alpnProtocols of [["http/1.1"], undefined]) {
      using conn = await Deno.connectTls({
        hostname: "localhost",
        port,
        caCerts: [certificate.cert],
        alpnProtocols,
      });
      await conn.write(
        new TextEncoder().encode("GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
      );
      const got = await new Response(conn.readable).text();
      assert.match(got, /^HTTP\/1\.1 200 [^]*hello \/a\n$/);
    }
  });
});

Deno.test("an event stream comes piece by piece, and its handler hears of the reset", async () => {
  const gone = later();
  const handle: WebHandler = (r) => {
    r.signal.addEventListener("abort", () => gone.resolve());
    let next: (text: string) => void = () => {};
    const body = new ReadableStream<Uint8Array>({
      start(c) {
        next = (text) => c.enqueue(new TextEncoder().encode(text));
        next("data: one\n\n");
        next("data: two\n\n");
      },
    });
    return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
  };
  await served(handle, async (port) => {
    using peer = await Http2Peer.to(port);
    await peer.get(1, "/");
    const got = () =>
      peer.frames.filter((f) => f.type === frameType.data).map((f) => f.body.toString()).join("");
    await peer.until(() => got().includes("two") || undefined);
    assert.equal(got(), "data: one\n\ndata: two\n\n");
    await peer.send(frame(frameType.reset, 0, 1, [0, 0, 0, 8]));
    await gone.promise;
  });
});

Deno.test("a body that is too large has its answer while it still comes, and the connection goes on", async () => {
  const handle: WebHandler = async (r) => {
    if (r.path === "/") return textResponse(200, "next");
    await r.body(1000);
    throw new HttpError(500, "read");
  };
  await served(handle, async (port) => {
    using peer = await Http2Peer.to(port);
    await peer.send(
      frame(frameType.headers, endHeaders, 1, fields("/big", "POST")),
      frame(frameType.data, 0, 1, new Uint8Array(5000)),
    );
    assert.match(await peer.answer(1) ?? "", /too large/);
    await peer.get(3, "/");
    assert.equal(await peer.answer(3), "next\n");
  });
});

Deno.test("six requests of a connection are worked on at a time; event streams are no obstacle", async () => {
  let working = 0;
  let most = 0;
  const all = later();
  const events = { headers: { "Content-Type": "text/event-stream" } };
  const handle: WebHandler = async (r) => {
    if (r.path === "/events") {
      return new Response(
        new ReadableStream({ start: (c) => c.enqueue(new Uint8Array(1)) }),
        events,
      );
    }
    most = Math.max(most, ++working);
    if (working === 6) all.resolve();
    await all.promise;
    working--;
    return textResponse(200, "x");
  };
  await served(handle, async (port) => {
    using peer = await Http2Peer.to(port);
    for (let i = 0; i < 20; i++) await peer.get(1 + 2 * i, "/events");
    for (let i = 20; i < 80; i++) await peer.get(1 + 2 * i, "/");
    for (let i = 20; i < 80; i++) assert.equal(await peer.answer(1 + 2 * i), "x\n");
    assert.equal(most, 6);
  });
});

Deno.test("thousands of requests on one connection, and small windows, are no flood", async () => {
  const size = 400_000;
  const handle: WebHandler = (r) =>
    r.path === "/" ? textResponse(200, "x") : new Response("y".repeat(size));
  await served(handle, async (port) => {
    using peer = await Http2Peer.to(port);
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 50; i++) await peer.get(1 + 2 * (round * 50 + i), "/");
      for (let i = 0; i < 50; i++) {
        assert.equal(await peer.answer(1 + 2 * (round * 50 + i)), "x\n");
      }
      peer.frames.length = 0;
    }
    const stream = 10_001;
    await peer.get(stream, "/big");
    let read = 0;
    while (read < size) {
      const data = await peer.until(() => peer.frames.find((f) => f.type === frameType.data));
      assert.ok(data !== undefined, `cut off after ${read} bytes`);
      peer.frames.splice(peer.frames.indexOf(data), 1);
      read += data.body.length;
      // As programs do that widen their windows a little at a time.
      for (let n = 0; n < data.body.length; n += 1024) {
        const by = [0, 0, 4, 0];
        await peer.send(
          frame(frameType.windowUpdate, 0, 0, by),
          frame(frameType.windowUpdate, 0, stream, by),
        );
      }
    }
  });
});

/** A listener behind a proxy that takes TLS off. */
const behindProxy: Partial<HttpOptions> = {
  tls: undefined,
  proxies: { networks: new Networks(["127.0.0.1/32"]), header: "required" },
};

/** What the proxy says of its client: an address, and HTTP/2 chosen in TLS. */
function ofProxy(): Uint8Array {
  // haproxy's proxy-protocol.txt, version 2: PROXY, TCP over IPv4, addresses and ports, ALPN, SSL.
  const value = (type: number, bytes: number[]) => [type, 0, bytes.length, ...bytes];
  const h2 = value(1, [0x68, 0x32]);
  const ssl = value(0x20, [
    1,
    0,
    0,
    0,
    0,
    ...value(0x21, [...new TextEncoder().encode("TLSv1.3")]),
  ]);
  const rest = [192, 0, 2, 7, 127, 0, 0, 1, 0x30, 0x39, 1, 187, ...h2, ...ssl];
  const signature = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10];
  return Uint8Array.from([...signature, 0x21, 0x11, 0, rest.length, ...rest]);
}

/** Frames that make a server work for nothing, by name; stream numbers are those of the n-th. */
const floods: Record<string, (n: number) => Uint8Array[]> = {
  "requests that are reset at once (CVE-2023-44487)": (n) => [
    frame(frameType.headers, endStream | endHeaders, 1 + 2 * n, fields("/")),
    frame(frameType.reset, 0, 1 + 2 * n, [0, 0, 0, 8]),
  ],
  "requests that the server is made to reset (CVE-2025-8671)": (n) => [
    frame(frameType.headers, endStream | endHeaders, 1 + 2 * n, fields("/")),
    frame(frameType.windowUpdate, 0, 1 + 2 * n, [0x7f, 0xff, 0xff, 0xff]),
  ],
  "requests above the number of open ones": (n) => [
    frame(frameType.headers, endHeaders, 1 + 2 * n, fields("/", "POST")),
  ],
  "priorities": (n) => [frame(frameType.priority, 0, 1 + 2 * n, [0, 0, 0, 0, 1])],
  "settings": () => [frame(frameType.settings, 0, 0, [0, 3, 0, 0, 0, 1])],
  "pings": () => [frame(frameType.ping, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1])],
  "windows": () => [frame(frameType.windowUpdate, 0, 0, [0, 0, 0, 1])],
  "frames of a type that nobody knows": () => [frame(77, 0, 0, [1])],
  "data of a byte each": (n) => [
    n === 0
      ? frame(frameType.headers, endHeaders, 1, fields("/", "POST"))
      : frame(frameType.data, 0, 1, [1]),
  ],
  "empty data (CVE-2019-9518)": (n) => [
    n === 0
      ? frame(frameType.headers, endHeaders, 1, fields("/", "POST"))
      : frame(frameType.data, 0, 1),
  ],
  "empty continuations of a header list (CVE-2024-27316)": (n) => [
    n === 0
      ? frame(frameType.headers, endStream, 1, fields("/"))
      : frame(frameType.continuation, 0, 1),
  ],
};

for (const [name, flood] of Object.entries(floods)) {
  Deno.test(`a flood ends its connection: ${name}`, async () => {
    let begun = 0;
    const end = later();
    const handle: WebHandler = async (r) => {
      begun++;
      await end.promise;
      return textResponse(200, `x ${r.path}`);
    };
    await served(handle, async (port) => {
      using other = await Http2Peer.to(port);
      using peer = await Http2Peer.to(port);
      for (let round = 0; round < 100 && !peer.closed; round++) {
        await peer.send(...Array.from({ length: 100 }, (_, i) => flood(round * 100 + i)).flat());
      }
      const error = await peer.sentAway();
      assert.ok(error === undefined || error !== 0, `${error}`);
      await peer.ended();
      assert.ok(begun <= 6, `${begun} requests were begun`);
      end.resolve();
      await other.get(1, "/other");
      assert.equal(await other.answer(1), "x /other\n");
    });
  });
}

Deno.test("one who resets again and again is sent away in the protocol's words", async () => {
  await served(() => textResponse(200, "x"), async (port) => {
    using peer = await Http2Peer.to(port);
    const flood = Object.values(floods)[0];
    for (let n = 0; n < 3000 && !peer.closed; n += 10) {
      await peer.send(...Array.from({ length: 10 }, (_, i) => flood(n + i)).flat());
    }
    assert.equal(await peer.sentAway(), enhanceYourCalm);
  });
});

Deno.test("a request that is reset with what it came with is not begun", async () => {
  const begun: string[] = [];
  const handle: WebHandler = (r) => {
    begun.push(r.path);
    return textResponse(200, "x");
  };
  await served(handle, async (port) => {
    using peer = await Http2Peer.to(port);
    const flood = Object.values(floods)[0];
    await peer.send(...Array.from({ length: 10 }, (_, i) => flood(i)).flat());
    await peer.get(21, "/asked");
    assert.equal(await peer.answer(21), "x\n");
    assert.deepEqual(begun, ["/asked"]);
  });
});

Deno.test("where many were sent away, new connections are served but end sooner", async () => {
  await served(() => textResponse(200, "x"), async (port) => {
    const pings = (n: number) =>
      Array.from({ length: n }, () => frame(frameType.ping, 0, 0, new Uint8Array(8)));
    for (let i = 0; i < 6; i++) {
      using peer = await Http2Peer.to(port);
      await peer.send(...pings(1200));
      assert.equal(await peer.sentAway(), enhanceYourCalm);
    }
    using peer = await Http2Peer.to(port);
    await peer.get(1, "/");
    assert.equal(await peer.answer(1), "x\n");
    await peer.send(...pings(400));
    assert.equal(await peer.sentAway(), enhanceYourCalm);
  });
});

Deno.test("header lists that are too large, in bytes, in fields, or once unpacked, don't reach a handler", async () => {
  const seen: string[] = [];
  const handle: WebHandler = (r) => {
    seen.push(r.path);
    return textResponse(200, "x");
  };
  const many = (n: number) => Array.from({ length: n }, (_, i): [string, string] => [`x${i}`, "y"]);
  await served(handle, async (port) => {
    const send = async (list: number[], prepare?: number[]) => {
      using peer = await Http2Peer.to(port);
      if (prepare !== undefined) {
        await peer.send(frame(frameType.headers, endStream | endHeaders, 1, prepare));
        await peer.answer(1);
      }
      const frames: Uint8Array[] = [];
      for (let at = 0; at < list.length; at += 16_384) {
        const flags = at + 16_384 >= list.length ? endHeaders : 0;
        const type = at === 0 ? frameType.headers : frameType.continuation;
        frames.push(
          frame(type, flags | (at === 0 ? endStream : 0), 3, list.slice(at, at + 16_384)),
        );
      }
      await peer.send(...frames);
      return await peer.answer(3);
    };
    assert.equal(await send(fields("/fits", "GET", many(90))), "x\n");
    assert.notEqual(await send(fields("/fields", "GET", many(2000))), "x\n");
    const long: [string, string][] = [["x", "y".repeat(60_000)]];
    assert.notEqual(await send(fields("/bytes", "GET", long)), "x\n");
    // A field of 4,000 bytes in the table, named 10,000 times by a byte each (CVE-2016-6581).
    const kept = [...fields("/kept"), ...field("x", "y".repeat(4000), true)];
    assert.notEqual(
      await send([...fields("/bomb"), ...new Array(10_000).fill(0x80 | 62)], kept),
      "x\n",
    );
    assert.deepEqual(seen, ["/fits", "/kept"]);
  });
});

Deno.test("answers that are not read are bounded, all of a connection together", async () => {
  let asked = 0;
  let made = 0;
  const gone = later();
  const handle: WebHandler = (r) => {
    asked++;
    r.signal.addEventListener("abort", () => gone.resolve());
    const body = new ReadableStream<Uint8Array>({
      pull(c) {
        made += 64 * 1024;
        c.enqueue(new Uint8Array(64 * 1024));
      },
    });
    return new Response(body);
  };
  await served(handle, async (port) => {
    const peer = await Http2Peer.to(port, { plain: true, before: ofProxy() });
    peer.socket.pause();
    // The widest windows: nothing but unread sockets holds it back.
    await peer.send(
      frame(frameType.settings, 0, 0, [0, 4, 0x7f, 0xff, 0xff, 0xff]),
      frame(frameType.windowUpdate, 0, 0, [0x7f, 0xff, 0, 0]),
    );
    for (let i = 0; i < 100; i++) await peer.get(1 + 2 * i, "/");
    while (asked < 6) await new Promise((r) => setTimeout(r, 5));
    // Until nothing more is made.
    for (let before = -1; before !== made;) {
      before = made;
      await new Promise((r) => setTimeout(r, 300));
    }
    assert.equal(asked, 6);
    assert.ok(made < 64 * 1024 * 1024, `${made} bytes`);
    peer[Symbol.dispose]();
    await gone.promise;
  }, behindProxy);
});

Deno.test("connections end that ask for nothing, or begin a header list and don't end it", async () => {
  await served(() => textResponse(200, "x"), async (port) => {
    using silent = await Http2Peer.to(port);
    using slow = await Http2Peer.to(port);
    await slow.get(1, "/");
    assert.equal(await slow.answer(1), "x\n");
    await slow.send(frame(frameType.headers, endStream, 3, fields("/")));
    await slow.ended();
    using half = await Http2Peer.to(port);
    await half.send(
      frame(frameType.headers, endStream | endHeaders, 1, fields("/")).subarray(0, 20),
    );
    await half.ended();
    await silent.ended();
  }, { idleTimeout: 600, headerTimeout: 200 });
});

Deno.test("a client that has closed its side has its answers, then the connection ends", async () => {
  const end = later();
  const begun = later();
  const handle: WebHandler = async () => {
    begun.resolve();
    await end.promise;
    return textResponse(200, "x");
  };
  await served(handle, async (port) => {
    using peer = await Http2Peer.to(port);
    await peer.get(1, "/");
    peer.socket.end();
    await begun.promise;
    end.resolve();
    assert.equal(await peer.answer(1), "x\n");
    await peer.ended();
  });
});

Deno.test("stopping ends idle connections at once and lets an answer under way finish", async () => {
  const end = later();
  const begun = later();
  const handle: WebHandler = async () => {
    begun.resolve();
    await end.promise;
    return textResponse(200, "x");
  };
  await served(handle, async (port, stop) => {
    using idle = await Http2Peer.to(port);
    using busy = await Http2Peer.to(port);
    await idle.until(() => idle.frames.length > 0 || undefined);
    await busy.get(1, "/");
    await begun.promise;
    const stopped = stop();
    await idle.ended();
    assert.equal(await busy.sentAway(), 0);
    end.resolve();
    assert.equal(await busy.answer(1), "x\n");
    await stopped;
    await busy.ended();
  });
});

Deno.test("behind a proxy that took TLS off and says so, the client's protocol is spoken", async () => {
  await served((r) => textResponse(200, `${r.remoteIp} ${r.secure}`), async (port) => {
    using peer = await Http2Peer.to(port, { plain: true, before: ofProxy() });
    await peer.get(1, "/");
    assert.equal(await peer.answer(1), "192.0.2.7 true\n");
  }, behindProxy);
});
