import assert from "node:assert/strict";
import { type Client, message, startServer, type TestServer } from "./server.ts";
import { talk } from "./transcript.ts";

async function withServer(
  fn: (c: Client, s: TestServer) => Promise<void>,
  o: Parameters<typeof startServer>[0] = {},
): Promise<void> {
  const s = await startServer(o);
  try {
    await fn(await s.client(), s);
  } finally {
    await s.stop();
  }
}

async function three(c: Client): Promise<void> {
  for (const x of ["one", "two", "three"]) await c.append("INBOX", message(x));
}

Deno.test("RFC 7162 CONDSTORE: modseqs rise, UNCHANGEDSINCE refuses, CHANGEDSINCE filters", () =>
  withServer(async (c) => {
    await three(c);
    const lines = await c.ok("SELECT INBOX (CONDSTORE)");
    const highest = Number(/HIGHESTMODSEQ (\d+)/.exec(lines.join())![1]);
    await talk(
      c,
      `C: STORE 1 +FLAGS (\\Seen)
       S: * 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (${highest + 1}))
       S: OK done
       C: STORE 1,2 (UNCHANGEDSINCE ${highest}) +FLAGS.SILENT (\\Flagged)
       S: * 2 FETCH (UID 2 MODSEQ (${highest + 2}))
       S: * 1 FETCH (UID 1 FLAGS (\\Seen) MODSEQ (${highest + 1}))
       S: OK [MODIFIED 1] some messages were changed before
       C: FETCH 1:* (FLAGS) (CHANGEDSINCE ${highest + 1})
       S: * 2 FETCH (MODSEQ (${highest + 2}) FLAGS (\\Flagged))
       S: OK done
       C: SEARCH MODSEQ ${highest + 1}
       S: * SEARCH 1 2 (MODSEQ ${highest + 2})
       S: OK done
       C: SEARCH MODSEQ "/flags/\\\\draft" all ${highest + 2}
       S: * SEARCH 2 (MODSEQ ${highest + 2})
       S: OK done
       C: STATUS INBOX (HIGHESTMODSEQ)
       S: * STATUS INBOX (HIGHESTMODSEQ ${highest + 2})
       S: OK done`,
    );
  }));

Deno.test("RFC 7162 QRESYNC: what was expunged and changed is told at SELECT and UID FETCH", () =>
  withServer(async (c, s) => {
    await three(c);
    const lines = (await c.ok("SELECT INBOX")).join();
    const valid = /UIDVALIDITY (\d+)/.exec(lines)![1];
    const before = Number(/HIGHESTMODSEQ (\d+)/.exec(lines)![1]);
    await c.ok("STORE 2 +FLAGS (\\Deleted)");
    await c.ok("EXPUNGE");
    await c.ok("STORE 1 +FLAGS (\\Seen)");
    const d = await s.client();
    await d.ok("ENABLE QRESYNC");
    const told = await d.ok(`SELECT INBOX (QRESYNC (${valid} ${before} 1:3))`);
    assert.ok(told.includes("* VANISHED (EARLIER) 2"), told.join("\n"));
    assert.match(told.at(-1)!, /^\* 1 FETCH \(UID 1 FLAGS \(\\Seen\) MODSEQ \(\d+\)\)$/);
    const later = await d.ok(`UID FETCH 1:* (FLAGS) (CHANGEDSINCE ${before} VANISHED)`);
    assert.equal(later[0], "* VANISHED (EARLIER) 2");
    assert.equal(later.length, 2);
    const other = await d.ok(`SELECT INBOX (QRESYNC (${Number(valid) + 1} ${before}))`);
    assert.ok(!other.some((l) => l.includes("VANISHED")), "another uidvalidity tells nothing");
    await d.ok("STORE 1 +FLAGS (\\Deleted)");
    await talk(
      d,
      `C: EXPUNGE
       S: * VANISHED 1
       S: OK [HIGHESTMODSEQ …] expunged`,
    );
  }));

Deno.test("RFC 4731 ESEARCH, RFC 5182 SEARCHRES, RFC 9394 PARTIAL", () =>
  withServer(async (c) => {
    await three(c);
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `C: SEARCH RETURN (MIN MAX COUNT) ALL
       S: * ESEARCH (TAG "…") MIN 1 MAX 3 COUNT 3
       S: OK done
       C: UID SEARCH RETURN () SUBJECT t
       S: * ESEARCH (TAG "…") UID ALL 2:3
       S: OK done
       C: SEARCH RETURN (MIN COUNT) SEEN
       S: * ESEARCH (TAG "…") COUNT 0
       S: OK done
       C: SEARCH RETURN (SAVE) SUBJECT t
       S: OK done
       C: FETCH $ UID
       S: * 2 FETCH (UID 2)
       S: * 3 FETCH (UID 3)
       S: OK done
       C: SEARCH RETURN (COUNT) UID $ SUBJECT two
       S: * ESEARCH (TAG "…") COUNT 1
       S: OK done
       C: UID SEARCH RETURN (PARTIAL -1:-2) ALL
       S: * ESEARCH (TAG "…") UID PARTIAL (-1:-2 2:3)
       S: OK done
       C: UID SEARCH RETURN (PARTIAL 9:10) ALL
       S: * ESEARCH (TAG "…") UID PARTIAL (9:10 NIL)
       S: OK done
       C: UID FETCH 1:* UID (PARTIAL 1:2)
       S: * 1 FETCH (UID 1)
       S: * 2 FETCH (UID 2)
       S: OK done`,
    );
  }));

Deno.test("RFC 5256 SORT and THREAD", () =>
  withServer(async (c) => {
    await c.append("INBOX", message("b"));
    await c.append("INBOX", message("Re: b", "x\r\n", "References: <b@example.org>\r\n"));
    await c.append("INBOX", message("a", "longer text than the others have\r\n"));
    await c.append("INBOX", message("Re: b again", "x\r\n", "References: <b@example.org>\r\n"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `C: SORT (SUBJECT) UTF-8 ALL
       S: * SORT 3 1 2 4
       S: OK done
       C: UID SORT (REVERSE SIZE) UTF-8 SUBJECT a
       S: * SORT 4 3
       S: OK done
       C: SORT RETURN (COUNT MIN) (REVERSE SUBJECT) UTF-8 ALL
       S: * ESEARCH (TAG "…") MIN 4 COUNT 4
       S: OK done
       C: SORT (SUBJECT) NOSUCH ALL
       S: NO [BADCHARSET (US-ASCII UTF-8)] charset is not known
       C: THREAD REFERENCES UTF-8 ALL
       S: * THREAD (1 (2)(4))(3)
       S: OK done
       C: THREAD ORDEREDSUBJECT UTF-8 ALL
       S: * THREAD (1 2)(3)(4)
       S: OK done
       C: THREAD REFERENCES UTF-8 SEEN
       S: * THREAD
       S: OK done`,
    );
  }));

Deno.test("RFC 5258, 5819, 6154 LIST with options", () =>
  withServer(async (c) => {
    await c.ok("CREATE a/b/c");
    await c.ok("UNSUBSCRIBE a");
    await c.ok("UNSUBSCRIBE a/b");
    await talk(
      c,
      `C: LIST (SPECIAL-USE) "" *
       S: * LIST (\\HasNoChildren \\Archive) "/" Archive
       S: * LIST (\\HasNoChildren \\Drafts) "/" Drafts
       S: * LIST (\\HasNoChildren \\Junk) "/" Junk
       S: * LIST (\\HasNoChildren \\Sent) "/" Sent
       S: * LIST (\\HasNoChildren \\Trash) "/" Trash
       S: OK done
       C: LIST (SUBSCRIBED RECURSIVEMATCH) "" "a%"
       S: * LIST (\\HasChildren) "/" a ("CHILDINFO" ("SUBSCRIBED"))
       S: OK done
       C: LIST "" (a a/%) RETURN (STATUS (MESSAGES UIDNEXT))
       S: * LIST (\\HasChildren) "/" a
       S: * STATUS a (MESSAGES 0 UIDNEXT 1)
       S: * LIST (\\HasChildren) "/" a/b
       S: * STATUS a/b (MESSAGES 0 UIDNEXT 1)
       S: OK done
       C: LIST "" "a/%"
       S: * LIST (\\HasChildren) "/" a/b
       S: OK done`,
    );
  }));

Deno.test("RFC 5464 METADATA and RFC 9208 QUOTA", () =>
  withServer(async (c) => {
    await talk(
      c,
      `C: SETMETADATA INBOX (/private/comment "mine" /shared/comment "ours")
       S: OK done
       C: GETMETADATA INBOX (/private/comment /private/none)
       S: * METADATA INBOX (/private/comment "mine" /private/none NIL)
       S: OK done
       C: GETMETADATA (MAXSIZE 3) INBOX /private/comment
       S: OK [METADATA LONGENTRIES 4] some values are longer
       C: GETMETADATA (DEPTH infinity) INBOX /private
       S: BAD …
       C: SETMETADATA INBOX (/private/comment NIL)
       S: OK done
       C: GETMETADATA INBOX /private/comment
       S: * METADATA INBOX (/private/comment NIL)
       S: OK done
       C: SETMETADATA nosuch (/private/comment "x")
       S: NO [NONEXISTENT] no such mailbox
       C: GETQUOTAROOT INBOX
       S: * QUOTAROOT INBOX ""
       S: * QUOTA "" (STORAGE 0 1000)
       S: OK done
       C: GETQUOTA "other"
       S: NO [NONEXISTENT] no such quota root`,
    );
  }, { quota: 1024 * 1000 }));

Deno.test("RFC 8508 REPLACE puts the new message in the place of the old", () =>
  withServer(async (c) => {
    await three(c);
    await c.ok("SELECT INBOX");
    const text = message("better");
    const lines = await c.run(`REPLACE 2 INBOX (\\Seen) {${text.length}+}\r\n${text}`);
    assert.match(lines[0], /^\* OK \[APPENDUID \d+ 4\]/);
    assert.deepEqual(lines.slice(1), ["* 4 EXISTS", "* 2 EXPUNGE", "OK replaced"]);
    assert.match(await c.done("REPLACE 9 INBOX {5}"), /^BAD there are only 3/);
    assert.match(await c.done("UID REPLACE 9 INBOX {5}"), /^NO \[NONEXISTENT\]/);
  }));

Deno.test("RFC 9586 UIDONLY: no sequence numbers any more", () =>
  withServer(async (c) => {
    await three(c);
    await c.ok("ENABLE UIDONLY");
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `C: FETCH 1 FLAGS
       S: BAD [UIDREQUIRED] use uids
       C: SEARCH ALL
       S: BAD [UIDREQUIRED] use uids
       C: UID FETCH 2 FLAGS
       S: * 2 UIDFETCH (FLAGS ())
       S: OK done
       C: UID STORE 2 +FLAGS (\\Deleted)
       S: * 2 UIDFETCH (FLAGS (\\Deleted))
       S: OK done
       C: UID EXPUNGE 2
       S: * VANISHED 2
       S: OK done`,
    );
  }));

Deno.test("RFC 5465 NOTIFY: other mailboxes are told of without being asked", () =>
  withServer(async (c, s) => {
    await c.ok("SELECT INBOX");
    await c.ok(
      "NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge)) (PERSONAL (MessageNew MessageExpunge MailboxName))",
    );
    const other = await s.client();
    await other.append("Archive", message("one"));
    assert.match(
      await c.line(),
      /^\* STATUS Archive \(MESSAGES 1 UIDNEXT 2 UIDVALIDITY \d+ UNSEEN 1\)$/,
    );
    await other.append("INBOX", message("two"));
    assert.equal(await c.line(), "* 1 EXISTS");
    assert.equal(await c.line(), "* 1 FETCH (UID 1)");
    await other.ok("CREATE new");
    assert.equal(await c.line(), '* LIST (\\Subscribed) "/" new');
    await other.ok("RENAME new newer");
    assert.equal(await c.line(), '* LIST () "/" newer ("OLDNAME" (new))');
    assert.match(await c.done("NOTIFY NONE"), /^OK/);
    assert.match(
      await c.done("NOTIFY SET (SELECTED (MessageNew MessageExpunge AnnotationChange))"),
      /^BAD \[BADEVENT /,
    );
  }));

Deno.test("RFC 7377 ESEARCH of several mailboxes", () =>
  withServer(async (c) => {
    await c.append("INBOX", message("one"));
    await c.append("Archive", message("two"));
    await talk(
      c,
      `C: ESEARCH IN (mailboxes INBOX subtree Archive) RETURN (COUNT ALL) ALL
       S: * ESEARCH (TAG "…" MAILBOX INBOX UIDVALIDITY …) UID ALL 1 COUNT 1
       S: * ESEARCH (TAG "…" MAILBOX Archive UIDVALIDITY …) UID ALL 1 COUNT 1
       S: OK done
       C: ESEARCH ALL
       S: BAD no mailbox selected`,
    );
  }));

Deno.test("RFC 4978 COMPRESS can be switched on once", () =>
  withServer(async (c) => {
    assert.match((await c.ok("CAPABILITY"))[0], /COMPRESS=DEFLATE/);
    assert.match(await c.done("COMPRESS DEFLATE"), /^OK/);
  }));

Deno.test("RFC 6855 UTF8=ACCEPT and IMAP4rev2: names are UTF-8", () =>
  withServer(async (c) => {
    const bytes = (s: string) => String.fromCharCode(...new TextEncoder().encode(s));
    await c.ok("ENABLE UTF8=ACCEPT");
    await c.ok(bytes('CREATE "Entwürfe"'));
    assert.deepEqual(await c.ok(bytes('LIST "" "Entw*"')), [
      bytes('* LIST (\\HasNoChildren) "/" "Entwürfe"'),
    ]);
    const text = message("x");
    assert.match(
      await c.done(bytes(`APPEND "Entwürfe" UTF8 (~{${text.length}+}\r\n${text})`)),
      /^OK \[APPENDUID/,
    );
  }));

Deno.test("keywords are limited, with a clear answer", () =>
  withServer(async (c) => {
    await c.append("INBOX", message("one"));
    await c.ok("SELECT INBOX");
    const many = Array.from({ length: 101 }, (_, i) => `k${i}`).join(" ");
    assert.match(await c.done(`STORE 1 FLAGS (${many})`), /^NO \[LIMIT\]/);
    assert.match(await c.done("STORE 1 FLAGS (k1)"), /^OK/);
  }));

Deno.test("RFC 4469 CATENATE: a message from texts and parts of others", () =>
  withServer(async (c) => {
    await c.append("INBOX", message("one", "the body\r\n"));
    const valid = /UIDVALIDITY (\d+)/.exec((await c.ok("SELECT INBOX")).join())![1];
    const head = "Subject: made\r\n\r\n";
    assert.match(
      await c.done(
        `APPEND INBOX (\\Seen) CATENATE (TEXT {${head.length}+}\r\n${head} ` +
          `URL "/INBOX;UIDVALIDITY=${valid}/;UID=1/;SECTION=TEXT" URL ";UID=1/;SECTION=TEXT/;PARTIAL=4.4" ` +
          `TEXT {2+}\r\n\r\n)`,
      ),
      /^OK \[APPENDUID \d+ 2\]/,
    );
    await talk(
      c,
      `C: FETCH 2 (FLAGS BODY.PEEK[])
       S: * 2 FETCH (FLAGS (\\Seen) BODY[] {33}…the body…body…)
       S: OK done
       C: APPEND INBOX CATENATE (URL "/INBOX/;UID=99")
       S: NO [BADURL "/INBOX/;UID=99"] URL names nothing here
       C: APPEND INBOX CATENATE (URL "/nosuch/;UID=1")
       S: NO [BADURL "/nosuch/;UID=1"] URL names nothing here
       C: APPEND INBOX CATENATE (FOO)
       S: BAD …expected URL or TEXT`,
    );
  }));

Deno.test("RFC 6855: after ENABLE UTF8=ACCEPT a SEARCH names no charset", () =>
  withServer(async (c) => {
    await c.append("INBOX", message("one"));
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `C: SEARCH CHARSET UTF-8 SUBJECT one
       S: * SEARCH 1
       S: OK done
       C: ENABLE UTF8=ACCEPT
       S: * ENABLED UTF8=ACCEPT
       S: OK done
       C: SEARCH CHARSET UTF-8 SUBJECT one
       S: BAD no CHARSET after ENABLE UTF8=ACCEPT
       C: ESEARCH IN (selected) CHARSET UTF-8 SUBJECT one
       S: BAD no CHARSET after ENABLE UTF8=ACCEPT
       C: SEARCH SUBJECT one
       S: * SEARCH 1
       S: OK done`,
    );
  }));

Deno.test("THREAD: a chain in any order, and loops in references, end in time and lose no message", () =>
  withServer(async (c, s) => {
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
  }));
