/**
 * The path of all users' messages into the queue: changed where necessary, counted against the
 * account's limits, and signed for the domain in From.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { counter } from "../../metrics/mod.ts";
import { Log } from "../../log/mod.ts";
import { traced } from "../../platform/telemetry.ts";
import { type NewQueueMessage, type Queue, QueueLimitError } from "../../queue/mod.ts";
import type { Scanners } from "../../scanning/mod.ts";
import { SmtpError } from "../../smtp/server/mod.ts";
import type { ParsedMessage } from "../../mail/structure/structure.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import { copyToOwner } from "./delegates.ts";
import { asItMayLeave } from "./leaving.ts";
import { type OutgoingScan, scanOutgoing } from "./scanned.ts";
import { signatures } from "./signing.ts";
import { noteRecipients } from "./written.ts";

const log = new Log("submission");
const limited = counter(
  "mox_submission_limit_total",
  "Messages refused because the account had sent too much.",
  { limit: ["messages", "messagesPerHour", "firstTimeRecipients"] },
);

/** Parameters of accounts in domains.conf for the limits. */
export const limitParameters: Record<QueueLimitError["limit"], string> = {
  messages: "MaxOutgoingMessagesPerDay",
  messagesPerHour: "MaxOutgoingMessagesPerHour",
  firstTimeRecipients: "MaxFirstTimeRecipientsPerDay",
};

/** Services it uses. */
export interface OutgoingServices {
  config: Config;
  queue: Queue;
  /** Undefined if none is configured. */
  scanners?: Scanners;
  /** For copies to the owners of addresses that others send from. */
  accounts?: Accounts;
}

/** A message of an account. */
export interface OutgoingMessage extends Omit<NewQueueMessage, "limits"> {
  /** Domain of the From header; its keys sign. */
  fromDomain: string;
  /** It only passes through, and its author was not verified as ours (onward/vouch.ts): it isn't signed. */
  unsigned?: boolean;
  /** The address in From, if it may be another account's. */
  author?: string;
  /** Existing UTF-8 in header fields may stay; `smtputf8` if not given. */
  utf8Allowed?: boolean;
  /** The structure of the file, if known. */
  parsed?: ParsedMessage;
  /** A copy for the journal of a domain: not copied again, and not counted against the postmaster. */
  ofJournal?: boolean;
  /** It is from a user, and is scanned. */
  scan?: OutgoingScan;
}

/** Steps for the domain of each message sent by users. */
export interface SentWatch {
  /** Before it is queued: the copy for the domain's journal, durable when it resolves. */
  copy(domain: string, message: OutgoingMessage): Promise<void>;
  /** After it is queued. */
  count(domain: string, recipients: number): void;
}

const watches = new WeakMap<Queue, SentWatch>();

/** From now on queued messages are copied and counted. */
export function watchSent(queue: Queue, watch: SentWatch): void {
  watches.set(queue, watch);
}

async function copyForJournal(
  { queue }: OutgoingServices,
  message: OutgoingMessage,
): Promise<void> {
  try {
    await watches.get(queue)?.copy(message.fromDomain, message);
  } catch (err) {
    if (err instanceof SmtpError) throw err;
    const text = "no copy for the journal of the domain can be made, try again later";
    throw new SmtpError(451, "3.0", text, { cause: err });
  }
}

/**
 * Signs and queues a message; durable when it resolves.
 * @returns the ids of the recipients' items.
 * @throws SmtpError if the account may not send more now, naming the parameter to change.
 */
export async function queueOutgoing(
  services: OutgoingServices,
  message: OutgoingMessage,
): Promise<number[]> {
  return await traced("mail.submit", {
    "mox.account": message.senderAccount,
    "mox.recipients": message.recipients.length,
    "mox.size": message.fileSize,
  }, async (span) => {
    const changed = message.isDsn ? undefined : await asItMayLeave(services.config, message);
    try {
      const ids = await scanAndQueue(
        services,
        changed ? { ...message, ...changed.message } : message,
      );
      span.set("mox.queue.ids", ids.join(" "));
      return ids;
    } finally {
      changed?.remove();
    }
  });
}

async function scanAndQueue(
  services: OutgoingServices,
  message: OutgoingMessage,
): Promise<number[]> {
  const scanned = await scanOutgoing(services, message);
  if (!scanned) return await signAndQueue(services, message);
  try {
    return scanned.discarded
      ? []
      : await signAndQueue(services, { ...message, ...scanned.message });
  } finally {
    scanned.remove();
  }
}

async function signAndQueue(
  services: OutgoingServices,
  message: OutgoingMessage,
): Promise<number[]> {
  const { config } = services;
  const signature = message.unsigned ? "" : await signatures(config, message.fromDomain, message);
  const head = new TextEncoder().encode(signature);
  const prefix = new Uint8Array(head.length + message.prefix.length);
  prefix.set(head);
  prefix.set(message.prefix, head.length);
  const account = config.account(message.senderAccount);
  // Localserve sends nothing, and is used for load tests. Reports are not sent by the account itself.
  const unlimited = !account || config.acceptAllAccount === message.senderAccount ||
    message.isDsn ||
    message.ofJournal;
  try {
    const { parsed: _parsed, utf8Allowed: _allowed, scan, ofJournal, author, ...rest } = message;
    if (!ofJournal && !message.isDsn) await copyForJournal(services, { ...message, prefix });
    const ids = await services.queue.add({
      ...rest,
      prefix,
      limits: unlimited ? undefined : {
        messages: account.MaxOutgoingMessagesPerDay,
        messagesPerHour: account.MaxOutgoingMessagesPerHour || undefined,
        firstTimeRecipients: account.MaxFirstTimeRecipientsPerDay,
        counts: (address) =>
          config.domain(address.slice(address.lastIndexOf("@") + 1)) === undefined,
      },
    });
    if (!ofJournal && !message.isDsn) {
      watches.get(services.queue)?.count(message.fromDomain, message.recipients.length);
    }
    if (author !== undefined) await copyToOwner(services, { ...rest, author });
    if (scan !== undefined && !message.isDsn && !ofJournal) await noteRecipients(services, rest);
    return ids;
  } catch (err) {
    if (!(err instanceof QueueLimitError)) throw err;
    limited.inc({ limit: err.limit });
    const name = limitParameters[err.limit];
    log.warn("account has sent as much as it may", {
      account: message.senderAccount,
      limit: err.limit,
      max: err.max,
    });
    const text =
      `${err.message}: that is the limit of the account, set by its parameter ${name} in ` +
      "domains.conf; if these messages are not yours, change your password";
    throw new SmtpError(451, "7.1", text, { cause: err });
  }
}
