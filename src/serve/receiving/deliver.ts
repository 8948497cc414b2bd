/**
 * From a complete incoming message to an outcome for each recipient: scanners, decisions, the delay for first-time
 * senders, then mailboxes and Rejects.
 *
 * @module
 */
import type { ScanFindings } from "../../delivery/analysis_types.ts";
import type {
  Address,
  Delivered,
  IncomingMessage,
  SmtpSession,
  Transaction,
} from "../../smtp/server/mod.ts";
import { type Arrived, openArrived } from "../arrival/arrived.ts";
import type { Incoming } from "../arrival/incoming.ts";
import { checkSender, type Sender } from "../arrival/sender.ts";
import type { ReceivingListener, ReceivingServices } from "../arrival/services.ts";
import { onePerAccount } from "../catcher/catching.ts";
import { type CarriedOut, carryOut } from "./carry_out.ts";
import { decideFor } from "./decide.ts";
import { notifyDelivered } from "./dsn.ts";
import { copyForJournals } from "./journaled.ts";
import { queueUntaken } from "./later.ts";
import { scanIncoming } from "./scanned.ts";
import { waitForStranger } from "./strangers.ts";
import { planRecipients, routeForRecipient } from "./targets.ts";

/** Accepts a message for all recipients. */
export async function receive(
  services: ReceivingServices,
  listener: ReceivingListener,
  session: SmtpSession,
  transaction: Transaction,
  message: IncomingMessage,
): Promise<Delivered> {
  const names = [...new Set([listener.hostname, services.config.static.Hostname])];
  const arrived = await openArrived(message, names, services.tempDir);
  try {
    const sender = await checkSender(
      session,
      transaction,
      arrived,
      services.resolver,
      listener.hostname,
    );
    if (!services.scanners || listener.scanners.length === 0) {
      return await receiveFrom(services, listener, session, transaction, message, arrived, sender);
    }
    const scan = {
      scanners: services.scanners,
      names: listener.scanners,
      hostname: listener.hostname,
      routeOf: (address: Address) => routeForRecipient(services, address, transaction.mailFrom),
    };
    const scanned = await scanIncoming(scan, session, transaction, message, arrived, sender);
    try {
      const { discarded, findings } = scanned;
      if (discarded || scanned.transaction.recipients.length === 0) {
        return { outcomes: scanned.outcomes([]) };
      }
      // Results written by scanners are kept.
      const changed = scanned.message === message
        ? undefined
        : await openArrived(scanned.message, [], services.tempDir);
      try {
        const done = await receiveFrom(
          services,
          listener,
          session,
          scanned.transaction,
          scanned.message,
          changed ?? arrived,
          sender,
          findings,
        );
        return { ...done, outcomes: scanned.outcomes(done.outcomes) };
      } finally {
        changed?.close();
      }
    } finally {
      scanned.remove();
    }
  } finally {
    arrived.close();
  }
}

/** The same for a message that may be delivered. */
async function receiveFrom(
  services: ReceivingServices,
  listener: ReceivingListener,
  session: SmtpSession,
  transaction: Transaction,
  message: IncomingMessage,
  arrived: Arrived,
  sender: Sender,
  scans?: ScanFindings,
): Promise<Delivered> {
  const m: Incoming = {
    scans,
    session,
    transaction,
    arrived,
    sender,
    size: arrived.size,
    sentBySieve: [],
  };
  const plans = planRecipients(
    services.config,
    transaction.recipients,
    sender.factsFor(transaction.recipients[0].address),
    sender.auth !== undefined,
  );
  if (services.catching) onePerAccount(plans);
  const decided = await Promise.all(
    plans.map((plan) => decideFor(services, listener, m, plan, message)),
  );
  await waitForStranger(services, listener, session, decided.flatMap((d) => d.decided));
  const uncopied = await copyForJournals(services, m, plans, decided, message);
  if (uncopied) return { outcomes: plans.map(() => uncopied) };
  const results: CarriedOut = { kept: new Set(), untaken: new Map() };
  const outcomes = await Promise.all(
    plans.map((plan, i) => carryOut(services, m, plan, decided[i], message, results)),
  );
  if (outcomes.includes(undefined)) {
    const queued = await queueUntaken(services, m, results.untaken, message);
    for (const plan of queued) outcomes[plans.indexOf(plan)] = undefined;
  }
  const delivered = plans.filter((p, i) => outcomes[i] === undefined && results.kept.has(p))
    .map((p) => p.recipient);
  await notifyDelivered(
    services,
    session,
    transaction,
    message,
    sender.auth?.spf.result,
    delivered,
  );
  if (outcomes.includes(undefined)) services.sieve.db.memory.taken(m.sentBySieve);
  return { outcomes };
}
