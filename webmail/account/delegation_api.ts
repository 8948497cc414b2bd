/** The calls about who may send and read for an account. @module */
import * as v from "valibot";
import { Nothing, text } from "../api/basics.ts";

const names = v.pipe(v.array(text(500)), v.maxLength(200));

/** How much of a mailbox somebody gets; "" for another mix of rights, which an IMAP program has set. */
const Level = v.picklist(["none", "read", "write", "all"]);
export type Level = v.InferOutput<typeof Level>;

export const delegationCalls = {
  Delegation: {
    request: Nothing,
    response: v.object({
      sendAs: v.array(v.string()),
      sendOnBehalf: v.array(v.string()),
      sentCopies: v.boolean(),
      mailboxes: v.array(v.string()),
      /** Rights in the letters of RFC 4314. */
      shared: v.array(v.object({ mailbox: v.string(), who: v.string(), rights: v.string() })),
      /** Addresses of others that this account may send from. */
      others: v.array(v.string()),
    }),
  },
  /** Accounts, or addresses of theirs. */
  DelegationSet: {
    request: v.strictObject({ sendAs: names, sendOnBehalf: names, sentCopies: v.boolean() }),
    response: Nothing,
  },
  /** In place of what was granted before; an empty mailbox stands for all of them. */
  MailboxShare: {
    request: v.strictObject({
      mailbox: text(1000),
      who: v.pipe(text(500), v.minLength(1)),
      level: Level,
    }),
    response: Nothing,
  },
};
