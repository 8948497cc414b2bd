/** Limits of names, keywords and commands: each with a clear answer, after which the session goes on. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

const words = (n: number, from = 0) =>
  Array.from({ length: n }, (_, i) => `k${from + i}`).join(" ");

Deno.test("keywords of a message, of a mailbox, and their length", () =>
  withClient(async (c) => {
    await c.append("INBOX", message("one"));
    await c.ok("SELECT INBOX");
    assert.match(
      await c.done(`STORE 1 FLAGS (${words(101)})`),
      /^NO \[LIMIT\] a message can have 100 /,
    );
    await c.ok(`STORE 1 FLAGS.SILENT (${words(100)})`);
    assert.match(await c.done("STORE 1 +FLAGS (more)"), /^NO \[LIMIT\] a message can have 100 /);
    for (let i = 1; i < 10; i++) await c.ok(`STORE 1 FLAGS.SILENT (${words(100, i * 100)})`);
    assert.match(await c.done("STORE 1 FLAGS (more)"), /^NO \[LIMIT\] a mailbox can have 1000 /);
    const text = message("two");
    assert.match(
      await c.done(`APPEND INBOX (more) {${text.length}+}\r\n${text}`),
      /^NO \[LIMIT\] a mailbox can have 1000 /,
    );
    // Those that are known can be used all the same, in any case of letters.
    await talk(c, "C: STORE 1 FLAGS (K7)\nS: * 1 FETCH (FLAGS (k7))\nS: OK done");
    assert.match(
      await c.done(`STORE 1 FLAGS (${"k".repeat(101)})`),
      /^NO \[CANNOT\] keyword is longer/,
    );
    await talk(
      c,
      `
      C: STORE 1 FLAGS (a]b)
      S: BAD …
      C: STORE 1 FLAGS (\\Strange)
      S: BAD …expected known system flag
      C: STATUS INBOX (MESSAGES)
      S: * STATUS INBOX (MESSAGES 1)
      S: OK done
      `,
    );
  }));

Deno.test("names of mailboxes: INBOX in any case, NFC, no control characters, length and depth", () =>
  withClient(async (c) => {
    const name = (s: string) => `"${s}"`;
    for (const n of ["iNbOx", "INBOX", "{5+}\r\ninbox"]) {
      assert.match(await c.done(`CREATE ${n}`), /^NO \[ALREADYEXISTS\]/);
    }
    await c.ok("CREATE inBOX/Sub");
    await talk(c, 'C: LIST "" InBox/*\nS: * LIST (\\HasNoChildren) "/" INBOX/Sub\nS: OK done');
    for (
      const [bad, why] of [
        [name("a\x7fb"), "has a control character"],
        [name("a\tb"), "has a control character"],
        // U+0085 and U+2028, in modified UTF-7.
        ["a&AIU-b", "has a control character"],
        ["a&ICg-b", "has a control character"],
        [name("/a"), 'starts or ends with "/"'],
        [name("a//b"), "has an empty level"],
        [name("../a"), 'or "\\.\\."'],
        [name("#a"), 'starts with "#"'],
        [name(""), "empty"],
        [name("x".repeat(1001)), "longer than 1000 bytes"],
        [name(Array.from({ length: 33 }, () => "d").join("/")), "more than 32 levels"],
      ]
    ) {
      for (const command of ["CREATE", "RENAME Archive", "SUBSCRIBE"]) {
        const answer = await c.done(`${command} ${bad}`);
        assert.match(
          answer,
          new RegExp(`^NO \\[CANNOT\\] bad mailbox name: .*${why}`),
          command + bad,
        );
      }
      // Nothing can have such a name.
      assert.match(await c.done(`SELECT ${bad}`), /^NO \[NONEXISTENT\]/, bad);
    }
    assert.match(await c.done('CREATE "a\r\n'), /^BAD .*closing quote/);
    assert.match(await c.done("CREATE &Jjo"), /^BAD .*modified UTF-7/);
    // e and an accent, and the letter that is both.
    await talk(
      c,
      `
      C: CREATE e&AwE-
      S: * LIST (\\Subscribed) "/" &AOk- ("OLDNAME" (e&AwE-))
      S: OK [MAILBOXID (…)] created
      C: CREATE &AOk-
      S: NO [ALREADYEXISTS] …
      C: SELECT ${"x".repeat(1000)}
      S: NO [NONEXISTENT] no such mailbox
      C: CREATE ${"x".repeat(1000)}
      S: OK [MAILBOXID (…)] created
      `,
    );
  }));

Deno.test("commands before login that are wrong, 20 in a row, end the connection; others go on", async () => {
  const server = await startServer();
  try {
    const c = await server.client({ loggedIn: false });
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 19; i++) assert.match(await c.done("GET / HTTP/1.1"), /^BAD /);
      assert.match(await c.done("NOOP"), /^OK/);
    }
    for (let i = 0; i < 19; i++) assert.match(await c.done("Host: x"), /^BAD /);
    assert.match(await c.done("Host: x"), /^BAD /);
    assert.equal(await c.line(), "* BYE [CLIENTBUG] too many commands that are wrong");
    assert.equal(await c.line(), "");
  } finally {
    await server.stop();
  }
});
