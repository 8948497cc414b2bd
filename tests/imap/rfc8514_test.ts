/** SAVEDATE (RFC 8514), as transcripts. */
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§4 SAVEDATE is when a message came into its mailbox, also by COPY and MOVE", () =>
  withClient(async (c) => {
    await c.append("INBOX", message("old"), '"01-Feb-2003 04:05:06 +0000" ');
    await c.ok("SELECT INBOX");
    const day = (d: Date) => {
      const p = d.toUTCString().split(" ");
      return `${Number(p[1])}-${p[2]}-${p[3]}`;
    };
    const today = day(new Date());
    const tomorrow = day(new Date(Date.now() + 86_400_000));
    await talk(
      c,
      `
      C: FETCH 1 (INTERNALDATE SAVEDATE)
      S: * 1 FETCH (INTERNALDATE " 1-Feb-2003 04:05:06 +0000" SAVEDATE "…-${today.slice(-4)} …")
      S: OK …
      C: SEARCH SAVEDON ${today}
      S: * SEARCH 1
      S: OK …
      C: SEARCH SAVEDBEFORE ${today}
      S: * SEARCH
      S: OK …
      C: SEARCH SAVEDSINCE ${tomorrow}
      S: * SEARCH
      S: OK …
      C: SEARCH BEFORE ${today} SAVEDSINCE ${today}
      S: * SEARCH 1
      S: OK …
      C: SEARCH SAVEDATESUPPORTED
      S: * SEARCH 1
      S: OK …
      C: SEARCH SAVEDON yesterday
      S: BAD …
      `.replace('" 1-Feb-2003', '"01-Feb-2003'),
    );
  }));
