/** The method Send. @module */
import { Buffer } from "node:buffer";
import type { Account as AccountConfig } from "../../config/mod.ts";
import type { WrittenAddress } from "../../mail/address/format.ts";
import { removeFile } from "../../platform/files.ts";
import type { Account } from "../../store/account/account.ts";
import { Flag, type Mailbox, SpecialUse, StoreError } from "../../store/types.ts";
import { addressOf, needsUtf8 } from "../webmail/sending/recipients.ts";
import { bccField, composeRequest, type Envelope, requestAddress } from "./compose.ts";
import { ApiError } from "./errors.ts";
import type { SendRequest } from "./schemas.ts";
import type { ApiSubmission, WebApiServices } from "./services.ts";

/** Milliseconds that a message may wait to be sent. */
const maxWait = 60 * 24 * 3600_000;
/** Recipients of a message. */
const maxRecipients = 1000;

/** The caller. */
export interface Caller {
  account: Account;
  conf: AccountConfig;
  /** The address that logged in. */
  login: string;
}

export interface SendAnswer {
  MessageID: string;
  Submissions: { Address: string; QueueMsgID: number; FromID: string }[];
}

function tooMany(): never {
  throw new ApiError("user", `a message can go to ${maxRecipients} recipients`);
}

function envelopeOf(caller: Caller, request: SendRequest): Envelope {
  // Before each of them is checked.
  const named = [request.To, request.CC, request.BCC, request.ReplyTo].reduce(
    (n, l) => n + (l?.length ?? 0),
    0,
  );
  if (named > 2 * maxRecipients) tooMany();
  const from = (request.From ?? []).slice(0, 2).map(requestAddress);
  if (from.length > 1) throw new ApiError("multipleFrom", "a message has one address in From");
  const lists = {
    to: (request.To ?? []).map(requestAddress),
    cc: (request.CC ?? []).map(requestAddress),
    bcc: (request.BCC ?? []).map(requestAddress),
    replyTo: (request.ReplyTo ?? []).map(requestAddress),
  };
  const author = from[0] ?? requestAddress({ Name: caller.conf.FullName, Address: caller.login });
  const all = [author, ...lists.to, ...lists.cc, ...lists.bcc, ...lists.replyTo];
  return { from: author, ...lists, smtputf8: all.some(needsUtf8) };
}

function checkFrom(services: WebApiServices, account: string, address: WrittenAddress): void {
  const may = services.config.maySendAs(account, address.localpart, address.domain);
  if (
    may === "yes" || may === "behalf" ||
    (may === "no" && services.config.acceptAllAccount === account)
  ) return;
  throw new ApiError(
    "badFrom",
    may === "disabledDomain"
      ? `the domain ${address.domain} is disabled`
      : `${address.localpart}@${address.domain} is not an address of the account`,
  );
}

/** Each recipient once. */
function recipientsOf(services: WebApiServices, account: string, envelope: Envelope): string[] {
  const all = [...new Set([...envelope.to, ...envelope.cc, ...envelope.bcc].map(addressOf))];
  if (all.length === 0) throw new ApiError("noRecipients", "a message needs a recipient");
  if (all.length > maxRecipients) tooMany();
  for (const address of all) {
    const why = services.queue.suppressed(account, address);
    if (why !== undefined) {
      throw new ApiError(
        "recipientAddressBlocked",
        `${address} is on the suppression list of the account: ${why.reason}`,
      );
    }
  }
  return all;
}

/** The sender's address without what follows a separator, and the separator; undefined if not asked for. */
function fromIdBase(services: WebApiServices, caller: Caller, from: WrittenAddress) {
  const same = (a: string) => a.toLowerCase() === caller.login.toLowerCase();
  if (!caller.conf.FromIDLoginAddresses.some(same)) return undefined;
  const [separator] = services.config.domain(from.domain)?.separators ?? [];
  if (separator === undefined) return undefined;
  const at = from.localpart.indexOf(separator);
  const localpart = at > 0 ? from.localpart.slice(0, at) : from.localpart;
  return (id: string) => `${localpart}${separator}${id}@${from.domain}`;
}

/** Composes and queues. @throws ApiError; nothing was sent then, unless it is partial */
export async function send(
  services: WebApiServices,
  caller: Caller,
  request: SendRequest,
): Promise<SendAnswer> {
  const { account } = caller;
  const envelope = envelopeOf(caller, request);
  checkFrom(services, account.name, envelope.from);
  const recipients = recipientsOf(services, account.name, envelope);
  const now = Date.now();
  const release = request.FutureRelease ? Date.parse(request.FutureRelease) : undefined;
  if (release !== undefined && release > now + maxWait) {
    throw new ApiError("user", "FutureRelease is at most 60 days from now");
  }
  const composed = await composeRequest(services, request, envelope);
  try {
    const m: Omit<ApiSubmission, "mailFrom" | "recipients"> = {
      account: account.name,
      author: `${envelope.from.localpart}@${envelope.from.domain}`,
      fromDomain: envelope.from.domain,
      file: composed.path,
      fileSize: composed.size,
      smtputf8: envelope.smtputf8,
      has8bit: composed.has8bit,
      requireTls: request.RequireTLS ?? undefined,
      notBefore: release !== undefined && release > now ? release : undefined,
      messageId: composed.messageId,
      subject: composed.subject,
      extra: request.Extra ?? {},
    };
    const senderFor = fromIdBase(services, caller, envelope.from);
    const submit = (key?: string) =>
      senderFor
        ? submitEach(services, { ...m, key }, senderFor, recipients)
        : submitAll(services, { ...m, key }, addressOf(envelope.from), recipients);
    const sent = request.SaveSent ? account.mailboxBySpecialUse(SpecialUse.Sent) : undefined;
    if (sent === undefined) return { MessageID: composed.messageId, Submissions: await submit() };
    let full: StoreError | undefined;
    const Submissions = await services.sendWithCopy(account, {
      messageId: composed.messageId.slice(1, -1),
      mailbox: sent,
      keep: async () => {
        full = await keepCopy(account, sent, composed, envelope);
      },
      submit,
    });
    if (full !== undefined) {
      throw new ApiError(
        "sentOverQuota",
        "the message was queued, but not kept in Sent: the account is full",
        { cause: full, partial: true },
      );
    }
    return { MessageID: composed.messageId, Submissions };
  } finally {
    removeFile(composed.path);
  }
}

async function submitAll(
  services: WebApiServices,
  m: Omit<ApiSubmission, "mailFrom" | "recipients">,
  mailFrom: string,
  recipients: readonly string[],
): Promise<SendAnswer["Submissions"]> {
  const ids = await services.submit({
    ...m,
    mailFrom,
    recipients: recipients.map((address) => ({ address })),
  });
  return recipients.map((Address, i) => ({ Address, QueueMsgID: ids[i], FromID: "" }));
}

/** Each recipient's copy has a sender of its own, so that answers of servers tell whom they are about. */
async function submitEach(
  services: WebApiServices,
  m: Omit<ApiSubmission, "mailFrom" | "recipients">,
  senderFor: (id: string) => string,
  recipients: readonly string[],
): Promise<SendAnswer["Submissions"]> {
  const done: SendAnswer["Submissions"] = [];
  for (const address of recipients) {
    // Lower case: some servers change the case of localparts.
    const fromId = Buffer.from(crypto.getRandomValues(new Uint8Array(12))).toString("hex");
    try {
      const [id] = await services.submit({
        ...m,
        key: done.length === 0 ? m.key : undefined,
        mailFrom: senderFor(fromId),
        recipients: [{ address, fromId }],
      });
      done.push({ Address: address, QueueMsgID: id, FromID: fromId });
    } catch (cause) {
      if (done.length === 0 || !(cause instanceof ApiError)) throw cause;
      throw new ApiError(
        cause.code,
        `${cause.message}; ${done.length} of ${recipients.length} recipients were queued before`,
        { cause, partial: true },
      );
    }
  }
  return done;
}

/** Puts the message into Sent. @returns an error if the account has no room for it */
async function keepCopy(
  account: Account,
  sent: Mailbox,
  m: { path: string; size: number },
  envelope: Envelope,
): Promise<StoreError | undefined> {
  try {
    await account.append(sent.id, [{
      file: m.path,
      fileSize: m.size,
      fileSynced: true,
      prefix: new TextEncoder().encode(bccField(envelope)),
      flags: Flag.Seen,
      noTrain: true,
    }]);
    return undefined;
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== "overQuota") throw cause;
    return cause;
  }
}
