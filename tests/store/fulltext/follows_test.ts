/** The index follows what comes, also what comes while it is being filled. */
import assert from "node:assert/strict";
import { searchMailbox } from "../../../src/store/account/search.ts";
import { withStore } from "../setup.ts";

Deno.test("a run indexes what there was when it began; what comes meanwhile is found at once, and indexed without being asked for", () =>
  withStore(async (s) => {
    const inbox = s.account.mailboxByName("Inbox")!;
    const add = async (n: number) => {
      const m = await s.message(`Subject: ${n}\r\n\r\nthe word follower${n} is here\r\n`);
      await s.account.append(inbox.id, [m]);
    };
    await add(1);
    const { fulltext } = s.account;
    const first = fulltext.update();
    for (let n = 2; n <= 20; n++) await add(n);
    await first;
    assert.ok(fulltext.below > 1, "the first message is indexed");
    const found = async (text: string) =>
      (await searchMailbox(s.account, inbox.id, { op: "text", text })).uids;
    assert.deepEqual(await found("follower20"), [20]);
    assert.deepEqual(await found("follower"), Array.from({ length: 20 }, (_, i) => i + 1));
    // Nobody asks; the test's own limit of time ends it if this never comes.
    while (fulltext.behind > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(await found("follower20"), [20]);
    assert.deepEqual(fulltext.narrow({ op: "text", text: "FOLLOWER20" })?.size, 1);
  }));
