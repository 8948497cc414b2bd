/** Submissions: messages on their way, and what became of them (RFC 8621 §7). @module */
import type { Access } from "../core/method.ts";
import { utcDateOf } from "../core/types.ts";
import type { JmapServices } from "../services.ts";

/** An address of an envelope, with parameters of SMTP. */
export interface EnvelopeAddress {
  email: string;
  parameters: Record<string, string | null> | null;
}

export interface Delivery {
  smtpReply: string;
  delivered: "queued" | "yes" | "no" | "unknown";
  displayed: "unknown" | "yes";
}

/** A submission as it is kept. */
export interface Submission {
  identityId: string;
  emailId: string;
  threadId: string;
  envelope: { mailFrom: EnvelopeAddress; rcptTo: EnvelopeAddress[] };
  /** Milliseconds. */
  sendAt: number;
  undoStatus: "pending" | "final" | "canceled";
  deliveryStatus: Record<string, Delivery>;
  /** Ids in the queue, in the order of the recipients. */
  queued: number[];
  messageId: string;
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
  const { queued: _queued, messageId: _messageId, ...shown } = submission;
  return { id, ...shown, sendAt: utcDateOf(submission.sendAt), dsnBlobIds: [], mdnBlobIds: [] };
}

function reply(code: number, enhanced: string, text: string): string {
  return `${code || 250} ${enhanced ? `${enhanced} ` : ""}${text}`.replace(/[\r\n]+/g, " ").trim();
}

/** What is known of a submission now. */
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
      // Another server has it: what becomes of it there nobody tells.
      : "unknown";
    deliveryStatus[email] = { smtpReply, delivered, displayed: "unknown" };
  }
  return { ...sub, deliveryStatus, undoStatus: untouched ? "pending" : "final" };
}

/** Brings the submissions of an account up to date with the queue. */
export async function refreshSubmissions(services: JmapServices, access: Access): Promise<void> {
  const { name } = access.account;
  for (const { id, value } of services.objects.list<Submission>(name, "submission")) {
    const now = currentSubmission(services, value);
    if (now === value || JSON.stringify(now) === JSON.stringify(value)) continue;
    await services.objects.put(name, "submission", id, now);
  }
}
