/** Logins to the admin page with an OpenID provider: of the server's administrators that it names, and of domains'. */
import assert from "node:assert/strict";
import { isLinux } from "../../src/platform/os.ts";
import { hashPassword } from "../../src/store/logins/password.ts";
import { startServe } from "../serve/instance.ts";
import { clientSecret, startProvider, Visitor } from "./oidc.ts";
import { identityPorts, type IdentitySite, withIdentitySite } from "./site.ts";

const domains = `Domains:
	mox.example:
		OpenIDProvider: company
		Administrators:
			- ann
	other.example: nil
Accounts:
	ann:
		Domain: mox.example
		Destinations:
			ann@mox.example: nil
	bob:
		Domain: mox.example
		Destinations:
			bob@mox.example: nil
	off:
		Domain: mox.example
		LoginDisabled: on leave
		Destinations:
			off@mox.example: nil
`;

const password = "of the administrator";

/** A call of the admin page, with the cookies of a visitor. */
async function call(site: IdentitySite, v: Visitor, name: string, body: unknown = {}) {
  const { host } = new URL(site.origin);
  const cookie = [...v.cookies].filter(([k]) => k.startsWith(`${host} `))
    .map(([k, value]) => `${k.slice(host.length + 1)}=${value}`).join("; ");
  const r = await fetch(`${site.origin}/admin/api/${name}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-mox-request": "1", cookie },
    body: JSON.stringify(body),
  });
  const text = await r.text();
  return { status: r.status, text, json: text.startsWith("{") ? JSON.parse(text) : undefined };
}

Deno.test({
  name: "administrators log in with an OpenID provider",
  ignore: !isLinux,
  async fn(t) {
    const ports = await identityPorts();
    const at = `http://localhost:${ports.http}`;
    await using p = await startProvider([`${at}/oidc/callback`, `${at}/admin/oidc/callback`]);
    const person = (email: string, more = {}) => ({ email, email_verified: true, ...more });
    p.people.set("boss", person("Boss@Staff.example"));
    p.people.set("case", person("boss@staff.example"));
    p.people.set("unverified", person("Boss@staff.example", { email_verified: false }));
    p.people.set("ann", person("ann@mox.example"));
    p.people.set("bob", person("bob@mox.example"));
    p.people.set("off", person("off@mox.example"));
    p.people.set("new", person("new@mox.example"));
    p.people.set("other", person("ann@other.example"));
    const provider = (administrators: string) =>
      `OpenIDProviders:
	company:
		Issuer: ${p.issuer}
		ClientID: mox
		ClientSecretFile: secret
		CreateAccounts: true
${administrators}`;
    const named = "\t\tAdministrators:\n\t\t\t- Boss@staff.example\n";
    await withIdentitySite({
      ports,
      domains,
      files: { secret: clientSecret, adminpasswd: await hashPassword(password) },
      extra: () => provider(named),
    }, async (site) => {
      const logIn = async (who: string) => {
        p.who = who;
        const v = new Visitor();
        const { response } = await v.visit(`${site.origin}/admin/oidc/company`);
        return { v, status: response.status, text: await response.text() };
      };
      const boss = await logIn("boss");

      await t.step(
        "whom mox.conf names is the server's administrator, and the audit log has the name",
        async () => {
          assert.equal(boss.status, 200, boss.text);
          const session = await call(site, boss.v, "Session");
          assert.deepEqual(session.json, {
            loggedIn: true,
            hostname: "mail.mox.example",
            domains: null,
          });
          const made = await call(site, boss.v, "DomainAdd", {
            name: "made.example",
            account: "ann",
            disabled: true,
          });
          const audit = (await call(site, boss.v, "Audit")).text;
          assert.equal(made.status, 200, made.text);
          assert.match(audit, /administrator Boss@Staff\.example/);
          assert.match(site.server.log(), /m=login .*login=Boss@Staff\.example .*mechanism=openid/);
        },
      );

      await t.step("ways in are changed with the administrator's password only", async () => {
        const set = (current: string) =>
          call(site, boss.v, "PasswordSet", { password: "a new long password", current });
        assert.equal((await set("")).status, 422);
        assert.equal((await set("wrong password")).status, 422);
      });

      await t.step("a domain's administrator sees the domain", async () => {
        const ann = await logIn("ann");
        assert.equal(ann.status, 200, ann.text);
        assert.deepEqual((await call(site, ann.v, "Session")).json.domains, ["mox.example"]);
        assert.equal((await call(site, ann.v, "Queue")).status, 403);
      });

      await t.step("nobody else is let in, and no account is made", async () => {
        const refused: [string, RegExp][] = [
          ["", /refused: access_denied/],
          ["case", /at no domain that company is for/],
          ["unverified", /hasn't verified the address/],
          ["bob", /bob@mox\.example administers nothing here/],
          ["off", /disabled for this account/],
          ["new", /new@mox\.example administers nothing here/],
          ["other", /at no domain that company is for/],
        ];
        for (const [who, text] of refused) {
          const r = await logIn(who);
          assert.equal(r.status, 403, who);
          assert.match(r.text, text, who);
          assert.equal((await call(site, r.v, "Session")).json.loggedIn, false, who);
        }
        const conf = await Deno.readTextFile(`${site.dir}/config/domains.conf`);
        assert.doesNotMatch(conf, /new@mox/);
        // A session of the account page is none of the admin page.
        p.who = "ann";
        const v = new Visitor();
        await (await v.visit(`${site.origin}/oidc/company`)).response.body?.cancel();
        assert.equal((await call(site, v, "Session")).json.loggedIn, false);
      });

      await t.step("the password goes on, and who is no longer named is out", async () => {
        const given = await call(site, new Visitor(), "Login", { username: "", password });
        assert.equal(given.status, 200, given.text);
        const path = `${site.dir}/config/mox.conf`;
        const conf = await Deno.readTextFile(path);
        assert.equal(await site.server.end("SIGTERM"), 0);
        await Deno.writeTextFile(path, conf.replace(named, ""));
        const again = startServe(site.dir);
        try {
          await again.logged(/mox is running/);
          assert.equal((await call(site, boss.v, "Session")).json.loggedIn, false);
          assert.match((await logIn("boss")).text, /at no domain that company is for/);
          const ann = await logIn("ann");
          assert.equal(ann.status, 200, ann.text);
          // It has no more administrators: the page offers no provider.
          const domainsConf = `${site.dir}/config/domains.conf`;
          const text = await Deno.readTextFile(domainsConf);
          await Deno.writeTextFile(
            domainsConf,
            text.replace("\t\tAdministrators:\n\t\t\t- ann\n", ""),
          );
          await again.logged(/domains\.conf reloaded/);
          assert.equal((await call(site, ann.v, "Session")).json.loggedIn, false);
          const r = await fetch(`${site.origin}/admin/oidc/providers`);
          assert.deepEqual(await r.json(), []);
        } finally {
          await again.end("SIGTERM");
        }
      });
    });
  },
});
