/**
 * From a complete incoming message to an outcome for each recipient: decisions, the wait of first-time
 * senders, then mailboxes and Rejects.
 *
 * @module
 */
import type { ListAddress } from "../../config/mod.ts";
import { takeMailedEvent } from "../events/arrived_event.ts";
import { analyze, sortOnly } from "../../delivery/analysis_decide.ts";
import { type Decision, goesToJunk, type ScanFindings } from "../../delivery/analysis_types.ts";
import { dmarcEvaluation } from "../../delivery/dmarc_evaluation.ts";
import { cleanUpRejects, dropReject, keepReject } from "../../delivery/rejects.ts";
import { counter } from "../../metrics/mod.ts";
import {
  type Address,
  addressText,
  type Delivered,
  type IncomingMessage,
  type Outcome,
  SmtpError,
  type SmtpSession,
  type Transaction,
} from "../../smtp/server/mod.ts";
import { giveWay } from "../../platform/turns.ts";
import type { Account } from "../../store/account/account.ts";
import { Flag, type NewMessage } from "../../store/types.ts";
import { type Arrived, openArrived } from "../arrival/arrived.ts";
import { analysisContext, isOurDomain } from "./analysis.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan, Target } from "../arrival/plan.ts";
import type { ReceivingListener, ReceivingServices } from "../arrival/services.ts";
import { notifyDelivered, RefusedMessage } from "./dsn.ts";
import { storeFailure } from "./failure.ts";
import { type Failed, takeUp } from "./later.ts";
import { checkSender, type Sender } from "../arrival/sender.ts";
import type { Decided } from "./decided.ts";
import { scanIncoming } from "./scanned.ts";
import { waitForStranger } from "./strangers.ts";
import { planRecipients, routeForRecipient } from "./targets.ts";
import { forwardToMembers, judgeOf } from "../onward/alias.ts";
import { forward, type Onward, onwardOf } from "../onward/forward.ts";
import {
  broughtKeywords,
  envelopePrefix,
  onePerAccount,
  withEnvelope,
} from "../catcher/catching.ts";
import { suppressReported } from "./reported.ts";
import { sendBack } from "../onward/returned.ts";
import { replyIfAway } from "../onward/vacation.ts";
import { carryOutScripts } from "../sieve/deliver.ts";
import { scriptsFor } from "../sieve/running.ts";
import { joined } from "../../platform/bytes.ts";

const deliveries = counter(
  "mox_smtpserver_delivery_total",
  "Recipients of incoming messages, by result; a member of an alias counts as one.",
  { result: ["delivered", "reject", "forwarded", "later", "refused", "error"] },
);
/**
 * Milliseconds for deciding about the members of an alias, and as many for delivering to them; those that are left
 * get the message from the queue. RFC 5321 §4.5.3.2.6: the sender waits ten minutes for the answer, and some less.
 */
const memberTime = 60_000;

const tooMany = () =>
  new SmtpError(451, "3.2", "alias has more members than can be served at once");

/** Takes a message for all recipients. */
export async function receive(
  s: ReceivingServices,
  l: ReceivingListener,
  session: SmtpSession,
  transaction: Transaction,
  message: IncomingMessage,
): Promise<Delivered> {
  const names = [...new Set([l.hostname, s.config.static.Hostname])];
  const arrived = await openArrived(message, names, s.tempDir);
  try {
    const sender = await checkSender(session, transaction, arrived, s.resolver, l.hostname);
    if (!s.scanners || l.scanners.length === 0) {
      return await receiveFrom(s, l, session, transaction, message, arrived, sender);
    }
    const scan = {
      scanners: s.scanners,
      names: l.scanners,
      hostname: l.hostname,
      routeOf: (address: Address) => routeForRecipient(s, address, transaction.mailFrom),
    };
    const scanned = await scanIncoming(scan, session, transaction, message, arrived, sender);
    try {
      const { discarded, findings } = scanned;
      if (discarded || scanned.transaction.recipients.length === 0) {
        return { outcomes: scanned.outcomes([]) };
      }
      // What scanners write of results is theirs to say.
      const changed = scanned.message === message
        ? undefined
        : await openArrived(scanned.message, [], s.tempDir);
      try {
        const done = await receiveFrom(
          s,
          l,
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
  s: ReceivingServices,
  l: ReceivingListener,
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
    s.config,
    transaction.recipients,
    sender.factsFor(transaction.recipients[0].address),
    sender.auth !== undefined,
  );
  if (s.catching) onePerAccount(plans);
  const decided = await Promise.all(
    plans.map((plan) => decideFor(s, l, m, plan, message)),
  );
  await waitForStranger(s, l, session, decided.flatMap((d) => d.decided));
  const kept = new Set<Plan>();
  const outcomes = await Promise.all(
    plans.map((plan, i) => carryOut(s, m, plan, decided[i], message, kept)),
  );
  const delivered = plans.filter((p, i) => outcomes[i] === undefined && kept.has(p))
    .map((p) => p.recipient);
  await notifyDelivered(s, session, transaction, message, sender.auth?.spf.result, delivered);
  if (outcomes.includes(undefined)) s.sieve.db.memory.taken(m.sentBySieve);
  return { outcomes };
}

/** Decisions for a recipient, and what keeps accounts from deciding. */
interface Decisions {
  decided: Decided[];
  /** The sender may not write here. */
  refusal: SmtpError | undefined;
  failed: Failed[];
}

async function decideFor(
  s: ReceivingServices,
  l: ReceivingListener,
  m: Incoming,
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
      checkVerified(m, plan, target);
      const prefix = new TextEncoder().encode(
        (s.catching ? envelopePrefix(m, message) : "") +
          `Delivered-To: <${addressText(plan.recipient.address)}>\r\n` + message.returnPathHeader(),
      );
      const services = { ...s, dnsblZones: l.dnsblZones, linkDnsblZones: l.linkDnsblZones };
      const context = analysisContext(services, m, plan, target, account, conf, prefix);
      const decision = await (m.sender.auth ? analyze(context) : sortOnly(context));
      const text = new TextEncoder().encode(
        (m.sender.auth ? decision.headers : "") + m.sender.headers +
          message.receivedHeader(plan.recipient.address),
      );
      result.decided.push({ target, conf, decision, prefix: joined([prefix, text]) });
    } catch (err) {
      deliveries.inc({ result: err instanceof SmtpError ? "refused" : "error" });
      result.failed.push({ target, error: storeFailure(err, m.session.log) });
    } finally {
      account?.close();
    }
    // An alias may have thousands of members.
    await giveWay();
  }
  return result;
}

/** Destinations that answer mail want to know who wrote it. */
function checkVerified(m: Incoming, plan: Plan, target: Target): void {
  const text = target.destination.MessageAuthRequiredSMTPError;
  if (text === "" || !m.sender.auth) return;
  if (m.sender.factsFor(plan.recipient.address).msgFromValidated) return;
  throw new RefusedMessage(550, "7.1", text);
}

async function carryOut(
  s: ReceivingServices,
  m: Incoming,
  plan: Plan,
  decisions: Decisions,
  message: IncomingMessage,
  kept: Set<Plan>,
): Promise<Outcome> {
  const failed = [...decisions.failed];
  let failure = decisions.refusal;
  let accepted = 0;
  if (plan.sender) {
    try {
      await sendBack(s, m, plan.recipient.address, plan.sender, message);
      return undefined;
    } catch (err) {
      return storeFailure(err, m.session.log);
    }
  }
  if (plan.list) return await carryOutForList(s, m, plan, plan.list, decisions, message);
  // Before it is in mailboxes here: when this fails the sender tries again, and nobody has it twice.
  if (decisions.decided.some((d) => d.decision.accept && !d.decision.isReject)) {
    try {
      await forwardToMembers(s, m, plan, message);
    } catch (err) {
      return storeFailure(err, m.session.log);
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
      account = await s.accounts.open(d.target.account);
      const refusal = !d.decision.accept
        ? await refuse(s, m, plan, d, account, message)
        : d.target.judgeOnly
        ? undefined
        : await accept(s, m, plan, d, account, message, kept);
      if (refusal === undefined) accepted++;
      // To try again may help, and hurts nobody.
      else if (failure === undefined || refusal.temporary) failure = refusal;
      if (refusal && d.decision.error !== undefined) {
        failed.push({ target: d.target, error: refusal });
      }
    } catch (err) {
      deliveries.inc({ result: "error" });
      failed.push({ target: d.target, error: storeFailure(err, m.session.log) });
    } finally {
      account?.close();
    }
    await giveWay();
  }
  for (const { error } of failed) {
    if (failure === undefined || error.temporary) failure = error;
  }
  const first = decisions.decided[0];
  if (first) evaluate(s, m, plan, first.decision, message);
  // Where nobody was left to deliver to, all have it.
  if (accepted === 0) return failure;
  // Members of a list that got it must not get it again because of one that didn't: that one gets it later.
  // Only once it is durable that it will, the message is taken.
  return failed.length === 0 ? undefined : await takeUp(s, m, plan, failed, message);
}

/** For an address of a mailing list; what is junk to the postmaster's account is held for the owners. */
async function carryOutForList(
  s: ReceivingServices,
  m: Incoming,
  plan: Plan,
  list: ListAddress,
  { decided: [judged], failed }: Decisions,
  message: IncomingMessage,
): Promise<Outcome> {
  if (failed.length > 0) return failed[0].error;
  let account: Account | undefined;
  try {
    if (judged && !judged.decision.accept) {
      account = await s.accounts.open(judged.target.account);
      return await refuse(s, m, plan, judged, account, message);
    }
    const junk = judged !== undefined &&
      (judged.decision.isReject || goesToJunk(judged.decision.reason));
    await s.lists.take(list, m, message, junk);
    if (judged) evaluate(s, m, plan, judged.decision, message);
  } catch (err) {
    return storeFailure(err, m.session.log);
  } finally {
    account?.close();
  }
}

/** What is stored, in whichever mailbox. */
function newMessage(
  s: ReceivingServices,
  m: Incoming,
  d: Decided,
  account: Account,
  message: IncomingMessage,
): NewMessage {
  const { description } = m.arrived;
  return {
    file: m.arrived.file,
    fileSynced: m.arrived.synced,
    fileSize: m.arrived.size,
    read: m.arrived.read,
    prefix: d.prefix,
    description: s.catching ? withEnvelope(m, description) : description,
    keywords: s.catching ? broughtKeywords(m, account, d.decision.mailbox) : undefined,
    received: message.received,
    facts: d.decision.facts,
    // The filter does not learn from itself.
    noTrain: goesToJunk(d.decision.reason),
  };
}

function logFields(m: Incoming, plan: Plan, d: Decided) {
  const { mailFrom } = m.transaction;
  return {
    account: d.target.account,
    from: mailFrom ? addressText(mailFrom) : "",
    to: addressText(plan.recipient.address),
    msgfrom: m.arrived.description.summary.from[0]?.address ?? "",
    size: m.arrived.size,
    reason: d.decision.reason,
    mailbox: d.decision.mailbox,
    why: d.decision.reasonText.join("; "),
  };
}

const keepOnly: Onward = { to: [], keep: true };

/** For the administrator's pages, and nobody else's mail. */
function isReport({ decision: d, target }: Decided): boolean {
  return target.reports !== undefined || d.dmarcReport !== undefined ||
    d.failureReport !== undefined || d.tlsReport !== undefined;
}

/** @param kept gets the plan if the message is in a mailbox; else its next server tells of success */
async function accept(
  s: ReceivingServices,
  m: Incoming,
  plan: Plan,
  d: Decided,
  account: Account,
  message: IncomingMessage,
  kept: Set<Plan>,
): Promise<SmtpError | undefined> {
  const { decision, conf } = d;
  const ordinary = !decision.isReject && !isReport(d);
  const own = ordinary ? onwardOf(s, m, plan, account.name, conf) : keepOnly;
  const scripts = ordinary
    ? scriptsFor(s.sieve, account.name, plan.recipient.address.domain)
    : undefined;
  if (d.decision.isReject) s.figures.note(account.name, "refused");
  else if (ordinary) {
    s.figures.note(account.name, goesToJunk(decision.reason) ? "junk" : "good");
  }
  let answered = false, discarded = false;
  if (scripts) {
    const stored = newMessage(s, m, d, account, message);
    const of = { plan, account, conf, decision, prefix: d.prefix, message, stored };
    const carried = await carryOutScripts(s, m, of, scripts, own.keep);
    if (carried.refusal) {
      deliveries.inc({ result: "refused" });
      return carried.refusal;
    }
    ({ answered, discarded } = carried);
    if (carried.delivered) {
      kept.add(plan);
      const added = await noteReport(s, m, plan, d);
      await noteEvent(s, m, d, account);
      await s.webhooks?.incoming(account, carried.delivered, added > 0);
    }
    deliveries.inc({ result: "delivered" });
    m.session.log.info("delivered by scripts", logFields(m, plan, d));
  } else if (own.keep) {
    const delivered = await account.deliver(decision.mailbox, {
      ...newMessage(s, m, d, account, message),
      // Draws no attention.
      flags: decision.isReject ? Flag.Seen : 0,
      isReject: decision.isReject,
      destinedMailboxId: decision.destinedMailboxId,
    });
    kept.add(plan);
    deliveries.inc({ result: decision.isReject ? "reject" : "delivered" });
    m.session.log.info("delivered", logFields(m, plan, d));
    if (!decision.isReject) {
      const added = await noteReport(s, m, plan, d);
      await noteEvent(s, m, d, account);
      await s.webhooks?.incoming(account, delivered, added > 0);
    }
  }
  // Also after it was delivered: should it fail, a message twice is better than one less.
  if (own.to.length > 0 && !discarded) await forward(s, m, plan, account.name, own, message);
  if (!own.keep && !scripts) deliveries.inc({ result: "forwarded" });
  try {
    if (ordinary && !answered && !discarded) await replyIfAway(s, m, plan, account, conf);
    const { messageId } = m.arrived.description.summary;
    if (!decision.isReject && conf.RejectsMailbox !== "" && messageId !== "") {
      await dropReject(account, conf.RejectsMailbox, messageId);
    }
    await storeReports(s, m, decision, d.target, message.received);
  } catch (err) {
    // It is delivered, and must not come again.
    m.session.log.error("after delivery", { err: err as Error, account: d.target.account });
  }
}

/** Of a report about a message of ours; how many recipients it has suppressed. */
async function noteReport(
  s: ReceivingServices,
  m: Incoming,
  plan: Plan,
  d: Decided,
): Promise<number> {
  const { arrived, session: { log } } = m;
  try {
    return await suppressReported({ ...s, log }, {
      account: d.target.account,
      rcptTo: addressText(plan.recipient.address),
      verified: m.sender.auth === undefined || d.decision.facts.msgFromValidated,
      root: arrived.root,
      size: arrived.size,
      read: arrived.read,
    });
  } catch (err) {
    log.error("noting a report", { err: err as Error, account: d.target.account });
    return 0;
  }
}

/** An invitation, or an answer to one, goes into the account's calendar too; not out of the Junk mailbox. */
async function noteEvent(
  s: ReceivingServices,
  m: Incoming,
  d: Decided,
  account: Account,
): Promise<void> {
  const { arrived, sender, session: { log } } = m;
  const { decision } = d;
  if (decision.reason === "junk-mailbox") return;
  const verified = sender.auth === undefined || decision.facts.msgFromValidated;
  const [author] = arrived.description.summary.from;
  try {
    await takeMailedEvent({ config: s.config, log }, {
      account,
      root: arrived.root,
      read: arrived.read,
      author: verified && arrived.description.summary.from.length === 1
        ? author.address.toLowerCase()
        : undefined,
    });
  } catch (err) {
    // The message is there, and says it too.
    log.error("an event of a message", { err: err as Error, account: account.name });
  }
}

async function storeReports(
  s: ReceivingServices,
  m: Incoming,
  decision: Decision,
  target: Target,
  received: number,
): Promise<void> {
  if (!s.reports) return;
  const { dmarcReport, failureReport, tlsReport, facts } = decision;
  if (dmarcReport) await s.reports.dmarc.add(dmarcReport, facts.msgFromDomain, received);
  if (failureReport) {
    const { messageId } = m.arrived.description.summary;
    await s.reports.failures.add(failureReport, facts.msgFromDomain, messageId, received);
  }
  if (tlsReport) {
    const { mailFrom } = m.transaction;
    const domain = tlsReport.policies.find((p) => isOurDomain(s.config, p.policyDomain));
    await s.reports.tls.add({
      received,
      domain: domain?.policyDomain ?? "",
      fromDomain: facts.msgFromDomain,
      mailFrom: mailFrom ? addressText(mailFrom) : "",
      hostReport: target.reports === "hostTls",
      report: tlsReport,
    });
  }
}

async function refuse(
  s: ReceivingServices,
  m: Incoming,
  plan: Plan,
  d: Decided,
  account: Account,
  message: IncomingMessage,
): Promise<SmtpError> {
  const { decision, conf } = d;
  const { log } = m.session;
  deliveries.inc({ result: decision.userError ? "refused" : "error" });
  if (decision.userError && !d.target.judgeOnly) s.figures.note(account.name, "refused");
  if (decision.error !== undefined) {
    log.error("message could not be judged", {
      ...logFields(m, plan, d),
      err: decision.error as Error,
    });
  } else {
    log.info("refused", { ...logFields(m, plan, d), code: decision.code });
  }
  if (decision.userError && decision.reason !== "high-rate") m.session.suspicious = true;
  if (decision.toRejects && conf.RejectsMailbox !== "" && !d.target.judgeOnly) {
    try {
      if (!conf.KeepRejects && !conf.LegalHold) {
        await cleanUpRejects(account, conf.RejectsMailbox, s.now());
      }
      await keepReject(account, conf.RejectsMailbox, m.arrived.description.summary.messageId, {
        ...newMessage(s, m, d, account, message),
        destinedMailboxId: decision.destinedMailboxId,
      });
    } catch (err) {
      // It is refused all the same.
      log.error("keeping a refused message", { err: err as Error, account: d.target.account });
    }
  }
  const enhanced = decision.enhancedCode.slice(decision.enhancedCode.indexOf(".") + 1);
  return decision.userError
    ? new RefusedMessage(decision.code, enhanced, decision.message)
    : new SmtpError(decision.code, enhanced, decision.message);
}

/** Remembers what the domain in From is to be told about its policy. */
function evaluate(
  s: ReceivingServices,
  m: Incoming,
  plan: Plan,
  decision: Decision,
  message: IncomingMessage,
): void {
  const { auth } = m.sender;
  if (!s.reports || !auth) return;
  const report = plan.targets.some((t) => t.reports !== undefined);
  const { summary } = m.arrived.description;
  try {
    const evaluation = dmarcEvaluation(auth, decision, {
      remoteIp: m.session.remoteIp,
      mailFromDomain: m.transaction.mailFrom?.asciiDomain ?? "",
      rcptToDomain: plan.recipient.address.asciiDomain,
      received: message.received,
      isReport: report || /^report domain: /i.test(summary.subject),
    });
    if (evaluation) s.reports.evaluations.add(evaluation);
  } catch (err) {
    m.session.log.error("storing a DMARC evaluation", { err: err as Error });
  }
}
