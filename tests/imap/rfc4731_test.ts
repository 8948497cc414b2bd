/** ESEARCH (RFC 4731), as transcripts. */
import assert from "node:assert/strict";
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§3.1 RETURN: the ends, all as a set, the count; nothing but the count where nothing was found", () =>
  withClient(async (c) => {
    for (const n of [1, 2, 3, 4, 5]) await c.append("INBOX", message(`m${n}`));
    await c.ok("SELECT INBOX");
    await c.ok("STORE 2,4:5 +FLAGS.SILENT (\\Flagged)");
    await talk(
      c,
      `
      C: SEARCH RETURN (MIN COUNT) FLAGGED SINCE 1-Feb-1994 NOT FROM "Smith"
      S: * ESEARCH (TAG "…") MIN 2 COUNT 3
      S: OK done
      C: SEARCH RETURN () FLAGGED
      S: * ESEARCH (TAG "…") ALL 2,4:5
      S: OK done
      C: UID SEARCH RETURN (ALL) FLAGGED
      S: * ESEARCH (TAG "…") UID ALL 2,4:5
      S: OK done
      C: SEARCH RETURN (MAX MIN ALL COUNT) FLAGGED
      S: * ESEARCH (TAG "…") MIN 2 MAX 5 ALL 2,4:5 COUNT 3
      S: OK done
      C: SEARCH RETURN (MIN MAX ALL) ANSWERED
      S: * ESEARCH (TAG "…")
      S: OK done
      C: SEARCH RETURN (MIN COUNT) ANSWERED
      S: * ESEARCH (TAG "…") COUNT 0
      S: OK done
      C: SEARCH RETURN (COUNT) CHARSET UTF-8 SUBJECT m
      S: * ESEARCH (TAG "…") COUNT 5
      S: OK done
      C: SEARCH RETURN (COUNT) CHARSET X-NONE SUBJECT m
      S: NO [BADCHARSET (US-ASCII UTF-8)] charset is not known
      C: SEARCH RETURN MIN ALL
      S: BAD …
      C: SEARCH RETURN (FIRST) ALL
      S: BAD …expected search return option
      C: SEARCH RETURN (MIN)
      S: BAD …expected space
      `,
    );
    const [line] = await c.ok("SEARCH RETURN (COUNT) ALL");
    assert.match(line, /^\* ESEARCH \(TAG "x\d+"\) COUNT 5$/);
  }));

Deno.test("§3.2 with MODSEQ: of the ends that were asked for, else the highest of all", () =>
  withClient(async (c) => {
    for (const n of [1, 2, 3]) await c.append("INBOX", message(`m${n}`));
    const lines = await c.ok("SELECT INBOX (CONDSTORE)");
    const h = Number(/HIGHESTMODSEQ (\d+)/.exec(lines.join())![1]);
    // Message 2 is the newest, then 1, then 3.
    for (const n of [3, 1, 2]) await c.ok(`STORE ${n} +FLAGS.SILENT (\\Flagged)`);
    await talk(
      c,
      `
      C: SEARCH RETURN (MIN) MODSEQ 1
      S: * ESEARCH (TAG "…") MIN 1 MODSEQ ${h + 2}
      S: OK done
      C: SEARCH RETURN (MAX) MODSEQ 1
      S: * ESEARCH (TAG "…") MAX 3 MODSEQ ${h + 1}
      S: OK done
      C: SEARCH RETURN (MIN MAX) MODSEQ 1
      S: * ESEARCH (TAG "…") MIN 1 MAX 3 MODSEQ ${h + 2}
      S: OK done
      C: SEARCH RETURN (MIN COUNT) MODSEQ 1
      S: * ESEARCH (TAG "…") MIN 1 COUNT 3 MODSEQ ${h + 3}
      S: OK done
      C: SEARCH RETURN (ALL) MODSEQ ${h + 2}
      S: * ESEARCH (TAG "…") ALL 1:2 MODSEQ ${h + 3}
      S: OK done
      C: SEARCH RETURN (ALL) MODSEQ ${h + 9}
      S: * ESEARCH (TAG "…")
      S: OK done
      `,
    );
  }));
