/**
 * Logins with an OpenID provider, npm's oidc-provider, on a server as it is shipped: on the pages, of mail programs by
 * access tokens, and everything that may be wrong with either.
 */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { ImapFlow } from "imapflow";
import * as jose from "jose";
import nodemailer from "nodemailer";
import { Config } from "../../src/config/mod.ts";
import { OpenId } from "../../src/identity/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { Authorities, Outbound } from "../../src/net/mod.ts";
import { isLinux } from "../../src/platform/os.ts";
import { accessToken, clientSecret, resource, startProvider, Visitor } from "./oidc.ts";
import { identityPorts, type IdentitySite, withIdentitySite } from "./site.ts";

const domains = `Domains:
	mox.example:
		OpenIDProvider: company
		LocalpartCatchallSeparator: +
	all.example:
		OpenIDProvider: company
	off.example:
		OpenIDProvider: company
	other.example: nil
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
			ann@other.example: nil
			@all.example: nil
	bob:
		Domain: mox.example
		LoginDisabled: on leave
		Destinations:
			bob@mox.example: nil
`;

/** Logs in at a page; what came of it. */
async function logIn(site: IdentitySite, page: string, v = new Visitor()) {
  const { url, response } = await v.visit(`${site.origin}${page}oidc/company`);
  const text = await response.text();
  return { visitor: v, url, status: response.status, text };
}

/** Who a visitor is at the account page. */
async function whoIs(site: IdentitySite, v: Visitor): Promise<unknown> {
  const { host } = new URL(site.origin);
  const cookie = [...v.cookies].filter(([k]) => k.startsWith(`${host} `))
    .map(([k, value]) => `${k.slice(host.length + 1)}=${value}`).join("; ");
  const r = await fetch(`${site.origin}/api/Session`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-mox-request": "1", cookie },
    body: "{}",
  });
  return (await r.json()).account;
}

/** The last answer to an AUTHENTICATE of IMAP, with a failure's challenge answered. */
async function imapAuth(port: number, mechanism: string, response: string): Promise<string> {
  const socket: Socket = connect({ port, host: "127.0.0.1" });
  let text = "";
  const seen = (wanted: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => wanted.test(text) && resolve();
      socket.on("data", look);
      socket.on("close", () => reject(new Error(text)));
      look();
    });
  socket.on("data", (b: Uint8Array) => text += new TextDecoder().decode(b));
  try {
    await seen(/^\* OK .*\r\n/);
    socket.write(`a AUTHENTICATE ${mechanism} ${btoa(response)}\r\n`);
    await seen(/^(?:\+|a) .*\r\n/m);
    if (!/^a /m.test(text)) {
      socket.write("AQ==\r\n");
      await seen(/^a .*\r\n/m);
    }
    return /^a .*$/m.exec(text)![0];
  } finally {
    socket.removeAllListeners("close");
    socket.destroy();
  }
}

const oauthBearer = (user: string, token: string) =>
  `n,a=${user},\x01host=localhost\x01port=143\x01auth=Bearer ${token}\x01\x01`;
const xoauth2 = (user: string, token: string) => `user=${user}\x01auth=Bearer ${token}\x01\x01`;

Deno.test({
  name: "logins with an OpenID provider",
  ignore: !isLinux,
  async fn(t) {
    const ports = await identityPorts();
    const redirect = `http://localhost:${ports.http}/oidc/callback`;
    await using p = await startProvider([
      redirect,
      `http://localhost:${ports.http}/webmail/oidc/callback`,
    ]);
    const person = (email: string, more = {}) => ({
      email,
      email_verified: true,
      name: "A Person",
      ...more,
    });
    p.people.set("ann", person("ann@mox.example"));
    p.people.set("bob", person("bob@mox.example"));
    p.people.set("new", person("newcomer@mox.example"));
    p.people.set("former", person("former@mox.example"));
    p.people.set("unverified", person("ann@mox.example", { email_verified: false }));
    p.people.set("elsewhere", person("ann@other.example"));
    p.people.set("nowhere", person("ann@nowhere.example"));
    p.people.set("catchall", person("anybody@all.example"));
    p.people.set("separator", person("ann+x@mox.example"));
    p.people.set("postmaster", person("postmaster@mox.example"));
    p.people.set("none", { name: "No Address" });
    await withIdentitySite({
      ports,
      domains,
      files: { secret: `${clientSecret}\n` },
      extra: () =>
        `OpenIDProviders:
	company:
		Issuer: ${p.issuer}
		ClientID: mox
		ClientSecretFile: secret
		Label: Example Ltd
		Audiences:
			- ${resource}
			- program
		TokenScope: mail
		CreateAccounts: true
`,
    }, async (site) => {
      await t.step("the pages tell of the provider", async () => {
        for (const page of ["/", "/webmail/"]) {
          const r = await fetch(`${site.origin}${page}oidc/providers`);
          assert.deepEqual(await r.json(), [{ name: "company", label: "Example Ltd" }]);
        }
        const none = await fetch(`${site.origin}/oidc/nothing`);
        assert.equal(none.status, 404);
        await none.body?.cancel();
      });

      await t.step("who the provider knows is in, at both pages", async () => {
        p.who = "ann";
        const account = await logIn(site, "/");
        assert.equal(account.status, 200, account.text);
        assert.equal(await whoIs(site, account.visitor), "ann");
        const webmail = await logIn(site, "/webmail/");
        assert.equal(webmail.status, 200, webmail.text);
        assert.match(site.server.log(), /m=login .*login=ann@mox\.example .*mechanism=openid/);
      });

      await t.step("a newcomer gets an account, once", async () => {
        p.who = "new";
        const first = await logIn(site, "/");
        assert.equal(await whoIs(site, first.visitor), "newcomer");
        const again = await logIn(site, "/");
        assert.equal(await whoIs(site, again.visitor), "newcomer");
        const conf = await Deno.readTextFile(`${site.dir}/config/domains.conf`);
        assert.match(conf, /FullName: A Person/);
        assert.equal(conf.match(/newcomer@mox\.example/g)?.length, 1);
        // A folder of that name has the mail of somebody before.
        await Deno.mkdir(`${site.dir}/data/accounts/former`);
        p.who = "former";
        const former = await logIn(site, "/");
        assert.equal(await whoIs(site, former.visitor), "former.mox.example");
      });

      await t.step("who may not log in is told why", async () => {
        const refused: [string, RegExp][] = [
          ["", /refused: access_denied/],
          ["bob", /disabled for this account/],
          ["unverified", /hasn't verified the address/],
          ["elsewhere", /at no domain that company is for/],
          ["nowhere", /at no domain that company is for/],
          ["catchall", /You are logged in/],
          ["separator", /ann\+x@mox\.example has no account here/],
          ["postmaster", /can't have an account/],
          ["none", /claim email has no address/],
        ];
        for (const [who, text] of refused) {
          p.who = who;
          const r = await logIn(site, "/");
          assert.match(r.text, text, who);
          // The owner of a catch-all is somebody else: there is a new account.
          if (who === "catchall") assert.equal(await whoIs(site, r.visitor), "anybody");
          else assert.equal(r.status, 403, `${who}: ${r.text}`);
        }
        assert.ok(!site.server.log().includes(clientSecret));
      });

      await t.step("answers that were not asked for lead nowhere", async () => {
        p.who = "ann";
        const direct = await fetch(`${redirect}?code=x&state=y`);
        assert.equal(direct.status, 400);
        assert.match(await direct.text(), /begun in another browser/);
        const v = new Visitor();
        const { url } = await v.visit(
          `${site.origin}/oidc/company`,
          (u) => u.href.startsWith(redirect),
        );
        const other = new URL(url);
        other.searchParams.set("state", "another");
        assert.equal((await v.get(other)).status, 403);
        // The cookie is used up with it.
        assert.equal((await v.get(url)).status, 400);
        const mixed = new Visitor();
        const begun = await mixed.visit(
          `${site.origin}/oidc/company`,
          (u) => u.href.startsWith(redirect),
        );
        begun.url.searchParams.set("iss", "http://127.0.0.1:1");
        assert.equal((await mixed.get(begun.url)).status, 403);
        assert.equal(await whoIs(site, mixed), null);
      });

      await t.step("a provider that fails is told apart from a wrong login", async () => {
        p.who = "ann";
        const failing: [string, { status: number; body: string }, number][] = [
          ["/token", { status: 500, body: "{}" }, 503],
          ["/token", { status: 200, body: "no JSON" }, 503],
          ["/token", { status: 200, body: `{"access_token": "${"x".repeat(600_000)}"}` }, 503],
          ["/token", { status: 400, body: '{"error": "invalid_grant"}' }, 403],
        ];
        for (const [path, answer, status] of failing) {
          p.instead.set(path, () => answer);
          const r = await logIn(site, "/");
          assert.equal(r.status, status, `${answer.body.slice(0, 40)}: ${r.text}`);
          p.instead.delete(path);
        }
      });

      const jwt = await accessToken(p, "ann", { redirect, resource });
      await t.step("mail programs log in with signed tokens", async () => {
        const client = new ImapFlow({
          host: "127.0.0.1",
          port: ports.imap,
          secure: false,
          auth: { user: "ann@mox.example", accessToken: jwt },
          logger: false,
        });
        await client.connect();
        assert.ok((await client.list()).some((m) => m.path === "INBOX"));
        await client.logout();
        assert.match(
          await imapAuth(ports.imap, "OAUTHBEARER", oauthBearer("ann@mox.example", jwt)),
          /^a OK/,
        );
        assert.match(
          await imapAuth(ports.imap, "XOAUTH2", xoauth2("ann@mox.example", jwt)),
          /^a OK/,
        );
        // Without a name it is whose token it is.
        assert.match(
          await imapAuth(ports.imap, "OAUTHBEARER", `n,,\x01auth=Bearer ${jwt}\x01\x01`),
          /^a OK/,
        );
        const transport = nodemailer.createTransport({
          host: "127.0.0.1",
          port: ports.submission,
          ignoreTLS: true,
          auth: { type: "OAuth2", user: "ann@mox.example", accessToken: jwt },
        });
        const sent = await transport.sendMail({
          from: "ann@mox.example",
          to: "newcomer@mox.example",
          subject: "By token",
          text: "Good day",
        });
        assert.match(sent.response, /^250/);
        const r = await fetch(`${site.origin}/jmap/session`, {
          headers: { authorization: `Bearer ${jwt}` },
        });
        assert.equal(r.status, 200);
        assert.equal((await r.json()).username, "ann@mox.example");
      });

      await t.step("and with those that only the provider can read", async () => {
        const opaque = await accessToken(p, "ann", { redirect, scope: "openid email" });
        assert.match(
          await imapAuth(ports.imap, "XOAUTH2", xoauth2("ann@mox.example", opaque)),
          /^a NO/,
          "it lacks the scope",
        );
        assert.ok(p.asked.some((path) => /introspection/.test(path)), p.asked.join(" "));
      });

      await t.step("tokens that aren't right let nobody in", async () => {
        const key = new TextEncoder().encode("k".repeat(32));
        const claims = { email: "ann@mox.example", email_verified: true, scope: "mail" };
        const forged = await new jose.SignJWT(claims).setProtectedHeader({ alg: "HS256" })
          .setIssuer(p.issuer).setAudience(resource).setExpirationTime("1h").sign(key);
        const { privateKey } = await jose.generateKeyPair("RS256");
        const foreign = await new jose.SignJWT(claims)
          .setProtectedHeader({ alg: "RS256", kid: "first" })
          .setIssuer(p.issuer).setAudience(resource).setExpirationTime("1h").sign(privateKey);
        const unsigned = new jose.UnsecuredJWT(claims).setIssuer(p.issuer).setAudience(resource)
          .setExpirationTime("1h").encode();
        const id = await accessToken(p, "ann", { redirect, resource, id: true });
        const bobs = await accessToken(p, "bob", { redirect, resource });
        const none = await accessToken(p, "unverified", { redirect, resource });
        const wrong: [string, string, string][] = [
          ["of another key", "ann@mox.example", foreign],
          ["a shared secret", "ann@mox.example", forged],
          ["unsigned", "ann@mox.example", unsigned],
          ["cut", "ann@mox.example", jwt.slice(0, -4)],
          ["changed", "ann@mox.example", jwt.replace(/\.(..)/, ".QQ")],
          ["an ID token", "ann@mox.example", id],
          ["somebody else's", "newcomer@mox.example", jwt],
          ["of an account that is disabled", "bob@mox.example", bobs],
          ["an address that isn't verified", "ann@mox.example", none],
          ["an address of another domain", "ann@other.example", jwt],
          ["no token", "ann@mox.example", "nonsense"],
          ["too long", "ann@mox.example", "x".repeat(8500)],
        ];
        for (const [what, user, token] of wrong) {
          const answer = await imapAuth(ports.imap, "OAUTHBEARER", oauthBearer(user, token));
          assert.match(answer, /^a NO \[AUTHENTICATIONFAILED\]/, what);
          // Each counts as a failed login of the address; a right one gives the places back.
          assert.match(
            await imapAuth(ports.imap, "XOAUTH2", xoauth2("ann@mox.example", jwt)),
            /^a OK/,
          );
        }
        for (
          const bad of [
            "n,a=ann@mox.example,\x01auth=Bearer x\x01",
            "y,,\x01auth=Bearer x\x01\x01",
            "n,,\x01auth=Basic x\x01\x01",
            "n,,\x01\x01",
            "",
          ]
        ) {
          assert.match(await imapAuth(ports.imap, "OAUTHBEARER", bad || "\x01"), /^a BAD/, bad);
        }
        assert.ok(!site.server.log().includes(jwt.slice(-40)), "a token is in the log");
      });

      await t.step(
        "new keys of the provider are learned, but not asked for all the time",
        async () => {
          let ahead = 0;
          const config = await Config.load(`${site.dir}/config/mox.conf`);
          const conf = config.static.OpenIDProviders.get("company")!;
          const open = (more: Partial<typeof conf>) =>
            new OpenId({
              name: "company",
              conf: { ...conf, ...more },
              secret: clientSecret,
              outbound: new Outbound({
                authorities: Authorities.of(),
                lookup: () => Promise.resolve([]),
              }),
              log: new Log("test"),
              now: () => Date.now() + ahead,
            });
          const opaque = await accessToken(p, "ann", { redirect, scope: "openid email" });
          assert.equal(await open({ TokenScope: "" }).checkAccessToken(opaque), "ann@mox.example");
          const others = await accessToken(p, "ann", {
            redirect,
            client: "other",
            scope: "openid email",
          });
          await assert.rejects(
            open({ TokenScope: "" }).checkAccessToken(others),
            /another audience/,
          );
          await assert.rejects(open({ Audiences: [] }).checkAccessToken(jwt), /no Audiences/);
          const openId = open({});
          assert.equal(await openId.checkAccessToken(jwt), "ann@mox.example");
          p.rotate();
          const later = await accessToken(p, "ann", { redirect, resource });
          await assert.rejects(openId.checkAccessToken(later), { reason: "wrong" });
          ahead = 31_000;
          assert.equal(await openId.checkAccessToken(later), "ann@mox.example");
          // What was right is known for a minute.
          assert.equal(await openId.checkAccessToken(jwt), "ann@mox.example");
          ahead = 92_000;
          await assert.rejects(openId.checkAccessToken(jwt), { reason: "wrong" });
          ahead = 4_000_000;
          await assert.rejects(
            openId.checkAccessToken(later),
            { reason: "wrong" },
            "it has expired",
          );
        },
      );

      await t.step("when the provider is away that is said", async () => {
        p.instead.set("/token/introspection", () => ({ status: 503, body: "{}" }));
        const opaque = "o".repeat(43);
        assert.match(
          await imapAuth(ports.imap, "XOAUTH2", xoauth2("ann@mox.example", opaque)),
          /^a NO \[UNAVAILABLE\]/,
        );
      });

      await t.step("a change of the configuration ends it", async () => {
        const path = `${site.dir}/config/domains.conf`;
        const text = await Deno.readTextFile(path);
        await Deno.writeTextFile(path, text.replaceAll("\t\tOpenIDProvider: company\n", ""));
        await site.server.logged(/domains\.conf reloaded/);
        const r = await fetch(`${site.origin}/oidc/providers`);
        assert.deepEqual(await r.json(), []);
        assert.match(
          await imapAuth(ports.imap, "XOAUTH2", xoauth2("ann@mox.example", jwt)),
          /^a NO \[CANNOT\]/,
        );
      });
    });
  },
});
