/** An incoming message in the form for an account's store, and for the log. */
import { goesToJunk } from "../../delivery/analysis_types.ts";
import { addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { NewMessage } from "../../store/types.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import { broughtKeywords, withEnvelope } from "../catcher/catching.ts";
import type { Decided } from "./decided.ts";

/** The stored message, for any mailbox. */
export function newMessage(
  services: ReceivingServices,
  incoming: Incoming,
  decided: Decided,
  account: Account,
  message: IncomingMessage,
): NewMessage {
  const { description } = incoming.arrived;
  return {
    file: incoming.arrived.file,
    fileSynced: incoming.arrived.synced,
    fileSize: incoming.arrived.size,
    read: incoming.arrived.read,
    prefix: decided.prefix,
    description: services.catching ? withEnvelope(incoming, description) : description,
    keywords: services.catching
      ? broughtKeywords(incoming, account, decided.decision.mailbox)
      : undefined,
    received: message.received,
    facts: decided.decision.facts,
    // The filter does not learn from its own decisions.
    noTrain: goesToJunk(decided.decision.reason),
  };
}

export function logFields(incoming: Incoming, plan: Plan, decided: Decided) {
  const { mailFrom } = incoming.transaction;
  return {
    account: decided.target.account,
    from: mailFrom ? addressText(mailFrom) : "",
    to: addressText(plan.recipient.address),
    msgfrom: incoming.arrived.description.summary.from[0]?.address ?? "",
    size: incoming.arrived.size,
    reason: decided.decision.reason,
    mailbox: decided.decision.mailbox,
    why: decided.decision.reasonText.join("; "),
  };
}
