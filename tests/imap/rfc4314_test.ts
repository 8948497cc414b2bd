/** ACL (RFC 4314): mailboxes shared between accounts, as transcripts. */
import assert from "node:assert/strict";
import { type Client, message, startServer, type TestServer } from "./server.ts";
import { talk } from "./transcript.ts";

interface Sharing {
  server: TestServer;
  /** The owner. */
  mjl: Client;
  fred: Client;
  chris: Client;
}

async function withSharing(fn: (w: Sharing) => Promise<void>): Promise<void> {
  const server = await startServer({ others: ["fred", "chris"] });
  try {
    const mjl = await server.client();
    const fred = await server.client({ as: "fred" });
    const chris = await server.client({ as: "chris" });
    await fn({ server, mjl, fred, chris });
  } finally {
    await server.stop();
  }
}

/** The mailbox Team of mjl with three messages, and rights for fred. */
async function team({ mjl }: Sharing, rights: string): Promise<void> {
  await mjl.ok("CREATE Team");
  for (const n of [1, 2, 3]) assert.match(await mjl.append("Team", message(`m${n}`)), /^OK/);
  await mjl.ok(`SETACL Team fred ${rights}`);
}

const shared = '"Other Users/mjl/Team"';

Deno.test("§3.1-3.5 rights are set, changed, listed and removed", () =>
  withSharing(async ({ mjl }) => {
    await talk(
      mjl,
      `
      C: CREATE Team
      S: …
      C: GETACL Team
      S: * ACL Team mjl lrswipkxteacd
      S: OK …
      C: SETACL Team fred rwipsl
      S: OK …
      C: GETACL Team
      S: * ACL Team mjl lrswipkxteacd fred lrswip
      S: OK …
      C: SETACL Team fred +d
      S: OK …
      C: SETACL Team chris@mox.example lr
      S: OK …
      C: SETACL Team -anyone a
      S: OK …
      C: GETACL Team
      S: * ACL Team mjl lrswipkxteacd -anyone a chris lr fred lrswipxted
      S: OK …
      C: SETACL Team fred -wipxte
      S: OK …
      C: GETACL Team
      S: * ACL Team mjl lrswipkxteacd -anyone a chris lr fred lrs
      S: OK …
      C: DELETEACL Team fred
      S: OK …
      C: SETACL Team chris ""
      S: OK …
      C: DELETEACL Team -anyone
      S: OK …
      C: GETACL Team
      S: * ACL Team mjl lrswipkxteacd
      S: OK …
      C: LISTRIGHTS Team fred
      S: * LISTRIGHTS Team fred "" l r s w i p k x t e a c d
      S: OK …
      C: LISTRIGHTS Team mjl
      S: * LISTRIGHTS Team mjl lrswipkxteacd
      S: OK …
      C: MYRIGHTS Team
      S: * MYRIGHTS Team lrswipkxteacd
      S: OK …
      `,
    );
  }));

Deno.test("what can't be is refused: unknown rights, users and mailboxes, and to take the owner's", () =>
  withSharing(async ({ mjl }) => {
    await talk(
      mjl,
      `
      C: SETACL INBOX fred lrz
      S: BAD rights are letters of lrswipkxteacd
      C: SETACL INBOX nobody lr
      S: NO [CANNOT] there is no account nobody here
      C: SETACL Nowhere fred lr
      S: NO [NONEXISTENT] no such mailbox
      C: SETACL INBOX mjl l
      S: NO [CANNOT] the owner keeps all rights
      C: DELETEACL INBOX mjl
      S: NO [CANNOT] the owner keeps all rights
      C: SETACL INBOX
      S: BAD …
      C: MYRIGHTS Nowhere
      S: NO [NONEXISTENT] no such mailbox
      `,
    );
  }));

Deno.test("it is announced, and others' mailboxes have a namespace", () =>
  withSharing(async ({ mjl }) => {
    const [capability] = await mjl.ok("CAPABILITY");
    assert.match(capability, / ACL(?= |$)/);
    assert.match(capability, / RIGHTS=texk(?= |$)/);
    assert.deepEqual(await mjl.ok("NAMESPACE"), [
      '* NAMESPACE (("" "/")) (("Other Users/" "/")) NIL',
    ]);
  }));

Deno.test("§4 lookup: with l a mailbox is listed, and its levels where they hide it; without, it is not there", () =>
  withSharing(async (w) => {
    await team(w, "lr");
    await w.mjl.ok("CREATE Team/Secret");
    await w.mjl.ok("SETACL Team/Secret fred rs");
    await w.mjl.ok("CREATE Deep/Down");
    await w.mjl.ok("SETACL Deep/Down fred l");
    await talk(
      w.fred,
      `
      C: LIST "" "Other*"
      S: * LIST (\\HasNoChildren) "/" "Other Users/mjl/Deep/Down"
      S: * LIST (\\HasNoChildren) "/" "Other Users/mjl/Team"
      S: OK …
      C: LIST "" "Other Users/%"
      S: * LIST (\\NonExistent \\Noselect \\HasChildren) "/" "Other Users/mjl"
      S: OK …
      C: LIST "Other Users/" "mjl/%"
      S: * LIST (\\NonExistent \\Noselect \\HasChildren) "/" "Other Users/mjl/Deep"
      S: * LIST (\\HasNoChildren) "/" "Other Users/mjl/Team"
      S: OK …
      C: SUBSCRIBE ${shared}
      S: OK …
      C: SUBSCRIBE "Other Users/mjl/Team/Secret"
      S: NO [NONEXISTENT] no such mailbox
      C: LSUB "Other Users" "*"
      S: * LSUB () "/" ${shared}
      S: OK …
      C: LIST (SUBSCRIBED) "" "Other*" RETURN (STATUS (MESSAGES))
      S: * LIST (\\Subscribed \\HasNoChildren) "/" ${shared}
      S: * STATUS ${shared} (MESSAGES 3)
      S: OK …
      C: LIST "" "Other*/Down" RETURN (STATUS (MESSAGES))
      S: * LIST (\\HasNoChildren) "/" "Other Users/mjl/Deep/Down"
      S: OK …
      C: MYRIGHTS ${shared}
      S: * MYRIGHTS ${shared} lr
      S: OK …
      C: GETACL ${shared}
      S: NO [NOPERM] you have no right to change its rights (a)
      C: STATUS "Other Users/mjl/Deep/Down" (MESSAGES)
      S: NO [NOPERM] you have no right to read it (r)
      C: SELECT "Other Users/mjl/INBOX"
      S: NO [NONEXISTENT] no such mailbox
      C: SELECT "Other Users/nobody/INBOX"
      S: NO [NONEXISTENT] no such mailbox
      `,
    );
    assert.deepEqual(await w.chris.ok('LIST "" "Other*"'), []);
    assert.deepEqual(await w.chris.ok('LIST "" "Other%"'), []);
    const [top] = (await w.fred.ok('LIST "" %')).filter((l) => l.includes("Other"));
    assert.equal(top, '* LIST (\\NonExistent \\Noselect \\HasChildren) "/" "Other Users"');
  }));

Deno.test("§4 read: without the other rights a mailbox is read-only and nothing is marked", () =>
  withSharing(async (w) => {
    await team(w, "lr");
    await talk(
      w.fred,
      `
      C: SELECT ${shared}
      S: * FLAGS (…)
      S: * OK [PERMANENTFLAGS ()] …
      S: * 3 EXISTS
      S: * 0 RECENT
      S: * OK [UNSEEN 1] …
      S: * OK [UIDVALIDITY …
      S: * OK [UIDNEXT 4] …
      S: * OK [HIGHESTMODSEQ …
      S: * OK [MAILBOXID (M…_6d6a6c)] …
      S: OK [READ-ONLY] …
      C: FETCH 1 (FLAGS BODY[HEADER.FIELDS (SUBJECT)])
      S: * 1 FETCH (FLAGS () BODY[HEADER.FIELDS (SUBJECT)] {…
      S: OK …
      C: FETCH 1 (EMAILID THREADID)
      S: * 1 FETCH (EMAILID (E…_6d6a6c) THREADID (T…_6d6a6c))
      S: OK …
      C: STORE 1 +FLAGS (\\Seen)
      S: NO [READ-ONLY] …
      C: EXPUNGE
      S: NO [READ-ONLY] …
      C: SEARCH SUBJECT m2
      S: * SEARCH 2
      S: OK …
      C: UID SORT (REVERSE SUBJECT) UTF-8 ALL
      S: * SORT 3 2 1
      S: OK …
      C: COPY 2:3 INBOX
      S: OK [COPYUID … 2:3 1:2] copied
      C: APPEND ${shared} {1+}\\r\\nx
      S: NO [NOPERM] you have no right to put messages into it (i)
      C: STATUS INBOX (MESSAGES)
      S: * STATUS INBOX (MESSAGES 2)
      S: OK …
      C: SELECT INBOX
      S: * OK [CLOSED] …
      S: * FLAGS (…)
      S: * OK [PERMANENTFLAGS (…
      S: * 2 EXISTS
      S: …
      S: …
      S: …
      S: …
      S: …
      S: …
      S: …
      S: OK [READ-WRITE] …
      C: FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]
      S: * 1 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {15}\\r\\nSubject: m2…
      S: * 2 FETCH (BODY[HEADER.FIELDS (SUBJECT)] {15}\\r\\nSubject: m3…
      S: OK …
      `.replaceAll("\\r\\n", "\r\n").replace("{1+}\r\n", "{1+}\\r\\n").replaceAll(
        "\r\nSubject",
        "…Subject",
      ),
    );
  }));

Deno.test("§4 flags: s, w and t each allow their own, and the rest stays as it was", () =>
  withSharing(async (w) => {
    await team(w, "lrs");
    await w.mjl.ok("SELECT Team");
    await w.mjl.ok("STORE 1 FLAGS.SILENT (\\Flagged $Important)");
    const select = await w.fred.run(`SELECT ${shared}`);
    assert.match(select.at(-1)!, /^OK \[READ-WRITE\]/);
    assert.ok(select.includes("* OK [PERMANENTFLAGS (\\Seen)] kept"), select.join("\n"));
    await talk(
      w.fred,
      `
      C: STORE 1 FLAGS (\\Seen \\Deleted)
      S: * 1 FETCH (FLAGS (\\Seen \\Flagged $Important))
      S: OK …
      C: STORE 1 -FLAGS (\\Flagged)
      S: NO [NOPERM] you have no right to change these flags
      C: STORE 1 +FLAGS (\\Answered Word)
      S: NO [NOPERM] …
      C: FETCH 2 BODY[TEXT]
      S: * 2 FETCH (FLAGS (\\Seen) BODY[TEXT] {…
      S: OK …
      C: EXPUNGE
      S: NO [NOPERM] you have no right to expunge messages (e)
      `,
    );
    await w.mjl.ok("SETACL Team fred +w");
    await talk(
      w.fred,
      `
      C: STORE 1 FLAGS (Word \\Deleted)
      S: * FLAGS (…Word)
      S: * OK [PERMANENTFLAGS (…
      S: * 1 FETCH (FLAGS (Word))
      S: OK …
      `,
    );
    await w.mjl.ok("SETACL Team fred +te");
    await talk(
      w.fred,
      `
      C: STORE 1 +FLAGS (\\Deleted)
      S: * 1 FETCH (FLAGS (\\Deleted Word))
      S: OK …
      C: EXPUNGE
      S: * 1 EXPUNGE
      S: OK …
      `,
    );
  }));

Deno.test("§4 insert: messages are appended, copied and moved into it with the flags that may be set", () =>
  withSharing(async (w) => {
    await team(w, "lri");
    const { fred, mjl } = w;
    assert.match(
      await fred.append(shared, message("new"), "(\\Seen \\Flagged) "),
      /^OK \[APPENDUID/,
    );
    await fred.append("INBOX", message("mine"), "(\\Seen) ");
    await fred.append("INBOX", message("moved"), "(\\Seen) ");
    await fred.ok("SELECT INBOX");
    assert.match(await fred.done(`COPY 1 ${shared}`), /^OK \[COPYUID \d+ 1 5\] copied$/);
    const moved = await fred.run(`MOVE 2 ${shared}`);
    assert.match(moved[0], /^\* OK \[COPYUID \d+ 2 6\] moved$/);
    assert.deepEqual(moved.slice(1, -1), ["* 2 EXPUNGE"]);
    assert.match(await fred.done(`COPY 1 "Other Users/mjl/Nowhere"`), /^NO \[NONEXISTENT\]/);
    assert.match(await fred.done(`COPY 1 Nowhere`), /^NO \[TRYCREATE\]/);
    await mjl.ok("SELECT Team");
    assert.deepEqual(
      (await mjl.ok("FETCH 4:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")).map((l) =>
        l.replace(/\r\n/g, " ")
      ),
      ["new", "mine", "moved"].map((subject, i) =>
        `* ${i + 4} FETCH (FLAGS () BODY[HEADER.FIELDS (SUBJECT)] {${
          subject.length + 13
        }} Subject: ${subject}  )`
      ),
    );
    // Back out of it: that takes t and e.
    await fred.ok(`SELECT ${shared}`);
    assert.match(await fred.done("MOVE 1 INBOX"), /^NO \[NOPERM\]/);
    await mjl.ok("SETACL Team fred +te");
    const back = await fred.run("MOVE 1 INBOX");
    assert.match(back.at(-1)!, /^OK/);
    assert.ok(back.includes("* 1 EXPUNGE"));
    assert.deepEqual(await fred.ok("STATUS INBOX (MESSAGES)"), ["* STATUS INBOX (MESSAGES 2)"]);
  }));

Deno.test("§4 create, delete and rename take k and x, and new mailboxes have the rights of their parent", () =>
  withSharing(async (w) => {
    await team(w, "lr");
    await talk(
      w.fred,
      `
      C: CREATE "Other Users/mjl/Team/New"
      S: NO [NOPERM] you have no right to make mailboxes below it (k)
      C: CREATE "Other Users/mjl/Other"
      S: NO [NOPERM] mailboxes of others can only be made below one that was shared
      C: DELETE ${shared}
      S: NO [NOPERM] you have no right to remove or rename it (x)
      `,
    );
    await w.mjl.ok("SETACL Team fred +k");
    await talk(
      w.fred,
      `
      C: CREATE "Other Users/mjl/Team/New"
      S: OK [MAILBOXID (…)] created
      C: MYRIGHTS "Other Users/mjl/Team/New"
      S: * MYRIGHTS "Other Users/mjl/Team/New" lrkc
      S: OK …
      C: RENAME "Other Users/mjl/Team/New" "Other Users/mjl/Team/Old"
      S: NO [NOPERM] …
      `,
    );
    await w.mjl.ok("SETACL Team/New fred +x");
    await talk(
      w.fred,
      `
      C: RENAME "Other Users/mjl/Team/New" Mine
      S: NO [CANNOT] a mailbox stays with its account
      C: RENAME "Other Users/mjl/Team/New" "Other Users/mjl/Team/Old"
      S: OK …
      C: DELETE "Other Users/mjl/Team/Old"
      S: OK …
      C: LIST "" "Other*"
      S: * LIST (\\HasNoChildren) "/" ${shared}
      S: OK …
      `,
    );
  }));

Deno.test("§4 the nearest mailbox that exists counts for k, also one that the user may not know of", () =>
  withSharing(async (w) => {
    await team(w, "lrk");
    await w.mjl.ok("CREATE Team/Secret");
    await w.mjl.ok("DELETEACL Team/Secret fred");
    const refused = "NO [NOPERM] mailboxes of others can only be made below one that was shared";
    await talk(
      w.fred,
      `
      C: CREATE "Other Users/mjl/Team/Secret/x"
      S: ${refused}
      C: CREATE "Other Users/mjl/Team/a/b"
      S: * LIST (\\Subscribed) "/" "Other Users/mjl/Team/a"
      S: OK [MAILBOXID (…)] created
      C: CREATE "Other Users/nobody/a"
      S: ${refused}
      C: CREATE "Other Users/mjl"
      S: ${refused}
      `,
    );
    await w.mjl.ok("SETACL Team/a fred +x");
    assert.equal(
      await w.fred.done('RENAME "Other Users/mjl/Team/a" "Other Users/mjl/Team/Secret/a"'),
      refused,
    );
    assert.deepEqual(await w.mjl.ok('LIST "" "Team/Secret*"'), [
      '* LIST (\\HasNoChildren) "/" Team/Secret',
    ]);
  }));

Deno.test("changes reach those who share a mailbox, and end when the right to read it does", () =>
  withSharing(async (w) => {
    await team(w, "lrswite");
    const { fred, mjl } = w;
    await fred.ok(`SELECT ${shared}`);
    await mjl.ok("SELECT Team");
    await mjl.ok("STORE 2 +FLAGS (\\Flagged)");
    await mjl.append("Team", message("m4"));
    assert.deepEqual(
      await fred.ok("NOOP"),
      ["* 4 EXISTS", "* 2 FETCH (UID 2 FLAGS (\\Flagged))"]
        .map((l) => l.replace("UID 2 ", "UID 2 ")),
    );
    fred.send("i IDLE\r\n");
    assert.equal(await fred.line(), "+ waiting");
    await mjl.ok("STORE 1 +FLAGS.SILENT (\\Deleted)");
    assert.match(await fred.line(), /^\* 1 FETCH \(.*FLAGS \(\\Deleted\)\)$/);
    await mjl.ok("EXPUNGE");
    assert.equal(await fred.line(), "* 1 EXPUNGE");
    fred.send("DONE\r\n");
    assert.deepEqual(await fred.answer("i"), ["OK done"]);
    await fred.ok("STORE 1 +FLAGS (\\Seen)");
    assert.deepEqual(
      (await mjl.ok("NOOP")).filter((l) => l.includes("Seen")),
      ["* 1 FETCH (UID 2 FLAGS (\\Seen \\Flagged))"],
    );
    // Ids of mailboxes and messages of the two accounts are the same numbers, and don't mix.
    await fred.append("INBOX", message("own"));
    assert.deepEqual(await fred.ok("NOOP"), []);

    await mjl.ok("DELETEACL Team fred");
    await mjl.ok("STORE 1 +FLAGS (Hidden)");
    assert.deepEqual(await fred.ok("NOOP"), []);
    assert.match(await fred.done("FETCH 1 FLAGS"), /^NO \[NOPERM\]/);
    assert.match(await fred.done("CLOSE"), /^OK/);
    assert.match(await fred.done(`SELECT ${shared}`), /^NO \[NONEXISTENT\]/);
  }));

Deno.test("anyone has what everybody was granted, and negative rights win", () =>
  withSharing(async (w) => {
    await team(w, "lrs");
    await w.mjl.ok("SETACL Team anyone lrw");
    await w.mjl.ok("SETACL Team -chris w");
    assert.deepEqual(await w.chris.ok(`MYRIGHTS ${shared}`), [`* MYRIGHTS ${shared} lr`]);
    assert.deepEqual(await w.fred.ok(`MYRIGHTS ${shared}`), [`* MYRIGHTS ${shared} lrsw`]);
    await w.mjl.ok("SETACL Team -chris lrw");
    assert.match(await w.chris.done(`MYRIGHTS ${shared}`), /^NO \[NONEXISTENT\]/);
    assert.deepEqual(await w.chris.ok('LIST "" "Other*"'), []);
  }));

Deno.test("one with the right a gives rights on", () =>
  withSharing(async (w) => {
    await team(w, "lra");
    await w.fred.ok(`SETACL ${shared} chris lr`);
    assert.deepEqual(await w.fred.ok(`GETACL ${shared}`), [
      `* ACL ${shared} mjl lrswipkxteacd chris lr fred lra`,
    ]);
    assert.deepEqual(await w.chris.ok(`MYRIGHTS ${shared}`), [`* MYRIGHTS ${shared} lr`]);
  }));

Deno.test("quota, annotations, search of several and NOTIFY work in mailboxes of others", () =>
  withSharing(async (w) => {
    await team(w, "lrsw");
    const { fred, mjl } = w;
    await fred.append("INBOX", message("m2"));
    await talk(
      fred,
      `
      C: GETQUOTAROOT ${shared}
      S: * QUOTAROOT ${shared} "Other Users/mjl"
      S: * QUOTA "Other Users/mjl" ()
      S: OK …
      C: SETMETADATA ${shared} (/shared/comment "ours")
      S: OK …
      C: SETMETADATA ${shared} (/private/comment "mine")
      S: NO [METADATA NOPRIVATE] …
      C: GETMETADATA ${shared} (/shared/comment)
      S: * METADATA ${shared} (/shared/comment "ours")
      S: OK …
      C: ESEARCH IN (PERSONAL MAILBOXES ${shared}) SUBJECT m2
      S: * ESEARCH (TAG "…" MAILBOX INBOX UIDVALIDITY …) UID ALL 1
      S: * ESEARCH (TAG "…" MAILBOX ${shared} UIDVALIDITY …) UID ALL 2
      S: OK …
      C: ESEARCH IN (PERSONAL) SUBJECT m2
      S: * ESEARCH (TAG "…" MAILBOX INBOX UIDVALIDITY …) UID ALL 1
      S: OK …
      C: NOTIFY SET (MAILBOXES ${shared} (MessageNew MessageExpunge))
      S: OK …
      `,
    );
    await mjl.append("Team", message("m4"));
    assert.match(await fred.line(), /^\* STATUS "Other Users\/mjl\/Team" \(MESSAGES 4 UIDNEXT 5/);
    await mjl.append("INBOX", message("not shared"));
    assert.deepEqual(await fred.ok("NOOP"), []);
  }));
