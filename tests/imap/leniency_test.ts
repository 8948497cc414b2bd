/** What clients send and other servers take: blanks too many, and more that pedantic mode refuses. */
import assert from "node:assert/strict";
import { Log, setLevel, setLogSink } from "../../src/log/mod.ts";
import { message, password, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

/** Forms with a blank too many; Dovecot 2.3 takes each of them. */
const forms = [
  "NOOP ",
  " CAPABILITY",
  "STATUS Archive ( MESSAGES)",
  "STATUS Archive (MESSAGES )",
  "STATUS  Archive (MESSAGES)",
  "FETCH 1  FLAGS",
  "FETCH 1 ( FLAGS UID)",
  "FETCH 1 (FLAGS  UID )",
  "FETCH 1 FLAGS ",
  "FETCH 1 BODY.PEEK[HEADER.FIELDS ( FROM  TO )]",
  "STORE 1 +FLAGS ( \\Seen )",
  "STORE 1  +FLAGS  (\\Seen)",
  "STORE 1 FLAGS ()",
  "STORE 1 FLAGS ( )",
  "SEARCH ( ALL )",
  "SEARCH ALL  SEEN ",
  "SEARCH  NOT  SEEN",
  "SEARCH OR  SEEN  ALL",
  "UID  FETCH 1 FLAGS",
  'LIST  ""  "*" ',
  'LIST "" ( "*" Archive )',
  'LIST "" "*" RETURN ( SUBSCRIBED )',
  "SORT ( DATE ) UTF-8  ALL",
  "THREAD REFERENCES  UTF-8 ALL ",
  "COPY 1  Archive ",
  "ENABLE CONDSTORE ",
  'ID ( "name" "x" )',
  "SELECT INBOX ",
];

/** Words with * and % without quotes, empty options, and such; Dovecot 2.3 takes each of them too. */
const words = [
  "SEARCH SUBJECT 1:*",
  "SEARCH FROM *@example.org",
  "SEARCH TEXT 100%",
  "UID SEARCH HEADER Subject *",
  "SORT (SUBJECT) UTF-8 SUBJECT 1:*",
  "SORT (SUBJECT) UTF-8 ( SUBJECT  1:* )",
  "THREAD REFERENCES UTF-8 BODY %",
  "STORE 1 () +FLAGS (\\Seen)",
  "FETCH 1 FLAGS ()",
  "FETCH 1 BODY.PEEK[]<0.0>",
  "EXAMINE INBOX ()",
  "SELECT INBOX ()",
];

Deno.test("a blank too many is passed over, but in pedantic mode", async () => {
  for (const pedantic of [false, true]) {
    const s = await startServer({ pedantic });
    try {
      const c = await s.client();
      await c.append("INBOX", message("one"));
      await c.ok("SELECT INBOX");
      for (const form of forms) {
        const answer = await c.done(form);
        if (!pedantic) assert.match(answer, /^OK/, JSON.stringify(form));
        else if (form !== "STORE 1 FLAGS ()") assert.match(answer, /^BAD/, JSON.stringify(form));
      }
      for (const form of words) {
        assert.match(await c.done(form), pedantic ? /^BAD/ : /^OK/, JSON.stringify(form));
      }
      const day = await c.append("INBOX", message("two"), '"1-Feb-2020 10:00:00 +0000" ');
      assert.match(day, pedantic ? /^BAD/ : /^OK/);
      if (!pedantic) {
        assert.deepEqual(await c.ok("SEARCH ON 1-Feb-2020"), ["* SEARCH 2"]);
        await c.append("INBOX", message("100% of *"));
        assert.deepEqual(await c.ok("SEARCH SUBJECT 100% SUBJECT *"), ["* SEARCH 3"]);
        assert.deepEqual(await c.ok("FETCH 1 BODY.PEEK[TEXT]<0.0>"), [
          '* 1 FETCH (BODY[TEXT]<0> "")',
        ]);
      }
      // The blank at a literal's end is its own.
      assert.match(await c.done("CREATE {5+}\r\nBox x"), /^OK/);
      assert.match(await c.done("CREATE {4+}\r\nEnd "), /^OK/);
      assert.ok((await c.run('LIST "" "End*"')).some((l) => l.includes('"End "')));
    } finally {
      await s.stop();
    }
  }
});

Deno.test("conditions nest as deep as lines allow", () =>
  withClient(async (c) => {
    await c.append("INBOX", message("one"));
    await c.ok("SELECT INBOX");
    const deep = 30_000;
    for (
      const keys of [
        "(".repeat(deep) + "ALL" + ")".repeat(deep),
        "NOT ".repeat(deep) + "ALL",
        "FUZZY ".repeat(deep) + "ALL",
        "OR ".repeat(1500) + "ALL" + " ALL".repeat(1500),
        "OR ALL ".repeat(1500) + "ALL",
        "(SEEN ".repeat(1000) + "ALL" + ")".repeat(1000),
      ]
    ) {
      const [found, done] = await c.run(`SEARCH ${keys}`);
      assert.match(done, /^OK/);
      assert.equal(found, keys.includes("SEEN") ? "* SEARCH" : "* SEARCH 1", keys.slice(0, 20));
    }
  }));

Deno.test("the largest legal ID fits before login, and what is too long is refused by its tag", async () => {
  const s = await startServer();
  try {
    const c = await s.client({ loggedIn: false });
    const pair = (i: number) => `"${`f${i}`.padEnd(30, "x")}" "${'\\"'.repeat(1024)}"`;
    const id = `ID (${Array.from({ length: 30 }, (_, i) => pair(i)).join(" ")})`;
    assert.match(await c.done(id), /^OK/);
    c.send(`tag1 NOOP ${"x".repeat(200_000)}\r\n`);
    assert.match(await c.line(), /^tag1 BAD \[TOOBIG\]/);
    assert.match(await c.done("NOOP"), /^OK/);
  } finally {
    await s.stop();
  }
});

Deno.test("a part past the end is an empty string", () =>
  withClient(async (c) => {
    await c.append("INBOX", "Subject: x\r\n\r\nbody\r\n");
    await talk(
      c,
      `
      C: SELECT INBOX
      S: …
      S: …
      S: …
      S: …
      S: …
      S: …
      S: …
      S: …
      S: …
      S: …
      S: OK …
      C: FETCH 1 BODY.PEEK[]<10000.5>
      S: * 1 FETCH (BODY[]<10000> "")
      S: OK …
      C: FETCH 1 BODY.PEEK[TEXT]<6.5>
      S: * 1 FETCH (BODY[TEXT]<6> "")
      S: OK …
      `,
    );
  }));

Deno.test("APPEND makes CRLF of lines that end in LF alone, but not in a literal8", () =>
  withClient(async (c) => {
    await c.append("INBOX", "Subject: x\nTo: y\r\n\nbody\n\nend");
    await c.ok("SELECT INBOX");
    assert.deepEqual(await c.run("FETCH 1 (RFC822.SIZE BODY.PEEK[TEXT])"), [
      "* 1 FETCH (RFC822.SIZE 32 BODY[TEXT] {13}\r\nbody\r\n\r\nend)".replace("{13}", "{11}"),
      "OK done",
    ]);
    await c.ok("APPEND INBOX ~{16+}\r\nSubject: x\n\nbody");
    assert.match((await c.run("FETCH 2 RFC822.SIZE"))[0], /RFC822\.SIZE 16\)/);
  }));

Deno.test("keywords keep the letters they were made with, and FLAGS comes before what has a new one", async () => {
  const s = await startServer();
  try {
    const [a, b] = [await s.client(), await s.client()];
    await a.append("INBOX", message("one"));
    await a.ok("SELECT INBOX");
    await b.ok("SELECT INBOX");
    const stored = await a.run("STORE 1 +FLAGS (MyTag $Label1)");
    assert.match(stored[0], /^\* FLAGS \(.* \$Label1 MyTag\)$/);
    assert.match(stored.at(-2)!, /FETCH \(FLAGS \(\$Label1 MyTag\)\)$/);
    // Another spelling is the same keyword.
    assert.match((await a.run("STORE 1 +FLAGS (mytag)")).at(-2)!, /\(\$Label1 MyTag\)/);
    const fetched = await b.run("FETCH 1 FLAGS");
    const flags = fetched.findIndex((l) => l.startsWith("* FLAGS"));
    const fetch = fetched.findIndex((l) => l.includes("FETCH (FLAGS"));
    assert.ok(flags >= 0 && flags < fetch, fetched.join("\n"));
    assert.match(fetched[fetch], /MyTag/);
    assert.equal((await b.run("SEARCH KEYWORD MYTAG"))[0], "* SEARCH 1");
    await a.ok("COPY 1 Archive");
    await a.ok("SELECT Archive");
    assert.match((await a.run("FETCH 1 FLAGS"))[0], /\(\$Label1 MyTag\)/);
    await a.ok("APPEND Archive (Another) {14+}\r\nSubject: x\r\n\r\n");
    assert.match((await a.run("FETCH 2 FLAGS")).find((l) => l.includes("FETCH"))!, /\(Another\)/);
  } finally {
    await s.stop();
  }
});

Deno.test("names with wildcards can be made, found and removed; DELETE ends the subscription that CREATE made", () =>
  withClient(async (c) => {
    assert.match(await c.done('CREATE "50% off*"'), /^OK/);
    assert.match(await c.done('SELECT "50% off*"'), /^OK/);
    assert.ok((await c.run('LIST "" "50% off*"')).some((l) => l.includes('"50% off*"')));
    assert.match(await c.done('DELETE "50% off*"'), /^OK/);
    assert.match(await c.done("CREATE 50%off*"), /^OK/);
    assert.match(await c.done("DELETE 50%off*"), /^OK/);
    assert.deepEqual(await c.run('LSUB "" "50*"'), ["OK done"]);
    await c.ok("CREATE Kept");
    await c.ok("SUBSCRIBE Kept");
    await c.ok("DELETE Kept");
    assert.equal((await c.run('LSUB "" Kept')).length, 2);
  }));

Deno.test("ids are the same with and without quotes (RFC 5256 §3)", () =>
  withClient(async (c) => {
    await c.append("INBOX", 'Message-ID: <"a.b"@x>\r\nSubject: one\r\n\r\nx\r\n');
    await c.append(
      "INBOX",
      "Message-ID: <2@x>\r\nReferences: <a.b@x>\r\nSubject: two\r\n\r\nx\r\n",
    );
    await c.ok("SELECT INBOX");
    assert.equal((await c.run("THREAD REFERENCES UTF-8 ALL"))[0], "* THREAD (1 2)");
  }));

Deno.test("the protocol is in the log at level trace, without passwords and messages", async () => {
  const lines: string[] = [];
  setLogSink((line) => void lines.push(line));
  setLevel("imaptrace", "trace");
  const s = await startServer({ log: new Log("imaptrace") });
  try {
    const c = await s.client();
    await c.append("INBOX", "Subject: x\r\n\r\nvery private text\r\n");
    await c.ok("SELECT INBOX");
    await c.run("FETCH 1 BODY[]");
    await c.ok("NOOP");
    const all = lines.join("\n");
    assert.match(all, /C: \w+ LOGIN \*\*\*/);
    assert.match(all, /C: \w+ SELECT INBOX/);
    assert.match(all, /S: \* 1 FETCH \(.*BODY\[\] \{\d+\}/);
    assert.match(all, /S: \w+ OK/);
    assert.ok(!all.includes(password) && !all.includes("very private text"));
  } finally {
    setLevel("imaptrace", "error");
    setLogSink(() => {});
    await s.stop();
  }
});
