/** SAVEDATE (RFC 8514), as transcripts. */
import assert from "node:assert/strict";
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§4 SAVEDATE of a copy, or of what was moved, is when it came into its mailbox", () =>
  withClient(async (c, { account }) => {
    const real = Date.now;
    const at = async (day: number, command: string) => {
      Date.now = () => Date.UTC(2025, 4, day, 12);
      try {
        await c.ok(command);
      } finally {
        Date.now = real;
      }
    };
    const [appended, copied, moved] = [2, 10, 20];
    Date.now = () => Date.UTC(2025, 4, appended, 12);
    await c.append("INBOX", message("old"), '"01-Feb-2003 04:05:06 +0000" ');
    await c.append("INBOX", message("other"), '"01-Feb-2003 04:05:06 +0000" ');
    Date.now = real;
    await c.ok("SELECT INBOX");
    await at(copied, "COPY 1 Archive");
    await at(moved, "MOVE 1 Archive");
    assert.equal(account.mailboxByName("Archive")!.total, 2);
    const received = '"01-Feb-2003 04:05:06 +0000"';
    const line = (n: number, day: string) =>
      `S: * ${n} FETCH (INTERNALDATE ${received} SAVEDATE "${day}-May-2025 12:00:00 +0000")`;
    await talk(
      c,
      `
      C: FETCH 1 (INTERNALDATE SAVEDATE)
      ${line(1, "02")}
      S: OK …
      `,
    );
    await c.ok("SELECT Archive");
    await talk(
      c,
      `
      C: FETCH 1:2 (INTERNALDATE SAVEDATE)
      ${line(1, "10")}
      ${line(2, "20")}
      S: OK …
      C: SEARCH SAVEDBEFORE 10-May-2025
      S: * SEARCH
      S: OK …
      C: SEARCH SAVEDON 10-May-2025
      S: * SEARCH 1
      S: OK …
      C: SEARCH SAVEDSINCE 11-May-2025
      S: * SEARCH 2
      S: OK …
      `,
    );
  }));

Deno.test("§4 SAVEDATE is when a message came into its mailbox, whenever it was received", () =>
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
