/** A message of another account as somebody else reads it. @module */
import type { ParsedMessage } from "../../../../webmail/api/mod.ts";
import type { Config } from "../../../config/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { senderView } from "../settings.ts";
import { messageFrom } from "./ids.ts";
import type { Mail } from "./mail.ts";

/**
 * With the reader's ids and views. It can't be answered for its owner but where they allow that, and what is between
 * the owner and the sender (leaving a list, an invitation's answer) stays theirs.
 */
export function sharedMessage(
  config: Config,
  reader: Account,
  mail: Mail,
  m: Omit<ParsedMessage, "sendAt">,
): ParsedMessage {
  const from = m.item.from[0]?.address;
  const delegated = new Set(config.delegatedAddresses(reader.name).map((a) => a.toLowerCase()));
  return {
    ...m,
    item: messageFrom(mail.base, m.item),
    ownAddresses: m.ownAddresses.filter((a) => delegated.has(a.toLowerCase())),
    why: null,
    listUnsubscribe: null,
    invitation: m.invitation && { ...m.invitation, me: null },
    senderView: (from === undefined ? undefined : senderView(reader, from)) ?? null,
    sendAt: null,
  };
}
