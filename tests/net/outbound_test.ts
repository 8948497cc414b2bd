/** The way out by HTTP and HTTPS: who is trusted, where it goes, and its limits. */
import assert from "node:assert/strict";
import { createServer as createHttp, type RequestListener } from "node:http";
import { createServer } from "node:https";
import { createServer as createTcp } from "node:net";
import { fileURLToPath } from "node:url";
import { runtimeFlags } from "../../src/commands/runtime_flags.ts";
import { hostAddresses, parseHosts, scriptedResolver } from "../../src/dns/mod.ts";
import { Authorities, Outbound, OutboundError } from "../../src/net/mod.ts";
import { outboundTo } from "../support/outbound.ts";
import { TestCa } from "../support/test_ca.ts";

const ca = new TestCa();
const pair = ca.pair(["a.example"]);
const zone = { "a.example": { A: ["127.0.0.1"] } };

async function withServer(
  listener: RequestListener,
  fn: (port: number) => Promise<void>,
  make: (l: RequestListener) => ReturnType<typeof createServer> = (l) => createServer(pair, l),
): Promise<void> {
  const server = make(listener);
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await fn((server.address() as { port: number }).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const failsWith = (reason: string, text: RegExp) => (err: unknown) => {
  assert.ok(err instanceof OutboundError, String(err));
  assert.equal(err.reason, reason, err.message);
  assert.match(err.message, text);
  return true;
};
const url = (port: number, path = "/") => new URL(`https://a.example:${port}${path}`);

Deno.test("each set of authorities decides for its own connections, however they interleave", () =>
  withServer((_req, res) => res.end("hello"), async (port) => {
    const trusting = outboundTo([ca.root], zone);
    const other = outboundTo([new TestCa("Another").root], zone);
    for (let i = 0; i < 3; i++) {
      const [good, bad] = await Promise.allSettled([
        trusting.request({ url: url(port), rule: undefined }),
        other.request({ url: url(port), rule: undefined }),
      ]);
      assert.equal(good.status, "fulfilled");
      assert.equal(new TextDecoder().decode(good.value!.body), "hello");
      assert.equal(bad.status, "rejected");
      failsWith("tls", /verify/)((bad as PromiseRejectedResult).reason);
    }
  }));

Deno.test("files of authorities are read again when they change; a half written one changes nothing", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, ca.root);
  const time = Date.now;
  let ahead = 0;
  Date.now = () => time() + ahead;
  try {
    const a = Authorities.open({ system: false, files: [file] });
    const first = a.list();
    assert.equal(first.length, 1);
    assert.equal(a.list(), first);
    await Deno.writeTextFile(file, ca.root.slice(0, 100));
    ahead += 60_000;
    assert.deepEqual(a.list(), first);
    await Deno.writeTextFile(file, ca.root + new TestCa("Second").root);
    ahead += 60_000;
    assert.equal(a.list().length, 2);
  } finally {
    Date.now = time;
    await Deno.remove(file);
  }
  assert.throws(() => Authorities.of("nothing"), /no certificate in PEM/);
});

Deno.test("a rule is asked about the very address, for each redirect too", async () => {
  const asked: string[] = [];
  await withServer((req, res) => {
    if (req.url === "/there") res.end("there");
    else if (req.url === "/inside") res.writeHead(302, { location: "https://in.example/" }).end();
    else if (req.url === "/plain") res.writeHead(302, { location: "http://a.example/" }).end();
    else if (req.url === "/round") res.writeHead(302, { location: "/round" }).end();
    else res.writeHead(302, { location: "/there" }).end();
  }, async (port) => {
    const out = outboundTo([ca.root], { ...zone, "in.example": { A: ["127.9.9.9"] } });
    const rule = (ip: string) => {
      asked.push(ip);
      return ip === "127.9.9.9" ? "it is inside" : undefined;
    };
    const get = (path: string, redirects?: number) =>
      out.request({ url: url(port, path), rule, redirects });
    assert.equal((await get("/")).status, 302);
    const followed = await get("/", 2);
    assert.equal(new TextDecoder().decode(followed.body), "there");
    assert.equal(followed.url.pathname, "/there");
    await assert.rejects(get("/inside", 2), failsWith("refused", /127\.9\.9\.9: it is inside/));
    await assert.rejects(get("/plain", 2), failsWith("url", /from https to http/));
    assert.equal((await get("/round", 3)).status, 302);
    assert.equal(asked.filter((ip) => ip === "127.9.9.9").length, 1);
    // An address in the URL is asked about as well.
    await assert.rejects(
      out.request({ url: new URL("http://127.9.9.9:1/"), rule }),
      failsWith("refused", /it is inside/),
    );
  });
});

Deno.test("answers have a size and a time, and others get to know", async () => {
  await withServer((req, res) => {
    if (req.url === "/endless") {
      const more = () => {
        while (!res.destroyed && res.write("x".repeat(10_000)));
      };
      res.on("drain", more);
      more();
    } else if (req.url === "/half") {
      res.writeHead(200, { "content-length": "1000" });
      res.write("some", () => res.destroy());
    } else if (req.url === "/slow") res.write("a");
  }, async (port) => {
    const out = outboundTo([ca.root], zone);
    const ask = (path: string, more = {}) =>
      out.request({ url: url(port, path), rule: undefined, maxBytes: 5000, ...more });
    await assert.rejects(ask("/endless"), failsWith("answer", /larger than 5000 bytes/));
    assert.equal((await ask("/endless", { cutOff: true })).body.length, 5000);
    await assert.rejects(ask("/half"), failsWith("answer", /a\.example/));
    await assert.rejects(ask("/slow", { timeout: 200 }), failsWith("timeout", /0\.2 seconds/));
    const given = new AbortController();
    const waiting = ask("/silent", { signal: given.signal });
    setTimeout(() => given.abort(new Error("enough")), 50);
    await assert.rejects(waiting, /enough/);
  });
});

/** A server that answers with some bytes, and then others for ever if there are any. */
async function withBytes(begin: string, endless: string, fn: (out: URL) => Promise<void>) {
  const server = createTcp((s) => {
    s.on("error", () => {});
    s.once("data", () => {
      s.write(begin);
      if (endless === "") return;
      const more = () => {
        while (!s.destroyed && s.write(endless.repeat(1000)));
        if (!s.destroyed) s.once("drain", more);
      };
      more();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await fn(new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}/`));
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("what comes beside a body has an end: interim answers, extensions of chunks, headers, trailers", async () => {
  const out = outboundTo();
  const chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const endless: [begin: string, more: string][] = [
    ["", "HTTP/1.1 100 Continue\r\n\r\n"],
    ["", "HTTP/1.1 102 Processing\r\n\r\n"],
    ["", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"],
    ["HTTP/1.1 200 ", "x"],
    ["HTTP/1.1 200 OK\r\n", "X-A: b\r\n"],
    [`${chunked}1;`, "x"],
    [`${chunked}0\r\n`, "X-A: b\r\n"],
  ];
  for (const [begin, more] of endless) {
    await withBytes(begin, more, async (url) => {
      // The time is far above what it takes.
      const call = { url, rule: undefined, maxBytes: 1024, cutOff: true, timeout: 120_000 };
      await assert.rejects(out.request(call), (err) => {
        assert.ok(err instanceof OutboundError, String(err));
        assert.equal(err.reason, "answer", `${begin}${more}`);
        return true;
      });
    });
  }
  // The same for a request whose caller reads the answer.
  for (const [begin, more] of endless.slice(0, 3)) {
    await withBytes(begin, more, async (url) => {
      const request = await out.begin({ url, rule: undefined });
      const failed = new Promise<Error>((resolve) => request.on("error", resolve));
      request.on("response", () => assert.fail("there is no answer"));
      request.end();
      assert.match((await failed).message, /has no end/);
    });
  }
  // Small chunks, and some interim answers, are no fault.
  const small = `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${chunked}${
    "1\r\nx\r\n".repeat(50_000)
  }0\r\n\r\n`;
  await withBytes(small, "", async (url) => {
    const answer = await out.request({ url, rule: undefined, maxBytes: 50_000 });
    assert.deepEqual([answer.status, answer.body.length], [200, 50_000]);
  });
  // A megabyte of them would be 660 for a moment.
  await withBytes(chunked, "1\r\nx\r\n", async (url) => {
    await assert.rejects(
      out.request({ url, rule: undefined, maxBytes: 2 ** 20 }),
      failsWith("answer", /too many pieces/),
    );
  });
});

Deno.test("plain HTTP, and what can't be reached", async () => {
  await withServer(
    (req, res) => res.end(`${req.method} ${req.headers.host}`),
    async (port) => {
      const out = outboundTo([], zone);
      const answer = await out.request({
        rule: undefined,
        url: new URL(`http://a.example:${port}/`),
        method: "POST",
        body: "x",
      });
      assert.equal(new TextDecoder().decode(answer.body), `POST a.example:${port}`);
      // A server that speaks no TLS.
      await assert.rejects(
        out.request({ url: url(port), rule: undefined }),
        failsWith("tls", /a\.example/),
      );
    },
    (l) => createHttp(l) as unknown as ReturnType<typeof createServer>,
  );
  const out = outboundTo([], zone);
  await assert.rejects(
    out.request({ url: url(1), rule: undefined }),
    failsWith("connect", /a\.example:1/),
  );
  await assert.rejects(
    out.request({ url: new URL("https://b.example/"), rule: undefined }),
    failsWith("address", /b\.example/),
  );
  await assert.rejects(
    out.request({ url: new URL("ftp://a.example/"), rule: undefined }),
    failsWith("url", /ftp/),
  );
  // One that takes the connection and says nothing.
  const silent = createTcp((s) => s.on("error", () => {}));
  await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
  const { port } = silent.address() as { port: number };
  await assert.rejects(
    out.request({ url: url(port), rule: undefined, timeout: 300 }),
    failsWith("timeout", /no answer/),
  );
  silent.close();
});

Deno.test("names: this machine's, the hosts file's, then the DNS", async () => {
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(
    file,
    "10.0.0.7  Box.example box # a\n::1 box.example\nx y\n#1.2.3.4 z\n",
  );
  const resolver = scriptedResolver({
    "box.example": { A: ["192.0.2.1"] },
    "a.example": { A: ["192.0.2.2"], AAAA: ["2001:db8::1"] },
  });
  const find = hostAddresses(resolver, file);
  assert.deepEqual(await find("BOX.example."), ["10.0.0.7", "::1"]);
  assert.deepEqual(await find("a.example"), ["192.0.2.2", "2001:db8::1"]);
  assert.deepEqual(await find("localhost"), ["127.0.0.1", "::1"]);
  assert.deepEqual(await find("x.localhost"), ["127.0.0.1", "::1"]);
  await assert.rejects(find("none.example"));
  assert.equal(parseHosts("garbage\n\n1.2.3 x\n").size, 0);
  await Deno.remove(file);
  const out = new Outbound({ authorities: Authorities.of(), lookup: find });
  await assert.rejects(out.addresses("none.example"), /none\.example can't be looked up/);
});

Deno.test("the system's authorities can be had with the permissions that are shipped", async () => {
  const mod = new URL("../../src/net/mod.ts", import.meta.url).href;
  const dir = await Deno.makeTempDir();
  await Deno.writeTextFile(
    `${dir}/trust.ts`,
    `import { systemAuthorities } from ${JSON.stringify(mod)};
systemAuthorities.apply();
console.log(systemAuthorities.list().length);`,
  );
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...runtimeFlags,
      "--no-check",
      "--config",
      fileURLToPath(new URL("../../deno.json", import.meta.url)),
      `${dir}/trust.ts`,
    ],
  }).output();
  await Deno.remove(dir, { recursive: true });
  const count = Number(new TextDecoder().decode(stdout));
  assert.ok(count >= 20, `${count} ${new TextDecoder().decode(stderr)}`);
});
