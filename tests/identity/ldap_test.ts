/**
 * Logins with the passwords of an LDAP directory, Debian's slapd, on a server as it is shipped; a directory that is away,
 * slow, or no directory at all.
 */
import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import type { LdapDirectory } from "../../src/config/mod.ts";
import { escapeFilter } from "../../src/identity/ldap.ts";
import { IdentityError, Ldap } from "../../src/identity/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { Authorities, Outbound } from "../../src/net/mod.ts";
import { isLinux } from "../../src/platform/os.ts";
import { lacks } from "../support/programs.ts";
import { TestCa } from "../support/test_ca.ts";
import { identityPorts, withIdentitySite } from "./site.ts";
import { fitsHash, stopPasswordWorker } from "../../src/store/logins/password.ts";
import { bindPassword, hashed, startSlapd } from "./slapd.ts";

const domains = `Domains:
	dir.example:
		LDAPDirectory: staff
	two.example:
		LDAPDirectory: staff
		LDAPGroup: (&(cn=sales)(member=%s))
	own.example: nil
Accounts:
	ann:
		Domain: own.example
		Destinations:
			ann@own.example: nil
	ben:
		Domain: dir.example
		Destinations:
			ben@dir.example: nil
`;

const adminHash = "$2b$04$";

Deno.test({
  name: "logins with an LDAP directory",
  ignore: !isLinux || lacks("slapd"),
  async fn(t) {
    const ca = new TestCa();
    await using directory = await startSlapd(ca);
    const ports = await identityPorts();
    const { ldap, ldaps } = directory.ports;
    await withIdentitySite({
      ports,
      domains,
      files: { "ldap-secret": bindPassword, "ca.pem": ca.root, adminpasswd: adminHash },
      extra: () =>
        `TLS:
	CA:
		CertFiles:
			- ca.pem
LDAPDirectories:
	staff:
		URL: ldap://localhost:${ldap}
		BindDN: cn=mox,dc=example,dc=org
		BindPasswordFile: ldap-secret
		BaseDN: dc=example,dc=org
		Filter: (&(objectClass=inetOrgPerson)(mail=%s))
		GroupFilter: (&(cn=mail)(member=%s))
		CreateAccounts: true
`,
    }, async (site) => {
      const imap = async (user: string, pass: string) => {
        const client = new ImapFlow({
          host: "127.0.0.1",
          port: ports.imap,
          secure: false,
          auth: { user, pass },
          logger: false,
        });
        try {
          await client.connect();
          await client.logout();
          return "in";
        } catch (err) {
          const { serverResponseCode, responseText } = err as {
            serverResponseCode?: string;
            responseText?: string;
          };
          return serverResponseCode ?? responseText ?? String(err);
        }
      };
      const call = async (name: string, body: unknown, cookie = "") => {
        const r = await fetch(`${site.origin}/api/${name}`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-mox-request": "1", cookie },
          body: JSON.stringify(body),
        });
        const [set] = r.headers.getSetCookie();
        return { status: r.status, body: await r.json(), cookie: set?.split(";")[0] ?? "" };
      };
      const set = await site.mox(["setaccountpassword", "ann"], "ann's own password\n");
      assert.equal(set.code, 0, set.stderr);
      await site.mox(["setaccountpassword", "ben"], "ben's local password\n");

      await t.step("who the directory knows is in, and gets an account", async () => {
        assert.equal(await imap("ann@dir.example", "ann's password"), "in");
        const conf = await Deno.readTextFile(`${site.dir}/config/domains.conf`);
        assert.match(conf, /ann\.dir\.example:\n(?:.*\n)*?\t\tFullName: Ann Élan/);
        assert.equal(await imap("ben@dir.example", "ben's password"), "in");
        const sent = await nodemailer.createTransport({
          host: "127.0.0.1",
          port: ports.submission,
          ignoreTLS: true,
          auth: { user: "ben@dir.example", pass: "ben's password" },
        }).sendMail({ from: "ben@dir.example", to: "ann@own.example", subject: "x", text: "y" });
        assert.match(sent.response, /^250/);
        const r = await fetch(`${site.origin}/jmap/session`, {
          headers: { authorization: `Basic ${btoa("ben@dir.example:ben's password")}` },
        });
        assert.equal(r.status, 200);
        await r.body?.cancel();
      });

      await t.step(
        "who is in a domain's group has its addresses, others get no account",
        async () => {
          const ben = await call("Login", {
            username: "ben@two.example",
            password: "ben's password",
          });
          assert.equal(ben.status, 401, JSON.stringify(ben.body));
          await site.server.logged(/not in the group that has the domain/);
          assert.equal(await imap("ann@two.example", "ann's password"), "in");
          const conf = await Deno.readTextFile(`${site.dir}/config/domains.conf`);
          assert.match(conf, /ann\.two\.example:\n(?:.*\n)*?\t\t\tann@two\.example: nil/);
          assert.doesNotMatch(conf, /ben@two/);
        },
      );

      await t.step("mechanisms that don't send the password are not offered", async () => {
        const socket = await Deno.connect({ hostname: "127.0.0.1", port: ports.imap });
        const text = new TextDecoder().decode((await socket.readable.getReader().read()).value);
        assert.match(text, /AUTH=PLAIN/);
        assert.doesNotMatch(text, /SCRAM|CRAM|BEARER|XOAUTH2/);
        try {
          socket.close();
        } catch {
          // The reader has it.
        }
      });

      await t.step("who isn't right stays out", async () => {
        const wrong: [string, string, string][] = [
          ["another password", "ben@dir.example", "not the password"],
          ["no password", "ben@dir.example", ""],
          [
            "the local password of an account whose domain is there",
            "ben@dir.example",
            "ben's local password",
          ],
          ["not in the group", "out@dir.example", "out's password"],
          ["two entries", "twin@dir.example", "twin's password"],
          ["nobody", "nobody@dir.example", "x"],
          ["a pattern", "b*@dir.example", "ben's password"],
          ["a filter", "x)(mail=ben@dir.example", "ben's password"],
          ["a domain without directory", "ben@own.example", "ben's password"],
        ];
        for (const [what, user, password] of wrong) {
          const r = await call("Login", { username: user, password });
          assert.equal(r.status, 401, `${what}: ${JSON.stringify(r.body)}`);
        }
        assert.equal(await imap("ann@own.example", "ann's own password"), "in");
        for (const secret of ["ben's password", "not the password", bindPassword]) {
          assert.ok(!site.server.log().includes(secret), `${secret} is in the log`);
        }
      });

      await t.step(
        "the account page: app passwords are made here, the password isn't changed here",
        async () => {
          const { cookie, status } = await call("Login", {
            username: "ben@dir.example",
            password: "ben's password",
          });
          assert.equal(status, 200);
          const wrong = await call("AppPasswordAdd", { name: "phone", current: "guess" }, cookie);
          assert.equal(wrong.status, 422);
          const made = await call(
            "AppPasswordAdd",
            { name: "phone", current: "ben's password" },
            cookie,
          );
          assert.equal(made.status, 200, JSON.stringify(made.body));
          assert.equal(await imap("ben@dir.example", made.body.password), "in");
          const changed = await call(
            "PasswordSet",
            { current: "ben's password", password: "another password" },
            cookie,
          );
          assert.match(changed.body.error.message, /that of the directory staff/);
        },
      );

      await t.step(
        "a directory that is away: who was right lately is in, others hear why not",
        async () => {
          await directory.stop();
          assert.equal(await imap("ben@dir.example", "ben's password"), "in");
          assert.equal(await imap("ben@dir.example", "another"), "UNAVAILABLE");
          const r = await call("Login", { username: "out@dir.example", password: "x" });
          assert.equal(r.status, 503);
          assert.match(r.body.error.message, /try again later/);
          assert.equal(await imap("ann@own.example", "ann's own password"), "in");
          await directory.start();
          assert.notEqual(await imap("ben@dir.example", "another"), "UNAVAILABLE");
          assert.equal(await imap("ann@dir.example", "ann's password"), "in");
        },
      );
    });

    const outbound = (root = ca.root) =>
      new Outbound({
        authorities: Authorities.of(root),
        lookup: () => Promise.resolve(["127.0.0.1"]),
      });
    const conf = (more: Partial<LdapDirectory>): LdapDirectory => ({
      URL: `ldaps://localhost:${ldaps}`,
      NoTLS: false,
      BindDN: "cn=mox,dc=example,dc=org",
      BindPasswordFile: "x",
      BaseDN: "dc=example,dc=org",
      Filter: "(mail=%s)",
      GroupFilter: "",
      HashAttribute: "",
      NameAttribute: "cn",
      CacheTime: 3_600_000,
      CreateAccounts: false,
      ...more,
    });
    let ahead = 0;
    const open = (more: Partial<LdapDirectory> = {}, root = ca.root, secret = bindPassword) =>
      new Ldap({
        name: "staff",
        conf: conf(more),
        secret,
        outbound: outbound(root),
        verify: fitsHash,
        log: new Log("test"),
        now: () => Date.now() + ahead,
        operationTime: more.NoTLS ? 1000 : undefined,
      });
    const outcome = async (l: Ldap, password = "ben's password", address = "ben@dir.example") => {
      try {
        return (await l.check(address, password)).name;
      } catch (err) {
        if (!(err instanceof IdentityError)) throw err;
        return `${err.reason}: ${err.message}`;
      }
    };

    await t.step("TLS from the start, later, and not at all", async () => {
      assert.equal(await outcome(open()), "Ben");
      assert.equal(await outcome(open({ URL: `ldap://localhost:${ldap}` })), "Ben");
      assert.equal(await outcome(open({ URL: `ldap://localhost:${ldap}`, NoTLS: true })), "Ben");
      const other = new TestCa().root;
      assert.match(await outcome(open({}, other)), /^away: .*certificate|issuer/i);
      assert.match(await outcome(open({ URL: `ldap://localhost:${ldap}` }, other)), /^away: /);
      assert.match(await outcome(open({}, ca.root, "wrong")), /^away: BindDN and its password/);
      assert.match(await outcome(open({ BaseDN: "dc=nowhere" })), /^away: it answers 32/);
      assert.match(await outcome(open({ Filter: "(mail=%s" })), /^away: /);
      assert.match(await outcome(open({ BindDN: "" })), /^away: it answers 50/);
    });

    await t.step("hashes that are read, as slapd itself compares them", async () => {
      const byBind = open();
      const byHash = () =>
        open({ BindDN: "cn=reader,dc=example,dc=org", HashAttribute: "USERpassword" });
      // Of kinds that can't be verified here, or by slapd.
      const here = new Set(["des", "smd5"]);
      for (const uid of [...hashed.map(([uid]) => uid), "ann", "both"]) {
        const [address, right] = [`${uid}@dir.example`, `${uid}'s password`];
        const reader = byHash();
        // DES looks at eight characters.
        const more = uid === "des" ? [] : [`${right} `];
        for (const password of [right, ...more, right.toUpperCase(), "x", "{SSHA}x"]) {
          const theirs = await outcome(byBind, password, address);
          const ours = await outcome(reader, password, address);
          const letsIn = !theirs.startsWith("wrong: ");
          assert.equal(letsIn, password === right, `${uid} ${password}: ${theirs}`);
          if (!here.has(uid)) assert.equal(ours.startsWith("wrong: "), !letsIn, `${uid}: ${ours}`);
          else {assert.match(
              ours,
              /^wrong: userPassword has no hash of a kind|^wrong: USERpassword/,
            );}
          if (letsIn && !here.has(uid)) assert.equal(ours, theirs);
        }
      }
      assert.equal(await outcome(byHash(), "the other", "both@dir.example"), "both");
      assert.match(
        await outcome(byHash(), "{SASL}elsewhere@example.org", "elsewhere@dir.example"),
        /^wrong: USERpassword has no hash of a kind/,
      );
      // cn=mox may not read it.
      assert.match(
        await outcome(open({ HashAttribute: "userPassword" })),
        /^wrong: userPassword isn't there, or cn=mox,.* may not read it/,
      );
      assert.match(
        await outcome(open({ HashAttribute: "cn" }), "Ben", "nobody@dir.example"),
        /^wrong: nobody/,
      );
      stopPasswordWorker();
    });

    await t.step("groups of Unix users: memberUid, the primary group, several names", async () => {
      const inGroup = (GroupFilter: string, name = "ben") =>
        outcome(open({ GroupFilter }), `${name}'s password`, `${name}@dir.example`);
      // Ben is in it by the second of his names.
      const members = "(&(objectClass=posixGroup)(cn=posix)(memberUid=%{uid}))";
      assert.equal(await inGroup(members), "Ben");
      assert.equal(await inGroup(members, "ann"), "Ann Élan");
      assert.equal(await inGroup(members, "out"), "wrong: not in the group that may log in");
      assert.equal(await inGroup("(&(cn=primary)(gidNumber=%{GIDnumber}))"), "Ben");
      const either = "(&(cn=posix)(|(memberUid=%{uid})(gidNumber=%{gidNumber})))";
      assert.equal(await inGroup(either), "Ben");
      assert.match(await inGroup(either, "ann"), /^wrong: the entry has no gidNumber/);
      // A name is no filter, and none of its characters stand for another attribute.
      assert.equal(await inGroup("(&(cn=mail)(member=%s)(!(cn=%{uid})))"), "Ben");
    });

    await t.step("groups of a domain", async () => {
      const l = open();
      const inGroup = async (group: string) => {
        try {
          await l.check("ben@dir.example", "ben's password", { group });
          return "in";
        } catch (err) {
          return (err as Error).message;
        }
      };
      assert.equal(await inGroup("(&(cn=mail)(member=%s))"), "in");
      // What was right for one group isn't for another.
      assert.equal(
        await inGroup("(&(cn=sales)(member=%s))"),
        "not in the group that has the domain",
      );
      assert.equal(await inGroup("(&(|(cn=mail)(cn=sales))(member=%s))"), "in");
      // More groups than are asked for.
      assert.equal(await inGroup("(|(member=%s)(objectClass=inetOrgPerson))"), "in");
      assert.match(await inGroup("(member=%s"), /./);
    });

    await t.step(
      "what was right is known for a minute, and for longer while the directory is away",
      async () => {
        const l = open({ CacheTime: 600_000 });
        assert.equal(await outcome(l), "Ben");
        await directory.stop();
        assert.equal(await outcome(l), "Ben");
        ahead = 500_000;
        assert.equal(await outcome(l), "Ben");
        assert.match(await outcome(l, "ben's passworD"), /^away: /);
        ahead = 700_000;
        assert.match(await outcome(l), /^away: /);
        const none = open({ CacheTime: 0 });
        assert.match(await outcome(none), /^away: /);
        await directory.start();
        assert.equal(await outcome(none), "Ben");
        ahead = 0;
      },
    );

    await t.step("one that says nothing, nonsense, too much, or goes away", async () => {
      const answers: [string, (s: Socket) => void, RegExp][] = [
        ["nonsense", (s) => s.write("HTTP/1.1 400 Bad Request\r\n\r\n"), /^away: /],
        ["goes away", (s) => s.end(), /^away: /],
        ["too much", (s) => s.write(new Uint8Array(3_000_000).fill(0x30)), /^away: /],
        [
          "a length of gigabytes",
          (s) => s.write(Uint8Array.of(0x30, 0x84, 0x7f, 0xff, 0xff, 0xff)),
          /^away: /,
        ],
      ];
      for (const [what, answer, text] of answers) {
        const server: Server = createServer((s) => {
          s.on("error", () => {});
          s.on("data", () => answer(s));
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        const { port } = server.address() as AddressInfo;
        assert.match(
          await outcome(open({ URL: `ldap://localhost:${port}`, NoTLS: true })),
          text,
          what,
        );
        server.close();
      }
      // Before TLS is started nobody knows yet who answers: what comes without end is given up at once, not when
      // the time for an operation is over.
      const endless = createServer((s) => {
        s.on("error", () => {});
        const more = () => {
          while (!s.destroyed && s.write(new Uint8Array(65_536).fill(0x30)));
          if (!s.destroyed) s.once("drain", more);
        };
        s.once("data", more);
      });
      await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
      const { port } = endless.address() as AddressInfo;
      assert.match(
        await outcome(open({ URL: `ldap://localhost:${port}` })),
        /^away: .*answer is too large/,
      );
      endless.close();
      directory.suspend(true);
      assert.match(
        await outcome(open({ URL: `ldap://localhost:${ldap}`, NoTLS: true })),
        /^away: /,
      );
      directory.suspend(false);
    });

    await t.step("no byte of an address means anything in a filter", () => {
      assert.equal(escapeFilter("%s%{uid}"), "\\25s\\25{uid}");
      assert.equal(escapeFilter("a*(b)\\\0é@x"), "a\\2a\\28b\\29\\5c\\00\\c3\\a9@x");
    });
  },
});
