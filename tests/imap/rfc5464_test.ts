/** METADATA (RFC 5464), as transcripts. */
import assert from "node:assert/strict";
import { startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§4.2-4.3 values of mailboxes and of the server are set, read and removed", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: SETMETADATA INBOX (/private/comment "My new comment")
      S: OK done
      C: GETMETADATA INBOX /private/comment
      S: * METADATA INBOX (/private/comment "My new comment")
      S: OK done
      C: GETMETADATA INBOX (/shared/comment /private/comment)
      S: * METADATA INBOX (/shared/comment NIL /private/comment "My new comment")
      S: OK done
      C: SETMETADATA INBOX (/private/COMMENT {3+}\\r\\none /shared/comment "")
      S: OK done
      C: GETMETADATA "inbox" (/PRIVATE/Comment /shared/comment)
      S: * METADATA INBOX (/private/comment "one" /shared/comment "")
      S: OK done
      C: SETMETADATA INBOX (/private/comment NIL /shared/comment NIL)
      S: OK done
      C: GETMETADATA INBOX (/private/comment)
      S: * METADATA INBOX (/private/comment NIL)
      S: OK done
      C: SETMETADATA "" (/shared/comment "Shared comment" /shared/admin "mailto:a@b")
      S: OK done
      C: GETMETADATA "" /shared/comment
      S: * METADATA "" (/shared/comment "Shared comment")
      S: OK done
      C: GETMETADATA nosuch /shared/comment
      S: NO [NONEXISTENT] no such mailbox
      C: SETMETADATA nosuch (/shared/comment "x")
      S: NO [NONEXISTENT] no such mailbox
      C: SETMETADATA Archive (/private/a ~{3+}\\r\\na\0b)
      S: OK done
      C: GETMETADATA Archive /private/a
      S: * METADATA Archive (/private/a ~{3}…)
      S: OK done
      `,
    )
  ));

Deno.test("§4.2.1-4.2.2 MAXSIZE holds long values back and tells of the longest, DEPTH reads below", () =>
  withClient(async (c) => {
    await c.ok(
      'SETMETADATA INBOX (/private/filters/values/small "SMALLER 5000" ' +
        '/private/filters/values/boss "FROM \\"boss@example.com\\"" /private/filters/x/y/z "deep")',
    );
    await talk(
      c,
      `
      C: GETMETADATA (MAXSIZE 12) INBOX (/private/filters/values/small /private/filters/values/boss)
      S: * METADATA INBOX (/private/filters/values/small "SMALLER 5000")
      S: OK [METADATA LONGENTRIES 23] some values are longer
      C: GETMETADATA INBOX (MAXSIZE 4 DEPTH infinity) /private/filters
      S: * METADATA INBOX (/private/filters/x/y/z "deep")
      S: OK [METADATA LONGENTRIES 23] some values are longer
      C: GETMETADATA (DEPTH 1) INBOX (/private/filters/values)
      S: * METADATA INBOX (/private/filters/values/boss "FROM \\"boss@example.com\\"" /private/filters/values/small "SMALLER 5000")
      S: OK done
      C: GETMETADATA (DEPTH 0) INBOX (/private/filters/values)
      S: * METADATA INBOX (/private/filters/values NIL)
      S: OK done
      C: GETMETADATA (DEPTH infinity MAXSIZE 5) INBOX /private
      S: * METADATA INBOX (/private/filters/x/y/z "deep")
      S: OK [METADATA LONGENTRIES 23] some values are longer
      C: GETMETADATA (DEPTH 2) INBOX /private
      S: BAD …expected 0, 1 or infinity
      C: GETMETADATA (WIDTH 2) INBOX /private
      S: BAD …expected MAXSIZE or DEPTH
      `,
    );
  }));

Deno.test("§3.2 names that can't be are BAD; §4.3 what is too much is NO, and nothing of it is set", () =>
  withClient(async (c) => {
    for (
      const name of [
        "/private",
        "/other/x",
        "private/x",
        "/private//x",
        "/private/x/",
        '"/private/*"',
      ]
    ) {
      assert.match(await c.done(`SETMETADATA INBOX (${name} "v")`), /^BAD entry name /, name);
      assert.match(await c.done(`GETMETADATA INBOX (${name})`), /^BAD entry name /, name);
    }
    assert.match(
      await c.done(
        `SETMETADATA INBOX (/private/x "y" /private/big {65537+}\r\n${"b".repeat(65537)})`,
      ),
      /^NO \[METADATA MAXSIZE 65536\] /,
    );
    const many = Array.from({ length: 1001 }, (_, i) => `/private/k${i} "v"`).join(" ");
    assert.match(await c.done(`SETMETADATA INBOX (${many})`), /^NO \[METADATA TOOMANY\] /);
    await talk(
      c,
      `
      C: GETMETADATA (DEPTH infinity) INBOX /private
      S: OK done
      C: SETMETADATA INBOX ()
      S: BAD …expected entry name
      C: SETMETADATA INBOX (/private/x)
      S: BAD …expected space
      `,
    );
  }));

Deno.test("§4.1 values go with a mailbox that is renamed, and end with one that is deleted", () =>
  withClient((c) =>
    talk(
      c,
      `
      C: CREATE a
      S: OK …
      C: SETMETADATA a (/shared/comment "of a")
      S: OK done
      C: RENAME a b
      S: OK done
      C: GETMETADATA b /shared/comment
      S: * METADATA b (/shared/comment "of a")
      S: OK done
      C: DELETE b
      S: OK done
      C: CREATE b
      S: OK …
      C: GETMETADATA b /shared/comment
      S: * METADATA b (/shared/comment NIL)
      S: OK done
      `,
    )
  ));

Deno.test("§4.4.2 after ENABLE METADATA changes of others are told, by name only; without, they are not", async () => {
  const server = await startServer();
  try {
    const c = await server.client();
    const d = await server.client();
    await talk(
      c,
      `
      C: ENABLE METADATA
      S: * ENABLED METADATA
      S: OK done
      `,
    );
    const other = await server.client();
    await other.ok('SETMETADATA INBOX (/shared/comment "x" /private/y "z")');
    await other.ok('SETMETADATA "" (/shared/admin "mailto:x@example.org")');
    await talk(
      c,
      `
      C: NOOP
      S: * METADATA INBOX /shared/comment
      S: * METADATA INBOX /private/y
      S: * METADATA "" /shared/admin
      S: OK done
      C: SETMETADATA INBOX (/private/y NIL)
      S: OK done
      C: NOOP
      S: OK done
      `,
    );
    await talk(d, "C: NOOP\nS: OK done");
  } finally {
    await server.stop();
  }
});

Deno.test("§3.3 with ACL: l and r read shared values, l and w set them; private ones are the owner's alone", async () => {
  const server = await startServer({ others: ["fred"] });
  try {
    const mjl = await server.client();
    const fred = await server.client({ as: "fred" });
    await mjl.ok("CREATE Team");
    await mjl.ok('SETMETADATA Team (/shared/comment "ours" /private/comment "secret")');
    await mjl.ok("SETACL Team fred lr");
    const team = '"Other Users/mjl/Team"';
    await talk(
      fred,
      `
      C: GETMETADATA ${team} (/shared/comment /private/comment)
      S: * METADATA ${team} (/shared/comment "ours" /private/comment NIL)
      S: OK done
      C: GETMETADATA (DEPTH infinity) ${team} (/shared /private)
      S: * METADATA ${team} (/shared/comment "ours")
      S: OK done
      C: LIST "" "Other Users/*" RETURN (METADATA (/shared/comment /private/comment))
      S: * LIST (\\HasNoChildren) "/" ${team}
      S: * METADATA ${team} (/shared/comment "ours" /private/comment NIL)
      S: OK done
      C: SETMETADATA ${team} (/shared/comment "mine")
      S: NO [NOPERM] you have no right to change flags (w)
      C: ENABLE METADATA
      S: * ENABLED METADATA
      S: OK done
      C: NOTIFY SET (MAILBOXES ${team} (MailboxMetadataChange))
      S: OK done
      `,
    );
    await mjl.ok('SETMETADATA Team (/private/diary "dear" /shared/comment "ours!")');
    assert.equal(await fred.line(), `* METADATA ${team} /shared/comment`);
    await mjl.ok("SETACL Team fred lw");
    await talk(
      fred,
      `
      C: SETMETADATA ${team} (/shared/comment "mine")
      S: OK done
      C: SETMETADATA ${team} (/private/comment "mine")
      S: NO [METADATA NOPRIVATE] private notes are kept for mailboxes of your own only
      C: GETMETADATA ${team} /shared/comment
      S: NO [NOPERM] you have no right to read it (r)
      `,
    );
    await mjl.ok("SETACL Team fred rw");
    await talk(
      fred,
      `
      C: GETMETADATA ${team} /shared/comment
      S: NO [NONEXISTENT] no such mailbox
      C: SETMETADATA ${team} (/shared/comment "x")
      S: NO [NONEXISTENT] no such mailbox
      `,
    );
  } finally {
    await server.stop();
  }
});
