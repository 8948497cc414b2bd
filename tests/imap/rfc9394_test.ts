/** PARTIAL (RFC 9394), as transcripts. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§3 pages of a result from either end, and of UID FETCH", async () => {
  const server = await startServer();
  try {
    const c = await server.client();
    assert.match((await c.ok("CAPABILITY"))[0], / PARTIAL(?= |$)/);
    for (const n of [1, 2, 3, 4, 5, 6]) await c.append("INBOX", message(`m${n}`));
    await c.ok("SELECT INBOX");
    await c.ok("STORE 2 +FLAGS.SILENT (\\Deleted)");
    await c.ok("EXPUNGE");
    const highest = Number(
      /MODSEQ (\d+)/.exec((await c.ok("STATUS INBOX (HIGHESTMODSEQ)")).join())![1],
    );
    await talk(
      c,
      `
      C: UID SEARCH RETURN (PARTIAL 1:2) ALL
      S: * ESEARCH (TAG "…") UID PARTIAL (1:2 1,3)
      S: OK done
      C: UID SEARCH RETURN (PARTIAL 4:9) ALL
      S: * ESEARCH (TAG "…") UID PARTIAL (4:9 5:6)
      S: OK done
      C: UID SEARCH RETURN (PARTIAL -1:-3) ALL
      S: * ESEARCH (TAG "…") UID PARTIAL (-1:-3 4:6)
      S: OK done
      C: UID SEARCH RETURN (PARTIAL -4:-5 COUNT) ALL
      S: * ESEARCH (TAG "…") UID COUNT 5 PARTIAL (-4:-5 1,3)
      S: OK done
      C: SEARCH RETURN (PARTIAL 6:7) ALL
      S: * ESEARCH (TAG "…") PARTIAL (6:7 NIL)
      S: OK done
      C: SEARCH RETURN (MIN MAX PARTIAL 2:3) ALL
      S: * ESEARCH (TAG "…") MIN 1 MAX 5 PARTIAL (2:3 2:3)
      S: OK done
      C: SEARCH RETURN (PARTIAL 1:2 ALL) ALL
      S: BAD …expected only one of ALL and PARTIAL
      C: SEARCH RETURN (PARTIAL 0:2) ALL
      S: BAD …
      C: SEARCH RETURN (PARTIAL 1:-2) ALL
      S: BAD …
      C: SEARCH RETURN (PARTIAL 1) ALL
      S: BAD …
      C: UID FETCH 1:* UID (PARTIAL 1:2)
      S: * 1 FETCH (UID 1)
      S: * 2 FETCH (UID 3)
      S: OK done
      C: UID FETCH 1:* FLAGS (PARTIAL -1:-1)
      S: * 5 FETCH (UID 6 MODSEQ (…) FLAGS ())
      S: OK done
      C: UID FETCH 1:* FLAGS (PARTIAL 9:10)
      S: OK done
      C: FETCH 1:* UID (PARTIAL 1:2)
      S: BAD PARTIAL needs UID FETCH
      C: UID FETCH 1:* FLAGS (PARTIAL 1:1 CHANGEDSINCE ${highest})
      S: OK done
      `,
    );
  } finally {
    await server.stop();
  }
});

Deno.test("§3.1 more than one PARTIAL is BAD", async () => {
  const server = await startServer();
  try {
    const c = await server.client();
    await c.ok("SELECT INBOX");
    await talk(c, "C: SEARCH RETURN (PARTIAL 1:2 PARTIAL 3:4) ALL\nS: BAD …only one PARTIAL");
  } finally {
    await server.stop();
  }
});
