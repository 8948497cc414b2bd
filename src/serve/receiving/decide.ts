/** Decides for a recipient: whether each of its accounts accepts the message, and into which mailbox. */
import { analyze, sortOnly } from "../../delivery/analysis_decide.ts";
import { joined } from "../../platform/bytes.ts";
import { giveWay } from "../../platform/turns.ts";
import { addressText, type IncomingMessage, SmtpError } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan, Target } from "../arrival/plan.ts";
import type { ReceivingListener, ReceivingServices } from "../arrival/services.ts";
import { envelopePrefix } from "../catcher/catching.ts";
import { judgeOf } from "../onward/alias.ts";
import { analysisContext } from "./analysis.ts";
import type { Decided } from "./decided.ts";
import { deliveries, memberTime, tooMany } from "./deliveries.ts";
import { RefusedMessage } from "./dsn.ts";
import { storeFailure } from "./failure.ts";
import type { Failed } from "./later.ts";

/** Decisions for a recipient, and errors of accounts that could not decide. */
export interface Decisions {
  decided: Decided[];
  /** The sender may not write here. */
  refusal: SmtpError | undefined;
  failed: Failed[];
}

export async function decideFor(
  s: ReceivingServices,
  listener: ReceivingListener,
  incoming: Incoming,
  plan: Plan,
  message: IncomingMessage,
): Promise<Decisions> {
  const result: Decisions = { decided: [], refusal: plan.refusal, failed: [] };
  const until = performance.now() + memberTime;
  for (const target of judgeOf(s, plan)) {
    if (result.decided.length > 0 && performance.now() > until) {
      result.failed.push({ target, error: tooMany() });
      continue;
    }
    let account: Account | undefined;
    try {
      account = await s.accounts.open(target.account);
      const conf = s.config.account(target.account);
      // Removed from the configuration since RCPT.
      if (!conf) throw new SmtpError(550, "1.1", "no such address here");
      checkVerified(incoming, plan, target);
      const prefix = new TextEncoder().encode(
        (s.catching ? envelopePrefix(incoming, message) : "") +
          `Delivered-To: <${addressText(plan.recipient.address)}>\r\n` + message.returnPathHeader(),
      );
      const services = {
        ...s,
        dnsblZones: listener.dnsblZones,
        linkDnsblZones: listener.linkDnsblZones,
      };
      const context = await analysisContext(
        services,
        incoming,
        plan,
        target,
        account,
        conf,
        prefix,
      );
      const decision = await (incoming.sender.auth ? analyze(context) : sortOnly(context));
      const text = new TextEncoder().encode(
        (incoming.sender.auth ? decision.headers : "") + incoming.sender.headers +
          message.receivedHeader(plan.recipient.address),
      );
      result.decided.push({ target, conf, decision, prefix: joined([prefix, text]) });
    } catch (err) {
      deliveries.inc({ result: err instanceof SmtpError ? "refused" : "error" });
      result.failed.push({ target, error: storeFailure(err, incoming.session.log) });
    } finally {
      account?.close();
    }
    // An alias may have thousands of members.
    await giveWay();
  }
  return result;
}

/** Destinations that answer mail want to know who wrote it. */
function checkVerified(incoming: Incoming, plan: Plan, target: Target): void {
  const text = target.destination.MessageAuthRequiredSMTPError;
  if (text === "" || !incoming.sender.auth) return;
  if (incoming.sender.factsFor(plan.recipient.address).msgFromValidated) return;
  throw new RefusedMessage(550, "7.1", text);
}
