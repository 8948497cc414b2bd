/** URL-PARTIAL (RFC 5550 §4.3): part of what a URL names. */
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§4.3 CATENATE takes the bytes that PARTIAL names", () =>
  withClient(async (c) => {
    await c.append("INBOX", "Subject: x\r\n\r\n0123456789");
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;SECTION=HEADER" URL "/INBOX/;UID=1/;SECTION=TEXT/;PARTIAL=2.3")
      S: * 2 EXISTS
      S: OK [APPENDUID …] appended
      C: FETCH 2 BODY.PEEK[TEXT]
      S: * 2 FETCH (BODY[TEXT] {3}\\r\\n234)
      S: OK done
      `.replaceAll("{3}\\r\\n234", "…234"),
    );
  }));
