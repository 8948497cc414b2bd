/** The web server of domains.conf: files, redirects, reverse proxy, websockets. */
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { fc } from "../../support/fast_check.ts";
import { textResponse } from "../../../src/web/http/mod.ts";
import { webserver } from "../../../src/web/webserver/mod.ts";
import { parseRange } from "../../../src/web/webserver/range.ts";
import { outboundTo } from "../../support/outbound.ts";
import { type Site, withSite } from "../site.ts";

const domains = "\tmox.example: nil\n";

const files = {
  "site/index.html": "<p>home</p>",
  "site/a file.txt": "0123456789",
  "site/big.txt": "line of text\n".repeat(1000),
  "site/list/x.png": "png",
  "site/list/sub/y.txt": "y",
  "secret.txt": "secret",
};

function rules(...handlers: string[]): string {
  return `WebDomainRedirects:
	old.example: new.example
WebHandlers:
${handlers.join("")}`;
}

const statics = `	-
		Domain: www.example
		PathRegexp: ^/files/
		DontRedirectPlainHTTP: true
		Compress: true
		WebStatic:
			StripPrefix: /files
			Root: $DIR/site
			ListFiles: true
			ResponseHeaders:
				Cache-Control: max-age=60
	-
		Domain: www.example
		PathRegexp: ^/over/
		DontRedirectPlainHTTP: true
		WebStatic:
			StripPrefix: /over
			Root: $DIR/site
			ContinueNotFound: true
	-
		Domain: www.example
		PathRegexp: ^/over/
		DontRedirectPlainHTTP: true
		WebRedirect:
			BaseURL: https://elsewhere.example?a=1
	-
		Domain: www.example
		PathRegexp: ^/r/
		DontRedirectPlainHTTP: true
		WebRedirect:
			OrigPathRegexp: ^/r/([0-9]+)$
			ReplacePath: /number/$1
			StatusCode: 302
	-
		Domain: www.example
		PathRegexp: ^/slow/
		DontRedirectPlainHTTP: true
		WebRedirect:
			OrigPathRegexp: a(.*z)?
			ReplacePath: b
			StatusCode: 302
	-
		Domain: www.example
		PathRegexp: ^/secure
		WebStatic:
			Root: $DIR/site
	-
		Domain: www.example
		PathRegexp: ^/mail/
		DontRedirectPlainHTTP: true
		WebInternal:
			BasePath: /mail/
			Service: webmail
`;

function withWeb(rest: string, fn: (site: Site) => Promise<void>): Promise<void> {
  return withSite({ domains, rest, files }, (config) => {
    const web = webserver(
      config,
      { webmail: (r) => textResponse(200, `webmail ${r.path}`) },
      outboundTo(),
    );
    return [{ name: "webserver", path: "/", ...web }];
  }, fn);
}

Deno.test("files: kinds, index, names that are encoded, headers, validators", async () => {
  await withWeb(rules(statics), async (s) => {
    const file = await s.ask("www.example", "/files/a%20file.txt");
    assert.equal(file.status, 200);
    assert.equal(file.text, "0123456789");
    assert.equal(file.headers["content-type"], "text/plain; charset=utf-8");
    assert.equal(file.headers["cache-control"], "max-age=60");
    assert.equal(file.headers["content-length"], "10");
    const etag = String(file.headers.etag);
    const again = await s.ask("www.example", "/files/a%20file.txt", {
      headers: { "If-None-Match": etag },
    });
    assert.equal(again.status, 304);
    assert.equal(again.text, "");
    const since = await s.ask("www.example", "/files/a%20file.txt", {
      headers: { "If-Modified-Since": String(file.headers["last-modified"]) },
    });
    assert.equal(since.status, 304);
    assert.equal((await s.ask("www.example", "/files/")).text, "<p>home</p>");
    const head = await s.ask("www.example", "/files/a%20file.txt", { method: "HEAD" });
    assert.equal(head.headers["content-length"], "10");
    assert.equal((await s.ask("www.example", "/files/none")).status, 404);
    assert.equal((await s.ask("www.example", "/files/", { method: "POST" })).status, 405);
  });
});

Deno.test("ranges of a file", async () => {
  await withWeb(rules(statics), async (s) => {
    const ask = (range: string) =>
      s.ask("www.example", "/files/a%20file.txt", { headers: { Range: range } });
    const part = await ask("bytes=2-4");
    assert.equal(part.status, 206);
    assert.equal(part.text, "234");
    assert.equal(part.headers["content-range"], "bytes 2-4/10");
    assert.equal((await ask("bytes=-3")).text, "789");
    assert.equal((await ask("bytes=8-")).text, "89");
    assert.equal((await ask("bytes=10-")).status, 416);
    assert.equal((await ask("bytes=0-1,3-4")).status, 200);
    assert.equal((await ask("lines=1-2")).status, 200);
  });
});

Deno.test("any range of any size is none, unsatisfiable, or inside the file", () => {
  fc.assert(fc.property(
    fc.oneof(fc.string(), fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`)),
    fc.nat(1000),
    (text, size) => {
      const r = parseRange(text, size);
      if (typeof r !== "object") return;
      assert.ok(0 <= r.from && r.from < r.to && r.to <= size);
    },
  ));
});

Deno.test("no path leads out of the folder", async () => {
  await withWeb(rules(statics), async (s) => {
    for (
      const path of [
        "/files/../secret.txt",
        "/files/%2e%2e/secret.txt",
        "/files/..%2fsecret.txt",
        "/files/list/..%2f..%2f..%2fsecret.txt",
        "/files/%5c..%5csecret.txt",
        "/files//..//secret.txt",
        "/files/%00",
        "/files/%zz",
      ]
    ) {
      const r = await s.raw(
        `GET ${path} HTTP/1.1\r\nHost: www.example\r\nConnection: close\r\n\r\n`,
      );
      assert.match(r, /^HTTP\/1\.1 4\d\d /, path);
      assert.doesNotMatch(r, /secret\n?$/, path);
    }
  });
});

Deno.test("a folder is listed if that is configured, else forbidden", async () => {
  await withWeb(rules(statics), async (s) => {
    const moved = await s.ask("www.example", "/files/list");
    assert.equal(moved.headers.location, "/files/list/");
    const list = await s.ask("www.example", "/files/list/");
    assert.match(list.text, /<a href="sub\/">sub\/<\/a>.*<a href="x\.png">x\.png<\/a>/s);
    assert.equal((await s.ask("www.example", "/over/list/")).status, 403);
  });
});

Deno.test("answers of a kind that gets smaller are compressed for those who take it", async () => {
  await withWeb(rules(statics), async (s) => {
    const gz = await s.ask("www.example", "/files/big.txt", {
      headers: { "Accept-Encoding": "br, gzip" },
    });
    assert.equal(gz.headers["content-encoding"], "gzip");
    assert.match(String(gz.headers.etag), /^W\//);
    const none = await s.ask("www.example", "/files/big.txt", {
      headers: { "Accept-Encoding": "gzip;q=0" },
    });
    assert.equal(none.headers["content-encoding"], undefined);
    assert.equal(none.text.length, 13_000);
  });
});

Deno.test("redirects: of domains, by expression, to HTTPS, and after files that aren't there", async () => {
  await withWeb(rules(statics), async (s) => {
    const old = await s.ask("old.example", "/x?y=1");
    assert.equal(old.status, 308);
    assert.equal(old.headers.location, "https://new.example/x?y=1");
    const number = await s.ask("www.example", "/r/12?q=1");
    assert.equal(number.status, 302);
    assert.equal(number.headers.location, `http://www.example/number/12?q=1`);
    assert.equal((await s.ask("www.example", "/r/x")).status, 404);
    // An expression that looks from each "a" to the end: short paths pass, others end by the budget of steps.
    const short = await s.ask("www.example", "/slow/aaaz/a");
    assert.equal(short.headers.location, "http://www.example/slow/b/b");
    assert.equal((await s.ask("www.example", `/slow/${"a".repeat(8000)}`)).status, 414);
    const secure = await s.ask("www.example", "/secure");
    assert.equal(secure.headers.location, "https://www.example/secure");
    assert.equal((await s.ask("www.example", "/over/big.txt")).status, 200);
    const over = await s.ask("www.example", "/over/none?b=2");
    assert.equal(over.headers.location, "https://elsewhere.example/over/none?a=1&b=2");
    assert.equal((await s.ask("www.example", "/mail/inbox")).text, "webmail /inbox\n");
    assert.equal((await s.ask("other.example", "/")).status, 421);
  });
});

async function withBackend(server: Server, fn: (port: number) => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await fn((server.address() as { port: number }).port);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const proxy = (port: number) =>
  rules(`	-
		Domain: www.example
		PathRegexp: ^/app/
		DontRedirectPlainHTTP: true
		WebForward:
			StripPath: true
			URL: http://127.0.0.1:${port}/base
			ResponseHeaders:
				X-Via: mox
`);

Deno.test("reverse proxy: path, body, headers both ways; what is of one connection stays there", async () => {
  const backend = createServer((req, res) => {
    let body = "";
    req.on("data", (d) => body += d);
    req.on("end", () => {
      res.writeHead(201, { "X-Own": "1", "Set-Cookie": ["a=1", "b=2"], Connection: "close" });
      res.end(JSON.stringify({ method: req.method, url: req.url, headers: req.headers, body }));
    });
  });
  await withBackend(backend, (port) =>
    withWeb(proxy(port), async (s) => {
      const r = await s.ask("www.example", "/app/x/y?z=1", {
        method: "PUT",
        body: "content",
        headers: {
          "X-Forwarded-For": "6.6.6.6",
          "Content-Length": "7",
          Te: "trailers",
          Cookie: "app=1; mox-webmail=secret; __Secure-mox-admin=secret; other=2",
        },
      });
      assert.equal(r.status, 201);
      assert.equal(r.headers["x-own"], "1");
      assert.equal(r.headers["x-via"], "mox");
      assert.deepEqual(r.headers["set-cookie"], ["a=1", "b=2"]);
      const seen = JSON.parse(r.text);
      assert.equal(seen.method, "PUT");
      assert.equal(seen.url, "/base/x/y?z=1");
      assert.equal(seen.body, "content");
      assert.equal(seen.headers.host, "www.example");
      assert.equal(seen.headers["x-forwarded-for"], "127.0.0.1");
      assert.equal(seen.headers["x-forwarded-proto"], "http");
      assert.equal(seen.headers.te, undefined);
      assert.equal(seen.headers.cookie, "app=1; other=2");
    }));
});

Deno.test("reverse proxy: a server that isn't there gives 502", async () => {
  const gone = createServer();
  let port = 0;
  await withBackend(gone, (p) => {
    port = p;
    return Promise.resolve();
  });
  await withWeb(proxy(port), async (s) => {
    assert.equal((await s.ask("www.example", "/app/")).status, 502);
  });
});

Deno.test("reverse proxy: websockets pass through in both directions", async () => {
  const backend = createServer();
  backend.on("upgrade", (req, socket: Socket) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Accept: ${req.headers["sec-websocket-key"]}-${req.url}\r\n\r\n`,
    );
    socket.on("data", (d) => socket.write(`echo ${d}`));
    // Sockets of an HTTP server stay half open by themselves.
    socket.on("end", () => socket.end());
    socket.on("error", () => {});
  });
  await withBackend(backend, (port) =>
    withWeb(proxy(port), async (s) => {
      const got = await s.raw(
        "GET /app/ws HTTP/1.1\r\nHost: www.example\r\nConnection: Upgrade\r\n" +
          "Upgrade: websocket\r\nSec-WebSocket-Key: key\r\n\r\nhello",
        "echo hello",
      );
      assert.match(got, /^HTTP\/1\.1 101 /);
      assert.match(got, /Sec-WebSocket-Accept: key-\/base\/ws/);
      assert.match(got, /echo hello$/);
    }));
});
