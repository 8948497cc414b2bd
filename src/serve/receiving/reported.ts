/**
 * Incoming reports about messages that this server has sent: bounces from a server that had accepted
 * the message, and complaints (ARF, RFC 5965). They put recipients on the suppression list of the
 * account that wrote to them, as failures in the queue do.
 *
 * Anybody can forge a report. So it must identify one of the retired messages by its Message-ID
 * or the unique sender made for a recipient, and a recipient of it; and it must be addressed to the sender of that
 * message, or, for complaints, to the administrator.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import type { Log } from "../../log/mod.ts";
import { parseDsn } from "../../mail/dsn/parse.ts";
import { parseFeedbackReport } from "../../mail/dsn/feedback_parse.ts";
import { type HeaderField, headerField } from "../../mail/header/header.ts";
import { normalizeMessageId } from "../../mail/header/messageid.ts";
import type { Part } from "../../mail/structure/structure.ts";
import { recipientOfSender } from "../sending/unique_sender.ts";
import { baseAddress, isHardBounce, type Queue, type RetiredItem } from "../../queue/mod.ts";

/** Bytes of a report that are read. */
const maxReport = 1024 * 1024;

/** Complaints that mean that the recipient wants no more (RFC 5965 §3.1, RFC 6650). */
const unwanted = new Set(["abuse", "fraud", "opt-out", "opt-out-list"]);

/** A received message. */
export interface ReportedMessage {
  account: string;
  /** The address it was sent to. */
  rcptTo: string;
  /** Its author's domain is verified. */
  verified: boolean;
  root: Part;
  size: number;
  read(from: number, to: number): Uint8Array;
}

/** A recipient to suppress. */
interface Finding {
  item: RetiredItem;
  reason: string;
}

/** Suppresses the recipients a report is about. Returns how many were added to a list. */
export async function suppressReported(
  s: { config: Config; queue: Queue; log: Log },
  message: ReportedMessage,
): Promise<number> {
  if (message.root.type !== "multipart" || message.root.subtype !== "report") return 0;
  const bytes = message.read(0, Math.min(message.size, maxReport));
  let added = 0;
  for (
    const { item, reason } of [...bounces(s, message, bytes), ...complaints(s, message, bytes)]
  ) {
    const entry = { account: item.account, address: item.address, manual: false, reason };
    if (!await s.queue.suppress(entry)) continue;
    added++;
    s.log.info("suppressing recipient after a report", { ...entry });
  }
  return added;
}

function bounces(
  s: { config: Config; queue: Queue },
  message: ReportedMessage,
  bytes: Uint8Array,
): Finding[] {
  const dsn = parseDsn(bytes);
  if (!dsn) return [];
  const sent = sentMessage(s, dsn.original, message.rcptTo).filter((i) =>
    i.account === message.account
  );
  return dsn.recipients.flatMap((recipient) => {
    if (recipient.action !== "failed" || !isHardBounce(recipient.status)) return [];
    const named = [recipient.finalRecipient, recipient.originalRecipient].flatMap((a) =>
      a?.value ?? []
    );
    const item = recipientOf(sent, named);
    const diagnosis = recipient.diagnosticCode?.value ?? recipient.status;
    return item ? [{ item, reason: `bounced after it was taken: ${diagnosis}`.slice(0, 300) }] : [];
  });
}

function complaints(
  s: { config: Config; queue: Queue },
  message: ReportedMessage,
  bytes: Uint8Array,
): Finding[] {
  const report = message.verified ? parseFeedbackReport(bytes) : undefined;
  if (!report || !unwanted.has(report.type)) return [];
  const sent = sentMessage(s, report.original, report.mailFrom)
    .filter((i) => mayComplain(s.config, message, i));
  const reason = `complaint: ${report.type}`;
  // Some omit who complains: with a single recipient it is clear.
  if (report.recipients.length === 0) return sent.length === 1 ? [{ item: sent[0], reason }] : [];
  return report.recipients.flatMap((address) => {
    const item = recipientOf(sent, [address]);
    return item ? [{ item, reason }] : [];
  });
}

/** Complaints go to the sender, or to the address agreed on with the other side. */
function mayComplain(config: Config, message: ReportedMessage, item: RetiredItem): boolean {
  if (message.account === item.account || message.account === config.static.Postmaster.Account) {
    return true;
  }
  const at = message.rcptTo.lastIndexOf("@");
  const senderDomain = item.mailFrom.slice(item.mailFrom.lastIndexOf("@") + 1);
  return ["abuse", "postmaster"].includes(message.rcptTo.slice(0, at).toLowerCase()) &&
    message.rcptTo.slice(at + 1).toLowerCase() === senderDomain.toLowerCase();
}

/**
 * Recipients of the message that a report quotes, or the one for whom a unique sender was made.
 * @param sender its envelope sender, or the address the report was sent to
 */
function sentMessage(
  { config, queue }: { config: Config; queue: Queue },
  original: HeaderField[],
  sender: string,
): RetiredItem[] {
  const unique = recipientOfSender(config, queue, sender);
  if (unique) return [unique];
  const id = normalizeMessageId(headerField(original, "message-id") ?? "");
  return id === "" ? [] : queue.retiredByMessageId(id);
}

function recipientOf(sent: readonly RetiredItem[], named: readonly string[]) {
  const wanted = named.map(baseAddress);
  return sent.find((i) => wanted.includes(baseAddress(i.address)));
}
