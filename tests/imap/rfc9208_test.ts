/** QUOTA (RFC 9208), as transcripts. */
import assert from "node:assert/strict";
import { dovecotQuotaRoot, noDovecot, startDovecot } from "../support/dovecot.ts";
import { Client, message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§4.1 use and limit of an account, in units of 1024 bytes; §4.1.4 what EXPUNGE would free", async () => {
  const server = await startServer({ quota: 10 * 1024, others: ["fred"] });
  try {
    const c = await server.client();
    const [capability] = await c.ok("CAPABILITY");
    assert.match(capability, / QUOTA QUOTA=RES-STORAGE(?= |$)/);
    assert.doesNotMatch(capability, /QUOTASET/);
    const text = message("one", `${"x".repeat(70)}\r\n`.repeat(40));
    await c.append("INBOX", text);
    await c.append("INBOX", text, "(\\Deleted) ");
    const used = Math.ceil(2 * text.length / 1024);
    await talk(
      c,
      `
      C: GETQUOTAROOT INBOX
      S: * QUOTAROOT INBOX ""
      S: * QUOTA "" (STORAGE ${used} 10)
      S: OK done
      C: GETQUOTA ""
      S: * QUOTA "" (STORAGE ${used} 10)
      S: OK done
      C: STATUS INBOX (DELETED DELETED-STORAGE)
      S: * STATUS INBOX (DELETED 1 DELETED-STORAGE ${text.length})
      S: OK done
      C: GETQUOTA "no such"
      S: NO [NONEXISTENT] no such quota root
      C: GETQUOTAROOT nosuch
      S: NO [NONEXISTENT] no such mailbox
      C: SETQUOTA "" (STORAGE 512)
      S: NO [NOPERM] only the administrator sets limits
      C: SETQUOTA "" (STORAGE 512 MESSAGE 9223372036854775807)
      S: BAD …
      C: SETQUOTA "" ()
      S: NO [NOPERM] …
      C: SETQUOTA "no such" (STORAGE 512)
      S: NO [NONEXISTENT] no such quota root
      C: SETQUOTA "" (STORAGE)
      S: BAD …
      C: SETQUOTA "" STORAGE 512
      S: BAD …
      C: SETQUOTA ""
      S: BAD …
      C: GETQUOTA
      S: BAD …
      `,
    );
    // §4.3: over the limit nothing is stored, copied or moved in.
    const big = message("big", `${"x".repeat(70)}\r\n`.repeat(80));
    assert.match(await c.append("INBOX", big), /^NO \[OVERQUOTA\] /);
    const fred = await server.client({ as: "fred" });
    await c.ok("SETACL INBOX fred lri");
    await fred.append("INBOX", big);
    await fred.ok("SELECT INBOX");
    await talk(
      fred,
      `
      C: COPY 1 "Other Users/mjl/INBOX"
      S: NO [OVERQUOTA] …
      C: GETQUOTAROOT "Other Users/mjl/INBOX"
      S: * QUOTAROOT "Other Users/mjl/Inbox" "Other Users/mjl"
      S: * QUOTA "Other Users/mjl" (STORAGE ${used} 10)
      S: OK done
      C: GETQUOTA "Other Users/nobody"
      S: NO [NONEXISTENT] no such quota root
      `,
    );
    // Copies within the account are of the same email, and cost nothing.
    await c.ok("SELECT INBOX");
    for (let i = 0; i < 4; i++) await c.ok("COPY 1:2 Archive");
    assert.deepEqual(await c.ok('GETQUOTA ""'), [`* QUOTA "" (STORAGE ${used} 10)`]);
  } finally {
    await server.stop();
  }
});

Deno.test("§4.1 without a limit there is no resource to tell of", () =>
  withClient((c) =>
    talk(c, 'C: GETQUOTAROOT INBOX\nS: * QUOTAROOT INBOX ""\nS: * QUOTA "" ()\nS: OK done')
  ));

Deno.test("§5.2 MESSAGE and §5.3 MAILBOX: copies count, moves don't, and what would exceed them is refused", async () => {
  const server = await startServer({ quotaMessages: 3, quotaMailboxes: 8 });
  try {
    const c = await server.client();
    const [capability] = await c.ok("CAPABILITY");
    assert.match(capability, / QUOTA=RES-MESSAGE QUOTA=RES-MAILBOX(?= |$)/);
    const text = message("one", "one\r\n");
    await c.append("INBOX", text);
    await c.append("INBOX", text);
    await talk(
      c,
      `
      C: GETQUOTAROOT INBOX
      S: * QUOTAROOT INBOX ""
      S: * QUOTA "" (MESSAGE 2 3 MAILBOX 6 8)
      S: OK done
      `,
    );
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: COPY 1:2 Archive
      S: NO [OVERQUOTA] account is over its quota of 3 messages (QuotaMessages)
      C: COPY 1 Archive
      S: OK [COPYUID …
      C: MOVE 2 Archive
      S: * OK [COPYUID …
      S: * 2 EXPUNGE
      S: OK …
      C: STATUS Archive (MESSAGES)
      S: * STATUS Archive (MESSAGES 2)
      S: OK done
      C: CREATE a
      S: OK …
      C: CREATE b/c
      S: NO [OVERQUOTA] account is over its quota of 8 mailboxes (QuotaMailboxes)
      C: LIST "" b*
      S: OK done
      C: CREATE b
      S: OK …
      C: RENAME INBOX d
      S: NO [OVERQUOTA] …
      C: RENAME b d
      S: OK …
      C: GETQUOTA ""
      S: * QUOTA "" (MESSAGE 3 3 MAILBOX 8 8)
      S: OK done
      C: DELETE d
      S: OK …
      C: CREATE e
      S: OK …
      `,
    );
    assert.match(await c.append("INBOX", text), /^NO \[OVERQUOTA\] /);
    await c.ok("STORE 1 +FLAGS (\\Deleted)");
    await c.ok("EXPUNGE");
    assert.match(await c.append("INBOX", text), /^OK /);
  } finally {
    await server.stop();
  }
});

/** Commands with what ours answers where that differs from Dovecot's on purpose; %root is the quota root. */
const besideDovecot: readonly (readonly [command: string, ours?: readonly string[]])[] = [
  ["GETQUOTAROOT INBOX"],
  ['GETQUOTA "%root"'],
  ['GETQUOTA "no such"'],
  ["GETQUOTA"],
  ['SETQUOTA "%root" (STORAGE 512)'],
  ['SETQUOTA "%root" (STORAGE 512 MESSAGE 10)'],
  ['SETQUOTA "%root" ()'],
  ['SETQUOTA "no such" (STORAGE 512)'],
  ["SETQUOTA"],
  // Dovecot answers before it looks at the limits.
  ['SETQUOTA "%root" (STORAGE)', ["BAD"]],
  ['SETQUOTA "%root" (STORAGE many)', ["BAD"]],
  // There it answers also for mailboxes that aren't there.
  ["GETQUOTAROOT nosuch", ["NO"]],
];

Deno.test({
  name: "what Dovecot answers about quotas, asked the same",
  ignore: noDovecot,
  async fn() {
    const limit = 100;
    const dovecot = await startDovecot(limit);
    const server = await startServer({ quota: limit * 1024 });
    let other: Client | undefined;
    try {
      const ours = await server.client();
      other = await Client.connect(dovecot.port);
      await other.line();
      await other.ok(`LOGIN ${dovecot.user} ${dovecot.password}`);
      const text = message("one", `${"x".repeat(70)}\r\n`.repeat(400));
      for (const c of [ours, other]) assert.match(await c.append("INBOX", text), /^OK/);
      const answer = async (c: Client, root: string, command: string) => {
        const lines = await c.run(command.replaceAll("%root", root));
        const [result] = lines.pop()!.split(" ");
        return [...lines.map((l) => l.replaceAll(`"${root}"`, '"%root"')), result];
      };
      for (const [command, differs] of besideDovecot) {
        const got = await answer(ours, "", command);
        const theirs = await answer(other, dovecotQuotaRoot, command);
        assert.deepEqual(got, differs ?? theirs, command);
        if (differs) assert.notDeepEqual(theirs, differs, `${command}: no difference any more`);
      }
      for (const c of [ours, other]) {
        for (let i = 0; i < 2; i++) await c.ok(`APPEND INBOX {${text.length}+}\r\n${text}`);
        const refused = await c.append("INBOX", text);
        assert.match(refused, /^NO \[OVERQUOTA\] /);
      }
    } finally {
      other?.close();
      await server.stop();
      await dovecot.stop();
    }
  },
});
