import assert from "node:assert/strict";
import { threadText } from "../../src/imap/server/search/kept_threads.ts";
import { formatThreads, orderedSubject, references } from "../../src/imap/server/search/sorting.ts";
import { withStore } from "../store/setup.ts";

Deno.test("kept threads are what threading anew gives, as messages come and go", () =>
  withStore(async (s) => {
    const { account } = s;
    const inbox = account.mailboxByName("Inbox")!.id;
    let random = 11;
    const next = (n: number) => {
      random = (random * 48271) % 2147483647;
      return random % n;
    };
    let made = 0;
    const deliver = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const refers = made > 0 && next(3) > 0 ? `References: <m${next(made)}@x.example>\n` : "";
        const text = `From: a@example.org\nSubject: s${next(30)}\n${refers}` +
          `Message-ID: <m${made++}@x.example>\nDate: ${
            1 + next(28)
          } Nov 2026 10:00:00 +0000\n\nhi\n`;
        await account.deliver("Inbox", await s.message(text));
      }
    };
    const compare = async (uids: number[]) => {
      for (
        const [name, make] of [["REFERENCES", references], [
          "ORDEREDSUBJECT",
          orderedSubject,
        ]] as const
      ) {
        const anew = formatThreads(await make(account, inbox, uids));
        assert.equal(await threadText(account, inbox, uids, name), anew);
        assert.equal(await threadText(account, inbox, uids, name), anew);
      }
    };
    await deliver(150);
    await account.prepareRows(inbox);
    for (let step = 0; step < 8; step++) {
      const all = [...account.uids(inbox)];
      await compare(all);
      // As many, but others.
      await compare(all.slice(1));
      await compare(all.slice(0, -1));
      await compare(all.slice(-3));
      if (step % 2) {
        await account.expunge(inbox, [all[next(all.length)]], undefined, { force: true });
      }
      if (step % 3) await deliver(1 + next(3));
    }
  }));
