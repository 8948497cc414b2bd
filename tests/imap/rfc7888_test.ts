/** LITERAL+ (RFC 7888), as transcripts. */
import assert from "node:assert/strict";
import { maxLineAfter, maxLineBefore } from "../../src/imap/server/session/reader.ts";
import { startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§3-4 literals that don't wait, that do, and both in one command", async () => {
  const server = await startServer();
  try {
    const c = await server.client({ loggedIn: false });
    assert.match((await c.ok("CAPABILITY"))[0], / LITERAL\+(?= |$)/);
    c.send("a LOGIN {15+}\r\nmjl@mox.example {21}\r\n");
    assert.equal(await c.line(), "+ send it");
    c.send("correct horse battery\r\n");
    assert.match(await c.line(), /^a OK /);
    await talk(
      c,
      `
      C: CREATE {3+}\\r\\nfoo
      S: OK [MAILBOXID (…)] created
      C: STATUS {3+}\\r\\nfoo (MESSAGES)
      S: * STATUS foo (MESSAGES 0)
      S: OK done
      C: LIST {0+}\\r\\n {1-}\\r\\nf RETURN (STATUS ({3+}\\r\\nfoo))
      S: BAD …
      C: APPEND {3+}\\r\\nfoo {12+}\\r\\nSubject: x\r\n
      S: OK [APPENDUID … 1] appended
      `.replaceAll("x\r\n\n", "x\\r\\n\n"),
    );
  } finally {
    await server.stop();
  }
});

Deno.test("§4 what is refused is read and dropped; too much of it ends the connection", async () => {
  const server = await startServer({ maxMessageSize: 1000 });
  try {
    const c = await server.client();
    const big = "x".repeat(3 * 1024 * 1024);
    assert.match(
      await c.done(`SELECT {${big.length}+}\r\n${big}`),
      /^BAD \[TOOBIG\] literal makes the command longer than \d+ bytes$/,
    );
    assert.match(await c.done(`APPEND INBOX {${big.length}+}\r\n${big}`), /^NO \[TOOBIG\] /);
    assert.match(await c.done(`APPEND nosuch {5+}\r\n12345 {5+}\r\n67890`), /^NO \[TRYCREATE\] /);
    assert.match(await c.done("NOOP"), /^OK/);
    const d = await server.client({ loggedIn: false });
    assert.match(
      await d.done(`LOGIN {140000+}\r\n${"x".repeat(140000)} y`),
      /^BAD \[TOOBIG\] literal makes the command longer than 98304 bytes$/,
    );
    assert.match(await d.done("LOGIN {140000}"), /^BAD \[TOOBIG\]/);
    d.send("a LOGIN {999999999999+}\r\n");
    assert.match(await d.line(), /^\* BYE \[TOOBIG\] /);
    assert.equal(await d.line(), "");
  } finally {
    await server.stop();
  }
});

Deno.test("§3 a literal belongs to its command, whatever that is refused for", async () => {
  const refused = [
    "BOGUS",
    "UID BOGUS",
    "LOGIN",
    "STARTTLS",
    "NOOP",
    "SEARCH SUBJECT",
    "FETCH 1 BODY[HEADER.FIELDS (",
    "UID STORE 1",
    "APPEND",
    "APPEND nosuch (\\Bogus",
    "APPEND nosuch",
    "REPLACE 1 nosuch",
    "IDLE",
    "AUTHENTICATE NOSUCH",
    "LIST (",
    `NOOP ${"x".repeat(maxLineBefore)}`,
    "",
  ];
  const inner = "x CREATE injected\r\n";
  const server = await startServer();
  try {
    const stranger = await server.client({ loggedIn: false });
    const loggedIn = await server.client();
    for (const c of [stranger, loggedIn]) {
      for (const command of refused) {
        const what = `${command} {${inner.length}+}`;
        c.send(`a ${what}\r\n${inner} {3+}\r\nabc\r\nb NOOP\r\n`);
        assert.match(await c.line(), /^(a|\*) (BAD|NO) /, what);
        assert.equal(await c.line(), "b OK done", what);
      }
    }
    const endless = `NOOP ${"x".repeat(maxLineAfter)}`;
    loggedIn.send(`a ${endless} {${inner.length}+}\r\n${inner}\r\nb NOOP\r\n`);
    assert.match(await loggedIn.line(), /^a BAD \[TOOBIG\] /);
    assert.equal(await loggedIn.line(), "b OK done");
    loggedIn.send("a IDLE\r\n");
    assert.match(await loggedIn.line(), /^\+ /);
    loggedIn.send(`b SELECT {${inner.length}+}\r\n${inner}\r\nc NOOP\r\n`);
    assert.match(await loggedIn.line(), /^a BAD /);
    assert.equal(await loggedIn.line(), "c OK done");
    // A literal that waits to be asked for doesn't come.
    loggedIn.send("a BOGUS {3}\r\n");
    assert.match(await loggedIn.line(), /^a BAD /);
    loggedIn.send("b NOOP\r\n");
    assert.equal(await loggedIn.line(), "b OK done");
    assert.deepEqual(await loggedIn.run('LIST "" injected*'), ["OK done"]);
    stranger.send(`a BOGUS {140000+}\r\n`);
    assert.match(await stranger.line(), /^\* BYE \[TOOBIG\] /);
    assert.equal(await stranger.line(), "");
  } finally {
    await server.stop();
  }
});

Deno.test("RFC 9051 §4.3 a client that waits for nothing has the literal dropped with its refused command", async () => {
  const inner = "x CREATE injected\r\nx LOGOUT\r\n";
  const server = await startServer();
  try {
    for (const c of [await server.client({ loggedIn: false }), await server.client()]) {
      for (
        const command of [
          "APPEND nosuch",
          "APPEND INBOX (\\Bogus)",
          "BOGUS",
          "REPLACE 1 nosuch",
        ]
      ) {
        c.send(`a ${command} {${inner.length}}\r\n${inner}\r\nb NOOP\r\n`);
        assert.match(await c.line(), /^(a|\*) (BAD|NO) /, command);
        assert.match(await c.line(), /^b OK /, command);
      }
    }
    const c = await server.client();
    assert.deepEqual(await c.run('LIST "" injected'), ["OK done"]);
    // One that waits ends its command there.
    c.send(`a APPEND nosuch {${inner.length}}\r\n`);
    assert.match(await c.line(), /^a NO \[TRYCREATE\] /);
    assert.match(await c.done("NOOP"), /^OK/);
  } finally {
    await server.stop();
  }
});
