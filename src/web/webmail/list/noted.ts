/** Records actions on messages, for the scripts that run on them. @module */
import type { MailboxId } from "../../../store/ids.ts";

/** Records an action for scripts (RFC 6785); durable when it resolves. Must not fail. */
export type Noted = (
  cause: "APPEND" | "COPY" | "FLAG",
  mailboxId: MailboxId,
  uids: ArrayLike<number>,
  changedFlags?: readonly string[],
) => Promise<void>;
