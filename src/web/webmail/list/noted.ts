/** What was done to messages, for the scripts that run then. @module */
import type { MailboxId } from "../../../store/ids.ts";

/** Takes note of what was done, for scripts (RFC 6785); durable when it resolves. Must not fail. */
export type Noted = (
  cause: "APPEND" | "COPY" | "FLAG",
  mailboxId: MailboxId,
  uids: ArrayLike<number>,
  changedFlags?: readonly string[],
) => Promise<void>;
