/** Submissions: messages being sent, and their results (RFC 8621 §7). @module */
import type { Access } from "../core/method.ts";
import { utcDateOf } from "../core/types.ts";
import type { JmapServices } from "../services.ts";

/** An address of an envelope, with SMTP parameters. */
export interface EnvelopeAddress {
  email: string;
  parameters: Record<string, string | null> | null;
}

export interface Delivery {
  smtpReply: string;
  delivered: "queued" | "yes" | "no" | "unknown";
  displayed: "unknown" | "yes";
}

/** A stored submission. */
export interface Submission {
  identityId: string;
  emailId: string;
  threadId: string;
  envelope: { mailFrom: EnvelopeAddress; rcptTo: EnvelopeAddress[] };
  /** Milliseconds. */
  sendAt: number;
  undoStatus: "pending" | "final" | "canceled";
  deliveryStatus: Record<string, Delivery>;
  /** Ids in the queue, in the order of the recipients; empty while the message is being queued. */
  queued: number[];
  messageId: string;
  /** Its key in the queue; missing in those of earlier versions. */
  key?: string;
  /** The process ended before the client could know of it. */
  cutOff?: boolean;
}

export const submissionProperties = [
  "id",
  "identityId",
  "emailId",
  "threadId",
  "envelope",
  "sendAt",
  "undoStatus",
  "deliveryStatus",
  "dsnBlobIds",
  "mdnBlobIds",
];

export function submissionObject(id: string, submission: Submission): Record<string, unknown> {
  const { queued: _queued, messageId: _messageId, key: _key, cutOff: _cutOff, ...shown } =
    submission;
  return { id, ...shown, sendAt: utcDateOf(submission.sendAt), dsnBlobIds: [], mdnBlobIds: [] };
}

function reply(code: number, enhanced: string, text: string): string {
  return `${code || 250} ${enhanced ? `${enhanced} ` : ""}${text}`.replace(/[\r\n]+/g, " ").trim();
}

/** The current state of a submission. */
export function currentSubmission(services: JmapServices, sub: Submission): Submission {
  if (sub.undoStatus === "canceled") return sub;
  const ids = sub.queued.filter((_, i) => {
    const d = sub.deliveryStatus[sub.envelope.rcptTo[i].email];
    return sub.undoStatus === "pending" || d === undefined || d.delivered === "queued";
  });
  if (ids.length === 0) return sub;
  const waiting = new Map(
    services.queue.list({ ids }, { limit: ids.length }).map((i) => [i.id, i]),
  );
  const retired = waiting.size === ids.length
    ? []
    : services.queue.retiredByMessageId(sub.messageId).filter((r) => ids.includes(r.id));
  const deliveryStatus = { ...sub.deliveryStatus };
  let untouched = true;
  for (const [i, id] of sub.queued.entries()) {
    const { email } = sub.envelope.rcptTo[i];
    const item = waiting.get(id);
    if (!item || item.attempts > 0 || item.nextAttempt <= Date.now()) untouched = false;
    if (!ids.includes(id)) continue;
    const past = retired.find((r) => r.id === id);
    const last = (item ?? past)?.results.at(-1);
    const smtpReply = last ? reply(last.code, last.enhanced, last.text) : "250 2.0.0 queued";
    const delivered = item
      ? "queued"
      : past?.outcome === "failed" || past?.outcome === "suppressed" || past?.outcome === "canceled"
      ? "no"
      // Another server has it, and nobody reports its fate there.
      : "unknown";
    deliveryStatus[email] = { smtpReply, delivered, displayed: "unknown" };
  }
  return { ...sub, deliveryStatus, undoStatus: untouched ? "pending" : "final" };
}

/** Keys of submissions that this process is queueing at the moment. */
const handedOver = new Set<string>();

/** Represents an unknown id: of a message queued before a process ended. */
const unknownId = -1;

/**
 * Stores a submission, and then queues its message: after a crash the submission is known, and the queue knows
 * whether it has the message. @throws what `handOver` throws; the submission is not stored then
 */
export async function keepAndSend(
  { objects, queue }: Pick<JmapServices, "objects" | "queue">,
  account: string,
  submission: Submission & { key: string },
  handOver: () => Promise<number[]>,
): Promise<{ number: number; submission: Submission }> {
  const { key } = submission;
  handedOver.add(key);
  try {
    const number = await objects.add(account, "submission", submission);
    let queued: number[];
    try {
      queued = await handOver();
    } catch (err) {
      if (!queue.wasSubmitted(account, key)) {
        await objects.remove(account, "submission", number);
        throw err;
      }
      queued = submission.envelope.rcptTo.map(() => unknownId);
    }
    const sent = { ...submission, queued };
    await objects.put(account, "submission", number, sent);
    return { number, submission: sent };
  } finally {
    handedOver.delete(key);
  }
}

/** Ids of a submission's recipients still in the queue, as far as it is searched. */
function idsInQueue(
  queue: JmapServices["queue"],
  account: string,
  { envelope, messageId }: Submission,
): number[] {
  const waiting = new Map(
    queue.list({ account }, { sort: "queued", descending: true })
      .filter((i) => queue.message(i.messageId)?.messageId === `<${messageId}>`)
      .map((i) => [i.address, i.id]),
  );
  return envelope.rcptTo.map(({ email }) => waiting.get(email) ?? unknownId);
}

/** Settles submissions interrupted by the end of a process: kept if the queue has them, removed otherwise. */
export async function settleCutOff(services: JmapServices, account: string): Promise<void> {
  const { objects, queue } = services;
  for (const { id, value } of objects.list<Submission>(account, "submission")) {
    const { key } = value;
    if (value.queued.length > 0 || key === undefined || handedOver.has(key)) continue;
    if (queue.wasSubmitted(account, key)) {
      const sent: Submission = {
        ...value,
        queued: idsInQueue(queue, account, value),
        cutOff: true,
      };
      await objects.put(account, "submission", id, sent);
    } else {
      await objects.remove(account, "submission", id);
    }
  }
}

/** Milliseconds during which sending an interrupted message again counts as the same submission. */
const sameWithin = 24 * 3600_000;

/** The interrupted submission of a message that is submitted again: it is not sent a second time. */
export async function askedAgain(
  services: JmapServices,
  account: string,
  again: Pick<Submission, "emailId" | "envelope">,
): Promise<{ number: number; submission: Submission } | undefined> {
  await settleCutOff(services, account);
  const addresses = (s: Pick<Submission, "envelope">) =>
    [s.envelope.mailFrom, ...s.envelope.rcptTo].map((a) => a.email).join("\n");
  const found = services.objects.list<Submission>(account, "submission").find(({ value }) =>
    value.cutOff === true && value.emailId === again.emailId &&
    value.sendAt > Date.now() - sameWithin && addresses(value) === addresses(again)
  );
  if (found === undefined) return undefined;
  const { cutOff: _cutOff, ...submission } = found.value;
  await services.objects.put(account, "submission", found.id, submission);
  return { number: found.id, submission };
}

/** Brings the submissions of an account up to date with the queue. */
export async function refreshSubmissions(services: JmapServices, access: Access): Promise<void> {
  const { name } = access.account;
  await settleCutOff(services, name);
  for (const { id, value } of services.objects.list<Submission>(name, "submission")) {
    const now = currentSubmission(services, value);
    if (now === value || JSON.stringify(now) === JSON.stringify(value)) continue;
    await services.objects.put(name, "submission", id, now);
  }
}
