/** ManageSieve (RFC 5804) over a real socket. */
import assert from "node:assert/strict";
import { clientMechanism } from "../../src/sasl/mod.ts";
import { withServer } from "./client.ts";

const text = (b: Uint8Array) => new TextDecoder().decode(b);

Deno.test("before TLS there is no login, and after it all mechanisms are offered", () =>
  withServer(async (connect) => {
    const c = await connect();
    const before = await c.run("CAPABILITY");
    assert.match(before, /^"IMPLEMENTATION" "mox/m);
    assert.match(before, /^"SIEVE" "fileinto reject .*imapsieve"$/m);
    assert.match(before, /^"SASL" "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5"$/m);
    assert.match(before, /^"STARTTLS"$/m);
    assert.match(await c.run(`AUTHENTICATE "PLAIN" "AGEAYg=="`), /^NO \(ENCRYPT-NEEDED\)/);
    assert.match(await c.run("LISTSCRIPTS"), /^NO "log in first"$/);
    assert.match(await c.run(`NOOP "a \\"b"`), /^OK \(TAG "a \\"b"\)/);
    const after = (await c.startTls()).join("\n");
    assert.match(after, /^"SASL" "(?:\S+-PLUS )?.*PLAIN LOGIN"$/m);
    assert.doesNotMatch(after, /STARTTLS/);
    assert.match(await c.run("STARTTLS"), /^NO/);
    await c.send("LOGOUT\r\n");
    assert.match((await c.answer())[0], /^OK/);
    await assert.rejects(c.conn.readLine(100));
  }));

Deno.test("scripts are stored, checked, chosen, renamed and removed", () =>
  withServer(async (connect) => {
    const c = await connect();
    await c.logIn();
    assert.match(await c.run("CAPABILITY"), /^"OWNER" "cas@ours.example"$/m);
    assert.equal(await c.run(`PUTSCRIPT "one" {5+}\r\nkeep;`), "OK");
    assert.equal(await c.run(`PUTSCRIPT "zwei \\"2\\" ä" "discard;"`), "OK");
    assert.equal(await c.run("LISTSCRIPTS"), `"one"\n"zwei \\"2\\" ä"\nOK`);
    assert.equal(await c.run(`SETACTIVE "one"`), "OK");
    assert.equal(await c.run("LISTSCRIPTS"), `"one" ACTIVE\n"zwei \\"2\\" ä"\nOK`);
    assert.match(await c.run(`DELETESCRIPT "one"`), /^NO \(ACTIVE\)/);
    assert.match(await c.run(`RENAMESCRIPT "one" "zwei \\"2\\" ä"`), /^NO \(ALREADYEXISTS\)/);
    assert.match(await c.run(`RENAMESCRIPT "none" "x"`), /^NO \(NONEXISTENT\)/);
    assert.equal(await c.run(`RENAMESCRIPT "one" "first"`), "OK");
    assert.equal(await c.run(`GETSCRIPT "first"`), "keep;\nOK");
    assert.match(await c.run(`GETSCRIPT "one"`), /^NO \(NONEXISTENT\)/);
    // One with errors leaves the old one as it is.
    assert.equal(
      await c.run(`PUTSCRIPT "first" {12+}\r\nkeep;\r\nnope;`),
      `NO "2:1: there is no command nope"`,
    );
    assert.equal(await c.run(`GETSCRIPT "first"`), "keep;\nOK");
    assert.match(await c.run(`CHECKSCRIPT "keep"`), /^NO "1:5: expected ; or \{/);
    assert.equal(await c.run(`CHECKSCRIPT "keep;"`), "OK");
    assert.match(
      await c.run(
        `CHECKSCRIPT {${'if header "a b" "c" { keep; }'.length}+}\r\nif header "a b" "c" { keep; }`,
      ),
      /^OK \(WARNINGS\) "1:11: /,
    );
    assert.equal(await c.run(`SETACTIVE ""`), "OK");
    assert.equal(await c.run(`DELETESCRIPT "first"`), "OK");
    assert.match(await c.run(`SETACTIVE "first"`), /^NO \(NONEXISTENT\)/);
    assert.equal(await c.run("UNAUTHENTICATE"), "OK");
    assert.match(await c.run("LISTSCRIPTS"), /^NO/);
  }));

Deno.test("quotas are told of before and when a script is stored", () =>
  withServer(async (connect, r) => {
    const c = await connect();
    await c.logIn();
    assert.equal(await c.run(`HAVESPACE "a" 1000`), "OK");
    assert.match(await c.run(`HAVESPACE "a" 2000000`), /^NO \(QUOTA\/MAXSIZE\)/);
    assert.match(await c.run(`HAVESPACE "" 10`), /^NO/);
    const big = `${"# ".padEnd(1_000_000, "x")}\r\nkeep;`;
    for (let i = 0; i < 4; i++) {
      assert.equal(await c.run(`PUTSCRIPT "s${i}" {${big.length}+}\r\n${big}`), "OK");
    }
    assert.match(await c.run(`HAVESPACE "s4" 1000000`), /^NO \(QUOTA\)/);
    assert.match(await c.run(`PUTSCRIPT "s4" {${big.length}+}\r\n${big}`), /^NO \(QUOTA\)/);
    assert.match(
      await c.run(`PUTSCRIPT "s5" {1100000+}\r\n${"x".repeat(1_100_000)}`),
      /^NO \(QUOTA\/MAXSIZE\)/,
    );
    assert.equal(await c.run("NOOP"), `OK "done"`);
    assert.equal(r.server.sieve!.scripts.list("cas").length, 4);
  }));

Deno.test("SCRAM says its last with the answer (RFC 5804 §2.1)", () =>
  withServer(async (connect) => {
    const c = await connect();
    await c.startTls();
    const m = clientMechanism(["SCRAM-SHA-256"], {
      username: "cas@ours.example",
      password: "correct horse battery",
      channelBindings: new Map(),
      mayShowPassword: true,
    })!;
    const b64 = (b: Uint8Array) => btoa(String.fromCharCode(...b));
    await c.send(`AUTHENTICATE "SCRAM-SHA-256" "${b64(m.initial!)}"\r\n`);
    const challenge = text(await c.conn.readLine(10_000));
    const response = await m.step(
      Uint8Array.from(atob(challenge.slice(1, -1)), (x) => x.charCodeAt(0)),
    );
    const answer = await c.run(`"${b64(response)}"`);
    const last = /^OK \(SASL "([^"]+)"\) "logged in"$/.exec(answer);
    assert.ok(last, answer);
    await m.step(Uint8Array.from(atob(last[1]), (x) => x.charCodeAt(0)));
    assert.ok(m.complete);
    assert.equal(await c.run("LISTSCRIPTS"), "OK");
  }));

Deno.test("a wrong password, a cancelled exchange and nonsense are refused, and go on", () =>
  withServer(async (connect) => {
    const c = await connect();
    await c.startTls();
    assert.match(
      await c.run(`AUTHENTICATE "PLAIN" "${btoa("\0cas@ours.example\0wrong")}"`),
      /^NO "wrong user/,
    );
    await c.send(`AUTHENTICATE "PLAIN"\r\n`);
    assert.equal(text(await c.conn.readLine(100)), `""`);
    assert.match(await c.run(`"*"`), /^NO "the exchange was cancelled"$/);
    for (
      const bad of [
        "",
        "x",
        `PUTSCRIPT`,
        `"PUTSCRIPT"`,
        `NOOP "a`,
        `NOOP {x}`,
        `CAPABILITY 1`,
        "@",
        "\0\xff",
      ]
    ) {
      assert.match(await c.run(bad), /^NO /, JSON.stringify(bad));
    }
    assert.match(await c.run(`NOOP {20000+}\r\n${"x".repeat(20_000)}`), /^NO \(QUOTA\/MAXSIZE\)/);
    assert.match(await c.run(`NOOP ${"x".repeat(20_000)}`), /^NO/);
  }));

Deno.test("a command of literals without end is ended, before login too", () =>
  withServer(async (connect) => {
    const client = await connect();
    await client.send(`NOOP ${"{0+}\r\n".repeat(1000)}`);
    assert.deepEqual(await client.answer(), ['BYE "too many literals in one command"']);
    // A command may have some, but together they have the bytes of one.
    const other = await connect();
    const literal = `{9000+}\r\n${"x".repeat(9000)} `;
    assert.match(await other.run(`NOOP ${literal.repeat(3)}`), /^NO \(QUOTA\/MAXSIZE\)/);
    assert.match(await other.run("NOOP {2+}\r\nab"), /^OK \(TAG "ab"\)/);
  }));

Deno.test("a literal belongs to its command, whatever that is refused for", () =>
  withServer(async (connect) => {
    const c = await connect();
    for (
      const command of [
        "BOGUS",
        'NOOP "open',
        "NO;OP",
        "NOOP {x} ",
        `NOOP "${"x".repeat(2000)}"`,
        "x".repeat(100_000),
      ]
    ) {
      const inner = 'NOOP "inner"\r\n';
      await c.send(`${command} {${inner.length}+}\r\n${inner} {3+}\r\nabc\r\nNOOP "next"\r\n`);
      assert.match((await c.answer()).join(), /^NO /, command);
      assert.match((await c.answer()).join(), /^OK \(TAG "next"\)/, command);
    }
  }));

Deno.test("a literal beyond all bounds ends the connection", () =>
  withServer(async (connect) => {
    const c = await connect();
    assert.match(await c.run(`NOOP {99999999999+}`), /^BYE \(QUOTA\/MAXSIZE\)/);
  }));

Deno.test("commands that come at once are answered in their order", () =>
  withServer(async (connect) => {
    const c = await connect();
    await c.logIn();
    await c.send(`PUTSCRIPT "a" "keep;"\r\nSETACTIVE "a"\r\nLISTSCRIPTS\r\nLOGOUT\r\n`);
    const answers: string[] = [];
    for (let i = 0; i < 4; i++) answers.push((await c.answer()).join("\n"));
    assert.deepEqual(answers, ["OK", "OK", `"a" ACTIVE\nOK`, `OK "bye"`]);
  }));
