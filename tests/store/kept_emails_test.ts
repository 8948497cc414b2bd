/** Rows of emails that are kept in memory: the same as those in the database, whatever comes and goes. */
import assert from "node:assert/strict";
import type { MailboxId } from "../../src/store/ids.ts";
import { Flag, Want } from "../../src/store/types.ts";
import { type TestStore, withStore } from "./setup.ts";

const inMemory = { inMemory: true };

async function arrive(s: TestStore, mailboxId: MailboxId, from: number, n: number): Promise<void> {
  const list = [];
  for (let i = from; i < from + n; i++) {
    list.push(
      await s.message(`From: a${i}@example.org\nSubject: number ${i}\nX-Other: o\n\ntext\n`),
    );
  }
  // Together, so that ids of emails and uids rise in different orders.
  await s.account.append(mailboxId, list);
}

/** What FETCH sees of all messages. */
function seen(s: TestStore, mailboxId: MailboxId, fields?: ReadonlySet<string>): string[] {
  const { account } = s;
  const found: string[] = [];
  account.fetch(mailboxId, account.uids(mailboxId), Want.Envelope | Want.Listed, (r) => {
    found.push(`${r.uid} ${r.envelope} ${r.listed}`);
  }, fields);
  return found;
}

Deno.test("what is kept of emails is what the database has: arriving, expunged, copied, with fields chosen", () =>
  withStore(
    async (s) => {
      const { account } = s;
      const inbox = account.mailboxByName("Inbox")!.id;
      const archive = account.mailboxByName("Archive")!.id;
      const subject = new Set(["subject"]);
      const check = async (n: number) => {
        // Without rows in memory everything is read from the database.
        account.rows.clear();
        const plain = [seen(s, inbox), seen(s, inbox, subject), seen(s, archive)];
        assert.equal(plain[0].length, n);
        for (let i = 0; i < 2; i++) {
          await account.prepareRows(inbox);
          await account.prepareRows(archive);
          for (let k = 0; k < 2; k++) {
            assert.deepEqual([seen(s, inbox), seen(s, inbox, subject), seen(s, archive)], plain);
          }
          if (i === 0) await arriveMore();
          plain[0] = inDatabase(inbox);
          plain[1] = inDatabase(inbox, subject);
        }
      };
      let count = 0;
      const arriveMore = async () => {
        await arrive(s, inbox, count, 70);
        count += 70;
      };
      const inDatabase = (id: MailboxId, fields?: ReadonlySet<string>) =>
        account.db.transaction(() => seen(s, id, fields));
      await arriveMore();
      await check(70);
      await arrive(s, inbox, count, 150);
      await account.copy(inbox, account.uids(inbox).filter((u) => u % 3 === 0), archive);
      await check(290);
      await account.storeFlags(inbox, account.uids(inbox).filter((u) => u % 2 === 0), "add", 8, []);
      await account.expunge(inbox);
      await check(180);
      assert.match(seen(s, inbox, subject)[0], /^1 .* Subject: number \d+\r\n$/s);
      assert.deepEqual(account.rows.differences(), []);
    },
    {},
    inMemory,
  ));

Deno.test("a STORE in parts is answered after one fsync, which comes after all of its commits", () =>
  withStore(
    async (s) => {
      const { account } = s;
      const inbox = account.mailboxByName("Inbox")!.id;
      await arrive(s, inbox, 0, 300);
      for (let i = 0; i < 3; i++) await account.copy(inbox, account.uids(inbox), inbox);
      const uids = account.uids(inbox);
      assert.equal(uids.length, 2400);
      await account.prepareRows(inbox);
      const durable = account.db.durable.bind(account.db);
      const atSync: number[] = [];
      account.db.durable = async () => {
        const { modseq } = account.mailbox(inbox)!;
        await durable();
        atSync.push(modseq);
      };
      const r = await account.storeFlags(inbox, uids, "add", Flag.Flagged, []);
      assert.equal(r.changed.length, 2400);
      const last = r.changed.at(-1)!.modseq;
      assert.ok(last > r.changed[0].modseq, "it came in parts");
      assert.deepEqual(atSync, [last]);
      // Nothing changes: nothing is written, and the answer is the same.
      const again = await account.storeFlags(inbox, uids, "add", Flag.Flagged, []);
      assert.deepEqual(again.changed, r.changed);
      assert.deepEqual(atSync, [last]);
      // Nor may it be promised what isn't on disk yet.
      const pending = account.storeFlags(inbox, [uids[0]], "add", Flag.Seen, []);
      const same = account.storeFlags(inbox, [uids[1]], "add", Flag.Flagged, []);
      await same;
      assert.equal(atSync.length, 2);
      await pending;
    },
    {},
    inMemory,
  ));

Deno.test("a STORE that changes nothing answers as one that looks into the database", () =>
  withStore(
    async (s) => {
      const { account } = s;
      const inbox = account.mailboxByName("Inbox")!.id;
      await arrive(s, inbox, 0, 12);
      const uids = account.uids(inbox);
      await account.storeFlags(inbox, uids.slice(0, 8), "add", Flag.Seen, ["one", "two"]);
      const before = await account.storeFlags(inbox, uids.slice(8), "add", Flag.Seen, ["one"]);
      await account.expunge(inbox, [uids[2]], undefined, { force: true });
      const tries = [
        ["add", Flag.Seen, [], undefined],
        ["add", Flag.Seen, ["ONE"], undefined],
        ["remove", Flag.Draft, ["three"], undefined],
        ["add", Flag.Seen, ["one"], before.changed[0].modseq - 1],
      ] as const;
      for (const [op, flags, keywords, unchangedSince] of tries) {
        const ask = () => account.storeFlags(inbox, uids, op, flags, keywords, { unchangedSince });
        account.rows.clear();
        const modseq = account.highestModseq(inbox);
        const fromDatabase = await ask();
        await account.prepareRows(inbox);
        assert.deepEqual(await ask(), fromDatabase);
        assert.equal(account.highestModseq(inbox), modseq);
        assert.deepEqual(fromDatabase.missing, [uids[2]]);
      }
    },
    {},
    inMemory,
  ));
