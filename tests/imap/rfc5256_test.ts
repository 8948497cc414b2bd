/** SORT and THREAD (RFC 5256), as transcripts. */
import assert from "node:assert/strict";
import { type Client, message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

const mail = (
  o: {
    from?: string;
    to?: string;
    cc?: string;
    subject: string;
    date?: string;
    id?: string;
    refs?: string;
    reply?: string;
  },
) =>
  `From: ${o.from ?? "a@example.org"}\r\n` + (o.to ? `To: ${o.to}\r\n` : "") +
  (o.cc ? `Cc: ${o.cc}\r\n` : "") + `Subject: ${o.subject}\r\n` +
  (o.date ? `Date: ${o.date}\r\n` : "") + (o.id ? `Message-ID: <${o.id}>\r\n` : "") +
  (o.refs ? `References: ${o.refs.split(" ").map((r) => `<${r}>`).join(" ")}\r\n` : "") +
  (o.reply ? `In-Reply-To: <${o.reply}>\r\n` : "") + "\r\nx\r\n";

async function filled(c: Client, list: Parameters<typeof mail>[0][]): Promise<void> {
  for (const m of list) assert.match(await c.append("INBOX", mail(m)), /^OK/);
  await c.ok("SELECT INBOX");
}

Deno.test("§3 each key of SORT, reversed, several, and equal ones in the order of the mailbox", () =>
  withClient(async (c) => {
    const day = (n: number, zone = "+0000") => `${n} Jun 2024 12:00:00 ${zone}`;
    const list = [
      { from: "Zoe <bob@x>", to: "dora@x", cc: "m@x", subject: "Re: Banana", date: day(3) },
      { from: "carl@x", to: "adam@x", cc: "k@x", subject: "apple pie is longer", date: day(1) },
      { from: "Anna <ADA@x>", to: "eve@x", subject: "[list] Fwd: banana", date: day(2, "-1200") },
      { from: "bob@x", to: "adam@x", cc: "l@x", subject: "cherry", date: day(2) },
    ];
    for (const [i, m] of list.entries()) {
      const text = mail(m);
      const at = `"0${9 - i}-Jan-2025 00:00:00 +0000" `;
      await c.append("INBOX", text, at);
    }
    await c.ok("SELECT INBOX");
    for (
      const [keys, want] of [
        ["ARRIVAL", "4 3 2 1"],
        ["REVERSE ARRIVAL", "1 2 3 4"],
        ["CC", "3 2 4 1"],
        ["DATE", "2 4 3 1"],
        ["FROM", "3 1 4 2"],
        ["TO", "2 4 1 3"],
        ["SUBJECT", "2 1 3 4"],
        ["SUBJECT REVERSE DATE", "2 1 3 4"],
        ["SUBJECT DATE", "2 3 1 4"],
        ["REVERSE SUBJECT FROM", "4 3 1 2"],
        ["TO FROM", "4 2 1 3"],
        ["REVERSE SIZE", "2 1 3 4"],
      ]
    ) {
      assert.deepEqual(await c.ok(`SORT (${keys}) UTF-8 ALL`), [`* SORT ${want}`], keys);
    }
    await talk(
      c,
      `
      C: UID SORT (SUBJECT) UTF-8 SUBJECT "banana"
      S: * SORT 1 3
      S: OK done
      C: SORT (SUBJECT) US-ASCII TO "nobody"
      S: * SORT
      S: OK done
      C: SORT (SUBJECT) NOSUCH ALL
      S: NO [BADCHARSET (US-ASCII UTF-8)] charset is not known
      C: SORT SUBJECT UTF-8 ALL
      S: BAD …expected "("
      C: SORT (SUBJECT) UTF-8
      S: BAD …expected space
      C: SORT () UTF-8 ALL
      S: BAD …expected sort key
      C: SORT (REVERSE) UTF-8 ALL
      S: BAD …expected space
      C: SORT (COLOUR) UTF-8 ALL
      S: BAD …expected sort key
      C: SORT (DATE) UTF-8 9
      S: * SORT
      S: OK …
      `,
    );
  }));

Deno.test("§2.2 a message without a Date is sorted by when it came", () =>
  withClient(async (c) => {
    await c.append("INBOX", mail({ subject: "dated", date: "1 Jun 2024 12:00:00 +0000" }));
    await c.append("INBOX", mail({ subject: "none" }), '"01-Jan-2020 00:00:00 +0000" ');
    await c.ok("SELECT INBOX");
    await talk(c, "C: SORT (DATE) UTF-8 ALL\nS: * SORT 2 1\nS: OK done");
  }));

Deno.test("§3 THREAD=ORDEREDSUBJECT: one level below the first by date, threads by the date of their first", () =>
  withClient(async (c) => {
    const d = (n: number) => `${n} Jun 2024 12:00:00 +0000`;
    await filled(c, [
      { subject: "Re: two", date: d(5) },
      { subject: "one", date: d(3) },
      { subject: "two", date: d(2) },
      { subject: "three", date: d(9) },
      { subject: "RE: two (fwd)", date: d(4) },
      { subject: "Re: one", date: d(4) },
    ]);
    await talk(
      c,
      `
      C: THREAD ORDEREDSUBJECT UTF-8 ALL
      S: * THREAD (3 (5)(1))(2 6)(4)
      S: OK done
      C: UID THREAD ORDEREDSUBJECT US-ASCII SUBJECT one
      S: * THREAD (2 6)
      S: OK done
      C: THREAD ORDEREDSUBJECT UTF-8 SEEN
      S: * THREAD
      S: OK done
      `,
    );
  }));

Deno.test("§3 THREAD=REFERENCES: by references, missing parents, subjects, and by date among siblings", () =>
  withClient(async (c) => {
    const d = (n: number) => `${n} Jun 2024 12:00:00 +0000`;
    await filled(c, [
      { id: "a", subject: "plan", date: d(1) },
      { id: "b", subject: "Re: plan", date: d(3), refs: "a" },
      { id: "c", subject: "Re: plan", date: d(4), refs: "a b" },
      { id: "e", subject: "Re: plan", date: d(2), reply: "a" },
      // Children of one that isn't there.
      { id: "g", subject: "Re: lost", date: d(6), refs: "f" },
      { id: "h", subject: "Re: lost", date: d(7), refs: "f" },
      // No references: joined by its subject.
      { id: "i", subject: "Re: plan", date: d(8) },
      { id: "j", subject: "alone", date: d(5) },
    ]);
    await talk(
      c,
      `
      C: THREAD REFERENCES UTF-8 ALL
      S: * THREAD (1 (4)(2 3)(7))(8)((5)(6))
      S: OK done
      C: UID THREAD REFERENCES UTF-8 SUBJECT lost
      S: * THREAD ((5)(6))
      S: OK done
      C: THREAD REFERENCES UTF-8 3
      S: * THREAD (3)
      S: OK done
      C: THREAD REFERENCES
      S: BAD …
      C: THREAD JWZ UTF-8 ALL
      S: BAD …expected threading algorithm
      C: THREAD REFERENCES KLINGON ALL
      S: NO [BADCHARSET (US-ASCII UTF-8)] charset is not known
      `,
    );
  }));

Deno.test("THREAD: a chain in any order, and loops in references, end in time and lose no message", async () => {
  const s = await startServer();
  try {
    const c = await s.client();
    const n = 3000;
    const order = Array.from({ length: n }, (_, i) => (i * 1237) % n);
    const mbox = s.account.mailboxByName("Inbox")!.id;
    const files = `${s.dir}/threads`;
    await Deno.mkdir(files);
    for (let at = 0; at < n; at += 500) {
      await s.account.append(
        mbox,
        await Promise.all(
          order.slice(at, at + 500).map(async (i) => {
            const text = `Message-ID: <${i}@x>\r\nReferences: <${(i + 1) % n}@x>\r\n` +
              `Subject: s${i}\r\n\r\nx\r\n`;
            await Deno.writeTextFile(`${files}/${i}`, text);
            return {
              file: `${files}/${i}`,
              fileSize: text.length,
              prefix: new Uint8Array(0),
              noThread: true,
            };
          }),
        ),
      );
    }
    await c.ok("SELECT INBOX");
    const [answer] = await c.ok("THREAD REFERENCES UTF-8 ALL");
    const numbers = answer.match(/\d+/g)!.map(Number).sort((a, b) => a - b);
    assert.equal(numbers.length, n);
    assert.deepEqual([numbers[0], numbers[n - 1]], [1, n]);
  } finally {
    await s.stop();
  }
});

Deno.test("expunges wait while messages are numbered, and not for UID SORT", async () => {
  const s = await startServer();
  try {
    const c = await s.client();
    const other = await s.client();
    for (const x of ["b", "a", "c"]) await c.append("INBOX", message(x));
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    await other.ok("MOVE 2 Archive");
    await talk(
      c,
      `
      C: SORT (SUBJECT) UTF-8 ALL
      S: * SORT 1 3
      S: OK done
      C: THREAD ORDEREDSUBJECT UTF-8 ALL
      S: * THREAD (1)(3)
      S: OK done
      C: UID SORT (SUBJECT) UTF-8 ALL
      S: * SORT 1 3
      S: * 2 EXPUNGE
      S: OK done
      `,
    );
  } finally {
    await s.stop();
  }
});

Deno.test("THREAD=REFS: by references alone, the thread with the latest message last", () =>
  withClient(async (c) => {
    await filled(c, [
      { subject: "a", id: "1@x", date: "1 Jun 2024 12:00:00 +0000" },
      { subject: "Re: a", id: "2@x", refs: "1@x", date: "9 Jun 2024 12:00:00 +0000" },
      { subject: "Re: a", id: "3@x", date: "3 Jun 2024 12:00:00 +0000" },
      { subject: "other", id: "4@x", refs: "1@x", date: "4 Jun 2024 12:00:00 +0000" },
    ]);
    await talk(
      c,
      `
      C: THREAD REFS UTF-8 ALL
      S: * THREAD (3)(1 (4)(2))
      S: OK done
      C: THREAD REFERENCES UTF-8 ALL
      S: * THREAD (1 (3)(4)(2))
      S: OK done
      `,
    );
  }));
