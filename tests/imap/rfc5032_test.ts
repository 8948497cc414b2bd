/** WITHIN (RFC 5032), as transcripts. */
import { message } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

const ago = (seconds: number): string => {
  const d = new Date(Date.now() - seconds * 1000).toUTCString().split(" ");
  return `"${d[1]}-${d[2]}-${d[3]} ${d[4]} +0000"`;
};

Deno.test("§2 OLDER and YOUNGER by seconds", () =>
  withClient(async (c) => {
    await c.append("INBOX", message("week"), `${ago(7 * 86400)} `);
    await c.append("INBOX", message("hour"), `${ago(3600)} `);
    await c.append("INBOX", message("now"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: SEARCH YOUNGER 259200
      S: * SEARCH 2 3
      S: OK …
      C: SEARCH OLDER 600
      S: * SEARCH 1 2
      S: OK …
      C: SEARCH OLDER 600 YOUNGER 259200
      S: * SEARCH 2
      S: OK …
      C: SEARCH YOUNGER 0
      S: BAD …
      C: SEARCH OLDER -5
      S: BAD …
      `,
    );
  }));
