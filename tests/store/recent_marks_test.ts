/** Up to where sessions were told of messages (\Recent, RFC 3501 §2.3.2), from one opening of an account to the next. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { asMailboxId, type MailboxId } from "../../src/store/ids.ts";
import { withStore } from "./setup.ts";

Deno.test("what sessions were told of is known when an account is opened again, but for mailboxes that are gone", () =>
  withStore(async (s) => {
    const path = join(s.dir, "accounts", "test", "recent.json");
    const id = (name: string) => s.account.mailboxByName(name)!.id;
    const [inbox, sent] = [id("Inbox"), id("Sent")];
    const gone = asMailboxId(4711);
    const marks = (...ids: MailboxId[]) => ids.map((i) => s.account.recent.from(i));
    assert.deepEqual(marks(inbox, sent), [1, 1]);
    // Nothing is written where nothing was told.
    await s.reopen();
    assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);

    s.account.recent.told(inbox, 8);
    s.account.recent.told(inbox, 5);
    s.account.recent.told(gone, 3);
    await s.reopen();
    assert.deepEqual(marks(inbox, sent, gone), [8, 1, 1]);
    const kept = Deno.readTextFileSync(path);

    // What is damaged or lost is as if no session had been there, and is written anew.
    const damaged = ["", '{"1":', "[]", "null", '"text"', `{"${inbox}":-3}`, `{"${inbox}":"8"}`];
    for (const text of damaged) {
      await s.reopen(() => Deno.writeTextFileSync(path, text));
      assert.deepEqual(marks(inbox, sent), [1, 1], text);
    }
    s.account.recent.told(inbox, 8);
    await s.reopen();
    assert.equal(Deno.readTextFileSync(path), kept);
    await s.reopen(() => Deno.removeSync(path));
    assert.deepEqual(marks(inbox), [1]);
  }));

Deno.test("messages from a uid on are counted without those that are gone", () =>
  withStore(async (s) => {
    const inbox = s.account.mailboxByName("Inbox")!.id;
    for (let i = 0; i < 5; i++) {
      await s.account.deliver("Inbox", await s.message(`Subject: ${i}\n\nbody\n`));
    }
    const counts = () => [0, 1, 3, 5, 6].map((uid) => s.account.countFromUid(inbox, uid));
    assert.deepEqual(counts(), [5, 5, 3, 1, 0]);
    await s.account.expunge(inbox, [4], undefined, { force: true });
    assert.deepEqual(counts(), [4, 4, 2, 1, 0]);
  }));
