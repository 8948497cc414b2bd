/** Orders by what has to be read from summaries, kept while emails come and go, beside what sorting all of them gives. */
import assert from "node:assert/strict";
import type { Access } from "../../src/jmap/core/method.ts";
import { findEmails, readEmailQuery } from "../../src/jmap/mail/query/email_query.ts";
import { mailView } from "../../src/jmap/mail/view.ts";
import { Flag } from "../../src/store/types.ts";
import { seedOf } from "../support/seed.ts";
import { withStore } from "../store/setup.ts";

interface Known {
  subject: string;
  from: string;
  sent: number | undefined;
  received: number;
}

Deno.test("orders by subject, sender and date sent stay what sorting anew gives, whatever comes and goes", () =>
  withStore(
    async (s) => {
      const { account } = s;
      const inbox = account.mailboxByName("Inbox")!.id;
      let seed = seedOf("MODEL_SEED");
      const random = (n: number) => {
        seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
        return (seed >>> 8) % n;
      };
      const word = () => Array.from({ length: 1 + random(3) }, () => "abcD"[random(4)]).join("");
      const known = new Map<number, Known>();
      const access: Access = {
        id: "a",
        account,
        own: true,
        user: { account: "a" } as Access["user"],
      };

      async function arrive(n: number): Promise<void> {
        const list = [];
        const news: Known[] = [];
        for (let i = 0; i < n; i++) {
          const e = {
            subject: `${word()} ${random(3) === 0 ? word() : ""}`.trim(),
            from: word(),
            sent: random(4) === 0 ? undefined : 1_700_000_000_000 + random(50) * 1000,
            received: 1_700_000_000_000 + random(200) * 1000,
          };
          news.push(e);
          const date = e.sent === undefined
            ? ""
            : `Date: ${new Date(e.sent).toUTCString().replace("GMT", "+0000")}\n`;
          list.push({
            ...await s.message(
              `From: ${e.from} <x@x.example>\nSubject: ${e.subject}\n${date}References: <${
                random(40)
              }@x>\n\n`,
            ),
            received: e.received,
          });
        }
        const made = await account.append(inbox, list);
        made.forEach((m, i) => known.set(m.emailId, news[i]));
      }

      async function check(): Promise<void> {
        for (const property of ["subject", "from", "sentAt"]) {
          for (const isAscending of [true, false]) {
            for (const collation of property === "sentAt" ? [undefined] : ["i;octet", undefined]) {
              const sort = [{ property, isAscending, ...collation ? { collation } : {} }];
              const view = await mailView(access);
              const { index } = view;
              const key = (id: number) => {
                const e = known.get(id)!;
                if (property === "sentAt") return e.sent ?? e.received;
                const text = property === "subject" ? e.subject : e.from;
                return collation === undefined ? text.toUpperCase() : text;
              };
              const compare = (a: number, b: number) => {
                const [x, y] = [key(a), key(b)];
                if (x !== y) return (x < y ? -1 : 1) * (isAscending ? 1 : -1);
                return known.get(a)!.received - known.get(b)!.received || a - b;
              };
              const all = [...known.keys()].sort(compare);
              const threads = new Set<number>();
              const roots = all.filter((id) => {
                const thread = index.threadId[index.slotOf(id as never)!];
                return !threads.has(thread) && threads.add(thread);
              });
              for (const [collapseThreads, want] of [[false, all], [true, roots]] as const) {
                for (const most of [20, Infinity]) {
                  const query = readEmailQuery({ sort, collapseThreads }, false);
                  const found = await findEmails(view, query, {
                    stopped: () => false,
                    trusted: [],
                    most,
                  });
                  assert.deepEqual(
                    found.slice(0, most).map((slot) => index.emailId[slot]),
                    want.slice(0, most),
                    `${JSON.stringify(sort)} ${collapseThreads} ${most}`,
                  );
                }
              }
            }
          }
        }
      }

      const gone = async (n: number) => {
        const uids = [...account.uids(inbox)];
        const chosen = uids.filter(() => random(uids.length) < n);
        const ids = account.db.all(
          `SELECT email_id FROM messages WHERE mailbox_id = ? AND uid IN (${chosen.join()})`,
          inbox,
        );
        await account.expunge(inbox, chosen, undefined, { force: true });
        for (const [id] of ids) known.delete(id);
      };

      await check();
      await arrive(30);
      await check();
      await arrive(1);
      await check();
      await gone(10);
      await check();
      // More than are put into their places one by one.
      await arrive(600);
      await check();
      await gone(20);
      await arrive(5);
      await check();
      await account.storeFlags(inbox, [...account.uids(inbox)].slice(0, 3), "add", Flag.Seen, []);
      await check();
      await arrive(510);
      await check();
      // What one asks for comes while another's is read.
      const ask = async () => {
        const query = readEmailQuery({ sort: [{ property: "from", isAscending: true }] }, false);
        const found = await findEmails(await mailView(access), query, {
          stopped: () => false,
          trusted: [],
        });
        assert.equal(new Set(found).size, found.length);
      };
      await Promise.all([arrive(3), ask(), arrive(520), ask(), ask(), arrive(2)]);
      await check();
    },
    {},
    { inMemory: true },
  ));
