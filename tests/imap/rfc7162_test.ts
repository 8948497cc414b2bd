/** CONDSTORE and QRESYNC (RFC 7162), as transcripts. */
import assert from "node:assert/strict";
import { type Client, message, startServer, type TestServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

async function many(c: Client, n: number): Promise<void> {
  for (let i = 1; i <= n; i++) await c.append("INBOX", message(`m${i}`));
}

/** UIDVALIDITY and HIGHESTMODSEQ of INBOX. */
function stateOf(s: TestServer): { validity: number; h: number } {
  const m = s.account.mailboxByName("Inbox")!;
  return { validity: m.uidValidity, h: m.modseq };
}

Deno.test("§3.1.2 each way to switch CONDSTORE on tells the HIGHESTMODSEQ, once", async () => {
  const server = await startServer();
  try {
    await (await server.client()).append("INBOX", message("m1"));
    const { h } = stateOf(server);
    const told = `* OK [HIGHESTMODSEQ ${h}] now`;
    for (
      const [command, answer] of [
        ["ENABLE CONDSTORE", "* ENABLED CONDSTORE"],
        ["STATUS INBOX (HIGHESTMODSEQ)", `* STATUS INBOX (HIGHESTMODSEQ ${h})`],
        ["FETCH 1 (MODSEQ)", `* 1 FETCH (MODSEQ (${h}))`],
        [`FETCH 1 FLAGS (CHANGEDSINCE ${h - 1})`, `* 1 FETCH (MODSEQ (${h}) FLAGS ())`],
        [`SEARCH MODSEQ ${h}`, `* SEARCH 1 (MODSEQ ${h})`],
        ["STORE 1 (UNCHANGEDSINCE 1) +FLAGS.SILENT (\\Seen)", ""],
        ['LIST "" INBOX RETURN (STATUS (HIGHESTMODSEQ))', '* LIST (\\HasNoChildren) "/" INBOX'],
      ]
    ) {
      const c = await server.client();
      await c.ok("SELECT INBOX");
      const lines = await c.ok(command);
      assert.equal(lines[0], told, command);
      if (answer !== "") assert.equal(lines[1], answer, command);
      assert.ok(!(await c.ok(command)).includes(told), command);
      c.close();
    }
    const c = await server.client();
    const lines = await c.ok("SELECT INBOX (CONDSTORE)");
    assert.ok(lines.includes(`* OK [HIGHESTMODSEQ ${h}] highest`));
    assert.deepEqual(await c.ok("FETCH 1 FLAGS"), [`* 1 FETCH (MODSEQ (${h}) FLAGS ())`]);
  } finally {
    await server.stop();
  }
});

Deno.test("§3.1.3 STORE with UNCHANGEDSINCE: changes those that can be, and names those that were changed", () =>
  withClient(async (c, server) => {
    await many(c, 3);
    await c.ok("SELECT INBOX (CONDSTORE)");
    const { h } = stateOf(server);
    await talk(
      c,
      `
      C: STORE 1 +FLAGS (\\Seen)
      S: * 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (${h + 1}))
      S: OK done
      C: STORE 1,2 (UNCHANGEDSINCE ${h}) +FLAGS.SILENT (\\Flagged)
      S: * 2 FETCH (UID 2 MODSEQ (${h + 2}))
      S: * 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (${h + 1}))
      S: OK [MODIFIED 1] some messages were changed before
      C: UID STORE 1:3 (UNCHANGEDSINCE ${h}) -FLAGS (\\Answered)
      S: * 3 FETCH (UID 3 FLAGS () MODSEQ (…))
      S: * 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (${h + 1}))
      S: * 2 FETCH (UID 2 FLAGS (\\Flagged) MODSEQ (${h + 2}))
      S: OK [MODIFIED 1:2] some messages were changed before
      C: STORE 3 (UNCHANGEDSINCE 0) +FLAGS.SILENT (\\Deleted)
      S: * 3 FETCH (UID 3 FLAGS () MODSEQ (…))
      S: OK [MODIFIED 3] some messages were changed before
      C: STORE 1 +FLAGS.SILENT (\\Seen)
      S: * 1 FETCH (UID 1 MODSEQ (${h + 1}))
      S: OK done
      C: STORE 1 (UNCHANGEDSINCE) +FLAGS (\\Seen)
      S: BAD …
      C: STORE 1 (SINCE 1) +FLAGS (\\Seen)
      S: BAD …expected UNCHANGEDSINCE
      `,
    );
  }));

Deno.test("§3.1.4 a FETCH of bodies with CHANGEDSINCE marks none as seen that wasn't changed", () =>
  withClient(async (c, server) => {
    await many(c, 3);
    await c.ok("SELECT INBOX (CONDSTORE)");
    const { h } = stateOf(server);
    await c.ok("STORE 2 +FLAGS.SILENT (\\Flagged)");
    await talk(
      c,
      `
      C: FETCH 1:* (BODY[]<0.1>) (CHANGEDSINCE ${h + 1})
      S: OK done
      C: SEARCH SEEN
      S: * SEARCH
      S: OK done
      C: UID FETCH 1,3 (BODY[]<0.1>) (CHANGEDSINCE ${h})
      S: OK done
      C: SEARCH SEEN
      S: * SEARCH
      S: OK done
      `,
    );
    await c.ok(`FETCH 1:* (BODY[]<0.1>) (CHANGEDSINCE ${h})`);
    await talk(c, "C: SEARCH SEEN\nS: * SEARCH 2\nS: OK done\n");
  }));

Deno.test("§3.1.4-3.1.5 FETCH CHANGEDSINCE and the MODSEQ item, SEARCH MODSEQ", () =>
  withClient(async (c, server) => {
    await many(c, 3);
    await c.ok("SELECT INBOX (CONDSTORE)");
    const { h } = stateOf(server);
    await c.ok("STORE 2 +FLAGS.SILENT (\\Flagged)");
    await talk(
      c,
      `
      C: FETCH 1:* (FLAGS) (CHANGEDSINCE ${h})
      S: * 2 FETCH (MODSEQ (${h + 1}) FLAGS (\\Flagged))
      S: OK done
      C: UID FETCH 1:* (UID) (CHANGEDSINCE ${h + 1})
      S: OK done
      C: FETCH 1:3 (MODSEQ)
      S: * 1 FETCH (MODSEQ (${h - 2}))
      S: * 2 FETCH (MODSEQ (${h + 1}))
      S: * 3 FETCH (MODSEQ (${h}))
      S: OK done
      C: SEARCH MODSEQ ${h}
      S: * SEARCH 2 3 (MODSEQ ${h + 1})
      S: OK done
      C: SEARCH MODSEQ "/flags/\\\\draft" all ${h + 1}
      S: * SEARCH 2 (MODSEQ ${h + 1})
      S: OK done
      C: SEARCH OR NOT MODSEQ ${h} LARGER 50000
      S: * SEARCH 1 (MODSEQ ${h - 2})
      S: OK done
      C: SEARCH MODSEQ ${h + 2}
      S: * SEARCH
      S: OK done
      C: SORT (SUBJECT) UTF-8 MODSEQ ${h}
      S: * SORT 2 3 (MODSEQ ${h + 1})
      S: OK done
      C: SEARCH MODSEQ "/other" all 1
      S: BAD …
      C: SEARCH MODSEQ 18446744073709551616
      S: BAD …
      `,
    );
  }));

Deno.test("§3.1.9-3.1.11 each change of others tells its modseq; one that changes nothing has none", () =>
  withClient(async (c, server) => {
    await many(c, 2);
    const other = await server.client();
    await c.ok("SELECT INBOX (CONDSTORE)");
    await other.ok("SELECT INBOX");
    const { h } = stateOf(server);
    await other.ok("STORE 1:2 +FLAGS.SILENT (\\Seen)");
    await talk(
      c,
      `
      C: NOOP
      S: * 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (${h + 1}))
      S: * 2 FETCH (UID 2 FLAGS (\\Seen) MODSEQ (${h + 1}))
      S: OK done
      `,
    );
    await other.ok("STORE 1:2 +FLAGS.SILENT (\\Seen)");
    await talk(c, "C: NOOP\nS: OK done");
    // Marked by reading.
    await c.ok("STORE 1 -FLAGS.SILENT (\\Seen)");
    await talk(
      c,
      `
      C: FETCH 1 BODY[TEXT]
      S: * 1 FETCH (MODSEQ (${h + 3}) FLAGS (\\Seen) BODY[TEXT] {7}…)
      S: OK done
      `,
    );
  }));

Deno.test("§3.2.5 SELECT with QRESYNC tells what is gone and what was changed", () =>
  withClient(async (c, server) => {
    await many(c, 6);
    await c.ok("SELECT INBOX");
    const { validity, h } = stateOf(server);
    await c.ok("STORE 2,6 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    await c.ok("STORE 1 +FLAGS.SILENT (\\Seen)");
    const d = await server.client();
    await talk(d, `C: SELECT INBOX (QRESYNC (${validity} ${h}))\nS: BAD ENABLE QRESYNC first`);
    await d.ok("ENABLE QRESYNC");
    const resync = async (args: string) => {
      const lines = await d.ok(`SELECT INBOX (QRESYNC (${args}))`);
      return lines.filter((l) => /VANISHED|FETCH/.test(l));
    };
    const seen = /^\* 1 FETCH \(UID 1 FLAGS \(\\Seen\) MODSEQ \(\d+\)\)$/;
    // The last one of the mailbox is gone too: nothing but VANISHED tells of it.
    for (const args of [`${validity} ${h}`, `${validity} ${h} 1:6`, `${validity} ${h} (1 1)`]) {
      const [vanished, fetch, ...more] = await resync(args);
      assert.equal(vanished, "* VANISHED (EARLIER) 2,6", args);
      assert.match(fetch, seen);
      assert.deepEqual(more, []);
    }
    assert.deepEqual(await resync(`${validity} ${h} 3:5`), []);
    assert.deepEqual(await resync(`${validity} ${h} 3:6`), ["* VANISHED (EARLIER) 6"]);
    assert.deepEqual(await resync(`${validity} ${h + 9} 1:6`), []);
    // §3.2.5.1: another uidvalidity tells nothing.
    assert.deepEqual(await resync(`${validity + 1} ${h} 1:6`), []);
    // §3.2.5.2: numbers that agree show that nothing before them is gone; here from 2 on they don't.
    const [vanished] = await resync(`${validity} ${h} 1:6 (1,3 1,3)`);
    assert.equal(vanished, "* VANISHED (EARLIER) 2,6");
    await talk(
      d,
      `
      C: SELECT INBOX (QRESYNC (0 1))
      S: BAD …
      C: SELECT INBOX (QRESYNC (${validity}))
      S: BAD …
      C: SELECT INBOX (QRESYNC (${validity} ${h} 1:6 (1)))
      S: BAD …
      C: SELECT INBOX (QRESYNC ${validity} ${h})
      S: BAD …
      `,
    );
    // CLOSED comes before what belongs to the new mailbox.
    const lines = await d.ok(`SELECT INBOX (QRESYNC (${validity} ${h}))`);
    assert.equal(lines[0], "* OK [CLOSED] mailbox closed");
  }));

Deno.test("§3.2.6 UID FETCH with VANISHED, of the set that is asked for", () =>
  withClient(async (c, server) => {
    await many(c, 5);
    await c.ok("SELECT INBOX");
    const { h } = stateOf(server);
    await talk(
      c,
      `
      C: UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${h} VANISHED)
      S: BAD VANISHED needs UID FETCH, CHANGEDSINCE and ENABLE QRESYNC
      `,
    );
    await c.ok("ENABLE QRESYNC");
    await c.ok("STORE 2,5 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    await talk(
      c,
      `
      C: UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${h} VANISHED)
      S: * VANISHED (EARLIER) 2,5
      S: OK done
      C: UID FETCH 1:4 (FLAGS) (CHANGEDSINCE ${h} VANISHED)
      S: * VANISHED (EARLIER) 2
      S: OK done
      C: UID FETCH 3:4 (FLAGS) (VANISHED CHANGEDSINCE ${h})
      S: OK done
      C: UID FETCH 1:* (FLAGS) (VANISHED)
      S: BAD VANISHED needs UID FETCH, CHANGEDSINCE and ENABLE QRESYNC
      C: FETCH 1:* (FLAGS) (CHANGEDSINCE 1 VANISHED)
      S: BAD VANISHED needs UID FETCH, CHANGEDSINCE and ENABLE QRESYNC
      `,
    );
  }));

Deno.test("§3.2.7-3.2.10 EXPUNGE, UID EXPUNGE and CLOSE tell the modseq, and all sessions VANISHED", () =>
  withClient(async (c, server) => {
    await many(c, 5);
    const other = await server.client();
    await c.ok("ENABLE QRESYNC");
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    const { h } = stateOf(server);
    await c.ok("STORE 1:4 +FLAGS.SILENT (\\Deleted)");
    await talk(
      c,
      `
      C: UID EXPUNGE 1
      S: * VANISHED 1
      S: OK [HIGHESTMODSEQ ${h + 2}] expunged
      C: EXPUNGE
      S: * VANISHED 2:4
      S: OK [HIGHESTMODSEQ ${h + 3}] expunged
      C: EXPUNGE
      S: OK done
      `,
    );
    await other.ok("NOOP");
    await other.append("INBOX", message("m6"));
    await other.ok("MOVE 1 Archive");
    await talk(c, "C: NOOP\nS: * 2 EXISTS\nS: * VANISHED 5\nS: OK done");
    await c.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    await talk(c, "C: CLOSE\nS: OK [HIGHESTMODSEQ …] closed");
  }));
