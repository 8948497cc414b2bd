/** Message files that are gone or cut off: what can be given is given, and the connection goes on. */
import assert from "node:assert/strict";
import { smallFile } from "../../src/store/files/recent_messages.ts";
import { withClient } from "./with_server.ts";

const message = (n: number) =>
  `From: a@example.org\r\nSubject: number ${n}\r\nX-Own: own${n}\r\n\r\n` +
  `words of ${n}\r\n`.repeat(smallFile / 10);

Deno.test("FETCH tells all but what a damaged file held, and NO with the uids", () =>
  withClient(async (c, s) => {
    for (let n = 1; n <= 5; n++) await c.append("INBOX", message(n));
    await c.ok("SELECT INBOX");
    const path = (n: number) =>
      s.account.files.path(
        s.account.messageByUid(s.account.mailboxByName("INBOX")!.id, n)!.emailId,
      );
    Deno.removeSync(path(2));
    Deno.removeSync(path(4));
    Deno.truncateSync(path(5), 100);

    const lines = await c.run("UID FETCH 1:* (FLAGS BODY.PEEK[]<0.19>)");
    const tagged = lines.pop()!;
    assert.match(tagged, /^NO \[CORRUPTION\] files of 2 messages can't be read, UID 2,4;/);
    const text = lines.join("\n");
    for (const n of [1, 3, 5]) {
      assert.match(
        text,
        new RegExp(`\\* ${n} FETCH \\(UID ${n} .*BODY\\[\\]<0> \\{19\\}\\s+From: a@example.org`),
      );
    }
    for (const n of [2, 4]) {
      assert.match(text, new RegExp(`\\* ${n} FETCH \\(UID ${n} (FLAGS \\(.*?\\))\\)`));
    }

    // Of the cut one what is left, with its length.
    assert.match((await c.ok("FETCH 5 (BODY.PEEK[])")).join("\n"), /BODY\[\] \{100\}\s+From/);
    assert.match((await c.ok("FETCH 5 (BODY.PEEK[1]<50.10>)")).join("\n"), /BODY\[1\]<50> ""/);
    // Nothing without a file: no empty answer either.
    const only = await c.run("FETCH 2 (BODY.PEEK[HEADER.FIELDS (X-OWN)])");
    assert.equal(only.length, 1);
    assert.match(only[0], /^NO \[CORRUPTION\] files of 1 message can't be read, UID 2;/);
    // What the store has kept is not in the file.
    assert.match(
      (await c.ok("FETCH 2 (ENVELOPE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")).join("\n"),
      /number 2[^]*Subject: number 2/,
    );
    // They can be removed.
    await c.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)");
    await c.ok("CLOSE");
    assert.match((await c.ok("STATUS INBOX (MESSAGES)")).join(), /MESSAGES 0/);
  }));

Deno.test("SEARCH in texts passes over files that can't be read", () =>
  withClient(async (c, s) => {
    for (let n = 1; n <= 3; n++) await c.append("INBOX", message(n));
    await c.ok("SELECT INBOX");
    const m = s.account.messageByUid(s.account.mailboxByName("INBOX")!.id, 2)!;
    Deno.removeSync(s.account.files.path(m.emailId));
    // One that ends in its header.
    await c.append("INBOX", message(4));
    Deno.truncateSync(s.account.files.path(m.emailId + 2), 30);
    assert.deepEqual(await c.ok("SEARCH HEADER X-Own own"), ["* SEARCH 1 3"]);
    assert.deepEqual(await c.ok("SEARCH HEADER From example.org"), ["* SEARCH 1 3 4"]);
    assert.deepEqual(await c.ok('SEARCH TEXT "words of"'), ["* SEARCH 1 3"]);
    assert.deepEqual(await c.ok("SEARCH NOT HEADER X-Own own1"), ["* SEARCH 2 3 4"]);
    assert.deepEqual(await c.ok("SEARCH SUBJECT number"), ["* SEARCH 1 2 3 4"]);
    // They can be removed.
    await c.ok("STORE 1:* +FLAGS.SILENT (\\Deleted)");
    await c.ok("CLOSE");
    assert.match((await c.ok("STATUS INBOX (MESSAGES)")).join(), /MESSAGES 0/);
  }));
