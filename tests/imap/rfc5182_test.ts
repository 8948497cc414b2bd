/** SEARCHRES (RFC 5182), as transcripts. */
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§2.1-2.3 a result is kept, used as $ by other commands, and follows expunges", () =>
  withClient(async (c, server) => {
    for (const n of [1, 2, 3, 4, 5]) {
      await c.append("INBOX", message(`m${n}`, "x\r\n", "X-Smith: 1\r\n"));
    }
    const other = await server.client();
    await other.ok("SELECT INBOX");
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: FETCH $ UID
      S: OK done
      C: SEARCH RETURN (SAVE) SINCE 1-Jan-2006 NOT SUBJECT m1
      S: OK done
      C: FETCH $ (UID FLAGS)
      S: * 2 FETCH (UID 2 FLAGS ())
      S: * 3 FETCH (UID 3 FLAGS ())
      S: * 4 FETCH (UID 4 FLAGS ())
      S: * 5 FETCH (UID 5 FLAGS ())
      S: OK done
      C: SEARCH RETURN (SAVE ALL) UID $ SUBJECT m3
      S: * ESEARCH (TAG "…") ALL 3
      S: OK done
      C: SEARCH OR $ 1
      S: * SEARCH 1 3
      S: OK done
      C: STORE $ +FLAGS (\\Deleted)
      S: * 3 FETCH (FLAGS (\\Deleted))
      S: OK done
      C: UID COPY $ Archive
      S: OK [COPYUID … 3 1] copied
      C: UID EXPUNGE $
      S: * 3 EXPUNGE
      S: OK done
      C: FETCH $ UID
      S: OK done
      C: COPY $ Archive
      S: OK done
      C: SEARCH RETURN (SAVE) ALL
      S: OK done
      C: SEARCH SUBJECT m5
      S: * SEARCH 4
      S: OK done
      C: UID SEARCH RETURN (COUNT) $
      S: * ESEARCH (TAG "…") UID COUNT 4
      S: OK done
      `,
    );
    await other.ok("MOVE 1 Archive");
    await c.ok("NOOP");
    await talk(c, 'C: UID SEARCH RETURN (ALL) $\nS: * ESEARCH (TAG "…") UID ALL 2,4:5\nS: OK done');
    // Another mailbox, another result.
    await c.ok("SELECT Archive");
    await talk(c, "C: FETCH $ UID\nS: OK done");
  }));

Deno.test("§2.4 what is kept: all with ALL or COUNT, only the ends with MIN and MAX, PARTIAL's part (RFC 9394)", () =>
  withClient(async (c) => {
    for (const n of [1, 2, 3, 4, 5, 6]) await c.append("INBOX", message(`m${n}`));
    await c.ok("SELECT INBOX");
    for (
      const [options, kept] of [
        ["SAVE", "1:6"],
        ["SAVE MIN", "1"],
        ["SAVE MAX", "6"],
        ["SAVE MIN MAX", "1,6"],
        ["SAVE MIN COUNT", "1:6"],
        ["SAVE MAX ALL", "1:6"],
        ["SAVE PARTIAL 2:3", "2:3"],
        ["SAVE PARTIAL -1:-2", "5:6"],
        ["SAVE PARTIAL 2:3 MIN", "1:3"],
        ["SAVE PARTIAL 2:3 MIN MAX", "1:3,6"],
        ["SAVE PARTIAL 2:3 COUNT", "1:6"],
        ["SAVE PARTIAL 8:9 MAX", "6"],
      ]
    ) {
      await c.ok(`SEARCH RETURN (${options}) ALL`);
      await talk(c, `C: SEARCH RETURN (ALL) $\nS: * ESEARCH (TAG "…") ALL ${kept}\nS: OK done`);
    }
  }));

Deno.test("§2.1 a search that fails with NO leaves nothing kept, one that is BAD what there was", () =>
  withClient(async (c) => {
    await c.append("INBOX", message("m1"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: SEARCH RETURN (SAVE) ALL
      S: OK done
      C: SEARCH RETURN (SAVE) FOO
      S: BAD …expected known search key
      C: SEARCH RETURN (COUNT) $
      S: * ESEARCH (TAG "…") COUNT 1
      S: OK done
      C: SEARCH RETURN (SAVE) CHARSET KLINGON SUBJECT m
      S: NO [BADCHARSET (US-ASCII UTF-8)] charset is not known
      C: SEARCH RETURN (COUNT) $
      S: * ESEARCH (TAG "…") COUNT 0
      S: OK done
      `,
    );
  }));
