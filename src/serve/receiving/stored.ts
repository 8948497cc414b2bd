/** An incoming message as an account stores it, and as the log names it. */
import { goesToJunk } from "../../delivery/analysis_types.ts";
import { addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { NewMessage } from "../../store/types.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import { broughtKeywords, withEnvelope } from "../catcher/catching.ts";
import type { Decided } from "./decided.ts";

/** What is stored, in whichever mailbox. */
export function newMessage(
  s: ReceivingServices,
  m: Incoming,
  d: Decided,
  account: Account,
  message: IncomingMessage,
): NewMessage {
  const { description } = m.arrived;
  return {
    file: m.arrived.file,
    fileSynced: m.arrived.synced,
    fileSize: m.arrived.size,
    read: m.arrived.read,
    prefix: d.prefix,
    description: s.catching ? withEnvelope(m, description) : description,
    keywords: s.catching ? broughtKeywords(m, account, d.decision.mailbox) : undefined,
    received: message.received,
    facts: d.decision.facts,
    // The filter does not learn from itself.
    noTrain: goesToJunk(d.decision.reason),
  };
}

export function logFields(m: Incoming, plan: Plan, d: Decided) {
  const { mailFrom } = m.transaction;
  return {
    account: d.target.account,
    from: mailFrom ? addressText(mailFrom) : "",
    to: addressText(plan.recipient.address),
    msgfrom: m.arrived.description.summary.from[0]?.address ?? "",
    size: m.arrived.size,
    reason: d.decision.reason,
    mailbox: d.decision.mailbox,
    why: d.decision.reasonText.join("; "),
  };
}
