/** OBJECTID (RFC 8474), as transcripts. */
import assert from "node:assert/strict";
import { message } from "./server.ts";
import { withClient } from "./with_server.ts";

Deno.test("§4 MAILBOXID stays over a rename; §5 EMAILID and THREADID over COPY and MOVE", () =>
  withClient(async (c) => {
    const id = (s: string) => /MAILBOXID \((\w+)\)/.exec(s)![1];
    const made = id(await c.done("CREATE foo"));
    await c.ok("RENAME foo bar");
    assert.equal(id((await c.ok("STATUS bar (MAILBOXID)"))[0]), made);
    assert.ok((await c.ok("SELECT bar")).some((l) => l.includes(`MAILBOXID (${made})`)));
    assert.notEqual(id(await c.done("CREATE foo")), made);

    await c.append("bar", message("talk"));
    await c.append("bar", message("Re: talk", "x\r\n", "In-Reply-To: <talk@example.org>\r\n"));
    const ids = async (mailbox: string) => {
      await c.ok(`SELECT ${mailbox}`);
      return (await c.ok("FETCH 1:* (EMAILID THREADID)")).map((l) =>
        /EMAILID \((E\d+)\) THREADID \((T\d+)\)/.exec(l)!.slice(1)
      );
    };
    const [[firstMail, firstThread], [secondMail, secondThread]] = await ids("bar");
    assert.notEqual(firstMail, secondMail);
    assert.equal(firstThread, secondThread);
    await c.ok("COPY 1 foo");
    await c.ok("MOVE 2 foo");
    assert.deepEqual(await ids("foo"), [[firstMail, firstThread], [secondMail, secondThread]]);
    assert.deepEqual(await c.ok(`SEARCH EMAILID ${secondMail}`), ["* SEARCH 2"]);
    assert.deepEqual(await c.ok(`SEARCH THREADID ${firstThread}`), ["* SEARCH 1 2"]);
    assert.deepEqual(await c.ok("SEARCH EMAILID nosuch"), ["* SEARCH"]);
    assert.match(await c.done("SEARCH EMAILID (x)"), /^BAD/);
  }));
