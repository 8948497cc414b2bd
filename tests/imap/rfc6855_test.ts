/** UTF8=ACCEPT (RFC 6855), as transcripts. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

/** UTF-8 as the test client sends and receives it. */
const bytes = (s: string) => String.fromCharCode(...new TextEncoder().encode(s));

Deno.test("§3 names are UTF-8 after ENABLE, and modified UTF-7 before", () =>
  withClient(async (c, server) => {
    const old = await server.client();
    await talk(
      c,
      bytes(`
      C: ENABLE UTF8=ACCEPT
      S: * ENABLED UTF8=ACCEPT
      S: OK done
      C: CREATE "Entwürfe"
      S: OK [MAILBOXID (…)] created
      C: LIST "" "Entw*"
      S: * LIST (\\HasNoChildren) "/" "Entwürfe"
      S: OK done
      C: CREATE "日本語/&"
      S: * LIST (\\Subscribed) "/" "日本語"
      S: OK [MAILBOXID (…)] created
      C: STATUS "日本語/&" (MESSAGES)
      S: * STATUS "日本語/&" (MESSAGES 0)
      S: OK done
      `).replaceAll(bytes("…"), "…"),
    );
    await talk(
      old,
      `
      C: LIST "" "Entw*"
      S: * LIST (\\HasNoChildren) "/" Entw&APw-rfe
      S: OK done
      C: LIST "" "&ZeVnLIqe-/%"
      S: * LIST (\\HasNoChildren) "/" &ZeVnLIqe-/&-
      S: OK done
      `,
    );
  }));

Deno.test("§3 names are normalised: composed and decomposed ones are the same mailbox", () =>
  withClient(async (c) => {
    await c.ok("ENABLE UTF8=ACCEPT");
    const decomposed = "cafe\u0301";
    await talk(
      c,
      bytes(`
      C: CREATE "${decomposed}"
      S: * LIST (\\Subscribed) "/" "café" ("OLDNAME" ("${decomposed}"))
      S: OK [MAILBOXID (…)] created
      C: CREATE "café"
      S: NO [ALREADYEXISTS] mailbox café exists already
      C: STATUS "${decomposed}" (MESSAGES)
      S: * STATUS "café" (MESSAGES 0)
      S: OK done
      `).replaceAll(bytes("…"), "…"),
    );
  }));

Deno.test("§4 APPEND of a message with UTF-8 in its header, with the UTF8 item", () =>
  withClient(async (c) => {
    const text = bytes(message("Grüße"));
    const send = (of: string) => c.done(`APPEND INBOX ${of}`);
    assert.equal(
      await send(`UTF8 (~{${text.length}+}\r\n${text})`),
      "BAD ENABLE UTF8=ACCEPT first",
    );
    await c.ok("ENABLE UTF8=ACCEPT");
    assert.match(
      await send(`(\\Seen) UTF8 (~{${text.length}+}\r\n${text})`),
      /^OK \[APPENDUID \d+ 1\] appended$/,
    );
    assert.match(await send(`UTF8 ({${text.length}+}\r\n${text})`), /^BAD .*expected literal8/);
    await c.ok("SELECT INBOX");
    await talk(
      c,
      bytes(`
      C: FETCH 1 (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])
      S: * 1 FETCH (FLAGS (\\Seen) BODY[HEADER.FIELDS (SUBJECT)] {20}…Subject: Grüße…)
      S: OK done
      C: SEARCH SUBJECT "GRÜSSE"
      S: * SEARCH 1
      S: OK done
      `).replaceAll(bytes("…"), "…"),
    );
  }));

Deno.test("§3 a SEARCH names no charset any more", () =>
  withClient(async (c) => {
    await c.append("INBOX", message("one"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: SEARCH CHARSET UTF-8 SUBJECT one
      S: * SEARCH 1
      S: OK done
      C: ENABLE UTF8=ACCEPT
      S: * ENABLED UTF8=ACCEPT
      S: OK done
      C: SEARCH CHARSET UTF-8 SUBJECT one
      S: BAD no CHARSET after ENABLE UTF8=ACCEPT
      C: ESEARCH IN (selected) CHARSET UTF-8 SUBJECT one
      S: BAD no CHARSET after ENABLE UTF8=ACCEPT
      C: SEARCH SUBJECT one
      S: * SEARCH 1
      S: OK done
      `,
    );
  }));

Deno.test("§5 LOGIN and AUTHENTICATE take names and passwords in UTF-8", async () => {
  const server = await startServer();
  try {
    await server.account.credentials.setPassword("pässwörd für mjl");
    const c = await server.client({ loggedIn: false });
    const plain = btoa(bytes("\0mjl@mox.example\0pässwörd für mjl"));
    await talk(c, `C: AUTHENTICATE PLAIN ${plain}\nS: OK [CAPABILITY …] logged in`);
    const d = await server.client({ loggedIn: false });
    assert.match(await d.done(bytes('LOGIN mjl@mox.example "pässwörd für mjl"')), /^OK /);
  } finally {
    await server.stop();
  }
});
