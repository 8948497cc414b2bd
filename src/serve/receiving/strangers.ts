/** First-time senders: a delay, or greylisting. @module */
import { counter } from "../../metrics/mod.ts";
import { SmtpError, type SmtpSession } from "../../smtp/server/mod.ts";
import type { ReceivingListener, ReceivingServices } from "../arrival/services.ts";
import type { Decided } from "./decided.ts";

const firstTimeWaits = counter(
  "mox_smtpserver_first_time_sender_total",
  "Messages whose senders were made to wait, as nothing was known of them.",
  { result: ["waited", "gone"] },
);

function isStranger({ decision: d, conf }: Decided): boolean {
  return d.accept && d.firstTimeSender && !conf.NoFirstTimeSenderDelay &&
    !d.facts.isForward && !d.facts.isMailingList && d.reason !== "reporting";
}

/** Delays first-time senders, once for all recipients. Spammers are in a hurry. */
export async function waitForStranger(
  services: ReceivingServices,
  listener: ReceivingListener,
  session: SmtpSession,
  decided: readonly Decided[],
): Promise<void> {
  if (services.resolver === undefined || !decided.some(isStranger)) return;
  // A sender that has tried again has waited.
  if (
    await greylisted(services, listener, session, decided) || listener.firstTimeSenderDelay <= 0
  ) return;
  session.log.debug("first-time sender waits", { ms: listener.firstTimeSenderDelay });
  const waited = await services.wait(session, listener.firstTimeSenderDelay, services.stopping);
  firstTimeWaits.inc({ result: waited ? "waited" : "gone" });
  if (!waited) {
    throw new SmtpError(421, "3.2", "service not available, try again later", { close: true });
  }
}

/**
 * Makes a sender unknown to all recipients try again. If one of them knows it, there is no delay: SMTP has one answer
 * for all.
 * @returns true for a sender that has tried again
 * @throws SmtpError 451
 */
async function greylisted(
  services: ReceivingServices,
  listener: ReceivingListener,
  session: SmtpSession,
  decided: readonly Decided[],
): Promise<boolean> {
  const times = listener.greylist;
  if (!services.greylist || !times) return false;
  const accepted = decided.filter((d) => d.decision.accept && !d.decision.isReject);
  if (!accepted.every(isStranger)) return false;
  let wait = 0;
  for (const { decision: { facts: f } } of accepted) {
    const triple = {
      // A verified domain counts as one sender, whatever its address.
      network: f.msgFromValidated
        ? f.msgFromDomain
        : f.mailFromValidated
        ? f.mailFromDomain
        : f.networks[2],
      mailFrom: `${f.mailFromLocalpart}@${f.mailFromDomain}`,
      rcptTo: `${f.rcptToLocalpart}@${f.rcptToDomain}`,
    };
    wait = Math.max(wait, await services.greylist.wait(triple, times, services.now()));
  }
  if (wait === 0) return true;
  session.log.info("first-time sender has to come again", { seconds: Math.ceil(wait / 1000) });
  throw new SmtpError(
    451,
    "7.1",
    `you are not known here yet, try again in ${Math.ceil(wait / 60_000)} minutes`,
    { harmless: true },
  );
}
