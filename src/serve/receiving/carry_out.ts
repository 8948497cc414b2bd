/** Carries out the decisions for a recipient, and combines them into one outcome. */
import type { ListAddress } from "../../config/mod.ts";
import { goesToJunk } from "../../delivery/analysis_types.ts";
import { giveWay } from "../../platform/turns.ts";
import type { IncomingMessage, Outcome } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import { forwardToMembers } from "../onward/alias.ts";
import { relay } from "../onward/relay.ts";
import { sendBack } from "../onward/returned.ts";
import { accept } from "./accept.ts";
import type { Decisions } from "./decide.ts";
import { deliveries, memberTime, tooMany } from "./deliveries.ts";
import { evaluate } from "./evaluated.ts";
import { storeFailure } from "./failure.ts";
import { type Failed, takeUp } from "./later.ts";
import { refuse } from "./refuse.ts";

/** Recipients of a message in transit, by outcome. */
export interface CarriedOut {
  /** An account has it, or a copy was sent to another server. */
  kept: Set<Plan>;
  /** None of their accounts has it; with the reasons. */
  untaken: Map<Plan, readonly Failed[]>;
}

export async function carryOut(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  decisions: Decisions,
  message: IncomingMessage,
  results: CarriedOut,
): Promise<Outcome> {
  const failed = [...decisions.failed];
  let failure = decisions.refusal;
  let accepted = 0;
  if (plan.sender) {
    try {
      await sendBack(services, incoming, plan.recipient.address, plan.sender, message);
      return undefined;
    } catch (err) {
      return storeFailure(err, incoming.session.log);
    }
  }
  if (plan.list) {
    return await carryOutForList(services, incoming, plan, plan.list, decisions, message);
  }
  if (plan.relay) return await carryOutRelay(services, incoming, plan, decisions, message);
  // Before it is in mailboxes here: if this fails the sender tries again, and nobody gets it twice.
  if (decisions.decided.some((d) => d.decision.accept && !d.decision.isReject)) {
    try {
      await forwardToMembers(services, incoming, plan, message);
    } catch (err) {
      return storeFailure(err, incoming.session.log);
    }
  }
  const until = performance.now() + memberTime;
  for (const d of decisions.decided) {
    if (accepted > 0 && d.decision.accept && !d.decision.isReject && performance.now() > until) {
      failed.push({ target: d.target, error: tooMany() });
      continue;
    }
    let account: Account | undefined;
    try {
      account = await services.accounts.open(d.target.account);
      const refusal = !d.decision.accept
        ? await refuse(services, incoming, plan, d, account, message)
        : d.target.judgeOnly
        ? undefined
        : await accept(services, incoming, plan, d, account, message, results.kept);
      if (refusal === undefined) accepted++;
      // Trying again may help, and does no harm.
      else if (failure === undefined || refusal.temporary) failure = refusal;
      if (refusal && d.decision.error !== undefined) {
        failed.push({ target: d.target, error: refusal });
      }
    } catch (err) {
      deliveries.inc({ result: "error" });
      failed.push({ target: d.target, error: storeFailure(err, incoming.session.log) });
    } finally {
      account?.close();
    }
    await giveWay();
  }
  for (const { error } of failed) {
    if (failure === undefined || error.temporary) failure = error;
  }
  const first = decisions.decided[0];
  if (first) evaluate(services, incoming, plan, first.decision, message);
  // If nobody was left to deliver to, everybody has it.
  if (accepted === 0) {
    results.untaken.set(plan, failed);
    return failure;
  }
  // Members who got it must not get it again because one of them failed: that one gets it later.
  // The message is accepted only once that is durable.
  return failed.length === 0 ? undefined : await takeUp(services, incoming, plan, failed, message);
}

/** For an address on another server; what the postmaster's account considers junk is passed on with a mark. */
async function carryOutRelay(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  { decided: [judged], failed }: Decisions,
  message: IncomingMessage,
): Promise<Outcome> {
  if (judged === undefined) return failed[0]?.error;
  const { decision } = judged;
  let account: Account | undefined;
  try {
    if (!decision.accept) {
      account = await services.accounts.open(judged.target.account);
      return await refuse(services, incoming, plan, judged, account, message);
    }
    const junk = decision.isReject || goesToJunk(decision.reason);
    // Only the reason's code: its details contain words of the postmaster's mail.
    const found = `${junk ? "X-Spam-Flag: YES\r\n" : ""}X-Mox-Reason: ${decision.reason}\r\n`;
    await relay(services, incoming, plan, found, message);
    deliveries.inc({ result: "relayed" });
    evaluate(services, incoming, plan, decision, message);
  } catch (err) {
    return storeFailure(err, incoming.session.log);
  } finally {
    account?.close();
  }
}

/** For an address of a mailing list; what the postmaster's account considers junk is held for the owners. */
async function carryOutForList(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  list: ListAddress,
  { decided: [judged], failed }: Decisions,
  message: IncomingMessage,
): Promise<Outcome> {
  if (failed.length > 0) return failed[0].error;
  let account: Account | undefined;
  try {
    if (judged && !judged.decision.accept) {
      account = await services.accounts.open(judged.target.account);
      return await refuse(services, incoming, plan, judged, account, message);
    }
    const junk = judged !== undefined &&
      (judged.decision.isReject || goesToJunk(judged.decision.reason));
    await services.lists.take(list, incoming, message, junk);
    if (judged) evaluate(services, incoming, plan, judged.decision, message);
  } catch (err) {
    return storeFailure(err, incoming.session.log);
  } finally {
    account?.close();
  }
}
