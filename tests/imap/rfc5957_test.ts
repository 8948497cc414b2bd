/** SORT=DISPLAY (RFC 5957), as transcripts. */
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§3, RFC 5256 §3: a group is sorted by its name, and found by it", () =>
  withClient(async (c) => {
    const mail = (to: string) => `From: a@x.example\r\nTo: ${to}\r\nSubject: x\r\n\r\nx\r\n`;
    await c.append("INBOX", mail("Zebras: Ann <a@x.example>, b@x.example;"));
    await c.append("INBOX", mail("Mole <n@x.example>, Zebras:;"));
    await c.append("INBOX", mail("Antelopes:;"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: SORT (DISPLAYTO) UTF-8 ALL
      S: * SORT 3 2 1
      S: OK …
      C: SORT (TO) UTF-8 ALL
      S: * SORT 3 2 1
      S: OK …
      C: SEARCH TO zebras
      S: * SEARCH 1 2
      S: OK …
      C: SEARCH TO antelope
      S: * SEARCH 3
      S: OK …
      C: SEARCH CC zebras
      S: * SEARCH
      S: OK …
      `,
    );
  }));

Deno.test("§3 DISPLAYFROM and DISPLAYTO sort by what is shown: the decoded name, or else the address", () =>
  withClient(async (c) => {
    const mail = (from: string, to: string) =>
      `From: ${from}\r\nTo: ${to}\r\nSubject: x\r\n\r\nx\r\n`;
    await c.append("INBOX", mail("=?utf-8?q?Zo=C3=AB?= <a@x.example>", "Bob <z@x.example>"));
    await c.append("INBOX", mail("m@x.example", "=?utf-8?q?=C3=84nne?= <b@x.example>"));
    await c.append("INBOX", mail('"Ann B." <zz@x.example>', "a@x.example"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: SORT (DISPLAYFROM) UTF-8 ALL
      S: * SORT 3 2 1
      S: OK …
      C: SORT (REVERSE DISPLAYFROM) UTF-8 ALL
      S: * SORT 1 2 3
      S: OK …
      C: SORT (FROM) UTF-8 ALL
      S: * SORT 1 2 3
      S: OK …
      C: SORT (DISPLAYTO) UTF-8 ALL
      S: * SORT 3 2 1
      S: OK …
      C: SORT (DISPLAYNOBODY) UTF-8 ALL
      S: BAD …
      `,
    );
  }));
