/** JMAP's counts of mailboxes, beside counting them one by one. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import type { MailboxId } from "../../src/store/ids.ts";
import { count } from "../../src/store/emails/mailbox_counts.ts";
import { Flag } from "../../src/store/types.ts";

interface Email {
  thread: number;
  flags: number;
  /** None: it isn't visible. */
  mailboxes: number[];
}

const unread = (e: Email) => (e.flags & (Flag.Seen | Flag.Draft)) === 0;

/** RFC 8621 §2, read aloud. */
function slowly(emails: Email[], mailbox: number, trash: number) {
  const here = emails.filter((e) => e.mailboxes.includes(mailbox));
  const threads = new Set(here.map((e) => e.thread));
  // Emails that are in Trash alone count for Trash, all in Trash do, and no others.
  const counts = (e: Email) =>
    mailbox === trash
      ? e.mailboxes.includes(trash)
      : e.mailboxes.length > 0 && e.mailboxes.some((id) => id !== trash);
  const withUnread = [...threads].filter((t) =>
    emails.some((e) => e.thread === t && unread(e) && counts(e))
  );
  return {
    totalEmails: here.length,
    unreadEmails: here.filter(unread).length,
    totalThreads: threads.size,
    unreadThreads: withUnread.length,
  };
}

function indexOf(emails: Email[]) {
  const others = new Map<number, MailboxId[]>();
  emails.forEach((e, slot) => {
    if (e.mailboxes.length > 1) others.set(slot, e.mailboxes.slice(1) as MailboxId[]);
  });
  return {
    count: emails.length,
    mailbox: Uint32Array.from(emails, (e) => e.mailboxes[0] ?? 0),
    flags: Uint16Array.from(emails, (e) => e.flags),
    threadId: Uint32Array.from(emails, (e) => e.thread),
    others,
    isIn: (slot: number, id: MailboxId) => emails[slot].mailboxes.includes(id),
  };
}

function check(emails: Email[], mailboxes: number, trash: number): void {
  const counted = count(indexOf(emails), trash);
  for (let id = 1; id <= mailboxes; id++) {
    const expected = slowly(emails, id, trash);
    if (expected.totalEmails === 0) assert.equal(counted.get(id), undefined);
    else assert.deepEqual(counted.get(id), expected, `mailbox ${id}`);
  }
}

Deno.test("emails and threads, all and unread, are counted as one by one: any mailboxes, Trash, ids close and far apart", () => {
  const email = (mailboxes: number, threads: fc.Arbitrary<number>) =>
    fc.record({
      thread: threads,
      flags: fc.constantFrom(0, Flag.Seen, Flag.Draft, Flag.Flagged),
      mailboxes: fc.uniqueArray(fc.integer({ min: 1, max: mailboxes }), { maxLength: 3 }),
    });
  const near = fc.integer({ min: 1, max: 12 });
  const far = fc.integer({ min: 1, max: 12 }).map((n) => n * 300_000_000);
  for (const [mailboxes, threads] of [[4, near], [4, far], [40, near], [40, far]] as const) {
    fc.assert(
      fc.property(
        fc.array(email(mailboxes, threads), { maxLength: 120 }),
        fc.integer({ min: 0, max: mailboxes }),
        (emails, trash) => check(emails, mailboxes, trash),
      ),
      { numRuns: 60 },
    );
  }
  check([], 3, 0);
});
