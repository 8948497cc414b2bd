/** The webmail of a whole server: login, sending to another server, limits, disabled accounts. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import {
  type DomainPolicy,
  noPolicy,
  opportunistic,
  type TlsPolicy,
} from "../../src/tlspolicy/mod.ts";
import { MailServer } from "../../src/serve/server.ts";
import { type FakeHost, fakeHost } from "../smtp/fake_host.ts";
import { Browser, composition, query, refused } from "../web/webmail/server.ts";
import { freePorts } from "./instance.ts";

for (const pkg of ["serve", "queue", "smtpclient", "control", "submission", "http"]) {
  setLevel(pkg, "error");
}

const password = "correct horse";

/** What to.example demands by MTA-STS. */
const sts = { mode: "none" as DomainPolicy["mode"] };

async function withServer(
  fn: (w: { server: MailServer; host: FakeHost; base: string }) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  await using host = await fakeHost({ extensions: ["8BITMIME", "PIPELINING", "SMTPUTF8"] });
  const [port] = await freePorts(1);
  const key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  await Deno.writeTextFile(`${dir}/key.pem`, key as string);
  await Deno.writeTextFile(
    `${dir}/mox.conf`,
    `DataDir: data\nLogLevel: error\nHostname: mail.mox.example\nListeners:\n\tweb:\n\t\tIPs:\n` +
      `\t\t\t- 127.0.0.1\n\t\tWebmailHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: ${port}\n` +
      `Postmaster:\n\tAccount: ann\n\tMailbox: Postmaster\n`,
  );
  const account = (name: string, more = "") =>
    `\t${name}:\n\t\tDomain: mox.example\n${more}\t\tDestinations:\n\t\t\t${name}@mox.example: nil\n`;
  await Deno.writeTextFile(
    `${dir}/domains.conf`,
    `Domains:\n\tmox.example:\n\t\tDKIM:\n\t\t\tSelectors:\n\t\t\t\te:\n\t\t\t\t\tPrivateKeyFile: key.pem\n` +
      `\t\t\tSign:\n\t\t\t\t- e\nAccounts:\n` +
      account("ann", "\t\tFullName: Ann\n\t\tMaxOutgoingMessagesPerDay: 2\n") +
      account("bob", "\t\tLoginDisabled: on holiday\n"),
  );
  const config = await Config.load(`${dir}/mox.conf`);
  const resolver = scriptedResolver({
    "to.example": { MX: ["10 to.example"], A: ["127.0.0.1"], authenticated: true },
    "_mta-sts.to.example": { TXT: ["v=STSv1; id=1;"] },
  });
  // Its policy would come from the web.
  const tlsPolicy: TlsPolicy = {
    ...opportunistic,
    policyFor: (domain) =>
      Promise.resolve({ ...noPolicy(domain), mode: domain === "to.example" ? sts.mode : "none" }),
  };
  const server = await MailServer.start({
    config,
    local: false,
    outgoing: { resolver, port: host.port, tlsPolicy },
    async prepare(accounts) {
      for (const name of ["ann", "bob"]) await setAccountPassword(accounts, name, password);
    },
  });
  try {
    await fn({ server, host, base: `http://127.0.0.1:${port}/webmail/` });
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a message of the webmail arrives elsewhere, signed; the limit of a day is told in words", () =>
  withServer(async ({ server, host, base }) => {
    const b = new Browser(base);
    await b.call("Login", { username: "ann@mox.example", password });
    const e = await b.events(query(null));
    const start = await e.expect("start");
    assert.deepEqual(start.addresses, [{ name: "Ann", address: "ann@mox.example" }]);
    const send = (to: string, from = "ann@mox.example") =>
      b.call("Send", {
        draftId: null,
        sendAt: null,
        requireTls: null,
        archiveThread: false,
        composition: composition({ from: { name: "Ann", address: from }, to: [to] }),
      });
    await send("x@to.example");
    await server.queue.idle();
    assert.equal(host.mails.length, 1);
    assert.deepEqual(host.mails[0].to, ["x@to.example"]);
    assert.match(host.mails[0].data, /^DKIM-Signature: /);
    assert.match(host.mails[0].data, /^From: Ann <ann@mox\.example>\r$/m);
    await refused(send("x@to.example", "someone@else.example"), "user");
    await refused(send("x@to.example", "bob@mox.example"), "user");
    await send("y@to.example");
    assert.match(await refused(send("z@to.example"), "user"), /MaxOutgoingMessagesPerDay/);
    sts.mode = "enforce";
    const r = await b.call("RecipientSecurity", { address: "x@to.example" });
    assert.deepEqual([r.mtaSts, r.dane, r.dnssec], ["yes", "no", "yes"]);
    b.close();
  }));

Deno.test("a wrong password and a disabled account are told apart, only with the right password", () =>
  withServer(async ({ base }) => {
    const b = new Browser(base);
    const login = (username: string, p: string) => b.call("Login", { username, password: p });
    await refused(login("ann@mox.example", "wrong"), "login");
    await refused(login("nobody@mox.example", password), "login");
    await refused(login("bob@mox.example", "wrong"), "login");
    assert.match(await refused(login("bob@mox.example", password), "forbidden"), /disabled/);
    await login("ann@mox.example", password);
    const page = await b.get("");
    await page.body?.cancel();
    assert.equal((await b.call("Session", {})).who?.account, "ann");
  }));
