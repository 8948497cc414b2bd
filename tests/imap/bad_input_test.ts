import assert from "node:assert/strict";
import { commands } from "../../src/imap/server/table.ts";
import { randomFrom } from "./random.ts";
import { Client, message, startServer } from "./server.ts";
import { seedOf } from "../support/seed.ts";

Deno.test("every wrong command gets BAD that says where, and the session goes on", async () => {
  const s = await startServer();
  try {
    const c = await s.client();
    await c.append("INBOX", message("one"));
    await c.ok("SELECT INBOX");
    const table: [string, RegExp][] = [
      ["", /^BAD at offset \d+: expected command/],
      ["NOSUCH", /^BAD at offset \d+: expected known command/],
      ["UID", /^BAD at offset \d+: expected space/],
      ["UID NOOP", /^BAD at offset \d+: expected known command/],
      ["NOOP x", /^BAD at offset \d+: expected end of command/],
      ["LOGIN a b", /^BAD LOGIN: already logged in/],
      ["STARTTLS", /^BAD STARTTLS: already logged in/],
      ["SELECT", /^BAD at offset \d+: expected space/],
      ["SELECT ", /^BAD at offset \d+: expected mailbox name/],
      ["SELECT &bad", /^BAD .*modified UTF-7/],
      ["SELECT INBOX (FOO)", /^BAD .*CONDSTORE or QRESYNC/],
      ["SELECT INBOX (QRESYNC (1 1))", /^BAD ENABLE QRESYNC first/],
    ];
    const selected: [string, RegExp][] = [
      ["FETCH", /^BAD .*space/],
      ["FETCH 0 FLAGS", /^BAD .*sequence set/],
      ["FETCH 2 FLAGS", /^BAD there are only 1 messages/],
      ["FETCH 4294967296 FLAGS", /^BAD .*at most 4294967295/],
      ["FETCH 1:2:3 FLAGS", /^BAD .*space/],
      ["FETCH 1 (FLAGS", /^BAD .*space/],
      ["FETCH 1 ()", /^BAD .*fetch item/],
      ["FETCH 1 BODY[", /^BAD .*HEADER, TEXT or part number/],
      ["FETCH 1 BODY[0]", /^BAD .*part number/],
      ["FETCH 1 BODY[MIME]", /^BAD .*HEADER, TEXT/],
      ["FETCH 1 BODY[HEADER.FIELDS ()]", /^BAD .*header field name/],
      ["FETCH 1 BODY[]<1>", /^BAD .*"\."/],
      ["FETCH 1 BODY[]<1.x>", /^BAD .*byte count/],
      ["FETCH 1 FLAGS (VANISHED)", /^BAD VANISHED needs/],
      ["STORE 1 FLAGS", /^BAD .*space/],
      ["STORE 1 FLAGS (\\Recent)", /^BAD .*system flag/],
      ["STORE 1 FLAGS (a", /^BAD .*space/],
      ["SEARCH", /^BAD .*space/],
      ["SEARCH FOO", /^BAD .*known search key/],
      ["SEARCH NOT", /^BAD .*space/],
      ["SEARCH OR SEEN", /^BAD .*space/],
      ["SEARCH ON 31-Feb-2020", /^BAD .*day of the month/],
      ["SEARCH ON 1-Foo-2020", /^BAD .*month/],
      [`SEARCH ${"(".repeat(80)}ALL${")".repeat(79)}`, /^BAD .*space/],
      [`SEARCH ${"NOT (SEEN ".repeat(600)}ALL${")".repeat(600)}`, /^BAD .*levels that differ/],
      [`SEARCH ${"SEEN ".repeat(2001)}`, /^BAD .*at most 2000 search keys/],
      ["COPY 1", /^BAD .*space/],
      ["LIST", /^BAD .*space/],
      ['LIST (FOO) "" *', /^BAD .*list selection option/],
      ['LIST (RECURSIVEMATCH) "" *', /^BAD .*RECURSIVEMATCH/],
      ["STATUS INBOX ()", /^BAD .*status item/],
      ['LIST "abc', /^BAD .*closing quote/],
      ['LIST "a\\b" *', /^BAD .*after/],
      ["ENABLE", /^BAD .*space/],
      ["APPEND INBOX", /^BAD .*space/],
      ["APPEND INBOX (\\Seen) hello", /^BAD .*literal with the message/],
      ['APPEND INBOX "99-Jan-2020 00:00:00 +0000" {1}', /^BAD .*day/],
      ["GETMETADATA INBOX comment", /^BAD entry name/],
      ["SORT (FOO) UTF-8 ALL", /^BAD .*sort key/],
      ["THREAD FOO UTF-8 ALL", /^BAD .*threading algorithm/],
      ["SEARCH CHARSET KLINGON ALL", /^NO \[BADCHARSET/],
      ["COMPRESS LZW", /^BAD unknown algorithm/],
      ["NOTIFY FOO", /^BAD .*SET or NONE/],
      ["UID FETCH 1 FLAGS (PARTIAL 0:1)", /^BAD .*place/],
    ];
    for (const [command, want] of [...table, ...selected]) {
      if (command.startsWith("FETCH 0")) await c.ok("SELECT INBOX");
      assert.match(await c.done(command), want, command);
      assert.match(await c.done("NOOP"), /^OK/, `after ${command}`);
    }
  } finally {
    await s.stop();
  }
});

Deno.test("commands of another state are refused", async () => {
  const s = await startServer();
  try {
    const c = await s.client({ loggedIn: false });
    for (
      const command of ["SELECT INBOX", 'LIST "" *', "IDLE", "APPEND INBOX {5}", "FETCH 1 FLAGS"]
    ) {
      assert.match(await c.done(command), /^BAD .*: log in first/);
    }
    assert.match(await c.done("LOGIN nobody wrong-password"), /^NO \[AUTHENTICATIONFAILED\]/);
    assert.match(
      await c.done("LOGIN mjl@mox.example wrong-password"),
      /^NO \[AUTHENTICATIONFAILED\]/,
    );
    assert.match(await c.done("AUTHENTICATE NOSUCH"), /^NO \[CANNOT\]/);
    assert.match(await c.done("AUTHENTICATE PLAIN !!"), /^BAD/);
    const d = await s.client();
    assert.match(await d.done("FETCH 1 FLAGS"), /^BAD FETCH: select a mailbox first/);
  } finally {
    await s.stop();
  }
});

Deno.test("literals that are too large are refused before they are sent, or dropped", async () => {
  const s = await startServer({ maxMessageSize: 1000 });
  try {
    const c = await s.client();
    assert.match(await c.done("APPEND INBOX {9223372036854775808}"), /^NO \[TOOBIG\]/);
    assert.match(await c.done("APPEND INBOX {1001}"), /^NO \[TOOBIG\]/);
    assert.match(await c.done(`APPEND INBOX {1001+}\r\n${"a".repeat(1001)}`), /^NO \[TOOBIG\]/);
    assert.match(await c.done("SELECT {9223372036854775808}"), /^BAD \[TOOBIG\]/);
    assert.match(await c.done("NOSUCH {10}"), /^BAD/);
    assert.match(await c.done("NOOP"), /^OK/);
    // A non-synchronising literal of that size can't be waited for.
    c.send("a SELECT {9223372036854775808+}\r\n");
    assert.match(await c.line(), /^\* BYE \[TOOBIG\]/);
    assert.equal(await c.line(), "");
  } finally {
    await s.stop();
  }
});

Deno.test("over-long lines and NUL bytes get BAD, and the session goes on", async () => {
  const s = await startServer();
  try {
    const c = await s.client({ loggedIn: false });
    c.send(`a ${"x".repeat(100_000)}\r\n`);
    assert.match(await c.line(), /^a BAD \[TOOBIG\]/);
    assert.match(await c.done("NO\0OP"), /^BAD/);
    assert.match(await c.done("LOGIN {3+}\r\na\0b {3+}\r\nabc"), /^BAD .*no NUL/);
    assert.match(await c.done('LOGIN "a\0" b'), /^BAD .*control character/);
    c.send("\0\0\0\r\n\r\n");
    assert.match(await c.line(), /^\* BAD .*tag/);
    assert.match(await c.line(), /^\* BAD .*tag/);
    assert.match(await c.done("NOOP"), /^OK/);
  } finally {
    await s.stop();
  }
});

Deno.test("10,000 bad commands get 10,000 answers and leave memory flat", async () => {
  const s = await startServer();
  try {
    const c = await s.client();
    const batch = (n: number) => {
      let text = "";
      for (let i = 0; i < n; i++) text += `b${i} FETCH (((${i}\r\n`;
      return text;
    };
    const bad = async (n: number) => {
      c.send(batch(n));
      for (let i = 0; i < n; i++) assert.match(await c.line(), /^b\d+ BAD /);
    };
    await bad(2000);
    const before = Deno.memoryUsage().heapUsed;
    for (let i = 0; i < 4; i++) await bad(2000);
    const grown = Deno.memoryUsage().heapUsed - before;
    assert.ok(grown < 32 * 1024 * 1024, `heap grew by ${grown} bytes`);
    assert.match(await c.done("NOOP"), /^OK/);
  } finally {
    await s.stop();
  }
});

Deno.test("half-closed connections and ones that end in a literal leave nothing behind", async () => {
  const s = await startServer();
  try {
    const half = await s.client();
    half.send("h NOOP\r\n");
    half.socket.end();
    assert.match(await half.line(), /^h OK/);
    assert.equal(await half.line(), "");
    const cut = await s.client();
    cut.send("a APPEND INBOX {1000}\r\n");
    assert.match(await cut.line(), /^\+ /);
    cut.send("From: half");
    cut.socket.end();
    assert.equal(await cut.line(), "");
    const c: Client = await s.client();
    assert.deepEqual(await c.ok("STATUS INBOX (MESSAGES)"), ["* STATUS INBOX (MESSAGES 0)"]);
    const left = [...Deno.readDirSync(s.dir)].filter((e) => e.isFile);
    assert.deepEqual(left, []);
  } finally {
    await s.stop();
  }
});

Deno.test("stalled connections are told and closed, before login, in a literal, and in IDLE", async () => {
  const s = await startServer({ timeouts: { beforeLogin: 2000, afterLogin: 300 } });
  try {
    const a = await s.client();
    a.send("a APPEND INBOX {100}\r\n");
    assert.match(await a.line(), /^\+ /);
    assert.match(await a.line(), /^\* BYE \[UNAVAILABLE\]/);
    assert.equal(await a.line(), "");
    const b = await s.client();
    b.send("b IDLE\r\n");
    assert.match(await b.line(), /^\+ /);
    assert.match(await b.line(), /^\* BYE \[UNAVAILABLE\]/);
    assert.equal(await b.line(), "");
    const left = [...Deno.readDirSync(s.dir)].filter((e) => e.isFile);
    assert.deepEqual(left, []);
  } finally {
    await s.stop();
  }
});

Deno.test("a client that doesn't read costs bounded memory", async () => {
  const s = await startServer();
  try {
    const c = await s.client();
    const big = message("big", `${"x".repeat(76)}\r\n`.repeat(26_000));
    await c.append("INBOX", big);
    await c.ok("SELECT INBOX");
    for (let i = 0; i < 5; i++) await c.ok("COPY 1:* INBOX");
    const n = Number(
      /(\d+)/.exec((await c.ok("UID SEARCH RETURN (COUNT) ALL"))[0].split("COUNT")[1])![1],
    );
    assert.equal(n, 32);
    const used = () => {
      const m = Deno.memoryUsage();
      return m.heapUsed + m.external;
    };
    const before = used();
    c.socket.pause();
    c.send("f UID FETCH 1:* BODY.PEEK[]\r\n");
    // Long enough for all 64 MB, were they not held back.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const grown = used() - before;
    assert.ok(grown < 24 * 1024 * 1024, `grew by ${grown} bytes`);
  } finally {
    await s.stop();
  }
});

const seed = seedOf("FUZZ_SEED");

Deno.test(`every command with random arguments is answered, and the session goes on (FUZZ_SEED=${seed})`, async () => {
  const s = await startServer({ others: ["fred"] });
  try {
    const random = randomFrom(seed);
    const words =
      ('INBOX Archive "Other Users/fred/INBOX" 1 1:* 2,3:1 $ * % ( ) [ ] " \\ NIL ALL FLAGS ' +
        "+FLAGS.SILENT (\\Seen) (UID) BODY[] BODY[HEADER.FIELDS (A)] BINARY[1]<0.1> RETURN (MIN) (SAVE) (PARTIAL " +
        "-1:-2) CHARSET UTF-8 KLINGON NOT OR SUBJECT x (SUBJECT) REFERENCES (CHANGEDSINCE 1) (UNCHANGEDSINCE " +
        "(QRESYNC (1 1)) SET NONE (PERSONAL (MailboxName)) IN (selected) (MESSAGES) (DEPTH 1) /private/x " +
        '(/private/x "v") fred lr +a INTERNAL CATENATE (TEXT 1-Jan-2020 4294967296 = & é \0 \t')
        .split(" ");
    words.push("{3+}\r\nabc", "~{2+}\r\n\0x", "{0+}\r\n", "");
    // Not those that end a session or its login.
    const names = commands.map((c) => c.name)
      .filter((n) => n !== "LOGOUT" && n !== "UNAUTHENTICATE");
    const c = await s.client();
    await c.append("INBOX", message("one"));
    for (let i = 0; i < 1500; i++) {
      const name = names[i % names.length];
      // Alone it would wait for DONE.
      const n = name === "IDLE" ? 1 : random(7);
      let args = "";
      for (let k = 0; k < n; k++) args += ` ${words[random(words.length)]}`;
      if (name === "IDLE" && args.trim() === "") continue;
      if (i % 10 === 0) await c.run("SELECT INBOX");
      const answer = await c.done(name + args);
      assert.match(answer, /^(OK|NO|BAD) /, `${name}${args}`);
      // What is wrong is told with its place, or with what is wrong about it.
      if (answer.startsWith("BAD at")) assert.match(answer, /^BAD at offset \d+: expected .+/);
      assert.ok(answer.length > 6, answer);
    }
    assert.match(await c.done("NOOP"), /^OK/);
  } finally {
    await s.stop();
  }
});

Deno.test("lines of up to 1 MiB are answered, longer ones get BAD [TOOBIG] under their tag", async () => {
  const s = await startServer();
  try {
    const c = await s.client();
    await c.ok("SELECT INBOX");
    const set = (bytes: number) => {
      let text = "1";
      for (let i = 3; text.length < bytes; i += 2) text += `,${i}`;
      return text;
    };
    for (const size of [300_000, 700_000, 1_048_000]) {
      assert.match(await c.done(`UID FETCH ${set(size)} (FLAGS)`), /^OK/);
    }
    c.send(`long UID FETCH ${set(1_100_000)} (FLAGS)\r\n`);
    assert.match(await c.line(), /^long BAD \[TOOBIG\] line longer than 1048576 bytes/);
    c.send(`longer UID FETCH ${"1".repeat(4_000_000)} (FLAGS)\r\n`);
    assert.match(await c.line(), /^longer BAD \[TOOBIG\]/);
    assert.match(await c.done("NOOP"), /^OK/);
    c.send(`endless UID FETCH ${"1".repeat(10_000_000)}`);
    assert.match(await c.line(), /^endless BAD \[TOOBIG\]/);
    assert.match(await c.line(), /^\* BYE \[TOOBIG\]/);
  } finally {
    await s.stop();
  }
});
