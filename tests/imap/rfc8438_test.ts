/** STATUS=SIZE (RFC 8438) and APPENDLIMIT (RFC 7889), as transcripts. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
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

Deno.test("RFC 7889 the limit is announced, told by STATUS, and kept", async () => {
  const server = await startServer({ maxMessageSize: 500 });
  try {
    const c = await server.client();
    assert.match((await c.ok("CAPABILITY"))[0], / APPENDLIMIT=500(?= |$)/);
    await talk(
      c,
      `
      C: STATUS INBOX (APPENDLIMIT)
      S: * STATUS INBOX (APPENDLIMIT 500)
      S: OK …
      C: APPEND INBOX {501}
      S: NO [TOOBIG] message is larger than 500 bytes
      `,
    );
  } finally {
    await server.stop();
  }
});
