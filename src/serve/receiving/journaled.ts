/**
 * Copies of incoming mail for the journals of its recipients' domains, before it is in any mailbox.
 *
 * @module
 */
import { syncFile } from "../../platform/files.ts";
import { addressText, type IncomingMessage, type SmtpError } from "../../smtp/server/mod.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import type { Decisions } from "./decide.ts";
import { storeFailure } from "./failure.ts";

/** Whether the message will be accepted for a recipient, as far as decided. */
function taken(plan: Plan, { decided, refusal }: Decisions): boolean {
  if (refusal !== undefined && decided.length === 0) return false;
  if (plan.sender) return false;
  return plan.list !== undefined || decided.some((d) => d.decision.accept && !d.decision.isReject);
}

/**
 * Copies the message once for each domain with a journal; durable when it resolves.
 * @returns why the message can't be accepted now, if no copy could be made
 */
export async function copyForJournals(
  services: ReceivingServices,
  incoming: Incoming,
  plans: readonly Plan[],
  decisions: readonly Decisions[],
  message: IncomingMessage,
): Promise<SmtpError | undefined> {
  if (services.journal === undefined) return undefined;
  const domains = new Map<string, Plan[]>();
  plans.forEach((plan, i) => {
    const domain = plan.recipient.address.asciiDomain ?? "";
    if (domain === "" || !services.journal!.wanted(domain) || !taken(plan, decisions[i])) return;
    domains.set(domain, [...domains.get(domain) ?? [], plan]);
  });
  const { mailFrom } = incoming.transaction;
  for (const [domain, of] of domains) {
    // Reports of undeliverable copies: copying those could loop.
    if (!mailFrom && of.every((p) => /^postmaster$/i.test(p.recipient.address.localpart))) continue;
    try {
      await (incoming.arrived.synced ?? syncFile(incoming.arrived.file));
      await services.journal.copy(domain, {
        direction: "incoming",
        mailFrom: mailFrom ? addressText(mailFrom) : "",
        recipients: of.map((p) => addressText(p.recipient.address)),
        prefix: new TextEncoder().encode(
          message.returnPathHeader() + incoming.sender.headers + message.receivedHeader(),
        ),
        file: incoming.arrived.file,
        fileSize: incoming.arrived.size,
        messageId: incoming.arrived.description.summary.messageId,
        subject: incoming.arrived.description.summary.subject,
        utf8: message.headerHas8bit,
        has8bit: message.has8bit,
        binary: incoming.transaction.body === "binarymime",
      });
    } catch (err) {
      return storeFailure(err, incoming.session.log);
    }
  }
  return undefined;
}
