/** Response codes (RFC 5530), as transcripts: each that the server uses, where a client meets it. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§3 codes of refused commands", async () => {
  const server = await startServer({ quota: 600, others: ["fred"] });
  try {
    const stranger = await server.client({ loggedIn: false });
    await talk(
      stranger,
      `
      C: LOGIN mjl@mox.example wrong
      S: NO [AUTHENTICATIONFAILED] wrong user name or password
      C: AUTHENTICATE PLAIN ${btoa("fred@mox.example\0mjl@mox.example\0correct horse battery")}
      S: NO [AUTHORIZATIONFAILED] …
      `,
    );
    const c = await server.client();
    const other = await server.client();
    await c.append("INBOX", message("one"));
    await c.append("INBOX", message("two"));
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: CREATE Archive
      S: NO [ALREADYEXISTS] mailbox Archive exists already
      C: RENAME Drafts Archive
      S: NO [ALREADYEXISTS] mailbox Archive exists already
      C: DELETE nosuch
      S: NO [NONEXISTENT] no such mailbox
      C: STATUS nosuch (MESSAGES)
      S: NO [NONEXISTENT] no such mailbox
      C: DELETE INBOX
      S: NO [CANNOT] Inbox can't be removed
      C: CREATE "a//b"
      S: NO [CANNOT] bad mailbox name: has an empty level, "." or ".."
      C: CREATE "#news"
      S: NO [CANNOT] bad mailbox name: starts with "#"
      C: COPY 1:2 Archive
      S: OK [COPYUID … 1:2 1:2] copied
      C: COPY 1 nosuch
      S: NO [TRYCREATE] no such mailbox
      C: SELECT "Other Users/fred/INBOX"
      S: * OK [CLOSED] mailbox closed
      S: NO [NONEXISTENT] no such mailbox
      `,
    );
    const big = message("big", "x".repeat(500));
    assert.match(await c.done(`APPEND INBOX {${big.length}+}\r\n${big}`), /^NO \[OVERQUOTA\] /);
    await other.ok("SELECT Archive");
    await c.ok("SELECT Archive");
    await other.ok("STORE 1 +FLAGS (\\Deleted)");
    await other.ok("EXPUNGE");
    await talk(
      c,
      `
      C: FETCH 1 BODY.PEEK[]
      S: OK [EXPUNGEISSUED] some messages are gone
      C: STORE 1 +FLAGS (\\Seen)
      S: NO [EXPUNGEISSUED] the messages are gone
      `,
    );
    const fred = await server.client({ as: "fred" });
    await fred.ok("SETACL INBOX mjl lr");
    await c.ok("NOOP");
    await talk(c, 'C: CREATE "Other Users/fred/INBOX/x"\nS: NO [NOPERM] …\n');
  } finally {
    await server.stop();
  }
});

Deno.test("§3 PRIVACYREQUIRED where a password would be sent in the clear", async () => {
  const server = await startServer({ plaintextLogin: false });
  try {
    const c = await server.client({ loggedIn: false });
    await talk(
      c,
      `
      C: LOGIN mjl@mox.example "correct horse battery"
      S: NO [PRIVACYREQUIRED] switch on TLS first
      C: AUTHENTICATE PLAIN
      S: NO [PRIVACYREQUIRED] switch on TLS first
      C: AUTHENTICATE LOGIN
      S: NO [PRIVACYREQUIRED] switch on TLS first
      `,
    );
  } finally {
    await server.stop();
  }
});
