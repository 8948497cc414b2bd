/** STATUS=SIZE (RFC 8438), as transcripts. */
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("RFC 8438 §3 STATUS SIZE is the sum of RFC822.SIZE", () =>
  withClient(async (c) => {
    const [a, b] = [message("a"), message("b", "longer body\r\n")];
    await c.append("INBOX", a);
    await c.append("INBOX", b);
    await talk(
      c,
      `
      C: STATUS INBOX (SIZE)
      S: * STATUS INBOX (SIZE ${a.length + b.length})
      S: OK …
      C: LIST "" INBOX RETURN (STATUS (SIZE MESSAGES))
      S: * LIST (\\HasNoChildren) "/" INBOX
      S: * STATUS INBOX (SIZE ${a.length + b.length} MESSAGES 2)
      S: OK …
      C: STATUS Archive (SIZE)
      S: * STATUS Archive (SIZE 0)
      S: OK …
      `,
    );
  }));
