/** Sending with addresses of others: as them, on their behalf, refused; owners' copies; sharing on the account page. */
import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import { createTransport } from "nodemailer";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { setLevel } from "../../src/log/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { MailServer } from "../../src/serve/server.ts";
import { SpecialUse, Want } from "../../src/store/types.ts";
import { fakeHost } from "../smtp/fake_host.ts";
import { freePorts } from "./instance.ts";

for (
  const pkg of [
    "serve",
    "imapserver",
    "control",
    "store",
    "smtpserver",
    "queue",
    "submission",
    "auth",
    "audit",
    "web",
  ]
) {
  setLevel(pkg, "error");
}
const password = "correct horse";
const account = (name: string, more = "") =>
  `	${name}:
		Domain: ours.example
		Destinations:
			${name}@ours.example: nil
${more}`;

Deno.test("delegation: SMTP, the account page, IMAP", async (t) => {
  const dir = await Deno.makeTempDir();
  await using host = await fakeHost({ extensions: ["8BITMIME"] });
  const [submission, imap, http] = await freePorts(3);
  await Deno.mkdir(`${dir}/config`);
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: error
User: 54321
Hostname: mail.ours.example
Listeners:
	local:
		IPs:
			- 127.0.0.1
		Submission:
			Enabled: true
			Port: ${submission}
			NoRequireSTARTTLS: true
		IMAP:
			Enabled: true
			Port: ${imap}
			NoRequireSTARTTLS: true
		AccountHTTP:
			Enabled: true
			Port: ${http}
Postmaster:
	Account: ann
	Mailbox: Inbox
`,
  );
  await Deno.writeTextFile(
    `${dir}/config/domains.conf`,
    `Domains:
	ours.example:
		Lists:
			news:
				Owners:
					- bob@ours.example
Accounts:
${account("ann")}${account("bob")}${account("cas")}`,
  );
  const server = await MailServer.start({
    config: await Config.load(`${dir}/config/mox.conf`),
    local: false,
    outgoing: {
      port: host.port,
      resolver: scriptedResolver({ "away.example": { A: ["127.0.0.1"] } }),
    },
    prepare: async (accounts) => {
      for (const name of ["ann", "bob", "cas"]) await setAccountPassword(accounts, name, password);
    },
  });
  const send = async (user: string, from: string, more: Record<string, string> = {}) => {
    const transport = createTransport({
      host: "127.0.0.1",
      port: submission,
      ignoreTLS: true,
      auth: { user: `${user}@ours.example`, pass: password },
    });
    try {
      await transport.sendMail({
        from,
        to: "joe@away.example",
        subject: "hello",
        text: "hi",
        ...more,
      });
      await server.queue.idle();
      return host.mails.at(-1)!.data;
    } finally {
      transport.close();
    }
  };
  const refused = (user: string, from: string, more = {}) =>
    assert.rejects(
      send(user, from, more),
      (err: { responseCode?: number }) => err.responseCode === 550,
    );
  const page = async (user: string) => {
    const call = async (name: string, body: unknown, cookie = "") => {
      const r = await fetch(`http://127.0.0.1:${http}/api/${name}`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-mox-request": "1", cookie },
        body: JSON.stringify(body),
      });
      return { status: r.status, cookie: r.headers.getSetCookie()[0], body: await r.json() };
    };
    const login = await call("Login", { username: `${user}@ours.example`, password });
    const cookie = login.cookie.split(";")[0];
    return (name: string, body: unknown = {}) => call(name, body, cookie);
  };
  const inSent = async (name: string) => {
    const a = await server.accounts.open(name);
    try {
      const id = a.mailboxBySpecialUse(SpecialUse.Sent)!.id;
      const found: string[] = [];
      a.fetch(id, a.uids(id), Want.Content, (row) => {
        const reader = a.openRow(row);
        found.push(new TextDecoder().decode(reader.read(0, reader.size)));
        reader.close();
      });
      return found;
    } finally {
      a.close();
    }
  };
  try {
    await t.step("nobody sends with another's address unless that says so", async () => {
      await refused("bob", "ann@ours.example");
      await refused("cas", "news@ours.example");
      assert.match(await send("bob", "news@ours.example"), /^From: news@ours\.example\r$/m);
    });
    const ann = await page("ann");
    await t.step("as another, and on behalf of another, as the page was set", async () => {
      const set = await ann("DelegationSet", {
        sendAs: ["bob@ours.example"],
        sendOnBehalf: ["cas"],
        sentCopies: true,
      });
      assert.equal(set.status, 200, JSON.stringify(set.body));
      const as = await send("bob", "ann@ours.example");
      assert.doesNotMatch(as, /^Sender:/m);
      const behalf = await send("cas", "ann@ours.example");
      assert.match(behalf, /^Sender: <cas@ours\.example>\r$/m);
      assert.match(behalf, /^From: ann@ours\.example\r$/m);
      // A Sender that is somebody else's stays refused.
      await refused("cas", "ann@ours.example", { sender: "bob@ours.example" });
      const sent = await inSent("ann");
      assert.equal(sent.length, 2);
      assert.match(sent[1], /^Sender: <cas@ours\.example>\r$/m);
      assert.deepEqual(await inSent("bob"), []);
      const others = (await (await page("bob"))("Delegation")).body;
      assert.deepEqual(others.others, ["ann@ours.example"]);
    });
    await t.step("what may be wrong on the page", async () => {
      const none = { sendAs: [], sendOnBehalf: [], sentCopies: false };
      const cases: [string, unknown, number][] = [
        ["DelegationSet", { ...none, sendAs: ["nobody"] }, 422],
        ["DelegationSet", { ...none, sendOnBehalf: ["ann@ours.example"] }, 422],
        ["DelegationSet", { ...none, sendAs: ["news@ours.example"] }, 422],
        ["DelegationSet", { sendAs: ["bob"] }, 400],
        ["MailboxShare", { mailbox: "Missing", who: "bob", level: "read" }, 422],
        ["MailboxShare", { mailbox: "Inbox", who: "nobody", level: "read" }, 422],
        ["MailboxShare", { mailbox: "Inbox", who: "ann", level: "read" }, 422],
        ["MailboxShare", { mailbox: "Inbox", who: "bob", level: "everything" }, 400],
      ];
      for (const [name, body, status] of cases) {
        assert.equal((await ann(name, body)).status, status, JSON.stringify(body));
      }
      assert.deepEqual((await ann("Delegation")).body.sendAs, ["bob"]);
    });
    await t.step(
      "a mailbox that is shared on the page is there over IMAP, and gone when taken away",
      async () => {
        assert.equal(
          (await ann("MailboxShare", { mailbox: "Inbox", who: "bob@ours.example", level: "read" }))
            .status,
          200,
        );
        const { shared } = (await ann("Delegation")).body;
        assert.deepEqual(shared, [{ mailbox: "Inbox", who: "bob", rights: "lrs" }]);
        const seen = async () => {
          const c = new ImapFlow({
            host: "127.0.0.1",
            port: imap,
            secure: false,
            doSTARTTLS: false,
            auth: { user: "bob@ours.example", pass: password },
            logger: false,
          });
          await c.connect();
          try {
            return (await c.list()).map((m) => m.path).filter((p) =>
              p.startsWith("Other Users/ann")
            );
          } finally {
            await c.logout();
          }
        };
        assert.ok((await seen()).includes("Other Users/ann/Inbox"));
        assert.equal(
          (await ann("MailboxShare", { mailbox: "", who: "bob", level: "none" })).status,
          200,
        );
        assert.deepEqual(await seen(), []);
      },
    );
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
});
