/** UIDPLUS (RFC 4315), as transcripts. */
import assert from "node:assert/strict";
import { message, startServer } from "./server.ts";
import { talk } from "./transcript.ts";
import { withClient } from "./with_server.ts";

Deno.test("§2.1 UID EXPUNGE removes those of the set that have \\Deleted, and only those", () =>
  withClient(async (c) => {
    for (const n of [1, 2, 3, 4, 5]) await c.append("INBOX", message(`m${n}`));
    await c.ok("SELECT INBOX");
    await c.ok("STORE 1,3,5 +FLAGS.SILENT (\\Deleted)");
    await talk(
      c,
      `
      C: UID EXPUNGE 2:4
      S: * 3 EXPUNGE
      S: OK done
      C: UID EXPUNGE 2
      S: OK done
      C: UID EXPUNGE 99
      S: OK done
      C: UID EXPUNGE
      S: BAD …expected space
      C: UID SEARCH ALL
      S: * SEARCH 1 2 4 5
      S: OK done
      C: UID EXPUNGE 1:*
      S: * 1 EXPUNGE
      S: * 3 EXPUNGE
      S: OK done
      `,
    );
    await c.ok("EXAMINE INBOX");
    await talk(c, "C: UID EXPUNGE 1:*\nS: NO [READ-ONLY] mailbox is selected read-only");
  }));

Deno.test("§3 APPENDUID and COPYUID tell the new uids in the order of the old; none where nothing was copied", () =>
  withClient(async (c) => {
    const id = async (name: string) =>
      /UIDVALIDITY (\d+)/.exec((await c.ok(`STATUS ${name} (UIDVALIDITY)`))[0])![1];
    const [inbox, archive] = [await id("INBOX"), await id("Archive")];
    for (const n of [1, 2, 3, 4]) {
      assert.equal(
        await c.append("INBOX", message(`m${n}`)),
        `OK [APPENDUID ${inbox} ${n}] appended`,
      );
    }
    assert.equal(await c.append("Archive", message("x")), `OK [APPENDUID ${archive} 1] appended`);
    await c.ok("SELECT INBOX");
    await talk(
      c,
      `
      C: COPY 3,1 Archive
      S: OK [COPYUID ${archive} 1,3 2:3] copied
      C: UID COPY 2:4 Archive
      S: OK [COPYUID ${archive} 2:4 4:6] copied
      C: UID COPY 99:100 Archive
      S: OK done
      C: UID COPY 1 nosuch
      S: NO [TRYCREATE] no such mailbox
      C: COPY 5 Archive
      S: BAD there are only 4 messages
      C: COPY 1 INBOX
      S: * 5 EXISTS
      S: OK [COPYUID ${inbox} 1 5] copied
      `,
    );
  }));

Deno.test("a uid is never given again, and the mailbox made anew has another UIDVALIDITY", async () => {
  const server = await startServer();
  try {
    const c = await server.client();
    await c.ok("CREATE box");
    const first = await c.append("box", message("one"));
    await c.ok("SELECT box");
    await c.ok("STORE 1 +FLAGS (\\Deleted)");
    await c.ok("EXPUNGE");
    const second = await c.append("box", message("two"));
    const [, validity] = /^OK \[APPENDUID (\d+) 1\]/.exec(first)!;
    assert.equal(second, `OK [APPENDUID ${validity} 2] appended`);
    await c.ok("UNSELECT");
    await c.ok("DELETE box");
    await c.ok("CREATE box");
    const [, after, uid] = /^OK \[APPENDUID (\d+) (\d+)\]/.exec(
      await c.append("box", message("3")),
    )!;
    assert.ok(Number(after) > Number(validity));
    assert.equal(uid, "1");
  } finally {
    await server.stop();
  }
});
