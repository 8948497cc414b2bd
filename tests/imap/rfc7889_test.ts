/** APPENDLIMIT (RFC 7889), as transcripts. */
import assert from "node:assert/strict";
import { startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("§2-5 the limit is announced, told by STATUS and LIST, and kept by every way to append", async () => {
  const server = await startServer({ maxMessageSize: 500 });
  try {
    const c = await server.client();
    assert.match((await c.ok("CAPABILITY"))[0], / APPENDLIMIT=500(?= |$)/);
    await c.append("INBOX", "Subject: x\r\n\r\n");
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: STATUS INBOX (APPENDLIMIT)
      S: * STATUS INBOX (APPENDLIMIT 500)
      S: OK done
      C: LIST "" Sent RETURN (STATUS (APPENDLIMIT MESSAGES))
      S: * LIST (\\HasNoChildren \\Sent) "/" Sent
      S: * STATUS Sent (APPENDLIMIT 500 MESSAGES 0)
      S: OK done
      C: APPEND INBOX {501}
      S: NO [TOOBIG] message is larger than 500 bytes
      C: APPEND INBOX CATENATE (TEXT {501}
      S: NO [TOOBIG] message is larger than 500 bytes
      C: REPLACE 1 INBOX {501}
      S: NO [TOOBIG] message is larger than 500 bytes
      `,
    );
    assert.match(await c.append("INBOX", `Subject: x\r\n\r\n${"x".repeat(486)}`), /^OK/);
  } finally {
    await server.stop();
  }
});
