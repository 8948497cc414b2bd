/** Notifies the postmaster of an account that has reached its sending limit: its password may be stolen. @module */
import { Log } from "../../log/mod.ts";
import type { Queue, QueueLimitError } from "../../queue/mod.ts";
import { deliverToPostmaster, type PostmasterServices } from "../postmaster.ts";
import { limitParameters } from "./outgoing.ts";

const log = new Log("submission");
/** Milliseconds between notices about one account. */
const interval = 24 * 3600_000;

/** The queue exists by the time it refuses something. */
type Services = Omit<PostmasterServices, "queue"> & { queue: () => Queue };

/** Creates the function to call at each refusal; it notifies the postmaster once a day per account. */
export function limitNotices(
  services: Services,
): (account: string, err: QueueLimitError) => Promise<void> {
  const notified = new Map<string, number>();
  return async (account, err) => {
    const now = Date.now();
    if (now - (notified.get(account) ?? -Infinity) < interval) return;
    notified.set(account, now);
    try {
      await deliverNotice(services, account, err);
    } catch (e) {
      notified.delete(account);
      log.error("telling the postmaster of a limit", { err: e as Error, account });
    }
  };
}

async function deliverNotice(
  services: Services,
  account: string,
  err: QueueLimitError,
): Promise<void> {
  const parameter = limitParameters[err.limit];
  const time = err.limit === "messagesPerHour" ? "an hour has" : "24 hours have";
  const s = { ...services, queue: services.queue() };
  await deliverToPostmaster(s, `Account ${account} has reached a limit for sending`, [
    `The account ${account} tried to send ${err.message}.`,
    `Further messages are refused until ${time} passed since its earlier ones.`,
    "",
    "If its user did not send them, somebody else knows the password: set another one with",
    `"mox setaccountpassword ${account}". Stop what waits with "mox queue hold -account ${account}", look at it`,
    `with "mox queue list -account ${account}", and remove it with "mox queue drop -account ${account}".`,
    `If it is right, raise ${parameter} of the account in domains.conf.`,
  ]);
}
