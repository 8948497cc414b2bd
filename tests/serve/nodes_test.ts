/** Two nodes, each with its own accounts: mail for both comes to one of them, and nginx in front. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Answer } from "dns-packet";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { callNode } from "../../src/nodes/calls.ts";
import { openNodeKey, signAsNode } from "../../src/nodes/key.ts";
import { callControl } from "../../src/serve/control/control.ts";
import { isLinux } from "../../src/platform/os.ts";
import { isRoot } from "../../src/platform/users.ts";
import { hashPassword } from "../../src/store/logins/password.ts";
import { makeCall } from "../../webmail/api/client.ts";
import { adminCalls } from "../../webmail/admin/api/mod.ts";
import { lacks } from "../support/programs.ts";
import { startNginx } from "../support/proxies.ts";
import { Talk } from "../support/talk.ts";
import { freePorts, moxIn, type RunningServer, startServe } from "./instance.ts";
import { makeNodeFolder } from "./node_folder.ts";
import { zoneServer } from "./zone.ts";

const client = "127.0.0.9";
const password = "moxmoxmox";
const sha256 = (s: string) => createHash("sha256").update(s).digest("hex");

interface TestNode {
  name: string;
  dir: string;
  smtp: number;
  imap: number;
  auth: number;
  link: number;
  web: number;
  key: string;
  server: RunningServer;
}

const conf = (n: TestNode) => ["-config", `${n.dir}/config/mox.conf`];

async function prepare(name: string): Promise<TestNode> {
  const [smtp, imap, auth, link, web] = await freePorts(5);
  const { dir, key } = await makeNodeFolder(
    `mox-node-${name}-`,
    `DataDir: ../data
LogLevel: debug
User: 54321
Hostname: mail.mox.example
Node: ${name}
AdminPasswordFile: adminpasswd
Listeners:
	public:
		IPs:
			- 127.0.0.1
		TrustedProxies:
			- 127.0.0.1
		SMTP:
			Enabled: true
			Port: ${smtp}
			NoSTARTTLS: true
			FirstTimeSenderDelay: 0s
		IMAP:
			Enabled: true
			Port: ${imap}
			NoRequireSTARTTLS: true
		AuthHTTP:
			Enabled: true
			Port: ${auth}
		WebAPIHTTP:
			Enabled: true
			Port: ${web}
		WebmailHTTP:
			Enabled: true
			Port: ${web}
		AdminHTTP:
			Enabled: true
			Port: ${web}
		DAVHTTP:
			Enabled: true
			Port: ${web}
		JMAPHTTP:
			Enabled: true
			Port: ${web}
Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
  );
  await Deno.writeTextFile(`${dir}/config/adminpasswd`, await hashPassword(password));
  return { name, dir, smtp, imap, auth, link, web, key } as TestNode;
}

function domainsConf(nodes: readonly TestNode[]): string {
  return `Domains:
	mox.example:
		Aliases:
			team:
				Addresses:
					- ann@mox.example
					- bob@mox.example
				PostPublic: true
Nodes:
${
    nodes.map((n) =>
      `	${n.name}:
		Address: 127.0.0.1
		Port: ${n.link}
		Key: ${n.key}
		ProxyPorts:
			SMTP: ${n.smtp}
			IMAP: ${n.imap}
`
    ).join("")
  }Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
	bob:
		Domain: mox.example
		Node: two
		Destinations:
			bob@mox.example: nil
	carl:
		Domain: mox.example
		Node: two
		QuotaMessageSize: 10
		Destinations:
			carl@mox.example: nil
`;
}

async function start(n: TestNode, dns: string): Promise<void> {
  n.server = startServe(n.dir, { MOX_DNS_SERVERS: dns });
  await n.server.logged(/mox is running/);
}

/** A session up to DATA; the answers to RCPT. */
async function begin(n: TestNode, to: readonly string[]): Promise<{ t: Talk; said: string[] }> {
  const t = Talk.to(n.smtp, client);
  await t.expect(/^220 .*\r\n/m);
  await t.say("EHLO host.sender.example\r\n", /^250 .*\r\n/m);
  await t.say("MAIL FROM:<sue@sender.example>\r\n", /^250 .*\r\n/m);
  const said: string[] = [];
  for (const r of to) {
    said.push((await t.say(`RCPT TO:<${r}@mox.example>\r\n`, /^\d{3} .*\r\n/m)).slice(0, 9));
  }
  return { t, said };
}

const textOf = (subject: string) =>
  `From: <sue@sender.example>\r\nTo: <x@mox.example>\r\nSubject: ${subject}\r\n` +
  `Date: Mon, 2 Nov 2026 10:00:00 +0000\r\nMessage-Id: <${subject}@sender.example>\r\n\r\n` +
  `..Two dots.\r\nHi.\r\n.\r\n`;

async function sendOutside(n: TestNode, to: readonly string[], subject: string): Promise<string> {
  const { t, said } = await begin(n, to);
  if (said.every((s) => !s.startsWith("250"))) {
    t.close();
    return said.join(", ");
  }
  await t.say("DATA\r\n", /^354 .*\r\n/m);
  const answer = await t.say(textOf(subject), /^\d{3} .*\r\n/m);
  t.close();
  return answer.slice(0, 9);
}

/** Subjects of an account's messages at its node, and the text of the last. */
async function mailOf(n: TestNode, who: string): Promise<{ subjects: string[]; last: string }> {
  const t = Talk.to(n.imap, client);
  await t.expect(/^\* OK.*\r\n/m);
  await t.say(`a LOGIN ${who}@mox.example ${password}\r\n`, /^a OK.*\r\n/m);
  await t.say("b SELECT INBOX\r\n", /^b OK.*\r\n/m);
  const all = await t.say("c FETCH 1:* BODY.PEEK[]\r\n", /^c (?:OK|BAD|NO).*\r\n/m);
  t.close();
  const subjects = [...all.matchAll(/^Subject: (\S+)/gm)].map((m) => m[1]);
  return { subjects, last: all.split("BODY[]").at(-1)!.replaceAll(/\r\n[ \t]+/g, " ") };
}

/** Waits until something is so. Looks seldom, as each look is a login. */
async function until(is: () => Promise<boolean>): Promise<void> {
  while (!await is()) await new Promise((resolve) => setTimeout(resolve, 1000));
}

async function ask(n: TestNode, headers: Record<string, string>): Promise<Headers> {
  const r = await fetch(`http://127.0.0.1:${n.auth}/`, {
    headers: { "Auth-Method": "plain", "Auth-Protocol": "imap", "Client-IP": client, ...headers },
  });
  await r.body?.cancel();
  assert.equal(r.status, 200);
  return r.headers;
}

Deno.test({
  name: "nodes: mail, logins and proxies find the node of an account",
  ignore: !isLinux || !isRoot(),
  async fn(test) {
    const zone: Answer[] = [
      { name: "sender.example", type: "TXT", data: [`v=spf1 ip4:${client} -all`] },
      { name: "sender.example", type: "A", data: client },
    ];
    using dns = await zoneServer(zone);
    const at = `127.0.0.1:${dns.server.port}`;
    const nodes = await Promise.all(["one", "two"].map(prepare));
    const [one, two] = nodes;
    try {
      for (const n of nodes) {
        await Deno.writeTextFile(`${n.dir}/config/domains.conf`, domainsConf(nodes));
      }
      await Promise.all(nodes.map((n) => start(n, at)));
      await Promise.all([[one, "ann"] as const, [two, "bob"] as const].map(async ([n, who]) => {
        const set = await moxIn(n.dir, [...conf(n), "setaccountpassword", who], {
          stdin: `${password}\n`,
        });
        assert.equal(set.code, 0, set.stderr);
      }));
      await test.step("a message for both nodes is in both mailboxes, once", async () => {
        assert.equal(await sendOutside(one, ["ann", "bob"], "both"), "250 2.0.0");
        assert.deepEqual((await mailOf(one, "ann")).subjects, ["both"]);
        const bob = await mailOf(two, "bob");
        assert.deepEqual(bob.subjects, ["both"]);
        // The node of the account judges, by what the first one saw.
        assert.match(
          bob.last,
          new RegExp(`^Received: from host\\.sender\\.example \\(\\[${client}\\]\\)`, "m"),
        );
        assert.match(bob.last, new RegExp(`^Received-SPF: pass .*client-ip=${client};`, "m"));
        assert.doesNotMatch(bob.last, /with ESMTPS/);
        assert.match(bob.last, /\r\n\.Two dots\.\r\nHi\.\r\n/);
        assert.equal(await Deno.stat(`${one.dir}/data/accounts/bob`).catch(() => "none"), "none");
      });
      await test.step("from the other node too", async () => {
        assert.equal(await sendOutside(two, ["ann"], "from-two"), "250 2.0.0");
        assert.deepEqual((await mailOf(one, "ann")).subjects, ["both", "from-two"]);
      });
      await test.step("what the account's node refuses is told to the sender", async () => {
        assert.match(await sendOutside(one, ["carl"], "full"), /^[45]52 /);
        assert.match(await sendOutside(one, ["nobody", "bob"], "some"), /^250/);
        assert.match(await sendOutside(one, ["nobody"], "none"), /^550 5\.1\.1/);
      });
      await test.step("what users send to accounts of other nodes goes there by the link, for aliases too", async () => {
        const send = async (to: string, subject: string) => {
          const request = JSON.stringify({
            To: [{ Address: `${to}@mox.example` }],
            Subject: subject,
            Text: "Hi.",
          });
          const r = await fetch(`http://127.0.0.1:${one.web}/webapi/v0/Send`, {
            method: "POST",
            headers: { Authorization: `Basic ${btoa(`ann@mox.example:${password}`)}` },
            body: new URLSearchParams({ request }),
          });
          assert.equal(r.status, 200, await r.text());
        };
        await send("bob", "to-bob");
        await until(async () => (await mailOf(two, "bob")).subjects.includes("to-bob"));
        // Bob is a member at the other node.
        assert.equal(await sendOutside(one, ["team"], "to-team"), "250 2.0.0");
        await until(async () => (await mailOf(two, "bob")).subjects.includes("to-team"));
      });
      await test.step("BDAT, and a second message on the connection", async () => {
        const t = Talk.to(one.smtp, client);
        await t.expect(/^220 .*\r\n/m);
        await t.say("EHLO host.sender.example\r\n", /^250 .*\r\n/m);
        for (const subject of ["bdat1", "bdat2"]) {
          await t.say("MAIL FROM:<sue@sender.example> BODY=8BITMIME\r\n", /^250 .*\r\n/m);
          await t.say(
            "RCPT TO:<bob@mox.example> NOTIFY=FAILURE ORCPT=rfc822;b+2Bc@x.example\r\n",
            /^250 .*\r\n/m,
          );
          const m = textOf(subject).slice(0, -3);
          await t.say(`BDAT ${m.length} LAST\r\n${m}`, /^250 2\.0\.0.*\r\n/m);
        }
        t.close();
        assert.deepEqual((await mailOf(two, "bob")).subjects.slice(-2), ["bdat1", "bdat2"]);
      });
      await test.step("a login at another node is none, but no guess of a password either", async () => {
        const at = async (n: TestNode, secret: string) => {
          const t = Talk.to(n.imap, client);
          await t.expect(/^\* OK.*\r\n/m);
          const said = await t.say(`a LOGIN bob@mox.example ${secret}\r\n`, /^a .*\r\n/m);
          t.close();
          return said;
        };
        assert.match(await at(one, "wrong"), /^a NO \[AUTHENTICATIONFAILED\] wrong user name or /);
        // More often than failures are allowed.
        for (let i = 0; i < 15; i++) {
          assert.match(
            await at(one, password),
            /^a NO \[UNAVAILABLE\] this account is at another server: node two\r\n/,
          );
        }
        assert.match(await at(two, password), /^a OK /);
      });
      await test.step("any node serves an account's web services: the account's node answers", async () => {
        const at = `http://127.0.0.1:${one.web}`;
        const basic = (secret: string) => ({
          Authorization: `Basic ${btoa(`bob@mox.example:${secret}`)}`,
        });
        const api = async (secret: string) => {
          const r = await fetch(`${at}/webapi/v0/SuppressionList`, {
            method: "POST",
            headers: basic(secret),
            body: new URLSearchParams({ request: "{}" }),
          });
          return `${r.status} ${await r.text()}`;
        };
        assert.match(await api(password), /^200 /);
        assert.match(await api("wrong"), /^401 /);
        const session = await fetch(`${at}/.well-known/jmap`, { headers: basic(password) });
        assert.equal((await session.json()).username, "bob@mox.example");
        const book = `${at}/dav/addressbooks/bob/`;
        const found = await fetch(book, {
          method: "PROPFIND",
          headers: { ...basic(password), Depth: "1" },
        });
        const text = await found.text();
        const href = /<[^>]*href>([^<]*\/addressbooks\/[^<]*[^/<]\/)<\/[^>]*href>(?![^]*\1)/.exec(
          text,
        )?.[1];
        assert.equal(found.status, 207, text);
        const card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:x1\r\nFN:Eve\r\nN:Eve;;;;\r\nEND:VCARD\r\n";
        for (const status of [201, 204]) {
          const put = await fetch(`http://127.0.0.1:${one.web}${href}x1.vcf`, {
            method: "PUT",
            headers: { ...basic(password), "Content-Type": "text/vcard" },
            body: card,
          });
          assert.equal(put.status, status, `${href} ${await put.text()}`);
        }
        const got = await fetch(`http://127.0.0.1:${two.web}${href}x1.vcf`, {
          headers: basic(password),
        });
        assert.match(await got.text(), /^FN:Eve\r$/m);
        // A websocket is the client's with the other node.
        for (
          const [secret, answer] of [[password, /^HTTP\/1\.1 101 /], ["wrong", /^HTTP\/1\.1 401 /]]
        ) {
          const t = Talk.to(one.web, client);
          await t.say(
            `GET /jmap/ws HTTP/1.1\r\nHost: 127.0.0.1:${one.web}\r\nUpgrade: websocket\r\n` +
              `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: jmap\r\n` +
              `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
              `Authorization: ${basic(secret as string).Authorization}\r\n\r\n`,
            answer as RegExp,
          );
          t.close();
        }
      });
      await test.step("the webmail at any node: the cookie of the login says where the account is", async () => {
        const at = `http://127.0.0.1:${one.web}/webmail/`;
        const jar = new Map<string, string>();
        const call = async (name: string, args: unknown) => {
          const r = await fetch(`${at}api/${name}`, {
            method: "POST",
            headers: {
              "Content-Type": "application/json",
              "X-Mox-Request": "1",
              Origin: `http://127.0.0.1:${one.web}`,
              Cookie: [...jar].map(([k, v]) => `${k}=${v}`).join("; "),
            },
            body: JSON.stringify(args),
          });
          for (const c of r.headers.getSetCookie()) {
            const [, k, v] = /^([^=]+)=([^;]*)/.exec(c)!;
            jar.set(k, v);
          }
          return { status: r.status, body: await r.json() };
        };
        const bob = { username: "bob@mox.example", password };
        assert.equal((await call("Login", { ...bob, password: "wrong" })).status, 401);
        assert.equal(jar.size, 0);
        const into = await call("Login", bob);
        assert.equal(into.status, 200, JSON.stringify(into.body));
        assert.deepEqual([...jar.keys()].sort(), ["mox-node", "mox-webmail"]);
        assert.equal(jar.get("mox-node"), "two");
        assert.match(JSON.stringify((await call("Session", {})).body), /bob@mox\.example/);
        // An event stream lasts, and ends at the account's node when its client goes.
        const gone = new AbortController();
        const events = await fetch(`${at}events?view=none`, {
          signal: gone.signal,
          headers: { Cookie: [...jar].map(([k, v]) => `${k}=${v}`).join("; ") },
        });
        await events.body?.cancel();
        gone.abort();
        const file = await fetch(at, { headers: { Cookie: "mox-node=two" } });
        assert.match(await file.text(), /<html/);
        // What is no node is ignored.
        const odd = await fetch(at, { headers: { Cookie: "mox-node=%00; mox-node=nine" } });
        assert.match(await odd.text(), /<html/);
        // Another user of this browser, at this node.
        assert.equal((await call("Login", { username: "ann@mox.example", password })).status, 200);
        assert.equal(jar.get("mox-node"), "one");
        assert.match(JSON.stringify((await call("Session", {})).body), /ann@mox\.example/);
      });
      await test.step("auth_http: any node says where an account is, if the password is right", async () => {
        const login = { "Auth-User": "bob@mox.example", "Auth-Pass": password };
        for (const n of nodes) {
          const h = await ask(n, login);
          assert.equal(h.get("auth-status"), "OK");
          assert.equal(`${h.get("auth-server")}:${h.get("auth-port")}`, `127.0.0.1:${two.imap}`);
        }
        const wrong = await ask(one, { ...login, "Auth-Pass": "moxmox%20mox" });
        assert.match(wrong.get("auth-status")!, /wrong user name or password/);
        assert.equal(wrong.get("auth-port"), null);
        await two.server.logged(
          new RegExp(`badcreds.*remote=${client}|remote=${client}.*badcreds`),
        );
        const none = await ask(one, { ...login, "Auth-User": "eve@mox.example" });
        assert.match(none.get("auth-status")!, /wrong user name or password/);
        const mx = await ask(one, {
          "Auth-Method": "none",
          "Auth-Protocol": "smtp",
          "Auth-SMTP-To": "RCPT TO:<bob@mox.example>",
        });
        assert.equal(mx.get("auth-port"), `${two.smtp}`);
        const stranger = Deno.createHttpClient({ localAddress: client });
        const r = await fetch(`http://127.0.0.1:${one.auth}/`, { client: stranger });
        await r.body?.cancel();
        stranger.close();
        assert.equal(r.status, 403);
      });
      await test.step("who has no node's key is not listened to", async () => {
        const pair = await selfSignedCertificate({ names: ["node"] });
        for (const how of [pair, {}]) {
          const t = new Talk(
            connectTls({ port: two.link, host: "127.0.0.1", rejectUnauthorized: false, ...how }),
          );
          t.write("mox-node 1 lmtp\r\n");
          assert.equal(await t.ended(), "");
        }
        await two.server.logged(/its key is no node's/);
      });
      await test.step("domains.conf is pushed, signed; what is old, forged or wrong isn't taken", async () => {
        const path = (n: TestNode) => `${n.dir}/config/domains.conf`;
        const read = (n: TestNode) => Deno.readTextFile(path(n));
        const edit = async (n: TestNode, words: string) =>
          await Deno.writeTextFile(path(n), `${await read(n)}# ${words}\n`);
        const run = (n: TestNode, what: string) => moxIn(n.dir, [...conf(n), "node", what]);
        await edit(one, "first");
        const pushed = await run(one, "push");
        assert.equal(`${pushed.stdout}${pushed.stderr}`, "two: has version 1 now\n");
        assert.match(await read(two), /# first\n$/);
        // An edit at the other node isn't overwritten, and can be pushed from there.
        await edit(two, "second");
        await edit(one, "third");
        const pushFrom = async (n: TestNode) =>
          await callControl(`${n.dir}/data`, "node push") as { version: number; error?: string }[];
        assert.match((await pushFrom(one))[0].error ?? "", /edited here since version 1/);
        const listed = await run(two, "list");
        assert.match(listed.stdout, /^two: version 1, edited since\none: version 2\n$/);
        assert.equal(listed.code, 1);
        // Both have added a line at the same place: who pushes second is told, and nothing is replaced.
        await assert.rejects(pushFrom(two), /version 2 of one can't be brought together/);
        assert.match(await read(one), /# first\n# third\n$/);
        assert.match(await read(two), /# first\n# second\n$/);
        assert.equal(
          await Deno.readTextFile(`${two.dir}/data/domains.conf.of-one`),
          await read(one),
        );
        const forced = await callControl(`${two.dir}/data`, "node push", { force: true });
        assert.deepEqual(forced, [{ node: "one", version: 3, edited: false }]);
        assert.match(await read(one), /# first\n# second\n$/);
        assert.match(
          await Deno.readTextFile(`${one.dir}/data/domains.conf.previous`),
          /# first\n# third\n$/,
        );
        // Asked by a node's key, as nobody else can.
        const key = await openNodeKey(`${one.dir}/data`);
        const place = { Address: "127.0.0.1", Port: two.link, Key: two.key };
        const say = (version: unknown, text: string) =>
          callNode(key, "two", place, "config push", { version, text });
        const text = await read(two);
        const version = JSON.parse(await Deno.readTextFile(`${two.dir}/data/domains.version`));
        await assert.rejects(say(version, text), /version 3 is not newer than 3/);
        await assert.rejects(say({ ...version, version: 4 }, text), /not signed by a node/);
        await assert.rejects(say({ ...version, version: "x" }, text), /a version .* is expected/);
        const signed = (t: string) => {
          const v = {
            version: 4,
            hash: sha256(t),
            by: "one",
            certificate: key.cert,
            signature: "",
          };
          v.signature = signAsNode(key, `domains.conf 4 ${v.hash} one`);
          return v;
        };
        await assert.rejects(say(signed("other"), text), /not signed by a node/);
        await assert.rejects(say({ ...signed(text), by: "two" }, text), /not signed by a node/);
        await assert.rejects(say(signed("Domains: 1\n"), "Domains: 1\n"), /domains\.conf:1: /);
        assert.equal(await read(two), text);
        const states = await callControl(`${one.dir}/data`, "node list");
        assert.deepEqual(states, [
          { node: "one", version: 3, edited: false },
          { node: "two", version: 3, edited: false },
        ]);
      });
      await test.step({
        name: "nginx sends logins to the node of the account, by the configuration that is printed",
        ignore: lacks("nginx"),
        fn: async () => {
          const printed = await moxIn(one.dir, [
            ...[...conf(one), "config", "printproxy", "nginx"],
            ...["-certificate", `${one.dir}/cert.pem`, "-key", `${one.dir}/key.pem`],
          ]);
          assert.equal(printed.code, 0, printed.stderr);
          const pair = await selfSignedCertificate({ names: ["mail.mox.example"] });
          await Deno.writeTextFile(`${one.dir}/cert.pem`, pair.cert);
          await Deno.writeTextFile(`${one.dir}/key.pem`, pair.key);
          const wanted = [25, 143, 443, 465, 587, 993, 995, 8013];
          const got = await freePorts(wanted.length);
          const port = (p: number) => got[wanted.indexOf(p)];
          // The test's own file begins with these.
          const text = printed.stdout.replace(/^include[^]*?^}\n/m, "")
            .replaceAll(/^\t*listen \[::\]:.*\n/gm, "")
            .replaceAll(/listen (\d+)(?=[ ;])/g, (_, p) => `listen 127.0.0.1:${port(Number(p))}`)
            .replaceAll("127.0.0.1:8013", `127.0.0.1:${port(8013)}`);
          await using _nginx = await startNginx(one.dir, text, got);
          for (const who of ["ann", "bob"]) {
            const socket = connect({ port: port(993), host: "127.0.0.1", localAddress: client });
            const t = new Talk(connectTls({ socket, rejectUnauthorized: false }));
            await t.expect(/^\* OK.*\r\n/m);
            await t.say(`a LOGIN ${who}@mox.example ${password}\r\n`, /^a OK.*\r\n/m);
            await t.say("b SELECT INBOX\r\n", /^b OK.*\r\n/m);
            assert.match(await t.say("c FETCH 1 ENVELOPE\r\n", /^c OK.*\r\n/m), /"both"/);
            t.close();
          }
          const t = Talk.to(port(25), client);
          await t.expect(/^220 .*\r\n/m);
          await t.say("EHLO host.sender.example\r\n", /^250 .*\r\n/m);
          await t.say("MAIL FROM:<sue@sender.example>\r\n", /^250 .*\r\n/m);
          await t.say("RCPT TO:<bob@mox.example>\r\n", /^250 .*\r\n/m);
          await t.say("RCPT TO:<ann@mox.example>\r\n", /^250 .*\r\n/m);
          await t.say("DATA\r\n", /^354 .*\r\n/m);
          await t.say(textOf("proxied"), /^250 .*\r\n/m);
          t.close();
          for (const [n, who] of [[one, "ann"], [two, "bob"]] as const) {
            const { subjects, last } = await mailOf(n, who);
            assert.equal(subjects.at(-1), "proxied");
            assert.match(last, new RegExp(`client-ip=${client};`));
          }
        },
      });
      await test.step("a node that was killed: 451 for its accounts, the rest goes on; and it comes back", async () => {
        const { t, said } = await begin(one, ["ann", "bob"]);
        assert.deepEqual(said, ["250 2.1.5", "250 2.1.5"]);
        await two.server.end("SIGKILL");
        // Taken by one of the nodes: there is one answer for both, so it waits in the queue for the other.
        await t.say("DATA\r\n", /^354 .*\r\n/m);
        await t.say(textOf("half"), /^250 .*\r\n/m);
        t.close();
        assert.deepEqual(await sendOutside(one, ["bob"], "away"), "451 4.4.2");
        assert.equal(await sendOutside(one, ["ann"], "here"), "250 2.0.0");
        const login = { "Auth-User": "bob@mox.example", "Auth-Pass": password };
        assert.match((await ask(one, login)).get("auth-status")!, /server is away/);
        assert.equal((await mailOf(one, "ann")).subjects.at(-1), "here");
        await start(two, at);
        assert.equal(await sendOutside(one, ["bob"], "back"), "250 2.0.0");
        const bob = await mailOf(two, "bob");
        assert.equal(bob.subjects.at(-1), "back");
        assert.ok(!bob.subjects.includes("away"));
        const kick = await moxIn(one.dir, [...conf(one), "queue", "schedule", "-all", "now"]);
        assert.equal(kick.code, 0, kick.stderr);
        await until(async () => (await mailOf(two, "bob")).subjects.includes("half"));
        assert.equal((await mailOf(one, "ann")).subjects.filter((s) => s === "half").length, 1);
      });
      await test.step("the admin page shows all nodes, gives them domains.conf, and moves accounts", async () => {
        const base = `http://127.0.0.1:${one.web}/admin/`;
        const r = await fetch(`${base}api/Login`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-mox-request": "1" },
          body: JSON.stringify({ username: "", password }),
        });
        assert.equal(r.status, 200, await r.text());
        const headers = { cookie: r.headers.get("set-cookie")!.split(";")[0] };
        const nodesNow = () => makeCall(adminCalls, "Nodes", {}, { base, headers });
        const { nodes: all, moves } = await nodesNow();
        assert.deepEqual(
          all.map((n) => [n.name, n.own, n.error, n.version, n.edited, n.behind, n.accounts]),
          [["one", true, "", 3, false, false, 1], ["two", false, "", 3, false, false, 2]],
        );
        assert.ok(all.every((n) => n.free > 0 && n.program !== "" && n.standby === "none"));
        assert.deepEqual(moves, []);
        const pushed = await makeCall(adminCalls, "NodesPush", {}, { base, headers });
        assert.deepEqual(pushed.nodes, [{ name: "two", error: "" }]);
        const move = (account: string, node: string) =>
          makeCall(adminCalls, "NodeMove", { account, node }, { base, headers });
        await assert.rejects(move("bob", "one"), /bob is at two: move it from there/);
        await move("ann", "two");
        await until(async () => {
          const now = await nodesNow();
          return now.moves.length === 0 && now.nodes[1].accounts === 3;
        });
        assert.equal((await mailOf(two, "ann")).subjects.at(-1), "here");
        const back = await moxIn(two.dir, [...conf(two), "node", "move", "ann", "one"]);
        assert.equal(back.code, 0, back.stderr);
        await two.server.end("SIGKILL");
        assert.match((await nodesNow()).nodes[1].error, /node two can't be reached/);
        await start(two, at);
      });
      await test.step("QueueWhenAway: mail waits for a node that is away, which judges by its client", async () => {
        const path = `${one.dir}/config/domains.conf`;
        const text = await Deno.readTextFile(path);
        const queueing = text.replace(/(\ttwo:\n)/, "$1\t\tQueueWhenAway: true\n");
        assert.notEqual(queueing, text);
        await Deno.writeTextFile(path, queueing);
        await two.server.end("SIGKILL");
        // Its file is read again within half a second.
        await until(async () => await sendOutside(one, ["bob"], "first") === "250 2.0.0");
        assert.equal(await sendOutside(one, ["bob", "ann"], "waits"), "250 2.0.0");
        assert.match((await mailOf(one, "ann")).subjects.at(-1)!, /waits/);
        assert.match(await sendOutside(one, ["nobody"], "none"), /^550 5\.1\.1/);
        await start(two, at);
        const kick = await moxIn(one.dir, [...conf(one), "queue", "schedule", "-all", "now"]);
        assert.equal(kick.code, 0, kick.stderr);
        await until(async () => (await mailOf(two, "bob")).subjects.includes("waits"));
        const { last } = await mailOf(two, "bob");
        assert.match(last, new RegExp(`^Received-SPF: pass .*client-ip=${client};`, "m"));
      });
    } finally {
      for (const n of nodes) {
        await n.server?.end("SIGTERM");
        await Deno.remove(n.dir, { recursive: true });
      }
    }
  },
});
