/** What IMAP4rev1 (RFC 3501) has and IMAP4rev2 has not, as transcripts. */
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("RECENT, CHECK, LSUB, RFC822 items, untagged SEARCH, keys of recent messages", () =>
  withClient(async (c) => {
    const text = message("one");
    const header = text.slice(0, text.indexOf("\r\n\r\n") + 4);
    await c.append("INBOX", text);
    await c.append("INBOX", message("two"), "(\\Seen) ");
    await c.ok("CREATE blurdybloop/x");
    await c.ok("UNSUBSCRIBE blurdybloop");
    const select = await c.ok("SELECT INBOX");
    if (!select.includes("* 0 RECENT")) throw new Error(select.join("\n"));
    await talk(
      c,
      `
      C: CHECK
      S: OK done
      C: STATUS INBOX (RECENT MESSAGES)
      S: * STATUS INBOX (RECENT 0 MESSAGES 2)
      S: OK done
      C: FETCH 1 RFC822.HEADER
      S: * 1 FETCH (RFC822.HEADER {${header.length}}…)
      S: OK done
      C: FETCH 1 (RFC822.SIZE FLAGS)
      S: * 1 FETCH (RFC822.SIZE ${text.length} FLAGS ())
      S: OK done
      C: FETCH 1 RFC822.TEXT
      S: * 1 FETCH (FLAGS (\\Seen) RFC822.TEXT {7}…hello…)
      S: OK done
      C: FETCH 1 RFC822
      S: * 1 FETCH (RFC822 {${text.length}}…)
      S: OK done
      C: FETCH 2 FAST
      S: * 2 FETCH (FLAGS (\\Seen) INTERNALDATE "…" RFC822.SIZE ${text.length})
      S: OK done
      C: FETCH 2 ALL
      S: * 2 FETCH (FLAGS (\\Seen) INTERNALDATE "…" RFC822.SIZE ${text.length} ENVELOPE (…))
      S: OK done
      C: FETCH 2 FULL
      S: * 2 FETCH (FLAGS (\\Seen) INTERNALDATE "…" RFC822.SIZE ${text.length} ENVELOPE (…) BODY (…))
      S: OK done
      C: SEARCH NEW
      S: * SEARCH
      S: OK done
      C: SEARCH OLD
      S: * SEARCH 1 2
      S: OK done
      C: SEARCH RECENT
      S: * SEARCH
      S: OK done
      C: LSUB "" "blurdy*"
      S: * LSUB () "/" blurdybloop/x
      S: OK done
      C: LSUB "" "blurdy%"
      S: * LSUB (\\Noselect) "/" blurdybloop
      S: OK done
      C: LSUB "blurdybloop/" "%"
      S: * LSUB () "/" blurdybloop/x
      S: OK done
      C: STORE 1 +FLAGS (\\Recent)
      S: BAD …expected known system flag
      `,
    );
  }));
