/** Members of aliases at other servers: accepted messages are sent on to them like forwarded ones. @module */
import { addressText, type IncomingMessage, SmtpError } from "../../smtp/server/mod.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan, Target } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import { allowed, cameBefore, forward } from "./forward.ts";
import { postmasterJudge } from "../arrival/judge.ts";

/**
 * Which account judges messages of an alias without local members: the postmaster's, by its knowledge of senders. It
 * gets no copy.
 */
export function judgeOf(services: ReceivingServices, plan: Plan): Target[] {
  if (plan.refusal || plan.targets.length > 0 || !plan.outside?.length) return plan.targets;
  return [postmasterJudge(services.config, addressText(plan.recipient.address))];
}

/**
 * Queues a message for an alias's members at other servers; durable when it resolves. The postmaster's account
 * represents the alias in the queue, and has its suppressed addresses.
 * @returns false if it is sent to none of them
 * @throws SmtpError for a message that loops; file and database errors
 */
export async function forwardToMembers(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  message: IncomingMessage,
): Promise<boolean> {
  if (!plan.outside?.length) return false;
  const account = services.config.static.Postmaster.Account;
  if (cameBefore(incoming, plan, account)) {
    // RFC 3463 §3.5: routing loop detected. Members here have it already.
    if (plan.targets.length > 0) return false;
    throw new SmtpError(554, "4.6", "message came by here before, it goes in circles");
  }
  const to = allowed(services, incoming, account, plan.outside);
  if (to.length === 0) {
    if (plan.targets.length > 0) return false;
    throw new SmtpError(550, "2.1", "all members of this address refuse its mail");
  }
  await forward(services, incoming, plan, account, { to, keep: plan.targets.length > 0 }, message);
  return true;
}
