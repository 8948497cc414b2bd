import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { chooseFieldLines, chooseFields, listedLines } from "../../src/mail/header/filter.ts";
import { type Client, startServer, type TestServer } from "./server.ts";

async function withServer(fn: (c: Client, s: TestServer) => Promise<void>): Promise<void> {
  const s = await startServer();
  try {
    await fn(await s.client(), s);
  } finally {
    await s.stop();
  }
}

const crlf = (text: string) => text.replaceAll("\n", "\r\n");

const messages = {
  "folded and repeated": crlf(
    "Received: by x\nSubject: one\n two\nFROM : a@example.org\nTo: b@example.org,\n\tc@example.org\n" +
      "to: d@example.org\nX-Other: y\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\nTo: not a header\n",
  ),
  "8-bit": crlf("Subject: \xe9t\xe9\nFrom: a@example.org\n\nbody\n"),
  "no header": crlf("\nSubject: no\n"),
  "no body": crlf("Subject: only a header\nFrom: a@example.org\n"),
  "end in the middle of a line": "Subject: cut",
  "bare line feeds": "Subject: bare\nFrom: a@example.org\n\nbody\n",
  "huge": crlf(
    `References: ${"<a@example.org>\n ".repeat(2000)}<b@example.org>\nSubject: huge\n\nb\n`,
  ),
};

/** The answer's literals, with the flags. */
async function fetched(c: Client, n: number, items: string): Promise<string> {
  return (await c.ok(`FETCH ${n} ${items}`)).join("\n");
}

Deno.test("header fields answered from the database are those that are in the message", () =>
  withServer(async (c, s) => {
    for (const m of Object.values(messages)) await c.append("INBOX", m);
    await c.ok("SELECT INBOX");
    for (const [i, name] of Object.keys(messages).entries()) {
      const fields = "SUBJECT FROM TO DATE REFERENCES";
      const quick = await fetched(c, i + 1, `(UID BODY.PEEK[HEADER.FIELDS (${fields})])`);
      // A field that isn't kept makes the server open the message.
      const opened = await fetched(c, i + 1, `(UID BODY.PEEK[HEADER.FIELDS (${fields} X-NONE)])`);
      assert.equal(quick, opened.replace(" X-NONE", ""), name);
      const part = await fetched(c, i + 1, `(UID BODY.PEEK[HEADER.FIELDS (${fields})]<5.20>)`);
      const openedPart = await fetched(
        c,
        i + 1,
        `(UID BODY.PEEK[HEADER.FIELDS (${fields} X-NONE)]<5.20>)`,
      );
      assert.equal(part, openedPart.replace(" X-NONE", ""), name);
    }
    // Messages of before the fields were kept.
    const all = await c.ok("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)] ENVELOPE)");
    const kept = s.account.db.all("SELECT count(*) FROM emails WHERE listed IS NOT NULL")[0][0];
    assert.ok(kept >= 4 && kept < Object.keys(messages).length, `${kept} kept`);
    await s.account.writer.write(() => s.account.db.run("UPDATE emails SET listed = NULL"));
    assert.deepEqual(
      await c.ok("FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)] ENVELOPE)"),
      all,
    );
  }));

Deno.test("header fields without PEEK set \\Seen and tell it", () =>
  withServer(async (c, s) => {
    await c.append("INBOX", messages["folded and repeated"]);
    await c.append("INBOX", messages["8-bit"]);
    await s.account.writer.write(() =>
      s.account.db.run("UPDATE emails SET listed = NULL WHERE id = (SELECT max(id) FROM emails)")
    );
    await c.ok("SELECT INBOX");
    const answer = (await c.ok("FETCH 1:2 (BODY[HEADER.FIELDS (DATE)] FLAGS)")).join("\n");
    assert.match(answer, /^\* 1 FETCH \(BODY\[HEADER\.FIELDS \(DATE\)\] \{[^]*FLAGS \(\\Seen\)\)/);
    assert.match(
      answer,
      /\* 2 FETCH \(BODY\[HEADER\.FIELDS \(DATE\)\] \{2\}[^]*FLAGS \(\\Seen\)\)/,
    );
  }));

Deno.test("kept lines hold for every header what a look at the header would give", () => {
  const name = fc.constantFrom("Subject", "from", "TO ", "X-Other", "Date", " x", "Received");
  const line = fc.tuple(name, fc.stringMatching(/^[ -~\t]{0,20}$/), fc.constantFrom("\r\n", "\n"))
    .map(([n, v, end]) => `${n}:${v}${end}`);
  const header = fc.array(fc.oneof(line, fc.stringMatching(/^[ -~]{0,9}\r\n$/)), { maxLength: 8 });
  const wanted = new Set(["subject", "to", "date"]);
  fc.assert(fc.property(header, (lines) => {
    const bytes = new TextEncoder().encode(lines.join(""));
    const kept = listedLines([bytes]);
    if (kept === undefined) return;
    const direct = new TextDecoder().decode(chooseFields(bytes, wanted, false));
    assert.equal(chooseFieldLines(kept, wanted), direct);
  }));
});
