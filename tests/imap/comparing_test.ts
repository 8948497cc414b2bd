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

Deno.test("RFC 5256 §3: In-Reply-To counts only without References, and then its first id", () =>
  withClient(async (c) => {
    await c.append("INBOX", mail("Message-ID: <one@x>\r\nSubject: one"));
    await c.append("INBOX", mail("Message-ID: <two@x>\r\nSubject: two"));
    const both = "References: <one@x>\r\nIn-Reply-To: <two@x>";
    await c.append("INBOX", mail(`Message-ID: <three@x>\r\nSubject: three\r\n${both}`));
    const two = "In-Reply-To: <two@x> <one@x>";
    await c.append("INBOX", mail(`Message-ID: <four@x>\r\nSubject: four\r\n${two}`));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: THREAD REFERENCES UTF-8 ALL
      S: * THREAD (1 3)(2 4)
      S: OK …
      `,
    );
  }));

Deno.test("RFC 5256 §3: threads of one date are in the order of their first messages, with or without a root", () =>
  withClient(async (c) => {
    const sent = "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n";
    await c.append("INBOX", mail(`${sent}Message-ID: <one@x>\r\nSubject: one`));
    for (const id of ["two", "three"]) {
      const fields = `Message-ID: <${id}@x>\r\nSubject: other\r\nReferences: <gone@x>`;
      await c.append("INBOX", mail(sent + fields));
    }
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: THREAD REFERENCES UTF-8 ALL
      S: * THREAD (1)((2)(3))
      S: OK …
      `,
    );
  }));

Deno.test("RFC 9051 §6.4.4: numbers that no message has find nothing, and a range up to * its last message", () =>
  withClient(async (c) => {
    for (const s of ["one", "two"]) await c.append("INBOX", mail(`Subject: ${s}`));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: SEARCH 9
      S: * SEARCH
      S: OK …
      C: SEARCH 1,9
      S: * SEARCH 1
      S: OK …
      C: SEARCH 3:*
      S: * SEARCH 2
      S: OK …
      C: SEARCH NOT 9
      S: * SEARCH 1 2
      S: OK …
      C: SEARCH RETURN (PARTIAL 2:1) ALL
      S: * ESEARCH (TAG "…") PARTIAL (1:2 1:2)
      S: OK …
      C: FETCH 3:* UID
      S: BAD there are only 2 messages
      `,
    );
  }));
