/** PREVIEW (RFC 8970), as transcripts. */
import assert from "node:assert/strict";
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§3 PREVIEW is the beginning of the text, at most 256 characters, and sets no flag", () =>
  withClient(async (c) => {
    await c.append("INBOX", message("short", "Hello,\r\nhow are you?\r\n"));
    await c.append("INBOX", message("long", `${"word ".repeat(200)}\r\n`));
    await c.append(
      "INBOX",
      message("html", "<p>Dear <b>Ann</b></p>", "Content-Type: text/html\r\n"),
    );
    await c.append("INBOX", message("none", "AAAA", "Content-Type: application/octet-stream\r\n"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: FETCH 1 (PREVIEW FLAGS)
      S: * 1 FETCH (PREVIEW "Hello,…how are you?" FLAGS ())
      S: OK …
      C: FETCH 1 (PREVIEW (LAZY))
      S: * 1 FETCH (PREVIEW "Hello,…how are you?")
      S: OK …
      C: FETCH 3 PREVIEW
      S: * 3 FETCH (PREVIEW "Dear Ann")
      S: OK …
      C: FETCH 4 PREVIEW
      S: * 4 FETCH (PREVIEW "")
      S: OK …
      C: FETCH 1 (PREVIEW (EAGER))
      S: BAD …
      `,
    );
    const [line] = await c.ok("FETCH 2 PREVIEW");
    const text = /PREVIEW "(.*)"/.exec(line)![1];
    assert.ok(text.startsWith("word word") && text.length <= 256, `${text.length}`);
  }));
