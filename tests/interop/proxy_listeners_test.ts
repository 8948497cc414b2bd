/**
 * HAProxy and nginx's stream module in front of every listener, with version 1 and 2 of the PROXY header: each client has an
 * address of its own, which the server's log has to show. And proxies that send no header, half of one, or too much.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { annDomains, freePorts, moxIn, type RunningServer, startServe } from "../serve/instance.ts";
import { zoneServer } from "../serve/zone.ts";
import { lacks } from "../support/programs.ts";
import { startHaproxy, startNginx } from "../support/proxies.ts";
import { Talk } from "../support/talk.ts";

const password = "moxmoxmox";
const plain = btoa(`\0ann@mox.example\0${password}`);
const get = {
  say: "GET / HTTP/1.1\r\nHost: mail.mox.example\r\n\r\n",
  answer: /^HTTP\/1\.1 200.*\r\n/m,
};
const imap = [
  { say: "", answer: /^\* OK .*\r\n/m },
  { say: `a LOGIN ann@mox.example ${password}\r\n`, answer: /^a OK.*\r\n/m },
];
const pop3 = [
  { say: "", answer: /^\+OK .*\r\n/m },
  { say: "USER ann@mox.example\r\n", answer: /^\+OK.*\r\n/m },
  { say: `PASS ${password}\r\n`, answer: /^\+OK.*\r\n/m },
];
const smtp = [{ say: "", answer: /^220 .*\r\n/m }];

/** Kinds of listeners: whether TLS is on from the start, and a talk that has the server log its client. */
const services = {
  SMTP: { tls: false, talk: smtp },
  Submission: { tls: false, talk: smtp },
  Submissions: { tls: true, talk: smtp },
  IMAP: { tls: false, talk: imap },
  IMAPS: { tls: true, talk: imap },
  POP3: { tls: false, talk: pop3 },
  POP3S: { tls: true, talk: pop3 },
  ManageSieve: {
    tls: false,
    talk: [
      { say: "", answer: /^OK.*\r\n/m },
      { say: `AUTHENTICATE "PLAIN" "${plain}"\r\n`, answer: /^OK.*\r\n/m },
    ],
  },
  AccountHTTP: { tls: false, talk: [get] },
  AccountHTTPS: { tls: true, talk: [get] },
};
const inClear = ["IMAP", "POP3", "ManageSieve"];
type Service = keyof typeof services;
const names = Object.keys(services) as Service[];

interface Backend {
  dir: string;
  ports: Map<Service, number>;
  server: RunningServer;
}

async function startBackend(dns: string): Promise<Backend> {
  const dir = await Deno.makeTempDir({ prefix: "mox-listeners-" });
  await Deno.chmod(dir, 0o755);
  await Deno.mkdir(`${dir}/config`);
  const { cert, key } = await selfSignedCertificate({ names: ["mail.mox.example"] });
  await Deno.writeTextFile(`${dir}/config/cert.pem`, cert);
  await Deno.writeTextFile(`${dir}/config/key.pem`, key);
  const free = await freePorts(names.length);
  const ports = new Map(names.map((name, i) => [name, free[i]]));
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: debug
User: 54321
Hostname: mail.mox.example
Listeners:
	public:
		IPs:
			- 127.0.0.1
		TrustedProxies:
			- 127.0.0.1
		ProxyProtocol: true
		TLS:
			KeyCerts:
				-
					CertFile: cert.pem
					KeyFile: key.pem
${
      names.map((name) =>
        `		${name}:\n			Enabled: true\n			Port: ${ports.get(name)}\n` +
        (inClear.includes(name) ? "			NoRequireSTARTTLS: true\n" : "")
      ).join("")
    }Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
  );
  await Deno.writeTextFile(`${dir}/config/domains.conf`, annDomains);
  const server = startServe(dir, { MOX_DNS_SERVERS: dns });
  await server.logged(/mox is running/);
  const set = await moxIn(dir, ["-config", `${dir}/config/mox.conf`, "setaccountpassword", "ann"], {
    stdin: `${password}\n`,
  });
  assert.equal(set.code, 0, set.stderr);
  return { dir, ports, server };
}

/** Talks with a service through a proxy's port, from an address; the service answers, and its log has the address. */
async function tryFrom(b: Backend, name: Service, port: number, from: string): Promise<void> {
  const { tls, talk } = services[name];
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  const t = new Talk(
    tls
      ? connectTls({ socket, servername: "mail.mox.example", rejectUnauthorized: false })
      : socket,
  );
  for (const { say, answer } of talk) await t.say(say, answer);
  await b.server.logged(new RegExp(`remote=${from.replaceAll(".", "\\.")}\\b`));
  t.close();
}

Deno.test({
  name: "PROXY headers of HAProxy and nginx in front of every listener",
  ignore: !isLinux || !isRoot() || lacks("haproxy", "nginx"),
  async fn(test) {
    using dns = await zoneServer([{ name: "remote.test", type: "A", data: "127.0.0.1" }]);
    const b = await startBackend(`127.0.0.1:${dns.server.port}`);
    try {
      let last = 10;
      const through = async (kind: string, open: readonly number[]) => {
        for (const [i, name] of names.entries()) {
          await test.step(`${name}, ${kind}`, () => tryFrom(b, name, open[i], `127.0.0.${++last}`));
        }
      };
      for (const [kind, words] of [["version 1", "send-proxy"], ["version 2", "send-proxy-v2"]]) {
        const open = await freePorts(names.length);
        await using _proxy = await startHaproxy(
          b.dir,
          names.map((name, i) =>
            `listen ${name}\n\tbind 127.0.0.1:${open[i]}\n\tserver mox 127.0.0.1:${
              b.ports.get(name)
            } ${words}\n`
          ).join(""),
          open,
        );
        await through(`HAProxy, ${kind}`, open);
      }
      const open = await freePorts(names.length);
      await using _proxy = await startNginx(
        b.dir,
        `stream {\n${
          names.map((name, i) =>
            `	server {\n		listen 127.0.0.1:${open[i]};\n		proxy_pass 127.0.0.1:${
              b.ports.get(name)
            };\n		proxy_protocol on;\n	}\n`
          ).join("")
        }}\n`,
        open,
      );
      await through("nginx", open);
      await test.step("headers from elsewhere are not believed", async () => {
        const t = Talk.to(b.ports.get("SMTP")!, "127.0.0.99");
        t.write("PROXY TCP4 192.0.2.66 127.0.0.1 4711 25\r\n");
        await t.expect(/^220 .*\r\n/m);
        await t.expect(/^500 .*\r\n/m);
        t.close();
        assert.doesNotMatch(b.server.log(), /remote=192\.0\.2\.66/);
      });
      await test.step("proxies without a header, with half of one or too much of it are closed", async () => {
        const v2 = Uint8Array.of(
          ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a],
          ...[0x21, 0x11],
        );
        const large = new Uint8Array(v2.length + 2 + 65_535);
        large.set(v2);
        large.set([0xff, 0xff], v2.length);
        const bad: (string | Uint8Array)[] = [
          ...["EHLO x\r\n", `PROXY ${"x".repeat(200_000)}`, "PROXY TCP4 1.2.3.4\r\n"],
          ...["PROXY TCP4 1.2.3.4 5.6.7.8 1 99999\r\n", "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n"],
          ...[large, Uint8Array.of(...v2, 0, 3, 1, 2, 3), "\u0016\u0003\u0001"],
        ];
        // Of the web ports requests without a header are served; what begins as one has to be one.
        const strict = names.filter((name) => !name.endsWith("HTTP") && !name.endsWith("HTTPS"));
        await Promise.all(
          strict.flatMap((name) =>
            bad.map((bytes) =>
              new Promise<void>((resolve, reject) => {
                const socket = connect({ port: b.ports.get(name)!, host: "127.0.0.1" });
                socket.on("connect", () => socket.write(bytes));
                socket.on("data", (d) => reject(new Error(`${name} answers ${d}`)));
                socket.on("error", () => {});
                socket.on("close", () => resolve());
              })
            )
          ),
        );
        // Those that hold theirs back keep nobody else waiting.
        const half = Array.from({ length: 200 }, (_, i) => {
          const socket = connect({ port: b.ports.get("IMAP")!, host: "127.0.0.1" });
          socket.on("error", () => {});
          socket.write(i % 2 === 0 ? "PROXY TCP4 1.2.3.4 " : v2);
          return socket;
        });
        await tryFrom(b, "IMAP", open[names.indexOf("IMAP")], "127.0.0.98");
        for (const socket of half) socket.destroy();
        await tryFrom(b, "SMTP", open[names.indexOf("SMTP")], "127.0.0.97");
      });
    } finally {
      await b.server.end("SIGTERM");
      await Deno.remove(b.dir, { recursive: true });
    }
  },
});
