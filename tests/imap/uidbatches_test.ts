/** UIDBATCHES (draft-ietf-mailmaint-imap-uidbatches), as a transcript. */
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("UIDBATCHES gives ranges with as many messages each, the newest first", () =>
  withClient(async (c) => {
    for (let i = 1; i <= 7; i++) await c.append("INBOX", message(`m${i}`));
    await c.ok("SELECT INBOX");
    await c.ok("STORE 3 +FLAGS (\\Deleted)");
    await c.ok("EXPUNGE");
    await talk(
      c,
      `
      C: UIDBATCHES 2
      S: * UIDBATCHES (TAG "…") 7:6,5:4,2:1
      S: OK done
      C: UIDBATCHES 4
      S: * UIDBATCHES (TAG "…") 7:4,2:1
      S: OK done
      C: UIDBATCHES 5 1:2
      S: * UIDBATCHES (TAG "…") 7:2,1
      S: OK done
      C: UIDBATCHES 2 2:3
      S: * UIDBATCHES (TAG "…") 5:4,2:1
      S: OK done
      C: UIDBATCHES 2 9:10
      S: * UIDBATCHES (TAG "…")
      S: OK done
      C: UIDBATCHES 0
      S: BAD …
      C: UNSELECT
      S: OK done
      C: UIDBATCHES 2
      S: BAD …
      `,
    );
  }));
