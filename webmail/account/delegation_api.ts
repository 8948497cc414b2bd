/** Calls for who may send and read on behalf of an account. @module */
import * as v from "valibot";
import { Nothing, text } from "../api/basics.ts";

const names = v.pipe(v.array(text(500)), v.maxLength(200));

/** Rights in a mailbox as one of the page's levels; "" for another combination, set by an IMAP program. */
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
      /** Rights as letters of RFC 4314. */
      shared: v.array(v.object({ mailbox: v.string(), who: v.string(), rights: v.string() })),
      /** Other accounts' addresses that this account may send from. */
      others: v.array(v.string()),
    }),
  },
  /** Accounts, or their addresses. */
  DelegationSet: {
    request: v.strictObject({ sendAs: names, sendOnBehalf: names, sentCopies: v.boolean() }),
    response: Nothing,
  },
  /** Replaces what was granted before; an empty mailbox stands for all mailboxes. */
  MailboxShare: {
    request: v.strictObject({
      mailbox: text(1000),
      who: v.pipe(text(500), v.minLength(1)),
      level: Level,
    }),
    response: Nothing,
  },
};
