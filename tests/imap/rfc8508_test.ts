/** REPLACE (RFC 8508), as transcripts. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

const lit = (text: string) => `{${text.length}+}\r\n${text}`;

Deno.test("§3 the new message comes, then the old one goes", () =>
  withClient(async (c) => {
    for (const n of [1, 2, 3]) await c.append("Drafts", message(`m${n}`), "(\\Draft) ");
    await c.ok("SELECT Drafts");
    const text = message("better");
    c.send(`a REPLACE 2 Drafts (\\Seen \\Draft) "08-Feb-1994 08:00:00 +0000" {${text.length}}\r\n`);
    assert.equal(await c.line(), "+ send it");
    c.send(`${text}\r\n`);
    const lines = await c.answer("a");
    assert.match(lines[0], /^\* OK \[APPENDUID \d+ 4\] replacement is there$/);
    assert.deepEqual(lines.slice(1), ["* 4 EXISTS", "* 2 EXPUNGE", "OK replaced"]);
    await talk(
      c,
      `
      C: FETCH 3 (UID FLAGS INTERNALDATE)
      S: * 3 FETCH (UID 4 FLAGS (\\Seen \\Draft) INTERNALDATE "08-Feb-1994 08:00:00 +0000")
      S: OK done
      C: UID REPLACE 4 Archive (\\Seen) ${
        lit(text).replace("\r\n", "\\r\\n").replaceAll("\r\n", "\\r\\n")
      }
      S: * OK [APPENDUID … 1] replacement is there
      S: * 3 EXPUNGE
      S: OK replaced
      C: UID SEARCH ALL
      S: * SEARCH 1 3
      S: OK done
      `,
    );
    await c.ok("ENABLE QRESYNC");
    assert.equal((await c.run(`UID REPLACE 3 INBOX ${lit(text)}`))[1], "* VANISHED 3");
  }));

Deno.test("§3.3 what can't be done leaves the old message, and is told before the new one is sent", async () => {
  const server = await startServer({ maxMessageSize: 400, quota: 600, others: ["fred"] });
  try {
    const c = await server.client();
    await c.append("INBOX", message("one"));
    await talk(c, "C: REPLACE 1 INBOX {5}\nS: BAD REPLACE: select a mailbox first");
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: REPLACE 9 INBOX {5}
      S: BAD there are only 1 messages
      C: UID REPLACE 9 INBOX {5}
      S: NO [NONEXISTENT] no such message
      C: REPLACE 1 nosuch {5}
      S: NO [TRYCREATE] no such mailbox
      C: REPLACE 1 INBOX {401}
      S: NO [TOOBIG] message is larger than 400 bytes
      C: REPLACE 1:2 INBOX {5}
      S: BAD …expected one number
      C: REPLACE $ INBOX {5}
      S: BAD …
      C: REPLACE 1 INBOX (\\Seen)
      S: BAD …
      C: REPLACE 1 "Other Users/fred/INBOX" {5}
      S: NO [NONEXISTENT] no such mailbox
      `,
    );
    const half = message("half", "x".repeat(200));
    await c.append("Archive", half);
    assert.match(await c.done(`REPLACE 1 INBOX ${lit(half)}`), /^NO \[OVERQUOTA\] /);
    // Two messages in one REPLACE are one too many.
    assert.match(await c.done(`REPLACE 1 INBOX ${lit("a: b\r\n")} ${lit("a: b\r\n")}`), /^BAD /);
    await talk(c, "C: UID SEARCH ALL\nS: * SEARCH 1\nS: OK done");
    await c.ok("EXAMINE INBOX");
    await talk(c, "C: REPLACE 1 INBOX {5}\nS: NO [READ-ONLY] mailbox is selected read-only");
    const fred = await server.client({ as: "fred" });
    await c.ok("SETACL INBOX fred lrit");
    await fred.ok('SELECT "Other Users/mjl/INBOX"');
    await talk(
      fred,
      "C: REPLACE 1 INBOX {5}\nS: NO [NOPERM] you have no right to expunge messages (e)",
    );
  } finally {
    await server.stop();
  }
});

Deno.test("§3.5 with CATENATE a draft is replaced by parts of itself", () =>
  withClient(async (c) => {
    await c.append("INBOX", message("one", "the body\r\n"));
    await c.ok("SELECT INBOX");
    const lines = await c.run(
      `REPLACE 1 INBOX CATENATE (TEXT ${lit("Subject: new\r\n\r\n")} URL ";UID=1/;SECTION=TEXT")`,
    );
    assert.match(lines[0], /APPENDUID \d+ 2/);
    assert.deepEqual(lines.slice(1), ["* 2 EXISTS", "* 1 EXPUNGE", "OK replaced"]);
    assert.deepEqual(await c.ok("FETCH 1 BODY.PEEK[]"), [
      "* 1 FETCH (BODY[] {26}\r\nSubject: new\r\n\r\nthe body\r\n)",
    ]);
  }));
