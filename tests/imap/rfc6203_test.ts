/** FUZZY (RFC 6203), as transcripts. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

Deno.test("FUZZY finds words in any order and without their endings, and tells how well they fit", async () => {
  const server = await startServer();
  try {
    const c = await server.client();
    assert.match((await c.ok("CAPABILITY"))[0], / SEARCH=FUZZY(?= |$)/);
    for (
      const subject of [
        "quarterly report meeting",
        "meeting: quarterly reports",
        "we meet for the quarterly report",
        "other",
      ]
    ) await c.append("INBOX", message(subject));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: SEARCH SUBJECT "report meeting"
      S: * SEARCH 1
      S: OK …
      C: SEARCH FUZZY SUBJECT "report meeting"
      S: * SEARCH 1 2 3
      S: OK …
      C: SEARCH RETURN (RELEVANCY ALL) FUZZY SUBJECT "report meeting"
      S: * ESEARCH (TAG "…") ALL 1:3 RELEVANCY (100 75 50)
      S: OK …
      C: UID SORT RETURN (RELEVANCY ALL) (REVERSE RELEVANCY) UTF-8 FUZZY SUBJECT "report meeting"
      S: * ESEARCH (TAG "…") UID ALL 3,2,1 RELEVANCY (50 75 100)
      S: OK …
      C: SORT (RELEVANCY) UTF-8 FUZZY SUBJECT "reports quarterly"
      S: * SORT 2 1 3
      S: OK …
      C: SEARCH RETURN (RELEVANCY) FUZZY (TEXT "hello" NOT SUBJECT "meetings")
      S: * ESEARCH (TAG "…") RELEVANCY (100)
      S: OK …
      C: SEARCH RETURN (RELEVANCY) FUZZY SUBJECT "nowhere"
      S: * ESEARCH (TAG "…")
      S: OK …
      C: SEARCH FUZZY
      S: BAD …
      `,
    );
  } finally {
    await server.stop();
  }
});
