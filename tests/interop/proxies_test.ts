/**
 * HAProxy and nginx in front of the server: what the server then knows of the clients, who connect to them from
 * 127.0.0.9 while the proxies themselves come from 127.0.0.1.
 */
import assert from "node:assert/strict";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Answer } from "dns-packet";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { annDomains, freePorts, moxIn, type RunningServer, startServe } from "../serve/instance.ts";
import { zoneServer } from "../serve/zone.ts";
import { lacks } from "../support/programs.ts";
import { startHaproxy, startNginx } from "../support/proxies.ts";
import { Talk } from "../support/talk.ts";

const client = "127.0.0.9";
const password = "moxmoxmox";

/** Ports of the two listeners: one takes PROXY headers, the other the words of the protocols. */
interface Backend {
  dir: string;
  server: RunningServer;
  header: { smtp: number; imap: number; imaps: number; submission: number; http: number };
  words: { smtp: number; imap: number; submission: number; http: number };
  /** IMAP with PROXY headers, for nginx, which doesn't speak TLS with the server. */
  plainImap: number;
  authHttp: number;
}

async function startBackend(dns: string): Promise<Backend> {
  const dir = await Deno.makeTempDir({ prefix: "mox-proxies-" });
  await Deno.chmod(dir, 0o755);
  const p = await freePorts(11);
  const header = { smtp: p[0], imap: p[1], imaps: p[2], submission: p[3], http: p[4] };
  const words = { smtp: p[5], imap: p[6], submission: p[7], http: p[8] };
  await Deno.mkdir(`${dir}/config`);
  const { cert, key } = await selfSignedCertificate({ names: ["mail.mox.example"] });
  await Deno.writeTextFile(`${dir}/config/cert.pem`, cert);
  await Deno.writeTextFile(`${dir}/config/key.pem`, key);
  await Deno.writeTextFile(`${dir}/haproxy.pem`, cert + key);
  const listener = (c: { smtp: number; imap: number; submission: number; http: number }) =>
    `		IPs:
			- 127.0.0.1
		TrustedProxies:
			- 127.0.0.1
		TLS:
			KeyCerts:
				-
					CertFile: cert.pem
					KeyFile: key.pem
		SMTP:
			Enabled: true
			Port: ${c.smtp}
			FirstTimeSenderDelay: 0s
		Submission:
			Enabled: true
			Port: ${c.submission}
			NoRequireSTARTTLS: ${c === words}
		IMAP:
			Enabled: true
			Port: ${c.imap}
		AccountHTTP:
			Enabled: true
			Port: ${c.http}
`;
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: debug
User: 54321
Hostname: mail.mox.example
Listeners:
	header:
		ProxyProtocol: true
${listener(header)}		IMAPS:
			Enabled: true
			Port: ${header.imaps}
	plain:
		IPs:
			- 127.0.0.1
		ProxyProtocol: true
		TrustedProxies:
			- 127.0.0.1
		IMAP:
			Enabled: true
			Port: ${p[9]}
			NoRequireSTARTTLS: true
		AuthHTTP:
			Enabled: true
			Port: ${p[10]}
	words:
${listener(words)}Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
  );
  await Deno.writeTextFile(
    `${dir}/config/domains.conf`,
    annDomains,
  );
  const server = startServe(dir, { MOX_DNS_SERVERS: dns });
  // Ports answer earlier, when the data folder is not the server's yet.
  await server.logged(/mox is running/);
  const set = await moxIn(dir, ["-config", `${dir}/config/mox.conf`, "setaccountpassword", "ann"], {
    stdin: `${password}\n`,
  });
  assert.equal(set.code, 0, set.stderr);
  return { dir, server, header, words, plainImap: p[9], authHttp: p[10] };
}

/** A client's connection by TLS. */
function tlsTo(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1", localAddress: client });
  return connectTls({ socket, servername: "mail.mox.example", rejectUnauthorized: false });
}

/** Delivers a message from a stranger whose domain says that only the client's address may send for it. */
async function deliver(t: Talk, subject: string): Promise<void> {
  await t.expect(/^220 .*\r\n/m);
  await t.say("EHLO host.sender.example\r\n", /^250 .*\r\n/m);
  await t.say("MAIL FROM:<bob@sender.example>\r\n", /^250 .*\r\n/m);
  await t.say("RCPT TO:<ann@mox.example>\r\n", /^250 .*\r\n/m);
  await t.say("DATA\r\n", /^354 .*\r\n/m);
  await t.say(
    `From: <bob@sender.example>\r\nTo: <ann@mox.example>\r\nSubject: ${subject}\r\n` +
      `Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-Id: <${subject}@sender.example>\r\n\r\nHi.\r\n.\r\n`,
    /^250 .*\r\n/m,
  );
  await t.say("QUIT\r\n", /^221 /m);
  t.close();
}

/** Header of the newest message. */
async function newest(b: Backend): Promise<string> {
  const t = new Talk(connectTls({
    socket: await proxied(b.header.imaps, "PROXY UNKNOWN\r\n"),
    rejectUnauthorized: false,
  }));
  await t.expect(/^\* OK.*\r\n/m);
  await t.say(`a LOGIN ann@mox.example ${password}\r\n`, /^a OK.*\r\n/m);
  await t.say("b SELECT INBOX\r\n", /^b OK.*\r\n/m);
  const text = await t.say("c FETCH * BODY.PEEK[HEADER]\r\n", /^c OK.*\r\n/m);
  t.close();
  return text.replaceAll(/\r\n[ \t]+/g, " ");
}

/** A connection from the proxies' address that begins with a header. */
function proxied(port: number, header: string | Uint8Array): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const s = connect({ port, host: "127.0.0.1" }, () => {
      s.write(header);
      resolve(s);
    });
    s.on("error", reject);
  });
}

function isFrom(header: string, ip: string): void {
  assert.match(
    header,
    new RegExp(`^Received: from host\\.sender\\.example \\(\\[${ip}\\]\\)`, "m"),
  );
  assert.match(header, new RegExp(`^Received-SPF: pass .*client-ip=${ip};`, "m"));
  assert.match(header, new RegExp(`^Authentication-Results: .*policy\\.iprev=${ip}`, "m"));
}

function get(port: number, headers: Record<string, string> = {}, from = client): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port, host: "127.0.0.1", localAddress: from, path: "/", headers, agent: false })
      .on("response", (res) => {
        res.resume();
        res.on("end", () => resolve(res.statusCode ?? 0));
      }).on("error", reject).end();
  });
}

/** Status of a GET over TLS. */
async function getTls(port: number): Promise<number> {
  const t = new Talk(tlsTo(port));
  t.write("GET / HTTP/1.1\r\nHost: mail.mox.example\r\nConnection: close\r\n\r\n");
  return Number((await t.expect(/^HTTP\/1\.1 \d{3}.*\r\n/m)).slice(9, 12));
}

Deno.test({
  name: "proxies: HAProxy and nginx name their clients, nobody else can",
  ignore: !isLinux || !isRoot() || lacks("haproxy", "nginx"),
  async fn(test) {
    const zone: Answer[] = [
      { name: "sender.example", type: "TXT", data: [`v=spf1 ip4:${client} -all`] },
      { name: "sender.example", type: "A", data: client },
      { name: "host.sender.example", type: "A", data: client },
      { name: "9.0.0.127.in-addr.arpa", type: "PTR", data: "host.sender.example" },
    ];
    using dns = await zoneServer(zone);
    const b = await startBackend(`127.0.0.1:${dns.server.port}`);
    const [smtp, imap, imaps, offload, submission, http] = await freePorts(6);
    const [nSmtp, nImap, nStream, nHttp, nAuth, nSubmission] = await freePorts(6);
    // What nginx asks where to go; the server has an endpoint for it, which another test tries.
    const auth = Deno.serve(
      { hostname: "127.0.0.1", port: nAuth, onListen: () => {} },
      (r) => {
        const protocol = r.headers.get("auth-protocol");
        const port = protocol === "imap"
          ? b.plainImap
          : r.headers.get("auth-method") === "none"
          ? b.words.smtp
          : b.words.submission;
        return new Response(null, {
          headers: { "Auth-Status": "OK", "Auth-Server": "127.0.0.1", "Auth-Port": `${port}` },
        });
      },
    );
    try {
      await test.step("HAProxy", async (t) => {
        await using _haproxy = await startHaproxy(
          b.dir,
          `listen smtp
	bind 127.0.0.1:${smtp}
	server mox 127.0.0.1:${b.header.smtp} send-proxy
listen imap
	bind 127.0.0.1:${imap}
	server mox 127.0.0.1:${b.header.imap} send-proxy-v2
listen imaps
	bind 127.0.0.1:${imaps}
	server mox 127.0.0.1:${b.header.imaps} send-proxy-v2 proxy-v2-options crc32c
listen offload
	bind 127.0.0.1:${offload} ssl crt ${b.dir}/haproxy.pem
	server mox 127.0.0.1:${b.header.imap} send-proxy-v2-ssl proxy-v2-options ssl-cipher,authority
listen submission
	bind 127.0.0.1:${submission}
	server mox 127.0.0.1:${b.header.submission} send-proxy-v2
listen http
	mode http
	bind 127.0.0.1:${http}
	option forwardfor
	server mox 127.0.0.1:${b.words.http}
`,
          [smtp, imap, imaps, offload, submission, http],
        );
        await t.step("SMTP, version 1: Received, SPF and iprev are the client's", async () => {
          await deliver(Talk.to(smtp, client), "haproxy");
          isFrom(await newest(b), client);
        });
        await t.step("IMAP, version 2: the login is the client's", async () => {
          const c = Talk.to(imap, client);
          assert.match(await c.expect(/^\* OK.*\r\n/m), /STARTTLS.*LOGINDISABLED/);
          await c.say("a STARTTLS\r\n", /^a OK.*\r\n/m);
          c.close();
        });
        await t.step("IMAPS passed through: channel binding works as without", async () => {
          const socket = tlsTo(imaps);
          const c = new Talk(socket);
          assert.match(await c.expect(/^\* OK.*\r\n/m), /AUTH=SCRAM-SHA-256-PLUS/);
          await c.say(`a LOGIN ann@mox.example wrong\r\n`, /^a NO.*\r\n/m);
          c.close();
          await b.server.logged(
            new RegExp(`remote=${client}.*badcreds|badcreds.*remote=${client}`),
          );
        });
        await t.step(
          "TLS ended at the proxy: logins as over TLS, without channel binding",
          async () => {
            const c = new Talk(
              tlsTo(offload),
            );
            const greeting = await c.expect(/^\* OK.*\r\n/m);
            assert.match(greeting, /AUTH=PLAIN/);
            assert.doesNotMatch(greeting, /STARTTLS|LOGINDISABLED|-PLUS/);
            await c.say(`a LOGIN ann@mox.example ${password}\r\n`, /^a OK.*\r\n/m);
            c.close();
          },
        );
        await t.step("submission: STARTTLS, then AUTH", async () => {
          const c = Talk.to(submission, client);
          await c.expect(/^220 .*\r\n/m);
          const hello = await c.say("EHLO me\r\n", /^250 .*\r\n/m);
          assert.match(hello, /STARTTLS/);
          assert.doesNotMatch(hello, /XCLIENT/);
          await c.say("XCLIENT ADDR=192.0.2.1\r\n", /^550 5\.7\.0/m);
          c.close();
        });
        await t.step("HTTP with X-Forwarded-For", async () => {
          assert.equal(await get(http, { "X-Forwarded-For": "203.0.113.77" }), 200);
          await b.server.logged(new RegExp(`http request.*remote=${client}`));
          assert.doesNotMatch(b.server.log(), /remote=203\.0\.113\.77/);
        });
      });
      await test.step("HAProxy, by the configuration that is printed", async () => {
        const printed = await moxIn(b.dir, [
          ...["-config", `${b.dir}/config/mox.conf`, "config", "printproxy", "haproxy"],
          ...["-certificate", `${b.dir}/haproxy.pem`],
        ]);
        assert.equal(printed.code, 0, printed.stderr);
        const wanted = [25, 143, 443, 465, 587, 993];
        const got = await freePorts(wanted.length);
        const port = (p: number) => got[wanted.indexOf(p)];
        const text = printed.stdout.replaceAll(
          /bind :::(\d+) v4v6/g,
          (_, p) => `bind 127.0.0.1:${port(Number(p))}`,
        );
        await using _haproxy = await startHaproxy(b.dir, text, got);
        await deliver(Talk.to(port(25), client), "printed");
        isFrom(await newest(b), client);
        const plain = Talk.to(port(143), client);
        assert.match(await plain.expect(/^\* OK.*\r\n/m), /STARTTLS.*LOGINDISABLED/);
        plain.close();
        const imaps = new Talk(tlsTo(port(993)));
        assert.match(await imaps.expect(/^\* OK.*\r\n/m), /AUTH=PLAIN/);
        await imaps.say(`a LOGIN ann@mox.example ${password}\r\n`, /^a OK.*\r\n/m);
        imaps.close();
        const submissions = new Talk(tlsTo(port(465)));
        await submissions.expect(/^220 .*\r\n/m);
        assert.match(await submissions.say("EHLO me\r\n", /^250 .*\r\n/m), /AUTH .*PLAIN/);
        const login = btoa(`\0ann@mox.example\0${password}`);
        await submissions.say(`AUTH PLAIN ${login}\r\n`, /^235 .*\r\n/m);
        submissions.close();
        assert.equal(await getTls(port(443)), 200);
      });
      await test.step("nginx", async (t) => {
        await using _nginx = await startNginx(
          b.dir,
          `mail {
	auth_http 127.0.0.1:${nAuth}/;
	server_name proxy.example;
	server {
		listen 127.0.0.1:${nSmtp};
		protocol smtp;
		smtp_auth none;
		xclient on;
	}
	server {
		listen 127.0.0.1:${nSubmission};
		protocol smtp;
		smtp_auth plain;
		xclient on;
	}
	server {
		listen 127.0.0.1:${nImap};
		protocol imap;
		proxy_protocol on;
	}
}
stream {
	server {
		listen 127.0.0.1:${nStream};
		proxy_pass 127.0.0.1:${b.header.imaps};
		proxy_protocol on;
	}
}
http {
	server {
		listen 127.0.0.1:${nHttp};
		location / {
			proxy_pass http://127.0.0.1:${b.words.http};
			proxy_set_header Forwarded "";
			proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
		}
	}
}
`,
          [nSmtp, nImap, nStream, nHttp, nSubmission],
        );
        await t.step("SMTP with XCLIENT: Received, SPF and iprev are the client's", async () => {
          await deliver(Talk.to(nSmtp, client), "nginx");
          isFrom(await newest(b), client);
        });
        await t.step("IMAP with a PROXY header", async () => {
          const c = Talk.to(nImap, client);
          await c.expect(/^\* OK.*\r\n/m);
          await c.say(`a LOGIN ann@mox.example ${password}\r\n`, /^a OK.*\r\n/m);
          await c.say("b SELECT INBOX\r\n", /^b OK.*\r\n/m);
          c.close();
          const at =
            `proxy=127\\.0\\.0\\.1.*remote=${client}|remote=${client}.*proxy=127\\.0\\.0\\.1`;
          await b.server.logged(new RegExp(at));
        });
        await t.step("submission: the login that nginx has checked counts", async () => {
          const c = Talk.to(nSubmission, client);
          await c.expect(/^220 .*\r\n/m);
          await c.say("EHLO me\r\n", /^250 .*\r\n/m);
          const plain = btoa(`\0ann@mox.example\0${password}`);
          await c.say(`AUTH PLAIN ${plain}\r\n`, /^235 .*\r\n/m);
          await c.say("MAIL FROM:<ann@mox.example>\r\n", /^250 .*\r\n/m);
          await c.say("MAIL FROM:<eve@mox.example>\r\n", /^503 .*\r\n/m);
          // The client is behind nginx now, and can't become another one.
          await c.say("RSET\r\n", /^250 .*\r\n/m);
          await c.say("XCLIENT ADDR=192.0.2.1\r\n", /^550 5\.7\.0/m);
          c.close();
          await b.server.logged(new RegExp(`proxy names its client.*remote=${client}`));
        });
        await t.step("TLS passed through by the stream module", async () => {
          const c = new Talk(
            tlsTo(nStream),
          );
          await c.expect(/^\* OK.*\r\n/m);
          await c.say(`a LOGIN ann@mox.example ${password}\r\n`, /^a OK.*\r\n/m);
          c.close();
        });
        await t.step(
          "HTTP: the client's own Forwarded and X-Forwarded-For are not believed",
          async () => {
            const made = { "X-Forwarded-For": "203.0.113.78", Forwarded: "for=203.0.113.79" };
            assert.equal(await get(nHttp, made), 200);
            assert.doesNotMatch(b.server.log(), /remote=203\.0\.113\./);
          },
        );
      });
      await test.step("auth_http of a server without nodes names its own listener", async () => {
        const r = await fetch(`http://127.0.0.1:${b.authHttp}/`, {
          headers: {
            "Auth-Method": "plain",
            "Auth-Protocol": "imap",
            "Auth-User": "ann@mox.example",
            "Auth-Pass": password,
            "Client-IP": client,
          },
        });
        await r.body?.cancel();
        assert.equal(r.headers.get("auth-status"), "OK");
        assert.equal(r.headers.get("auth-server"), "127.0.0.1");
        assert.equal(r.headers.get("auth-port"), String(b.plainImap));
      });
      await test.step("who is no trusted proxy is not believed", async () => {
        const header = "PROXY TCP4 192.0.2.1 127.0.0.1 1 25\r\n";
        const s = Talk.to(b.header.smtp, client);
        await s.expect(/^220 /m);
        await s.say(header, /^500 .*\r\n/m);
        s.close();
        const x = Talk.to(b.words.smtp, client);
        await x.expect(/^220 .*\r\n/m);
        assert.doesNotMatch(await x.say("EHLO x\r\n", /^250 .*\r\n/m), /XCLIENT/);
        await x.say("XCLIENT ADDR=192.0.2.1\r\n", /^550 5\.7\.0/m);
        x.close();
        const i = Talk.to(b.words.imap, client);
        await i.expect(/^\* OK.*\r\n/m);
        await i.say('a ID ("x-originating-ip" "192.0.2.1")\r\n', /^a OK/m);
        i.close();
        assert.equal(await get(b.words.http, { "X-Forwarded-For": "192.0.2.1" }), 200);
        assert.doesNotMatch(b.server.log(), /remote=192\.0\.2\.1/);
      });
      await test.step("a trusted proxy with bad words is refused", async () => {
        for (const words of ["EHLO x\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 1\r\n", "PROXY \r\n"]) {
          assert.equal(await new Talk(await proxied(b.header.smtp, words)).ended(), "", words);
        }
        for (const words of ["XCLIENT ADDR=1.2.3\r\n", "XCLIENT PORT=70000\r\n", "XCLIENT\r\n"]) {
          const x = Talk.to(b.words.smtp, "127.0.0.1");
          await x.expect(/^220 .*\r\n/m);
          await x.say(words, /^501 5\.5\.4 XCLIENT/m);
          await x.ended();
        }
        const i = Talk.to(b.words.imap, "127.0.0.1");
        await i.expect(/^\* OK.*\r\n/m);
        await i.say('a ID ("x-originating-ip" "what")\r\n', /^a BAD ID: x-originating-ip/m);
        await i.ended();
        assert.equal(await get(b.words.http, { "X-Forwarded-For": "what" }, "127.0.0.1"), 400);
      });
      await test.step("IMAP: ID of a trusted proxy, once, before the login", async () => {
        const i = Talk.to(b.words.imap, "127.0.0.1");
        await i.expect(/^\* OK.*\r\n/m);
        const id =
          '("x-originating-ip" "198.51.100.7" "x-originating-port" "4711" "x-session-id" "s1")';
        await i.say(`a ID ${id}\r\n`, /^a OK.*\r\n/m);
        await i.say('b ID ("x-originating-ip" "198.51.100.8")\r\n', /^b OK.*\r\n/m);
        i.close();
        await b.server.logged(/proxy names its client.*remote=198\.51\.100\.7/);
        assert.doesNotMatch(b.server.log(), /remote=198\.51\.100\.8/);
      });
      await test.step("XCLIENT: two commands in a row, then none", async () => {
        const x = Talk.to(b.words.smtp, "127.0.0.1");
        await x.expect(/^220 .*\r\n/m);
        assert.match(await x.say("EHLO proxy\r\n", /^250 .*\r\n/m), /250-XCLIENT NAME ADDR/);
        await x.say(`XCLIENT ADDR=${client} PORT=4711\r\n`, /^220 .*\r\n/m);
        await x.say("XCLIENT HELO=host.sender.example PROTO=ESMTP\r\n", /^220 .*\r\n/m);
        await x.say("MAIL FROM:<bob@sender.example>\r\n", /^250 .*\r\n/m);
        await x.say("RSET\r\n", /^250 .*\r\n/m);
        await x.say("XCLIENT ADDR=192.0.2.1\r\n", /^550 5\.7\.0.*\r\n/m);
        x.close();
      });
    } finally {
      await auth.shutdown();
      await b.server.end("SIGTERM");
      await Deno.remove(b.dir, { recursive: true });
    }
  },
});
