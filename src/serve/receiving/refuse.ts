/** Refuses for an account; a copy may be kept in its mailbox of refused messages. */
import { cleanUpRejects, keepReject } from "../../delivery/rejects.ts";
import { type IncomingMessage, SmtpError } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import type { Decided } from "./decided.ts";
import { deliveries } from "./deliveries.ts";
import { RefusedMessage } from "./dsn.ts";
import { logFields, newMessage } from "./stored.ts";

export async function refuse(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  decided: Decided,
  account: Account,
  message: IncomingMessage,
): Promise<SmtpError> {
  const { decision, conf } = decided;
  const { log } = incoming.session;
  deliveries.inc({ result: decision.userError ? "refused" : "error" });
  if (decision.userError && !decided.target.judgeOnly) {
    services.figures.note(account.name, "refused");
  }
  if (decision.error !== undefined) {
    log.error("message could not be judged", {
      ...logFields(incoming, plan, decided),
      err: decision.error as Error,
    });
  } else {
    log.info("refused", { ...logFields(incoming, plan, decided), code: decision.code });
  }
  if (decision.userError && decision.reason !== "high-rate") incoming.session.suspicious = true;
  if (decision.toRejects && conf.RejectsMailbox !== "" && !decided.target.judgeOnly) {
    try {
      if (!conf.KeepRejects && !conf.LegalHold) {
        await cleanUpRejects(account, conf.RejectsMailbox, services.now());
      }
      await keepReject(
        account,
        conf.RejectsMailbox,
        incoming.arrived.description.summary.messageId,
        {
          ...newMessage(services, incoming, decided, account, message),
          destinedMailboxId: decision.destinedMailboxId,
        },
      );
    } catch (err) {
      // The message is refused all the same.
      log.error("keeping a refused message", {
        err: err as Error,
        account: decided.target.account,
      });
    }
  }
  const enhanced = decision.enhancedCode.slice(decision.enhancedCode.indexOf(".") + 1);
  return decision.userError
    ? new RefusedMessage(decision.code, enhanced, decision.message)
    : new SmtpError(decision.code, enhanced, decision.message);
}
