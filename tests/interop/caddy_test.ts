/** Caddy in front of the web services: clients, their scheme, what programs say, streams and websockets. */
import assert from "node:assert/strict";
import { request } from "node:https";
import { connect as connectTls } from "node:tls";
import { connect } from "node:net";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { annDomains, freePorts, moxIn, startServe } from "../serve/instance.ts";
import { lacks } from "../support/programs.ts";
import { startCaddy } from "../support/proxies.ts";
import { Talk } from "../support/talk.ts";

const client = "127.0.0.9";
const password = "moxmoxmox";
const auth = `Basic ${btoa(`ann@mox.example:${password}`)}`;

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** A request by TLS from the client's address. */
function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body: string | Uint8Array = "",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const r = request({
      ...{ port, host: "127.0.0.1", localAddress: client, method, path, agent: false },
      ...{ servername: "mail.mox.example", rejectUnauthorized: false },
      headers: { host: `mail.mox.example:${port}`, ...headers },
    });
    r.on("error", reject);
    r.on("response", (res) => {
      let text = "";
      res.on("data", (piece) => text += piece);
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
      res.on("error", reject);
    });
    r.end(body);
  });
}

Deno.test({
  name: "Caddy in front of the web services",
  ignore: !isLinux || !isRoot() || lacks("caddy"),
  async fn(test) {
    const dir = await Deno.makeTempDir({ prefix: "mox-caddy-" });
    await Deno.chmod(dir, 0o755);
    await Deno.mkdir(`${dir}/config`);
    const { cert, key } = await selfSignedCertificate({ names: ["mail.mox.example"] });
    await Deno.writeTextFile(`${dir}/cert.pem`, cert);
    await Deno.writeTextFile(`${dir}/key.pem`, key);
    const [http, https, careless] = await freePorts(3);
    const services = ["Account", "Webmail", "WebAPI", "JMAP", "DAV"].map((s) =>
      `		${s}HTTP:\n			Enabled: true\n			Port: ${http}\n`
    ).join("");
    await Deno.writeTextFile(
      `${dir}/config/mox.conf`,
      `DataDir: ../data
LogLevel: debug
User: 54321
Hostname: mail.mox.example
Listeners:
	behind:
		IPs:
			- 127.0.0.1
		TrustedProxies:
			- 127.0.0.1
${services}Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
    );
    await Deno.writeTextFile(`${dir}/config/domains.conf`, annDomains);
    const server = startServe(dir);
    try {
      await server.logged(/mox is running/);
      const conf = ["-config", `${dir}/config/mox.conf`];
      const set = await moxIn(dir, [...conf, "setaccountpassword", "ann"], {
        stdin: `${password}\n`,
      });
      assert.equal(set.code, 0, set.stderr);
      const site = (port: number, more: string) =>
        `https://mail.mox.example:${port} {
	tls ${dir}/cert.pem ${dir}/key.pem
	reverse_proxy 127.0.0.1:${http} {${more}
	}
}
`;
      // As in docs/proxies.md, and without the line that it asks for.
      await using _caddy = await startCaddy(
        dir,
        site(https, "\n\t\theader_up -Forwarded") + site(careless, ""),
        [https, careless],
      );
      await test.step("the client's address and scheme are known, what it makes up is not believed", async () => {
        const made = {
          "X-Forwarded-For": "203.0.113.78",
          "X-Forwarded-Proto": "http",
          "X-Forwarded-Host": "evil.example",
          Forwarded: "for=203.0.113.79;proto=http",
        };
        assert.equal((await ask(https, "GET", "/", made)).status, 200);
        await server.logged(new RegExp(`http request.*remote=${client}`));
        const login = await ask(
          https,
          "POST",
          "/api/Login",
          { ...made, "content-type": "application/json", "x-mox-request": "1" },
          JSON.stringify({ username: "ann@mox.example", password }),
        );
        assert.equal(login.status, 200, login.text);
        assert.match(`${login.headers["set-cookie"]}`, /^__Secure-mox-account=.*; Secure/);
        assert.doesNotMatch(server.log(), /remote=203\.0\.113\./);
      });
      await test.step("a Forwarded that Caddy lets through contradicts it: refused", async () => {
        const r = await ask(careless, "GET", "/", { Forwarded: "for=203.0.113.79" });
        assert.equal(r.status, 400, r.text);
        assert.equal((await ask(careless, "GET", "/")).status, 200);
      });
      await test.step("WebDAV's methods, addresses of the client's scheme and host, and large uploads", async () => {
        const found = await ask(https, "PROPFIND", "/dav/", {
          authorization: auth,
          depth: "0",
          "content-type": "application/xml",
        }, '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>');
        assert.equal(found.status, 207, found.text);
        const session = await ask(https, "GET", "/.well-known/jmap", { authorization: auth });
        const at = session.status < 300 ? session : await ask(
          https,
          "GET",
          new URL(`${session.headers.location}`, `https://mail.mox.example:${https}`).pathname,
          { authorization: auth },
        );
        const { apiUrl, uploadUrl, accounts } = JSON.parse(at.text);
        assert.ok(apiUrl.startsWith(`https://mail.mox.example:${https}/`), apiUrl);
        const upload = new URL(uploadUrl.replace("{accountId}", Object.keys(accounts)[0]));
        const big = new Uint8Array(20 * 1024 * 1024);
        const sent = await ask(https, "POST", upload.pathname, { authorization: auth }, big);
        assert.equal(sent.status, 201, sent.text);
        assert.equal(JSON.parse(sent.text).size, big.length);
      });
      await test.step("JMAP's event stream and websocket are passed on at once", async () => {
        const talk = () =>
          new Talk(connectTls({
            socket: connect({ port: https, host: "127.0.0.1", localAddress: client }),
            servername: "mail.mox.example",
            rejectUnauthorized: false,
          }));
        const session = JSON.parse(
          (await ask(https, "GET", "/jmap/session", { authorization: auth })).text,
        );
        const events = new URL(
          session.eventSourceUrl.replace("{types}", "*").replace("{closeafter}", "no")
            .replace("{ping}", "1"),
        );
        const host = `Host: mail.mox.example:${https}\r\nAuthorization: ${auth}\r\n`;
        const stream = talk();
        await stream.say(
          `GET ${events.pathname}${events.search} HTTP/1.1\r\n${host}\r\n`,
          /event: ping/,
        );
        stream.close();
        const ws = new URL(session.capabilities["urn:ietf:params:jmap:websocket"].url);
        assert.equal(ws.protocol, "wss:");
        const socket = talk();
        await socket.say(
          `GET ${ws.pathname} HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
            "Sec-WebSocket-Protocol: jmap\r\n\r\n",
          /^HTTP\/1\.1 101 /,
        );
        socket.close();
      });
    } finally {
      await server.end("SIGTERM");
      await Deno.remove(dir, { recursive: true });
    }
  },
});
