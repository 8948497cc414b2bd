/** App passwords and the second factor, with real programs and through the pages' calls. */
import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import nodemailer from "nodemailer";
import { Config } from "../../src/config/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { connectTcp } from "../../src/net/mod.ts";
import type { MechanismName } from "../../src/sasl/mod.ts";
import { setAccountPassword } from "../../src/serve/logins.ts";
import { MailServer } from "../../src/serve/server.ts";
import { SmtpClient } from "../../src/smtp/client/mod.ts";
import { totpCode, totpStep } from "../../src/store/logins/totp.ts";
import { annDomains, freePorts } from "./instance.ts";

for (
  const pkg of [
    "serve",
    "imapserver",
    "smtpserver",
    "control",
    "store",
    "account",
    "admin",
    "webapi",
  ]
) setLevel(pkg, "error");

const password = "correct horse";
const login = "ann@mox.example";

interface World {
  server: MailServer;
  /** Calls the account page. */
  call(name: string, request: unknown): Promise<{ status: number; json: Record<string, unknown> }>;
  imap(password: string): Promise<"ok" | string>;
  submission(password: string, mechanism: MechanismName): Promise<"ok" | string>;
  send(password: string): Promise<"ok" | string>;
  api(password: string): Promise<{ status: number; text: string }>;
}

async function withServer(fn: (w: World) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const [submission, imap, web] = await freePorts(3);
  await Deno.mkdir(`${dir}/config`);
  await Deno.writeTextFile(
    `${dir}/config/mox.conf`,
    `DataDir: ../data
LogLevel: error
Hostname: mail.mox.example
Listeners:
	internal:
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
			Port: ${web}
		WebAPIHTTP:
			Enabled: true
			Port: ${web}
Postmaster:
	Account: ann
	Mailbox: Postmaster
`,
  );
  await Deno.writeTextFile(
    `${dir}/config/domains.conf`,
    annDomains,
  );
  const server = await MailServer.start({
    config: await Config.load(`${dir}/config/mox.conf`),
    local: false,
    prepare: (accounts) => setAccountPassword(accounts, "ann", password),
  });
  let cookie = "";
  const outcome = async (run: () => Promise<unknown>): Promise<string> => {
    try {
      await run();
      return "ok";
    } catch (err) {
      const e = err as { responseText?: string; response?: string; message: string };
      return e.responseText ?? e.response ?? e.message;
    }
  };
  try {
    await fn({
      server,
      async call(name, request) {
        const r = await fetch(`http://127.0.0.1:${web}/api/${name}`, {
          method: "POST",
          headers: {
            "Content-Type": "application/json",
            Cookie: cookie,
            "x-mox-request": "1",
          },
          body: JSON.stringify(request),
        });
        const set = r.headers.get("set-cookie");
        if (set) cookie = set.split(";")[0];
        const text = await r.text();
        return { status: r.status, json: text === "" ? {} : JSON.parse(text) };
      },
      imap: (pass) =>
        outcome(async () => {
          const c = new ImapFlow({
            host: "127.0.0.1",
            port: imap,
            secure: false,
            doSTARTTLS: false,
            auth: { user: login, pass },
            logger: false,
          });
          await c.connect();
          await c.logout();
        }),
      submission: (pass, mechanism) =>
        outcome(async () => {
          const client = await SmtpClient.start(
            await connectTcp({ host: "127.0.0.1", port: submission }),
            {
              log: new Log("smtpclient"),
              hostname: "laptop.example",
              tls: "never",
              auth: { username: login, password: pass, mechanisms: [mechanism] },
            },
          );
          await client.quit();
        }),
      send: (pass) =>
        outcome(async () => {
          const t = nodemailer.createTransport({
            host: "127.0.0.1",
            port: submission,
            ignoreTLS: true,
            auth: { user: login, pass },
          });
          await t.verify();
          t.close();
        }),
      async api(pass) {
        const r = await fetch(`http://127.0.0.1:${web}/webapi/v0/SuppressionList`, {
          method: "POST",
          headers: {
            "Content-Type": "application/json",
            Authorization: `Basic ${btoa(`${login}:${pass}`)}`,
          },
          body: "{}",
        });
        return { status: r.status, text: await r.text() };
      },
    });
  } finally {
    await server.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("app passwords let programs in by every mechanism, open no page, and can be taken back", () =>
  withServer(async (w) => {
    assert.equal((await w.call("Login", { username: login, password })).status, 200);
    const wrong = await w.call("AppPasswordAdd", { name: "phone", current: "wrong" });
    assert.equal(wrong.status, 422);
    const made: string[] = [];
    for (const name of ["phone", "laptop"]) {
      const r = await w.call("AppPasswordAdd", { name, current: password });
      assert.equal(r.status, 200);
      made.push(String(r.json.password));
    }
    assert.match(made[0], /^[a-z2-9]{20}$/);
    for (const pass of [password, ...made]) {
      assert.equal(await w.imap(pass), "ok");
      assert.equal(await w.send(pass), "ok");
      for (const m of ["SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5"] as const) {
        assert.equal(await w.submission(pass, m), "ok", m);
      }
      assert.equal((await w.api(pass)).status, 200);
    }
    const page = await w.call("Login", { username: login, password: made[0] });
    assert.equal(page.status, 401);

    // Another password for the account leaves them as they are.
    await w.call("Login", { username: login, password });
    assert.equal(
      (await w.call("PasswordSet", { current: password, password: "new password" })).status,
      200,
    );
    assert.equal(await w.submission(made[1], "SCRAM-SHA-256"), "ok");
    assert.equal(await w.submission("new password", "SCRAM-SHA-256"), "ok");
    assert.notEqual(await w.submission(password, "SCRAM-SHA-256"), "ok");

    const { json } = await w.call("Security", {});
    const [phone] = json.appPasswords as {
      id: number;
      name: string;
      lastProtocol: string;
      lastIp: string;
    }[];
    assert.deepEqual([phone.name, phone.lastIp], ["phone", "127.0.0.1"]);
    assert.match(phone.lastProtocol, /^(imap|submission|webapi)$/);
    assert.equal((await w.call("AppPasswordRemove", { id: phone.id })).status, 200);
    assert.equal((await w.call("AppPasswordRemove", { id: phone.id })).status, 404);
    assert.notEqual(await w.imap(made[0]), "ok");
    assert.notEqual(await w.submission(made[0], "SCRAM-SHA-256"), "ok");
    assert.equal(await w.imap(made[1]), "ok");
  }));

Deno.test("with a second factor pages ask for a code, each good once, and programs need app passwords", () =>
  withServer(async (w) => {
    await w.call("Login", { username: login, password });
    const { json: begun } = await w.call("SecondFactorBegin", {});
    const key = String(begun.key);
    assert.match(
      String(begun.uri),
      /^otpauth:\/\/totp\/mail\.mox\.example%3Aann%40mox\.example\?secret=/,
    );
    assert.ok(Number(begun.size) > 20 && /^M\d+ \d+h1v1h-1z/.test(String(begun.path)));
    // This step's code and the next one's are good until the next step ends, however long the calls take.
    const now = totpStep(Date.now());
    const bad = await w.call("SecondFactorOn", { key, code: "000000", current: password });
    assert.equal(bad.status, 422);
    const on = await w.call("SecondFactorOn", {
      key,
      code: totpCode(key, now),
      current: password,
    });
    assert.equal(on.status, 200, JSON.stringify(on.json));
    const codes = on.json.recoveryCodes as string[];
    assert.equal(codes.length, 10);
    // Who changes ways in is asked for the code too.
    for (
      const [name, request] of [
        ["AppPasswordAdd", { name: "phone" }],
        ["PasswordSet", { password: "new password" }],
        ["SecondFactorOff", {}],
        ["PasskeyRemove", { id: 1 }],
      ] as const
    ) {
      const without = await w.call(name, { ...request, current: password });
      assert.equal(without.status, 422, name);
      assert.match(JSON.stringify(without.json), /code of your second factor/, name);
    }
    const { json: app } = await w.call("AppPasswordAdd", {
      name: "phone",
      current: password,
      totp: codes[0],
    });

    const asked = await w.call("Login", { username: login, password });
    assert.equal(asked.status, 401);
    assert.match(JSON.stringify(asked.json), /second factor/);
    const tried = (totp: string) => w.call("Login", { username: login, password, totp });
    assert.equal((await tried("000000")).status, 401);
    assert.equal((await tried(totpCode(key, now))).status, 401);
    const code = totpCode(key, now + 1);
    assert.equal((await tried(code)).status, 200);
    assert.match(JSON.stringify((await tried(code)).json), /used before/);
    assert.equal((await tried(codes[3])).status, 200);
    assert.equal((await tried(codes[3])).status, 401);
    assert.equal((await tried(codes[4].toUpperCase())).status, 200);

    const told = /second factor/;
    assert.match(await w.imap(password), told);
    assert.match(await w.send(password), told);
    assert.match((await w.api(password)).text, told);
    assert.notEqual(await w.submission(password, "SCRAM-SHA-256"), "ok");
    assert.equal(await w.submission(String(app.password), "SCRAM-SHA-256"), "ok");
    assert.equal(await w.send(String(app.password)), "ok");
    assert.equal(await w.imap(String(app.password)), "ok");

    // A new password leaves the factor on; without it, the password alone is enough again.
    await w.call("PasswordSet", {
      current: password,
      password: "new password",
      totp: codes[5],
    });
    assert.match(await w.imap("new password"), told);
    const off = await w.call("SecondFactorOff", { current: "new password", totp: codes[6] });
    assert.equal(off.status, 200);
    assert.equal(await w.imap("new password"), "ok");
    assert.equal(
      (await w.call("Login", { username: login, password: "new password" })).status,
      200,
    );
  }));

Deno.test("attempts are noted with whose they were, and shown to them alone", () =>
  withServer(async (w) => {
    await w.imap("wrong password");
    await w.imap(password);
    await w.send("wrong password");
    await w.api("wrong password");
    await w.call("Login", { username: login, password: "wrong password" });
    await w.call("Login", { username: "nobody@mox.example", password });
    await w.call("Login", { username: login, password });
    const { json } = await w.call("Security", {});
    const attempts = json.attempts as { service: string; result: string; account: string }[];
    assert.deepEqual(
      attempts.map((a) => `${a.account} ${a.service} ${a.result}`).sort(),
      [
        "ann imap badcreds",
        "ann imap ok",
        "ann submission badcreds",
        "ann webaccount badcreds",
        "ann webaccount ok",
        "ann webapi badcreds",
      ],
    );
    const all = w.server.loginLog!.list(undefined, 100);
    assert.deepEqual(
      all.filter((a) => a.account === "").map((a) => `${a.login} ${a.result}`),
      ["nobody@mox.example badcreds"],
    );
    assert.equal(JSON.stringify(all).includes("wrong password"), false);
  }));
