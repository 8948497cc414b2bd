/** NOTIFY (RFC 5465), as transcripts. */
import assert from "node:assert/strict";
import { type Client, message, startServer, type TestServer } from "./server.ts";
import { talk } from "./transcript.ts";

async function withTwo(
  fn: (c: Client, other: Client, s: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer({ others: ["fred"] });
  try {
    await fn(await server.client(), await server.client(), server);
  } finally {
    await server.stop();
  }
}

Deno.test("§5.1-5.3 the selected mailbox: new messages with what was asked for, flags, expunges", () =>
  withTwo(async (c, other) => {
    await other.append("INBOX", message("before"));
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: NOTIFY SET (SELECTED (MessageNew (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)]) MessageExpunge FlagChange))
      S: OK done
      `,
    );
    await other.append("INBOX", message("new"));
    assert.equal(await c.line(), "* 2 EXISTS");
    assert.equal(
      await c.line(),
      "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] {16}\r\nSubject: new\r\n\r\n)",
    );
    await other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)");
    assert.equal(await c.line(), "* 1 FETCH (UID 1 FLAGS (\\Flagged))");
    await other.ok("MOVE 1 Archive");
    assert.equal(await c.line(), "* 1 EXPUNGE");
    // Archive was not asked for.
    await talk(c, "C: NOOP\nS: OK done");
  }));

Deno.test("§6.1.2 SELECTED-DELAYED: expunges wait for a command that may tell of them", () =>
  withTwo(async (c, other) => {
    for (const n of [1, 2]) await other.append("INBOX", message(`m${n}`));
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    await c.ok("NOTIFY SET (SELECTED-DELAYED (MessageNew MessageExpunge))");
    await other.ok("MOVE 1 Archive");
    await other.append("INBOX", message("m3"));
    assert.equal(await c.line(), "* 3 EXISTS");
    await talk(
      c,
      `
      C: FETCH 2 UID
      S: * 2 FETCH (UID 2)
      S: OK done
      C: NOOP
      S: * 1 EXPUNGE
      S: OK done
      `,
    );
  }));

Deno.test("§3.1 without SELECTED nothing is told of the selected mailbox, until it is asked for again", () =>
  withTwo(async (c, other) => {
    for (const n of [1, 2, 3]) await other.append("INBOX", message(`m${n}`));
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    for (
      const rules of [
        "NOTIFY NONE",
        "NOTIFY SET (PERSONAL (MailboxName))",
        "NOTIFY SET (SELECTED NONE)",
      ]
    ) {
      await c.ok(rules);
      await other.append("INBOX", message("new"));
      await other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)");
      await talk(
        c,
        "C: NOOP\nS: OK done\nC: FETCH 1:* UID\nS: * 1 …\nS: * 2 …\nS: * 3 …\nS: OK done",
      );
    }
    await other.ok("MOVE 2 Archive");
    await talk(
      c,
      `
      C: NOTIFY SET (SELECTED (MessageNew (UID) MessageExpunge FlagChange))
      S: * 6 EXISTS
      S: * 1 FETCH (UID 1 FLAGS (\\Flagged))
      S: * 2 EXPUNGE
      S: * 3 FETCH (UID 4)
      S: * 4 FETCH (UID 5)
      S: * 5 FETCH (UID 6)
      S: OK done
      C: UID SEARCH ALL
      S: * SEARCH 1 3 4 5 6
      S: OK done
      `,
    );
  }));

Deno.test("§5.2-5.3 other mailboxes: STATUS, at once; §3.1 STATUS to begin with", () =>
  withTwo(async (c, other) => {
    await other.ok("CREATE Lists/Lemonade");
    await other.append("Lists/Lemonade", message("one"));
    await talk(
      c,
      `
      C: NOTIFY SET STATUS (SUBTREE Lists (MessageNew MessageExpunge FlagChange))
      S: * STATUS Lists (MESSAGES 0 UIDNEXT 1 UIDVALIDITY … UNSEEN 0 HIGHESTMODSEQ …)
      S: * STATUS Lists/Lemonade (MESSAGES 1 UIDNEXT 2 UIDVALIDITY … UNSEEN 1 HIGHESTMODSEQ …)
      S: OK done
      `,
    );
    await other.append("Lists/Lemonade", message("two"));
    assert.match(
      await c.line(),
      /^\* STATUS Lists\/Lemonade \(MESSAGES 2 UIDNEXT 3 UIDVALIDITY \d+ UNSEEN 2\)$/,
    );
    await other.append("INBOX", message("not asked for"));
    await c.ok("ENABLE CONDSTORE");
    await other.ok("SELECT Lists/Lemonade");
    await other.ok("STORE 1 +FLAGS.SILENT (\\Seen)");
    assert.match(
      await c.line(),
      /^\* STATUS Lists\/Lemonade \(UIDVALIDITY \d+ UNSEEN 1 HIGHESTMODSEQ \d+\)$/,
    );
    await other.ok("MOVE 1 Archive");
    assert.match(
      await c.line(),
      /^\* STATUS Lists\/Lemonade \(MESSAGES 1 UIDNEXT 3 UIDVALIDITY \d+ UNSEEN 1 HIGHESTMODSEQ \d+\)$/,
    );
  }));

Deno.test("§5.4-5.7 names, subscriptions and annotations", () =>
  withTwo(async (c, other) => {
    await c.ok(
      "NOTIFY SET (PERSONAL (MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange))",
    );
    const told = async (command: string, ...want: string[]) => {
      await other.ok(command);
      for (const w of want) assert.equal(await c.line(), w, command);
    };
    await told("CREATE NewMailbox", '* LIST (\\Subscribed) "/" NewMailbox');
    await told("RENAME NewMailbox Renamed", '* LIST () "/" Renamed ("OLDNAME" (NewMailbox))');
    await told("UNSUBSCRIBE Renamed", '* LIST () "/" Renamed');
    await told("SUBSCRIBE Renamed", '* LIST (\\Subscribed) "/" Renamed');
    await told("SUBSCRIBE nowhere", '* LIST (\\Subscribed \\NonExistent) "/" nowhere');
    await told('SETMETADATA Renamed (/shared/comment "x")', "* METADATA Renamed /shared/comment");
    await told('SETMETADATA "" (/shared/comment "x")', '* METADATA "" /shared/comment');
    await told("DELETE Renamed", '* LIST (\\NonExistent) "/" Renamed');
  }));

Deno.test("§6 the first group that fits a mailbox counts", () =>
  withTwo(async (c, other) => {
    await other.ok("CREATE a/b/c");
    await other.ok("UNSUBSCRIBE a/b");
    await c.ok(
      "NOTIFY SET (MAILBOXES (inBox) NONE) (SUBTREE-ONE a (MessageNew MessageExpunge)) " +
        "(SUBSCRIBED (MessageNew MessageExpunge FlagChange))",
    );
    await other.append("INBOX", message("x"));
    await other.append("a/b", message("x"));
    assert.match(await c.line(), /^\* STATUS a\/b \(MESSAGES 1 /);
    await other.ok("SELECT a/b");
    await other.ok("STORE 1 +FLAGS.SILENT (\\Seen)");
    await other.append("a/b/c", message("x"));
    assert.match(await c.line(), /^\* STATUS a\/b\/c \(MESSAGES 1 /);
  }));

Deno.test("§3.1 and §5 what can't be asked for", () =>
  withTwo((c) =>
    talk(
      c,
      `
      C: NOTIFY SET (SELECTED (MessageNew MessageExpunge AnnotationChange))
      S: NO [BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange)] there are no such events
      C: NOTIFY SET (PERSONAL (FullMoon))
      S: NO [BADEVENT (…)] there are no such events
      C: NOTIFY SET (PERSONAL (MessageNew))
      S: BAD …expected MessageNew and MessageExpunge together
      C: NOTIFY SET (PERSONAL (MessageExpunge))
      S: BAD …
      C: NOTIFY SET (PERSONAL (FlagChange))
      S: BAD …expected MessageNew and MessageExpunge too
      C: NOTIFY SET (PERSONAL (AnnotationChange))
      S: BAD …
      C: NOTIFY SET (SELECTED (MailboxName))
      S: BAD …expected event of messages
      C: NOTIFY SET (PERSONAL (MessageNew (UID) MessageExpunge))
      S: BAD …
      C: NOTIFY SET (SELECTED NONE) (SELECTED-DELAYED NONE)
      S: BAD only one of SELECTED and SELECTED-DELAYED
      C: NOTIFY SET (NOWHERE NONE)
      S: BAD …expected mailbox filter
      C: NOTIFY SET
      S: BAD …
      C: NOTIFY MAYBE
      S: BAD …expected SET or NONE
      C: NOTIFY NONE x
      S: BAD …expected end of command
      `,
    )
  ));

Deno.test("§5.9 mailboxes of others: \\NoAccess, and nothing of what may not be read or looked up", () =>
  withTwo(async (mjl, _, server) => {
    const fred = await server.client({ as: "fred" });
    await mjl.ok("CREATE Team");
    await mjl.ok("CREATE Hidden");
    await mjl.ok("SETACL Team fred l");
    const team = '"Other Users/mjl/Team"';
    await talk(
      fred,
      `
      C: NOTIFY SET (MAILBOXES (${team} "Other Users/mjl/Hidden" nosuch) (MessageNew MessageExpunge MailboxName))
      S: * LIST (\\NoAccess) "/" ${team}
      S: OK done
      `,
    );
    await mjl.append("Team", message("one"));
    await mjl.append("Hidden", message("one"));
    await talk(fred, "C: NOOP\nS: OK done");
    await mjl.ok("SETACL Team fred lr");
    await mjl.append("Team", message("two"));
    assert.match(await fred.line(), /^\* STATUS "Other Users\/mjl\/Team" \(MESSAGES 2 /);
    await mjl.ok("DELETE Team");
    assert.match(await fred.line(), /^\* STATUS|^\* LIST/);
  }));

Deno.test("§5.8 more changes than are kept: NOTIFICATIONOVERFLOW, and from then on as after NONE", () =>
  withTwo(async (c, other, server) => {
    await c.ok("NOTIFY SET (PERSONAL (MessageNew MessageExpunge))");
    // The client doesn't read; the server can't keep all of it.
    const change = { kind: "subscription", name: "x", subscribed: true } as const;
    server.account.broadcast.publish(Array.from({ length: 200_001 }, () => change));
    assert.match(await c.line(), /^\* OK \[NOTIFICATIONOVERFLOW\] /);
    await other.append("INBOX", message("one"));
    await talk(
      c,
      "C: NOOP\nS: OK done\nC: STATUS INBOX (MESSAGES)\nS: * STATUS INBOX (MESSAGES 1)\nS: OK done",
    );
    // With a mailbox selected the client can't go on, and has to begin anew.
    await c.ok("SELECT INBOX");
    server.account.broadcast.publish(Array.from({ length: 200_001 }, () => change));
    const lines = await c.run("NOOP");
    assert.match(lines[0], /^\* BYE \[UNAVAILABLE\] /);
  }));

Deno.test("§7 UPDATE with FETCH items: sent of messages that are new and come into the result", () =>
  withTwo(async (c, other) => {
    await other.append("INBOX", message("boss: one"));
    await c.ok("SELECT INBOX");
    await other.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: UID SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])) SUBJECT boss UNFLAGGED
      S: * ESEARCH (TAG "x3") UID COUNT 1
      S: OK done
      `,
    );
    await other.append("INBOX", message("boss: two"));
    await other.append("INBOX", message("else"));
    await talk(
      c,
      `
      C: NOOP
      S: * 3 EXISTS
      S: * ESEARCH (TAG "x3") UID ADDTO (0 2)
      S: * 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] {22}…boss: two…)
      S: OK done
      `,
    );
    await other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)");
    await other.ok("STORE 1 -FLAGS.SILENT (\\Flagged)");
    await c.ok("NOOP");
    await other.ok("STORE 1 +FLAGS.SILENT (\\Flagged)");
    await c.ok("NOOP");
    await other.ok("STORE 1 -FLAGS.SILENT (\\Flagged)");
    // Not a new message: no FETCH beyond its flags.
    await talk(
      c,
      'C: NOOP\nS: * 1 FETCH (UID 1 FLAGS ())\nS: * ESEARCH (TAG "x3") UID ADDTO (0 1)\nS: OK done',
    );
  }));
