/** The quirks of docs/imap-clients.md, one test each. */
import assert from "node:assert/strict";
import { type Client, message, startServer, type TestServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

function quirk(
  name: string,
  fn: (c: Client, s: TestServer) => Promise<void>,
  o: Parameters<typeof startServer>[0] = {},
): void {
  Deno.test(name, async () => {
    const s = await startServer(o);
    try {
      await fn(await s.client(), s);
    } finally {
      await s.stop();
    }
  });
}

quirk(
  "Thunderbird: what was announced during UID FETCH is announced again in IDLE",
  async (c, s) => {
    const other = await s.client();
    await other.append("INBOX", message("one"));
    await c.ok("SELECT INBOX");
    await other.append("INBOX", message("two"));
    assert.ok((await c.ok("UID FETCH 1 FLAGS")).includes("* 2 EXISTS"));
    c.send("i IDLE\r\n");
    assert.match(await c.line(), /^\+ /);
    assert.equal(await c.line(), "* 2 EXISTS");
    c.send("DONE\r\n");
    assert.deepEqual(await c.answer("i"), ["OK done"]);
  },
);

quirk("Thunderbird and Apple Mail: their names of junk flags are the standard ones", async (c) => {
  await c.append("INBOX", message("one"), "(NonJunk) ");
  await c.ok("SELECT INBOX");
  await talk(
    c,
    `C: FETCH 1 FLAGS
     S: * 1 FETCH (FLAGS ($NotJunk))
     S: OK done
     C: STORE 1 FLAGS (Junk Forwarded)
     S: * 1 FETCH (FLAGS ($Forwarded $Junk))
     S: OK done
     C: SEARCH KEYWORD $Junk
     S: * SEARCH 1
     S: OK done`,
  );
});

quirk("Thunderbird: sets of 20,000 uids in one line", async (c) => {
  await c.append("INBOX", message("one"));
  await c.ok("SELECT INBOX");
  const set = Array.from({ length: 20_000 }, (_, i) => 1 + 2 * i).join(",");
  assert.deepEqual(await c.ok(`UID FETCH ${set} (UID)`), ["* 1 FETCH (UID 1)"]);
});

quirk("Apple Mail: a refused literal that was sent anyway is dropped", async (c) => {
  const big = "x".repeat(5000);
  assert.match(await c.done(`APPEND INBOX {5000+}\r\n${big}`), /^NO \[TOOBIG\]/);
  assert.match(await c.done(`APPEND nosuch {5+}\r\nA: b\n`), /^NO \[TRYCREATE\]/);
  assert.match(await c.done("NOOP"), /^OK/);
}, { maxMessageSize: 4000 });

quirk("Outlook: special uses without asking, delimiter at the end, LSUB of parents", async (c) => {
  await talk(
    c,
    `C: LIST "" "Sent"
     S: * LIST (\\HasNoChildren \\Sent) "/" Sent
     S: OK done
     C: CREATE "Projects/"
     S: OK [MAILBOXID (M…)] created
     C: CREATE "Projects/x"
     S: OK [MAILBOXID (M…)] created
     C: UNSUBSCRIBE Projects
     S: OK done
     C: LSUB "" "Proj%"
     S: * LSUB (\\Noselect) "/" Projects
     S: OK done`,
  );
});

quirk("mutt: header fields come back as they were written; INBOX in any case", async (c) => {
  await c.append("INBOX", message("one"));
  await c.ok("CREATE InBox/sub");
  await c.ok("SELECT InBoX");
  const fields = "DATE FROM SENDER SUBJECT TO CC MESSAGE-ID REFERENCES X-LABEL";
  const [line] = await c.ok(
    `FETCH 1 (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (${fields})])`,
  );
  assert.ok(line.includes(`BODY[HEADER.FIELDS (${fields})] {`), line);
  await talk(
    c,
    `C: STATUS iNBOX/sub (MESSAGES)
     S: * STATUS INBOX/sub (MESSAGES 0)
     S: OK done
     C: LIST "" "inbox/%"
     S: * LIST (\\HasNoChildren) "/" INBOX/sub
     S: OK done`,
  );
});

Deno.test("clients of IMAP4rev1 see message/global as any other part, others what is in it", () =>
  withClient(async (c) => {
    await c.append(
      "INBOX",
      "Content-Type: multipart/mixed; boundary=abc\r\n\r\n--abc\r\nContent-Type: message/global\r\n\r\n" +
        "Subject: inner (\r\n\r\ninner\r\n--abc\r\nContent-Type: text/plain\r\n\r\nx\r\n--abc--\r\n",
    );
    await c.ok("SELECT INBOX");
    const [before] = await c.run("FETCH 1 (BODY BODYSTRUCTURE)");
    assert.match(before, /BODY \(\("MESSAGE" "GLOBAL" NIL NIL NIL "7BIT" \d+\)\("TEXT" "PLAIN"/);
    assert.match(
      before,
      /BODYSTRUCTURE \(\("MESSAGE" "GLOBAL" NIL NIL NIL "7BIT" \d+ NIL NIL NIL NIL\)/,
    );
    await c.ok("ENABLE IMAP4rev2");
    assert.match(
      (await c.run("FETCH 1 BODY"))[0],
      /"GLOBAL" NIL NIL NIL "7BIT" \d+ \(NIL "inner \("/,
    );
  }));

Deno.test("NUL is never in a plain literal: it is stored as it came, and sent in literal8 where that is known", () =>
  withClient(async (c) => {
    await c.ok("APPEND INBOX ~{17+}\r\nSubject: x\r\n\r\na\0b");
    await c.ok("SELECT INBOX");
    assert.match(
      (await c.run("FETCH 1 BODY.PEEK[]"))[0],
      /BODY\[\] \{17\}\r\nSubject: x\r\n\r\na[^\0]b\)/,
    );
    assert.match((await c.run("FETCH 1 BINARY.PEEK[1]"))[0], /BINARY\[1\] ~\{3\}\r\na\0b\)/);
    await c.ok("ENABLE IMAP4rev2");
    assert.match(
      (await c.run("FETCH 1 BODY.PEEK[]"))[0],
      /BODY\[\] ~\{17\}\r\nSubject: x\r\n\r\na\0b\)/,
    );
  }));
