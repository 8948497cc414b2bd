/** Ids of different kinds: the compiler refuses the lines marked here, and `deno check` fails if it does not. */
import assert from "node:assert/strict";
import { asEmailId, asMailboxId, type EmailId, type MailboxId } from "../../src/store/ids.ts";

Deno.test("an id is a number that can't stand where another kind belongs", () => {
  const mailbox: MailboxId = asMailboxId(7);
  // @ts-expect-error An email is no mailbox.
  const wrong: MailboxId = asEmailId(7);
  // @ts-expect-error A number that nobody named is no email.
  const plain: EmailId = 7;
  const sum: number = mailbox + 1;
  assert.deepEqual([wrong, plain, sum], [7, 7, 8]);
});
