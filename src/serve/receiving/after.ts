/** What a delivered message carries besides its text: a delivery report, an event, reports for administrators. */
import type { Decision } from "../../delivery/analysis_types.ts";
import { addressText } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan, Target } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import { takeMailedEvent } from "../events/arrived_event.ts";
import { isOurDomain } from "./analysis.ts";
import type { Decided } from "./decided.ts";
import { suppressReported } from "./reported.ts";

/** For a report about a message of ours: how many recipients it has suppressed. */
export async function noteReport(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  decided: Decided,
): Promise<number> {
  const { arrived, session: { log } } = incoming;
  try {
    return await suppressReported({ ...services, log }, {
      account: decided.target.account,
      rcptTo: addressText(plan.recipient.address),
      verified: incoming.sender.auth === undefined || decided.decision.facts.msgFromValidated,
      root: arrived.root,
      size: arrived.size,
      read: arrived.read,
    });
  } catch (err) {
    log.error("noting a report", { err: err as Error, account: decided.target.account });
    return 0;
  }
}

/** An invitation, or a reply to one, is also put into the account's calendar, except from the Junk mailbox. */
export async function noteEvent(
  services: ReceivingServices,
  incoming: Incoming,
  decided: Decided,
  account: Account,
): Promise<void> {
  const { arrived, sender, session: { log } } = incoming;
  const { decision } = decided;
  if (decision.reason === "junk-mailbox") return;
  const verified = sender.auth === undefined || decision.facts.msgFromValidated;
  const [author] = arrived.description.summary.from;
  try {
    await takeMailedEvent({ config: services.config, log }, {
      account,
      root: arrived.root,
      read: arrived.read,
      author: verified && arrived.description.summary.from.length === 1
        ? author.address.toLowerCase()
        : undefined,
    });
  } catch (err) {
    // The message is delivered, and contains it too.
    log.error("an event of a message", { err: err as Error, account: account.name });
  }
}

export async function storeReports(
  services: ReceivingServices,
  incoming: Incoming,
  decision: Decision,
  target: Target,
  received: number,
): Promise<void> {
  if (!services.reports) return;
  const { dmarcReport, failureReport, tlsReport, facts } = decision;
  if (dmarcReport) await services.reports.dmarc.add(dmarcReport, facts.msgFromDomain, received);
  if (failureReport) {
    const { messageId } = incoming.arrived.description.summary;
    await services.reports.failures.add(failureReport, facts.msgFromDomain, messageId, received);
  }
  if (tlsReport) {
    const { mailFrom } = incoming.transaction;
    const domain = tlsReport.policies.find((p) => isOurDomain(services.config, p.policyDomain));
    await services.reports.tls.add({
      received,
      domain: domain?.policyDomain ?? "",
      fromDomain: facts.msgFromDomain,
      mailFrom: mailFrom ? addressText(mailFrom) : "",
      hostReport: target.reports === "hostTls",
      report: tlsReport,
    });
  }
}
