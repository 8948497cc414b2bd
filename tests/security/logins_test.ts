/** Guessing, telling accounts apart, and what a defender sees of it. */
import assert from "node:assert/strict";
import { ImapFlow } from "imapflow";
import { setLevel, setLogFormat } from "../../src/log/mod.ts";
import { totpCode, totpStep } from "../../src/store/logins/totp.ts";
import { lacks } from "../support/programs.ts";
import { adminPassword, Line, password, startWorld, type World } from "./world.ts";

const ann = "ann@mox.example";
const b64 = (s: string) => btoa(s);
const plain = (login: string, pass: string) => b64(`\0${login}\0${pass}`);

async function imapTry(w: World, login: string, pass: string, from: string): Promise<string> {
  await using c = await Line.dial(w.ports.imap, from);
  await c.until(/^\* OK[^\r\n]*\r\n/m);
  return await c.imap(`AUTHENTICATE PLAIN ${plain(login, pass)}`);
}

Deno.test("28 guesses at the same time from one address: ten are checked, the rest refused", async () => {
  // Else one more may be tried when six seconds have passed.
  await using w = await startWorld({ loginClock: () => 1_700_000_000_000 });
  const answers = await Promise.all(
    Array.from({ length: 28 }, (_, i) => imapTry(w, `user${i}@mox.example`, "guess", "127.0.0.2")),
  );
  assert.equal(answers.filter((a) => /AUTHENTICATIONFAILED/.test(a)).length, 10);
  assert.equal(answers.filter((a) => /\[LIMIT\]/.test(a)).length, 18);
  // Others, from next door too, don't notice.
  assert.match(await imapTry(w, ann, password, "127.0.0.3"), / OK /);
});

Deno.test("guesses from 50 addresses at one account: none gets through, and its owner logs in at once", async () => {
  await using w = await startWorld();
  assert.match(await imapTry(w, ann, password, "127.1.0.1"), / OK /);
  // From places that the account doesn't know; tests/net/login_guard_test.ts has how long each waits.
  const guesses = Array.from({ length: 50 }, async (_, i) => {
    const c = await Line.dial(w.ports.imap, `127.2.${i}.1`);
    await c.until(/^\* OK[^\r\n]*\r\n/m);
    c.write(`a AUTHENTICATE PLAIN ${plain(ann, `guess ${i}`)}\r\n`);
    return c;
  });
  const lines = await Promise.all(guesses);
  const start = performance.now();
  assert.match(await imapTry(w, ann, password, "127.1.0.1"), / OK /);
  // Without a wait of its own: the shortest of a stranger would be longer by now.
  assert.ok(performance.now() - start < 10_000, `${performance.now() - start} ms`);
  const first = await Promise.any(lines.map((c) => c.until(/^a [^\r\n]*\r\n/m)));
  assert.match(first, /^a NO \[AUTHENTICATIONFAILED\]/m);
  for (const c of lines) await c[Symbol.asyncDispose]();
});

Deno.test("second factors and confirmations are limited like passwords, for administrators too", async () => {
  await using w = await startWorld();
  const b = w.browser();
  await b.call("/api/Login", { username: ann, password });
  // An open page, and somebody who guesses the password for more.
  // 10 may be tried, and one more each 6 seconds.
  const start = Date.now();
  let tried = 0;
  for (;; tried++) {
    const r = await b.call("/api/AppPasswordAdd", { name: "x", current: `guess ${tried}` });
    if (r.status === 429) break;
    assert.equal(r.status, 422);
    assert.ok(tried <= 10 + (Date.now() - start) / 6000, `${tried} guesses`);
  }
  assert.ok(tried >= 10, `${tried} guesses`);

  const admin = w.browser();
  const login = (totp?: string) =>
    admin.call("/admin/api/Login", { username: "", password: adminPassword, totp });
  assert.equal((await login()).status, 200);
  const { json } = await admin.call("/admin/api/AdminSecondFactorBegin", {});
  const key = String(json.key);
  const on = (code: string, current = adminPassword) =>
    admin.call("/admin/api/AdminSecondFactorOn", { key, code, current });
  assert.equal((await on(totpCode(key, totpStep(Date.now())), "wrong")).status, 422);
  assert.equal((await on("000000")).status, 422);
  const code = totpCode(key, totpStep(Date.now()));
  const made = await on(code);
  assert.equal(made.status, 200, JSON.stringify(made.json));
  const codes = made.json.recoveryCodes as string[];
  const asked = await login();
  assert.equal(asked.status, 401);
  assert.equal(asked.headers.get("x-mox-second-factor"), "required");
  assert.equal((await login(code)).status, 401, "used before");
  assert.equal((await login(codes[0])).status, 200);
  assert.equal((await login(codes[0])).status, 401);
  const off = (totp?: string) =>
    admin.call("/admin/api/AdminSecondFactorOff", { current: adminPassword, totp });
  assert.equal((await off()).status, 422);
  assert.equal((await off(codes[1])).status, 200);
  assert.equal((await login()).status, 200);
});

Deno.test("SCRAM's first answer, challenges and refusals don't tell which accounts exist", async () => {
  await using w = await startWorld();
  const names = [ann, "bob@mox.example", "nobody@mox.example", "x@elsewhere.example"];
  const seen = new Map<string, string>();
  for (let round = 0; round < 2; round++) {
    for (const [i, name] of names.entries()) {
      await using c = await Line.dial(w.ports.imap, `127.4.${i}.${round + 1}`);
      await c.until(/^\* OK[^\r\n]*\r\n/m);
      c.write(`a AUTHENTICATE SCRAM-SHA-256 ${b64(`n,,n=${name},r=abcdef`)}\r\n`);
      const challenge = atob(/\+ (\S+)/.exec(await c.until(/^\+ [^\r\n]*\r\n/m))![1]);
      const [, salt, rounds] = /s=([^,]+),i=(\d+)/.exec(challenge)!;
      assert.equal(atob(salt).length, 16);
      assert.equal(rounds, /i=(\d+)/.exec(challenge)![1]);
      // The same for a name each time, another one for each name.
      if (round === 0) assert.equal([...seen.values()].includes(salt + rounds), false);
      else assert.equal(seen.get(name), salt + rounds, name);
      seen.set(name, salt + rounds);
      const nonce = /r=([^,]+)/.exec(challenge)![1];
      c.write(`${b64(`c=biws,r=${nonce},p=${b64("x".repeat(32))}`)}\r\n`);
      assert.equal(
        (await c.until(/^a [^\r\n]*\r\n/m)).trim(),
        "a NO [AUTHENTICATIONFAILED] wrong user name or password",
      );
    }
  }
  // All accounts have as many rounds as the others.
  assert.equal(new Set([...seen.values()].map((v) => v.slice(24))).size, 1);
});

Deno.test("a login with a mistake in it leaves no password in the log", async () => {
  await using w = await startWorld();
  setLevel("smtpserver", "trace");
  try {
    const secret = plain(ann, "my secret password");
    await using c = await Line.dial(w.ports.submission);
    await c.until(/^220 [^\r\n]*\r\n/m);
    await c.smtp("EHLO laptop.example");
    for (
      const line of [
        `AUTHPLAIN ${secret}`,
        `AUTH ${secret}`,
        `AUTH  PLAIN ${secret}`,
        `AUTH PLAINX ${secret}`,
        secret,
        b64("my secret password"),
        `AUTH PLAIN ${secret} x`,
      ]
    ) await c.smtp(line);
    const text = w.log.join("");
    assert.match(text, /C: /);
    for (const part of [secret, b64("my secret password"), "my secret"]) {
      assert.equal(text.includes(part), false, part);
    }
  } finally {
    setLevel("smtpserver", "info");
  }
});

/** Fails on each protocol once, and has a recipient refused; from 127.5.0.1. */
async function failEverywhere(w: World): Promise<void> {
  const from = "127.5.0.1";
  const evil = 'x" remote=9.9.9.9 login=';
  await imapTry(w, ann, "wrong", from);
  await using i = await Line.dial(w.ports.imap, from);
  await i.until(/OK[^\r\n]*\r\n/);
  await i.imap(`LOGIN ${JSON.stringify(evil)} wrong`);
  await using s = await Line.dial(w.ports.submission, from);
  await s.until(/^220 [^\r\n]*\r\n/m);
  await s.smtp("EHLO x.example");
  await s.smtp(`AUTH PLAIN ${plain(evil, "wrong")}`);
  await using p = await Line.dial(w.ports.pop3, from);
  await p.until(/OK[^\r\n]*\r\n/);
  p.write(`USER ${ann}\r\nPASS wrong\r\n`);
  await p.until(/-ERR[^\r\n]*\r\n/);
  await using m = await Line.dial(w.ports.smtp, from);
  await m.until(/^220 [^\r\n]*\r\n/m);
  await m.smtp("EHLO x.example");
  await m.smtp("MAIL FROM:<>");
  await m.smtp("RCPT TO:<nobody@mox.example>");
  await m.smtp('RCPT TO:<"x remote=9.9.9.9 "@relay.example>');
  for (const path of ["/api/Login", "/admin/api/Login", "/webmail/api/Login"]) {
    await w.browser().call(path, { username: ann, password: "wrong" });
  }
}

for (const format of ["logfmt", "json"] as const) {
  Deno.test(`each failed login and refused recipient is a line that the filter for fail2ban finds (${format})`, async () => {
    setLogFormat(format);
    try {
      await using w = await startWorld();
      await failEverywhere(w);
      const lines = w.log.filter((l) => /failed login|refused recipient/.test(l));
      assert.equal(lines.length, 9, lines.join(""));
      if (format === "json") {
        for (const l of lines) {
          const o = JSON.parse(l);
          assert.ok(o.remote && o.reason !== undefined && o.time, l);
        }
      } else for (const l of lines) assert.match(l, / remote=127\.\S+ .*reason=/);
      const filter = await Deno.readTextFile(
        new URL("../../contrib/fail2ban/filter.d/mox.conf", import.meta.url),
      );
      const found = lines.map((l) => addressFound(filter, l));
      assert.deepEqual([...new Set(found)].sort(), ["127.0.0.1", "127.5.0.1"], found.join(" "));
    } finally {
      setLogFormat("logfmt");
    }
  });
}

/** The address that the filter takes out of a line, as fail2ban does after it has cut off the time. */
function addressFound(filter: string, line: string): string | undefined {
  const start = /^_start = (.*)$/m.exec(filter)![1];
  const block = /^failregex_all = ([^]*?)\n\n/m.exec(filter)![1];
  const logins = /^failregex_logins = ([^]*?)\n\n/m.exec(filter)![1];
  const expressions = `${logins}\n${block}`.split("\n").map((l) => l.trim())
    .filter((l) => l.startsWith("%(_start)s"));
  assert.equal(expressions.length, 4);
  for (const e of expressions) {
    const source = e.replace("%(_start)s", start).replace("<ADDR>", "(?<addr>[0-9a-fA-F:.]+)");
    const m = new RegExp(source).exec(line.trimEnd());
    if (m) return m.groups!.addr;
  }
  return undefined;
}

Deno.test({
  name: "fail2ban itself finds them",
  ignore: lacks("fail2ban-regex"),
  async fn() {
    for (const format of ["logfmt", "json"] as const) {
      setLogFormat(format);
      const dir = await Deno.makeTempDir();
      try {
        await using w = await startWorld();
        await failEverywhere(w);
        const lines = w.log.filter((l) => /failed login|refused recipient/.test(l));
        await Deno.writeTextFile(`${dir}/mox.log`, w.log.join(""));
        const filter =
          new URL("../../contrib/fail2ban/filter.d/mox.conf", import.meta.url).pathname;
        const r = await new Deno.Command("fail2ban-regex", {
          args: [`${dir}/mox.log`, `${filter}[mode=all]`],
        }).output();
        const text = new TextDecoder().decode(r.stdout);
        assert.match(text, new RegExp(`\\b${lines.length} matched`), text);
      } finally {
        setLogFormat("logfmt");
        await Deno.remove(dir, { recursive: true });
      }
    }
  },
});

Deno.test("what administrators change is in the audit log: who, from where, before and after, no secrets", async () => {
  await using w = await startWorld();
  const admin = w.browser();
  await admin.call("/admin/api/Login", { username: "", password: adminPassword });
  await admin.call("/admin/api/AccountDisable", { name: "bob", text: "gone fishing" });
  await admin.call("/admin/api/AccountPassword", { name: "bob", password: "not to be seen" });
  await admin.call("/admin/api/AccountDisable", { name: "nobody", text: "x" });
  const { callControl } = await import("../../src/serve/control/control.ts");
  await callControl(`${w.dir}/data`, "config account enable", { account: "bob" });
  await callControl(`${w.dir}/data`, "config account list", {});
  const user = w.browser();
  await user.call("/api/Login", { username: ann, password });
  await user.call("/api/FullNameSet", { fullName: "Ann" });
  const conf = `${w.dir}/config/domains.conf`;
  await Deno.writeTextFile(
    conf,
    (await Deno.readTextFile(conf)).replace(
      "other.example: nil",
      "other.example:\n\t\tDescription: x",
    ),
  );
  let entries: Record<string, unknown>[] = [];
  for (let i = 0; i < 50 && entries.length < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    entries = (await admin.call("/admin/api/Audit", {})).json.entries as typeof entries;
  }
  assert.deepEqual(
    entries.map((e) => `${e.who} ${e.from} ${e.action} ${JSON.stringify(e.changes)}`).reverse(),
    [
      'administrator 127.0.0.1 AccountDisable [{"what":"Accounts.bob.LoginDisabled","before":"\\"\\"","after":"\\"gone fishing\\""}]',
      "administrator 127.0.0.1 AccountPassword []",
      'command line control socket config account enable [{"what":"Accounts.bob.LoginDisabled","before":"\\"gone fishing\\"","after":"\\"\\""}]',
      'ann 127.0.0.1 FullNameSet [{"what":"Accounts.ann.FullName","before":"\\"\\"","after":"\\"Ann\\""}]',
      'editor domains.conf edit [{"what":"Domains.other.example.Description","before":"\\"\\"","after":"\\"x\\""}]',
    ],
  );
  const text = await Deno.readTextFile(`${w.dir}/data/audit.jsonl`) + w.log.join("");
  assert.equal(text.includes("not to be seen"), false);
});

Deno.test("a program that knows the password works, whatever others do meanwhile", async () => {
  await using w = await startWorld();
  const guess = (async () => {
    for (let i = 0; i < 30; i++) await imapTry(w, "bob@mox.example", `guess ${i}`, "127.6.0.1");
  })();
  for (let i = 0; i < 5; i++) {
    const c = new ImapFlow({
      host: "127.0.0.1",
      port: w.ports.imap,
      secure: false,
      doSTARTTLS: false,
      auth: { user: ann, pass: password },
      logger: false,
    });
    await c.connect();
    await c.logout();
  }
  await guess.catch(() => {});
});
