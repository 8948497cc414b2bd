import assert from "node:assert/strict";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { Client, message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";

async function withServer(
  fn: (c: Client, s: Awaited<ReturnType<typeof startServer>>) => Promise<void>,
  o: Parameters<typeof startServer>[0] = {},
): Promise<void> {
  const s = await startServer(o);
  try {
    await fn(await s.client(), s);
  } finally {
    await s.stop();
  }
}

const system =
  "\\Seen \\Answered \\Flagged \\Deleted \\Draft $Forwarded $Junk $NotJunk $Phishing $MDNSent";

Deno.test("§6.3.2 SELECT and EXAMINE tell all that a client must know", () =>
  withServer(async (c) => {
    await c.append("INBOX", message("one"), "(\\Seen) ");
    await c.append("INBOX", message("two"));
    await talk(
      c,
      `C: SELECT inbox
       S: * FLAGS (${system})
       S: * OK [PERMANENTFLAGS (${system} \\*)] kept
       S: * 2 EXISTS
       S: * 0 RECENT
       S: * OK [UNSEEN 2] first unseen
       S: * OK [UIDVALIDITY …] valid
       S: * OK [UIDNEXT 3] next
       S: * OK [HIGHESTMODSEQ …] highest
       S: * OK [URLMECH INTERNAL] …
       S: * OK [MAILBOXID (M1)] id
       S: OK [READ-WRITE] mailbox is open
       C: ENABLE IMAP4rev2
       S: * ENABLED IMAP4rev2
       S: OK done
       C: EXAMINE INBOX
       S: * OK [CLOSED] mailbox closed
       S: * FLAGS (${system})
       S: * OK [PERMANENTFLAGS ()] none in a read-only mailbox
       S: * 2 EXISTS
       S: * OK [UIDVALIDITY …] valid
       S: * OK [UIDNEXT 3] next
       S: * LIST () "/" INBOX
       S: * OK [HIGHESTMODSEQ …] highest
       S: * OK [URLMECH INTERNAL] …
       S: * OK [MAILBOXID (M1)] id
       S: OK [READ-ONLY] mailbox is open for reading
       C: STORE 1 +FLAGS (\\Deleted)
       S: NO [READ-ONLY] mailbox is selected read-only
       C: FETCH 2 BODY[TEXT]
       S: * 2 FETCH (BODY[TEXT] {7}…hello…)
       S: OK done
       C: FETCH 2 FLAGS
       S: * 2 FETCH (FLAGS ())
       S: OK done
       C: SELECT nosuch
       S: * OK [CLOSED] mailbox closed
       S: NO [NONEXISTENT] no such mailbox
       C: FETCH 1 FLAGS
       S: BAD FETCH: select a mailbox first`,
    );
  }));

Deno.test("§6.3.4-6.3.8 mailboxes are made, renamed, subscribed and removed", () =>
  withServer(async (c) => {
    await talk(
      c,
      `C: CREATE owatagusiam/blurdybloop
       S: * LIST (\\Subscribed) "/" owatagusiam
       S: OK [MAILBOXID (M…)] created
       C: CREATE owatagusiam/
       S: NO [ALREADYEXISTS] …
       C: CREATE inbox
       S: NO [ALREADYEXISTS] …
       C: DELETE INBOX
       S: NO [CANNOT] …
       C: DELETE owatagusiam
       S: NO [HASCHILDREN] …
       C: RENAME owatagusiam/blurdybloop sarasoop
       S: OK done
       C: DELETE owatagusiam
       S: OK done
       C: DELETE owatagusiam
       S: NO [NONEXISTENT] …
       C: LIST "" "s*"
       S: * LIST (\\HasNoChildren) "/" sarasoop
       S: OK done
       C: UNSUBSCRIBE sarasoop
       S: OK done
       C: LIST (SUBSCRIBED) "" "s*"
       S: OK done
       C: SUBSCRIBE sarasoop
       S: OK done
       C: LSUB "" "s*"
       S: * LSUB () "/" sarasoop
       S: OK done
       C: CREATE "Entw&APw-rfe"
       S: OK [MAILBOXID (M…)] created
       C: LIST "" "Entw*"
       S: * LIST (\\HasNoChildren) "/" Entw&APw-rfe
       S: OK done
       C: CREATE "bad\x7fname"
       S: NO [CANNOT] …
       C: LIST "" ""
       S: * LIST (\\Noselect) "/" ""
       S: OK done
       C: CREATE MySpecial (USE (\\Archive))
       S: NO [USEATTR] …
       C: NAMESPACE
       S: * NAMESPACE (("" "/")) NIL NIL
       S: OK done`,
    );
  }));

Deno.test("§6.3.6 renaming INBOX moves its messages and leaves it empty", () =>
  withServer(async (c) => {
    await c.append("INBOX", message("one"));
    await talk(
      c,
      `C: RENAME INBOX old-mail
       S: OK done
       C: STATUS INBOX (MESSAGES)
       S: * STATUS INBOX (MESSAGES 0)
       S: OK done
       C: STATUS old-mail (MESSAGES UNSEEN UIDNEXT DELETED)
       S: * STATUS old-mail (MESSAGES 1 UNSEEN 1 UIDNEXT 2 DELETED 0)
       S: OK done`,
    );
  }));

Deno.test("§6.3.12 APPEND: TRYCREATE, flags, date, several messages, and none if one is refused", () =>
  withServer(async (c) => {
    await talk(
      c,
      `C: APPEND nosuch {5}
       S: NO [TRYCREATE] no such mailbox`,
    );
    const text = message("dated");
    assert.match(
      await c.append("INBOX", text, '(\\Seen $Work) "17-Jul-1996 02:44:25 -0700" '),
      /^OK \[APPENDUID \d+ \d+\]/,
    );
    const two = message("two");
    const many = await c.done(
      `APPEND Archive {${two.length}+}\r\n${two} (\\Flagged) {${two.length}+}\r\n${two}`,
    );
    assert.match(many, /^OK \[APPENDUID \d+ 1:2\] appended/);
    await c.ok("SELECT Archive");
    await talk(
      c,
      `C: FETCH 1:* FLAGS
       S: * 1 FETCH (FLAGS ())
       S: * 2 FETCH (FLAGS (\\Flagged))
       S: OK done`,
    );
    // RFC 3502 §6.3.11: all or nothing.
    const refused = await c.done(
      `APPEND INBOX {${two.length}+}\r\n${two} {30000000}`,
    );
    assert.match(refused, /^NO \[TOOBIG\]/);
    assert.deepEqual(await c.ok("STATUS INBOX (MESSAGES)"), ["* STATUS INBOX (MESSAGES 1)"]);
  }));

Deno.test("§6.4.4 SEARCH finds by flags, dates, headers and decoded text", () =>
  withServer(async (c) => {
    await c.append("INBOX", message("plain words"), "(\\Seen) ");
    const qp =
      "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n";
    await c.append(
      "INBOX",
      message("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "stra=DFe zum =\r\nglueck\r\n", qp),
      "($Work) ",
    );
    await c.ok("SELECT INBOX");
    const bytes = (s: string) => String.fromCharCode(...new TextEncoder().encode(s));
    const table: [string, string][] = [
      ["ALL", " 1 2"],
      ["SEEN", " 1"],
      ["KEYWORD $work", " 2"],
      ["UNKEYWORD $work", " 1"],
      ["NOT SEEN", " 2"],
      ["OR SEEN KEYWORD $Work", " 1 2"],
      ["FROM ANN", " 1 2"],
      ["FROM nobody", ""],
      ["SUBJECT PLAIN", " 1"],
      [bytes('CHARSET UTF-8 SUBJECT "grüsse"'), " 2"],
      [bytes('CHARSET UTF-8 BODY "STRASSE ZUM GLUECK"'), " 2"],
      ["TEXT plain", " 1 2"],
      ["HEADER Message-Id plain", " 1"],
      ["HEADER X-None {0+}\r\n", ""],
      ["SENTON 7-Feb-1994", " 1 2"],
      ["SINCE 1-Jan-2000", " 1 2"],
      ["BEFORE 1-Jan-2000", ""],
      ["YOUNGER 3600", " 1 2"],
      ["OLDER 3600", ""],
      ["LARGER 10 SMALLER 100000 2", " 2"],
      ["UID 2:*", " 2"],
      ["UID 9:*", " 2"],
      ["EMAILID E1", " 1"],
      ["(1 SEEN)", " 1"],
    ];
    for (const [keys, want] of table) {
      assert.deepEqual(await c.ok(`SEARCH ${keys}`), [`* SEARCH${want}`], keys);
    }
  }));

Deno.test("§6.4.5 FETCH gives parts, fields and ranges of bytes", () =>
  withServer(async (c) => {
    const body =
      "--b\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--b\r\nContent-Type: text/html\r\n" +
      "Content-Transfer-Encoding: base64\r\n\r\nPGI+aGk8L2I+\r\n--b--\r\n";
    await c.append(
      "INBOX",
      message("multi", body, "Content-Type: multipart/mixed; boundary=b\r\n"),
    );
    await c.ok("SELECT INBOX");
    const get = async (item: string) => (await c.ok(`FETCH 1 (${item})`))[0];
    assert.equal(await get("BODY.PEEK[1]"), "* 1 FETCH (BODY[1] {5}\r\nfirst)");
    assert.equal(
      await get("BODY.PEEK[1.MIME]"),
      "* 1 FETCH (BODY[1.MIME] {28}\r\nContent-Type: text/plain\r\n\r\n)",
    );
    assert.equal(await get("BODY.PEEK[2]"), "* 1 FETCH (BODY[2] {12}\r\nPGI+aGk8L2I+)");
    assert.equal(await get("BINARY.PEEK[2]"), "* 1 FETCH (BINARY[2] {9}\r\n<b>hi</b>)");
    assert.equal(await get("BINARY.SIZE[2]"), "* 1 FETCH (BINARY.SIZE[2] 9)");
    assert.equal(await get("BODY.PEEK[3]"), "* 1 FETCH (BODY[3] NIL)");
    assert.equal(await get("BODY.PEEK[1]<1.3>"), "* 1 FETCH (BODY[1]<1> {3}\r\nirs)");
    assert.equal(await get("BODY.PEEK[1]<9.3>"), '* 1 FETCH (BODY[1]<9> "")');
    assert.equal(
      await get("BODY.PEEK[HEADER.FIELDS (SUBJECT X-None)]"),
      "* 1 FETCH (BODY[HEADER.FIELDS (SUBJECT X-None)] {18}\r\nSubject: multi\r\n\r\n)",
    );
    assert.match(await get("RFC822.SIZE UID"), /^\* 1 FETCH \(UID 1 RFC822\.SIZE \d+\)$/);
    assert.match(await get("FLAGS"), /FLAGS \(\)/);
    // Without PEEK the message is marked, and the client is told.
    assert.equal(await get("BODY[1]"), "* 1 FETCH (FLAGS (\\Seen) BODY[1] {5}\r\nfirst)");
    assert.equal(await get("BODY[1]"), "* 1 FETCH (BODY[1] {5}\r\nfirst)");
  }));

Deno.test("§6.2 STARTTLS, then AUTHENTICATE; LOGIN without TLS is refused", async () => {
  const keyCert = await selfSignedCertificate({ names: ["mox.example"] });
  const s = await startServer({ keyCert, plaintextLogin: false });
  try {
    const c = await Client.connect(s.port);
    const greeting = await c.line();
    assert.match(greeting, / STARTTLS LOGINDISABLED /);
    assert.doesNotMatch(greeting, /AUTH=PLAIN/);
    assert.match(greeting, /AUTH=SCRAM-SHA-256/);
    assert.match(await c.done("LOGIN a b"), /^NO \[PRIVACYREQUIRED\]/);
    assert.match(await c.done("AUTHENTICATE PLAIN"), /^NO \[PRIVACYREQUIRED\]/);
    c.close();
  } finally {
    await s.stop();
  }
});

Deno.test("AUTHENTICATE PLAIN with and without initial response, and cancelled", async () => {
  const s = await startServer();
  try {
    const plain = btoa("\0mjl@mox.example\0correct horse battery");
    const a = await s.client({ loggedIn: false });
    assert.match(await a.done(`AUTHENTICATE PLAIN ${plain}`), /^OK \[CAPABILITY /);
    const b = await s.client({ loggedIn: false });
    b.send("q AUTHENTICATE PLAIN\r\n");
    assert.match(await b.line(), /^\+/);
    b.send("*\r\n");
    assert.match(await b.line(), /^q BAD /);
    b.send("r AUTHENTICATE PLAIN\r\n");
    assert.match(await b.line(), /^\+/);
    b.send(`${plain}\r\n`);
    assert.match(await b.line(), /^r OK /);
    assert.match(await b.done("LOGOUT"), /^OK/);
    assert.equal(await b.line(), "");
  } finally {
    await s.stop();
  }
});

Deno.test("IDLE tells of changes the moment they are made", () =>
  withServer(async (c, s) => {
    const other = await s.client();
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    c.send("i IDLE\r\n");
    assert.match(await c.line(), /^\+ /);
    await other.append("INBOX", message("one"));
    assert.equal(await c.line(), "* 1 EXISTS");
    await other.append("INBOX", message("two"));
    assert.equal(await c.line(), "* 2 EXISTS");
    await other.ok("STORE 1 +FLAGS (\\Deleted)");
    assert.equal(await c.line(), "* 1 FETCH (UID 1 FLAGS (\\Deleted))");
    await other.ok("EXPUNGE");
    assert.equal(await c.line(), "* 1 EXPUNGE");
    c.send("DONE\r\n");
    assert.deepEqual(await c.answer("i"), ["OK done"]);
  }));

Deno.test("COPY and MOVE tell the uids; expunges wait while sequence numbers are in use", () =>
  withServer(async (c, s) => {
    for (const x of ["one", "two", "three"]) await c.append("INBOX", message(x));
    const other = await s.client();
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    await talk(
      other,
      `C: MOVE 2 Archive
       S: * OK [COPYUID … 2 1] moved
       S: * 2 EXPUNGE
       S: OK done
       C: COPY 1:* nosuch
       S: NO [TRYCREATE] no such mailbox
       C: UID COPY 99 Archive
       S: OK done`,
    );
    await talk(
      c,
      `C: FETCH 1:3 UID
       S: * 1 FETCH (UID 1)
       S: * 3 FETCH (UID 3)
       S: OK [EXPUNGEISSUED] some messages are gone
       C: SEARCH ALL
       S: * SEARCH 1 3
       S: OK done
       C: NOOP
       S: * 2 EXPUNGE
       S: OK done
       C: FETCH 1:* UID
       S: * 1 FETCH (UID 1)
       S: * 2 FETCH (UID 3)
       S: OK done`,
    );
  }));
