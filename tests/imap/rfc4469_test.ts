/** CATENATE (RFC 4469), as transcripts. */
import assert from "node:assert/strict";
import { type Client, message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

const lit = (text: string) => `{${text.length}+}\r\n${text}`;
const validity = async (c: Client, name: string) =>
  /UIDVALIDITY (\d+)/.exec((await c.ok(`STATUS ${name} (UIDVALIDITY)`))[0])![1];

const draft = [
  "Return-Path: <bar@example.org>",
  "From: Bob Ar <bar@example.org>",
  "MIME-Version: 1.0",
  "To: foo@example.net",
  "Subject: About our holiday trip",
  "Content-Type: multipart/mixed; boundary=outer",
  "",
  "--outer",
  "Content-Type: text/plain",
  "",
  "Our travel agent has sent the updated schedule.",
  "--outer",
  "Content-Type: text/plain; name=schedule",
  "Content-Disposition: attachment",
  "",
  "Day 1: arrive",
  "--outer--",
  "",
].join("\r\n");

Deno.test("§5 a message with one part of another replaced, and with its attachment forwarded", () =>
  withClient(async (c) => {
    await c.append("Drafts", draft);
    const id = await validity(c, "Drafts");
    const url = (section: string) => `URL "/Drafts;UIDVALIDITY=${id}/;UID=1/;SECTION=${section}"`;
    const text = "Content-Type: text/plain\r\n\r\nNew text\r\n";
    assert.match(
      await c.done(
        `APPEND Drafts (\\Seen \\Draft) CATENATE (${url("HEADER")} TEXT ${lit("--outer\r\n")} ` +
          `TEXT ${lit(text)} TEXT ${lit("--outer\r\n")} ${url("2.MIME")} ${url("2")} ` +
          `TEXT ${lit("\r\n--outer--\r\n")})`,
      ),
      /^OK \[APPENDUID \d+ 2\] appended$/,
    );
    await c.ok("SELECT Drafts");
    const whole = draft.replace("Our travel agent has sent the updated schedule.", "New text");
    await talk(
      c,
      `
      C: FETCH 2 (FLAGS RFC822.SIZE BODY.PEEK[1] BODY.PEEK[2])
      S: * 2 FETCH (FLAGS (\\Seen \\Draft) RFC822.SIZE ${whole.length} BODY[1] {8}…New text BODY[2] {13}…Day 1: arrive)
      S: OK done
      `,
    );
    assert.deepEqual(await c.ok("FETCH 2 BODY.PEEK[]"), [
      `* 2 FETCH (BODY[] {${whole.length}}\r\n${whole})`,
    ]);
  }));

Deno.test("a whole message, bytes of one, and relative to the mailbox that is selected", () =>
  withClient(async (c) => {
    const body = "the body\r\n";
    await c.append("INBOX", message("one", body));
    const id = await validity(c, "INBOX");
    await c.ok("SELECT INBOX");
    for (
      const [args, want] of [
        [`URL "/INBOX/;UID=1/;SECTION=TEXT"`, body],
        [`URL ";UID=1/;SECTION=TEXT/;PARTIAL=4.4" TEXT ${lit("\r\n")}`, "body\r\n"],
        [`URL "/inbox;UIDVALIDITY=${id}/;uid=1/;section=TEXT/;partial=4"`, "body\r\n"],
        [`URL "/INBOX/;UID=1"`, message("one", body)],
        [`URL "/INBOX/;UID=1/;SECTION=HEADER.FIELDS%20(SUBJECT)"`, "Subject: one\r\n\r\n"],
      ] as const
    ) {
      const uid = /APPENDUID \d+ (\d+)/.exec(await c.done(`APPEND INBOX CATENATE (${args})`))?.[1];
      assert.ok(uid, args);
      const lines = await c.ok(`UID FETCH ${uid} BODY.PEEK[]`);
      assert.ok(lines.at(-1)!.endsWith(`BODY[] {${want.length}}\r\n${want})`), lines.at(-1));
    }
  }));

Deno.test("§4 and §6 what names nothing is BADURL, what is too large TOOBIG, and nothing is left", async () => {
  const server = await startServer({ maxMessageSize: 400, others: ["fred"] });
  try {
    const c = await server.client();
    const fred = await server.client({ as: "fred" });
    await fred.append("INBOX", message("private"));
    await c.append("INBOX", message("one"));
    await talk(
      c,
      `
      C: APPEND INBOX CATENATE (URL "/INBOX/;UID=99")
      S: NO [BADURL "/INBOX/;UID=99"] URL names nothing here
      C: APPEND INBOX CATENATE (URL "/nosuch/;UID=1")
      S: NO [BADURL "/nosuch/;UID=1"] URL names nothing here
      C: APPEND INBOX CATENATE (URL "/INBOX;UIDVALIDITY=1/;UID=1")
      S: NO [BADURL "/INBOX;UIDVALIDITY=1/;UID=1"] URL names nothing here
      C: APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;SECTION=7")
      S: NO [BADURL "/INBOX/;UID=1/;SECTION=7"] URL names nothing here
      C: APPEND INBOX CATENATE (URL "/Other%20Users/fred/INBOX/;UID=1")
      S: NO [BADURL "/Other%20Users/fred/INBOX/;UID=1"] URL names nothing here
      C: APPEND INBOX CATENATE (URL "imap://elsewhere.example/INBOX/;UID=1")
      S: NO [BADURL "imap://elsewhere.example/INBOX/;UID=1"] URL names nothing here
      C: APPEND INBOX CATENATE (URL ";UID=1")
      S: NO [BADURL ";UID=1"] URL names nothing here
      C: APPEND INBOX CATENATE (URL "/INBOX/;UID=1" URL "/INBOX/;UID=1" URL "/INBOX/;UID=1")
      S: NO [TOOBIG] message is larger than 400 bytes
      C: APPEND INBOX CATENATE (TEXT {401}
      S: NO [TOOBIG] message is larger than 400 bytes
      C: APPEND INBOX CATENATE (TEXT {0+}\\r\\n)
      S: NO [CANNOT] message is empty
      C: APPEND INBOX CATENATE (FOO)
      S: BAD …expected URL or TEXT
      C: APPEND INBOX CATENATE ()
      S: BAD …expected URL or TEXT
      C: APPEND nosuch CATENATE (TEXT {1}
      S: NO [TRYCREATE] no such mailbox
      C: STATUS INBOX (MESSAGES)
      S: * STATUS INBOX (MESSAGES 1)
      S: OK done
      `,
    );
  } finally {
    await server.stop();
  }
});

Deno.test("together with MULTIAPPEND: plain and catenated messages in one command", () =>
  withClient(async (c) => {
    const one = message("one");
    await c.append("INBOX", one);
    assert.match(
      await c.done(
        `APPEND INBOX ${lit(one)} (\\Flagged) CATENATE (URL "/INBOX/;UID=1") CATENATE (TEXT ${
          lit(one)
        })`,
      ),
      /^OK \[APPENDUID \d+ 2:4\] appended$/,
    );
    await c.ok("SELECT INBOX");
    await talk(c, "C: SEARCH FLAGGED\nS: * SEARCH 3\nS: OK done");
  }));
