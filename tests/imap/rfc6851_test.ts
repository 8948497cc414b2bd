/** MOVE (RFC 6851), as transcripts. */
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§3 messages go to the other mailbox and are gone from this one, with COPYUID before", async () => {
  const server = await startServer();
  try {
    const c = await server.client();
    const other = await server.client();
    for (const n of [1, 2, 3, 4, 5]) await c.append("INBOX", message(`m${n}`), "(\\Seen $Work) ");
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: UID MOVE 2:3 foo
      S: NO [TRYCREATE] no such mailbox
      C: MOVE 2:3 Archive
      S: * OK [COPYUID … 2:3 1:2] moved
      S: * 2 EXPUNGE
      S: * 2 EXPUNGE
      S: OK done
      C: UID MOVE 1 Archive
      S: * OK [COPYUID … 1 3] moved
      S: * 1 EXPUNGE
      S: OK done
      C: UID MOVE 99 Archive
      S: OK done
      C: MOVE 3 Archive
      S: BAD there are only 2 messages
      C: MOVE 1
      S: BAD …
      `,
    );
    await talk(
      other,
      `
      C: NOOP
      S: * 1 EXPUNGE
      S: * 1 EXPUNGE
      S: * 1 EXPUNGE
      S: OK done
      `,
    );
    await c.ok("EXAMINE Archive");
    await talk(
      c,
      `
      C: FETCH 1:* (UID FLAGS)
      S: * 1 FETCH (UID 1 FLAGS (\\Seen $Work))
      S: * 2 FETCH (UID 2 FLAGS (\\Seen $Work))
      S: * 3 FETCH (UID 3 FLAGS (\\Seen $Work))
      S: OK done
      C: MOVE 1 INBOX
      S: NO [READ-ONLY] mailbox is selected read-only
      `,
    );
    // Within one mailbox messages get new uids.
    await c.ok("SELECT Archive");
    await talk(
      c,
      `
      C: MOVE 1 Archive
      S: * OK [COPYUID … 1 4] moved
      S: * 4 EXISTS
      S: * 1 EXPUNGE
      S: OK done
      `,
    );
  } finally {
    await server.stop();
  }
});

Deno.test("§4.3 with QRESYNC: VANISHED in place of EXPUNGE, and HIGHESTMODSEQ at the end", async () => {
  const server = await startServer();
  try {
    const c = await server.client();
    for (const n of [1, 2, 3]) await c.append("INBOX", message(`m${n}`));
    await c.ok("ENABLE QRESYNC");
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: MOVE 1,3 Archive
      S: * OK [COPYUID … 1,3 1:2] moved
      S: * VANISHED 1,3
      S: OK [HIGHESTMODSEQ …] moved
      `,
    );
  } finally {
    await server.stop();
  }
});

Deno.test("§3.3 all or none: over quota in another account nothing is moved", async () => {
  const server = await startServer({ others: ["fred"], quota: 500 });
  try {
    const c = await server.client();
    const fred = await server.client({ as: "fred" });
    await fred.ok("SETACL INBOX mjl lri");
    await fred.append("INBOX", message("fills", "x".repeat(250)));
    await c.append("INBOX", message("one"));
    await c.append("INBOX", message("two"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: MOVE 1:2 "Other Users/fred/INBOX"
      S: NO [OVERQUOTA] …
      C: UID SEARCH ALL
      S: * SEARCH 1 2
      S: OK done
      C: STATUS "Other Users/fred/INBOX" (MESSAGES)
      S: * STATUS "Other Users/fred/Inbox" (MESSAGES 1)
      S: OK done
      `,
    );
  } finally {
    await server.stop();
  }
});
