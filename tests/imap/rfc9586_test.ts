/** UIDONLY (RFC 9586), as transcripts. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§3 after ENABLE UIDONLY nothing is told or asked for by sequence number", async () => {
  const server = await startServer();
  try {
    const c = await server.client();
    const other = await server.client();
    assert.match((await c.ok("CAPABILITY"))[0], / UIDONLY(?= |$)/);
    for (const n of [1, 2, 3, 4, 5]) await c.append("INBOX", message(`m${n}`));
    await other.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: ENABLE UIDONLY
      S: * ENABLED UIDONLY
      S: OK done
      C: SELECT INBOX
      S: * FLAGS (…)
      S: * OK [PERMANENTFLAGS (…)] kept
      S: * 5 EXISTS
      S: * 0 RECENT
      S: * OK [UIDVALIDITY …] valid
      S: * OK [UIDNEXT 6] next
      S: * OK [HIGHESTMODSEQ …] highest
      S: * OK [URLMECH INTERNAL] …
      S: * OK [MAILBOXID (…)] id
      S: OK [READ-WRITE] mailbox is open
      `,
    );
    for (
      const command of [
        "FETCH 1 FLAGS",
        "STORE 1 +FLAGS (\\Seen)",
        "COPY 1 Archive",
        "MOVE 1 Archive",
        "SEARCH ALL",
        "UID SEARCH 1:3",
        "UID SEARCH OR SEEN (NOT 1)",
        "SORT (DATE) UTF-8 ALL",
        "UID SORT (DATE) UTF-8 1",
        "THREAD REFERENCES UTF-8 ALL",
        "UID THREAD REFERENCES UTF-8 1",
        "REPLACE 1 INBOX {5}",
      ]
    ) {
      assert.equal(await c.done(command), "BAD [UIDREQUIRED] use uids", command);
    }
    await talk(
      c,
      `
      C: UID FETCH 2 (UID FLAGS)
      S: * 2 UIDFETCH (FLAGS ())
      S: OK done
      C: UID FETCH 2 UID
      S: * 2 UIDFETCH (UID 2)
      S: OK done
      C: UID SEARCH RETURN (MIN MAX) UID 2:*
      S: * ESEARCH (TAG "…") UID MIN 2 MAX 5
      S: OK done
      C: UID SORT (REVERSE SUBJECT) UTF-8 UID 1:2
      S: * SORT 2 1
      S: OK done
      C: UID STORE 2 +FLAGS (\\Deleted)
      S: * 2 UIDFETCH (FLAGS (\\Deleted))
      S: OK done
      C: UID COPY 1 Archive
      S: OK [COPYUID … 1 1] copied
      C: EXPUNGE
      S: * VANISHED 2
      S: OK done
      C: UID MOVE 1 Archive
      S: * OK [COPYUID … 1 2] moved
      S: * VANISHED 1
      S: OK done
      `,
    );
    // §3.5: what others do.
    await other.ok("UID STORE 4 +FLAGS.SILENT (\\Flagged)");
    await other.ok("UID MOVE 3 Archive");
    await other.append("INBOX", message("m6"));
    await talk(
      c,
      `
      C: NOOP
      S: * 4 EXISTS
      S: * 4 UIDFETCH (FLAGS (\\Flagged))
      S: * VANISHED 3
      S: OK done
      `,
    );
  } finally {
    await server.stop();
  }
});

Deno.test("§3.6 with CONDSTORE, QRESYNC and NOTIFY", async () => {
  const server = await startServer();
  try {
    const c = await server.client();
    const other = await server.client();
    for (const n of [1, 2, 3]) await c.append("INBOX", message(`m${n}`));
    await other.ok("SELECT INBOX");
    const line = (await other.ok("STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ)")).at(-1)!;
    const [, validity, modseq] = /UIDVALIDITY (\d+) HIGHESTMODSEQ (\d+)/.exec(line)!;
    const h = Number(modseq);
    await other.ok("UID MOVE 2 Archive");
    await other.ok("UID STORE 3 +FLAGS.SILENT (\\Flagged)");
    await c.ok("ENABLE UIDONLY QRESYNC");
    await talk(
      c,
      `
      C: SELECT INBOX (QRESYNC (${validity} ${h} 1:3 (1:2 1:2)))
      S: BAD [UIDREQUIRED] use uids
      C: SELECT INBOX (QRESYNC (${validity} ${h} 1:3))
      S: * FLAGS (…)
      S: * OK [PERMANENTFLAGS (…)] kept
      S: * 2 EXISTS
      S: * 0 RECENT
      S: * OK [UIDVALIDITY ${validity}] valid
      S: * OK [UIDNEXT 4] next
      S: * OK [HIGHESTMODSEQ ${h + 2}] highest
      S: * OK [URLMECH INTERNAL] …
      S: * OK [MAILBOXID (…)] id
      S: * VANISHED (EARLIER) 2
      S: * 3 UIDFETCH (FLAGS (\\Flagged) MODSEQ (${h + 2}))
      S: OK [READ-WRITE] mailbox is open
      C: UID STORE 1,3 (UNCHANGEDSINCE ${h}) +FLAGS.SILENT (\\Seen)
      S: * 1 UIDFETCH (MODSEQ (${h + 3}))
      S: * 3 UIDFETCH (FLAGS (\\Flagged) MODSEQ (${h + 2}))
      S: OK [MODIFIED 3] some messages were changed before
      C: NOTIFY SET (SELECTED (MessageNew (FLAGS) MessageExpunge))
      S: OK done
      `,
    );
    await other.append("INBOX", message("new"));
    assert.equal(await c.line(), "* 3 EXISTS");
    assert.match(await c.line(), /^\* 4 UIDFETCH \(MODSEQ \(\d+\) FLAGS \(\)\)$/);
    await other.ok("UID MOVE 1 Archive");
    assert.equal(await c.line(), "* VANISHED 1");
  } finally {
    await server.stop();
  }
});
