/** UNSELECT (RFC 3691), as transcripts. */
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§2 the mailbox is left without an expunge, which CLOSE does", () =>
  withClient(async (c) => {
    await c.append("INBOX", message("one"), "(\\Deleted) ");
    await c.append("INBOX", message("two"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: UNSELECT
      S: OK done
      C: UNSELECT
      S: BAD UNSELECT: select a mailbox first
      C: FETCH 1 FLAGS
      S: BAD FETCH: select a mailbox first
      C: STATUS INBOX (MESSAGES DELETED)
      S: * STATUS INBOX (MESSAGES 2 DELETED 1)
      S: OK done
      `,
    );
    await c.ok("EXAMINE INBOX");
    await talk(c, "C: CLOSE\nS: OK done\nC: STATUS INBOX (MESSAGES)\nS: …(MESSAGES 2)\nS: OK done");
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: UNSELECT now
      S: BAD …expected end of command
      C: CLOSE
      S: OK done
      C: STATUS INBOX (MESSAGES DELETED)
      S: * STATUS INBOX (MESSAGES 1 DELETED 0)
      S: OK done
      `,
    );
  }));
