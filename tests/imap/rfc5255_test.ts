/** I18NLEVEL=1 (RFC 5255 §4): searches and orders compare by i;unicode-casemap. */
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§4.2 case doesn't matter in any script, marks do", () =>
  withClient(async (c) => {
    for (const s of ["ΚΌΣΜΟΣ", "кошка", "Zoë", "zoe", "éclair"]) {
      const word = `=?utf-8?b?${btoa(String.fromCharCode(...new TextEncoder().encode(s)))}?=`;
      await c.append("INBOX", `Subject: ${word}\r\n\r\nx\r\n`);
    }
    await c.ok("SELECT INBOX");
    await talk(
      c,
      // The bytes of UTF-8, each a character.
      String.fromCharCode(...new TextEncoder().encode(`
      C: SEARCH CHARSET UTF-8 SUBJECT "ΌΣΜ"
      S: * SEARCH 1
      S: OK done
      C: SEARCH CHARSET UTF-8 SUBJECT "КОШ"
      S: * SEARCH 2
      S: OK done
      C: SEARCH CHARSET UTF-8 SUBJECT "ZOË"
      S: * SEARCH 3
      S: OK done
      C: SEARCH SUBJECT "ZOE"
      S: * SEARCH 4
      S: OK done
      C: SORT (SUBJECT) UTF-8 ALL
      S: * SORT 5 4 3 1 2
      S: OK done
      `)),
    );
  }));
