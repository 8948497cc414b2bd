/** Records what goes into DMARC reports about a message. */
import type { Decision } from "../../delivery/analysis_types.ts";
import { dmarcEvaluation } from "../../delivery/dmarc_evaluation.ts";
import type { IncomingMessage } from "../../smtp/server/mod.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";

/** Records the result of the policy of From's domain, for the report to that domain. */
export function evaluate(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  decision: Decision,
  message: IncomingMessage,
): void {
  const { auth } = incoming.sender;
  if (!services.reports || !auth) return;
  const report = plan.targets.some((t) => t.reports !== undefined);
  const { summary } = incoming.arrived.description;
  try {
    const evaluation = dmarcEvaluation(auth, decision, {
      remoteIp: incoming.session.remoteIp,
      mailFromDomain: incoming.transaction.mailFrom?.asciiDomain ?? "",
      rcptToDomain: plan.recipient.address.asciiDomain,
      received: message.received,
      isReport: report || /^report domain: /i.test(summary.subject),
    });
    if (evaluation) services.reports.evaluations.add(evaluation);
  } catch (err) {
    incoming.session.log.error("storing a DMARC evaluation", { err: err as Error });
  }
}
