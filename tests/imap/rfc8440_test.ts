/** LIST-MYRIGHTS (RFC 8440), as a transcript. */
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§3 LIST returns the rights of each mailbox, after it", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: LIST "" (INBOX "A*") RETURN (MYRIGHTS)
      S: * LIST (\\HasNoChildren) "/" INBOX
      S: * MYRIGHTS INBOX lrswipkxteacd
      S: * LIST (\\HasNoChildren \\Archive) "/" Archive
      S: * MYRIGHTS Archive lrswipkxteacd
      S: OK done
      C: LIST "" Archive RETURN (SUBSCRIBED MYRIGHTS STATUS (MESSAGES))
      S: * LIST (\\Subscribed \\HasNoChildren \\Archive) "/" Archive
      S: * MYRIGHTS Archive lrswipkxteacd
      S: * STATUS Archive (MESSAGES 0)
      S: OK done
      `,
    )
  ));
