/** What SORT, THREAD and SEARCH compare: base subjects, the collation, dates as they are written. */
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

const mail = (fields: string, body = "x\r\n") => `From: a@x.example\r\n${fields}\r\n\r\n${body}`;

Deno.test("RFC 5256 §2.1: only Re, Fw and Fwd leave a base subject; RFC 5051: Ä sorts after A, not after Z", () =>
  withClient(async (c) => {
    for (
      const s of ["zebra", "Aw: zebra", "=?utf-8?q?=C3=A4pfel?=", "FWD: [list] Zebra", "apple"]
    ) {
      await c.append("INBOX", mail(`Subject: ${s}`));
    }
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: SORT (SUBJECT) UTF-8 ALL
      S: * SORT 5 2 3 1 4
      S: OK …
      C: THREAD ORDEREDSUBJECT UTF-8 ALL
      S: * THREAD (1 4)(2)(3)(5)
      S: OK …
      `,
    );
  }));

Deno.test("RFC 9051 §6.4.4: SENTON and its like look at the day that is written, not at its zone", () =>
  withClient(async (c) => {
    await c.append("INBOX", mail("Date: Tue, 14 Nov 2023 19:13:20 -0500"));
    await c.append("INBOX", mail("Date: Wed, 15 Nov 2023 11:13:20 +1300"));
    await c.append("INBOX", mail("Date: Wed, 15 Nov 2023 00:00:00 +0000"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: SEARCH SENTON 14-Nov-2023
      S: * SEARCH 1
      S: OK …
      C: SEARCH SENTBEFORE 15-Nov-2023
      S: * SEARCH 1
      S: OK …
      C: SEARCH SENTSINCE 15-Nov-2023
      S: * SEARCH 2 3
      S: OK …
      C: SORT (DATE) UTF-8 ALL
      S: * SORT 2 3 1
      S: OK …
      `,
    );
  }));

Deno.test("RFC 9051 §6.4.4: TEXT finds MIME fields of parts, such as a file's name; BODY and HEADER do not", () =>
  withClient(async (c, server) => {
    const part = 'Content-Type: application/pdf; name="=?utf-8?q?M=C3=A4rz?=.pdf"\r\n' +
      "Content-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n";
    await c.append(
      "INBOX",
      mail(
        "Content-Type: multipart/mixed; boundary=b",
        `--b\r\n\r\ntext\r\n--b\r\n${part}--b--\r\n`,
      ),
    );
    await c.ok("SELECT INBOX");
    const ask = () =>
      talk(
        c,
        `
        C: SEARCH TEXT "rz.pdf"
        S: * SEARCH 1
        S: OK …
        C: SEARCH BODY "rz.pdf"
        S: * SEARCH
        S: OK …
        C: SEARCH HEADER Content-Type pdf
        S: * SEARCH
        S: OK …
        C: SEARCH HEADER Content-Type multipart
        S: * SEARCH 1
        S: OK …
        `,
      );
    await ask();
    await server.account.fulltext.update();
    await ask();
  }));
