/** Sending a message, and what goes with it: the copy in Sent, the draft, marks on what it answers. @module */
import type { CallChecked, CallResponse, Composition } from "../../../../webmail/api/mod.ts";
import type { Log } from "../../../log/mod.ts";
import { counter } from "../../../metrics/mod.ts";
import { removeFile } from "../../../platform/files.ts";
import { HttpError, UserError } from "../../http/mod.ts";
import type { SendingDetails } from "./rows.ts";
import type { WebmailServices } from "../services.ts";
import {
  type CalendarPart,
  type ComposeContext,
  type ComposedMessage,
  composeMessage,
  type HeaderAddresses,
} from "./compose.ts";
import { checkRoom, keepCopy, keptCopy } from "./copy.ts";
import { addressOf, requiredAddresses } from "./recipients.ts";
import type { Unfinished } from "./unfinished.ts";

/** Recipients of a message. */
const maxRecipients = 1000;

/** @throws UserError */
const submissions = counter(
  "mox_webmail_submission_total",
  "Messages sent by the webmail, by what became of them.",
  { result: ["ok", "limiterror", "queueerror"] },
);

/** Counts what becomes of a submission. */
async function counted(submission: Promise<unknown>): Promise<void> {
  try {
    await submission;
    submissions.inc({ result: "ok" });
  } catch (err) {
    // A limit of the account is told to its user; all else is a fault of ours.
    const isHttpError = err instanceof HttpError;
    submissions.inc({ result: isHttpError ? "limiterror" : "queueerror" });
    throw err;
  }
}

export function headerAddresses(composition: Composition): HeaderAddresses {
  const [from, ...others] = requiredAddresses([composition.from.address]);
  if (from === undefined || others.length > 0) {
    throw new UserError("choose an address to send from");
  }
  return {
    from: [{ ...from, name: composition.from.name }],
    to: requiredAddresses(composition.to),
    cc: requiredAddresses(composition.cc),
    bcc: requiredAddresses(composition.bcc),
    replyTo: requiredAddresses([composition.replyTo]),
  };
}

/** Each recipient once. @throws UserError */
export function recipientsOf(addresses: HeaderAddresses): string[] {
  const all = new Map<string, string>();
  for (const r of [...addresses.to, ...addresses.cc, ...addresses.bcc]) {
    const address = addressOf(r);
    if (!all.has(address)) all.set(address, address);
  }
  if (all.size === 0) throw new UserError("a message needs someone to go to");
  if (all.size > maxRecipients) {
    throw new UserError(`a message can go to ${maxRecipients} recipients`);
  }
  return [...all.values()];
}

/** @throws UserError for an address that is not one of the account's */
export function checkFrom(
  services: WebmailServices,
  account: string,
  addresses: HeaderAddresses,
): void {
  const [{ localpart, domain }] = addresses.from;
  const may = services.config.maySendAs(account, localpart, domain);
  if (
    may === "yes" || may === "behalf" ||
    may === "no" && services.config.acceptAllAccount === account
  ) {
    return;
  }
  throw new UserError(
    may === "disabledDomain"
      ? `the domain ${domain} is disabled`
      : `${localpart}@${domain} is not one of your addresses`,
  );
}

/** A message to send now. */
export type SendRequest = Pick<
  CallChecked<"Send">,
  "composition" | "draftId" | "requireTls" | "archiveThread"
>;

/** What sending needs besides the message. */
export interface SendingServices {
  services: WebmailServices;
  unfinished: Unfinished;
  log: Log;
}

/**
 * Sends now: once, wherever the end of the process cuts it off (unfinished.ts). No other must work on the
 * message meanwhile (oneAfterTheOther). @throws UserError, HttpError; nothing was sent then.
 * @param messageId without <>
 * @param calendar what the message answers an invitation with
 */
export async function send(
  { services, unfinished, log }: SendingServices,
  ctx: ComposeContext,
  request: SendRequest,
  messageId: string,
  calendar?: CalendarPart,
): Promise<CallResponse<"Send">> {
  const { account } = ctx;
  const c = request.composition;
  const addresses = headerAddresses(c);
  checkFrom(services, account.name, addresses);
  const recipients = recipientsOf(addresses);
  // RFC 8689 §5: asks transports not to insist on TLS.
  const more = request.requireTls === false ? ["TLS-Required: No\r\n"] : [];
  const composed = await composeMessage(ctx, c, addresses, more, messageId, calendar);
  try {
    checkRoom(account, composed.size, request.draftId);
    const details = detailsOf(request, addresses, recipients, composed);
    await unfinished.begin(account.name, messageId, details);
    let sentId: number | null;
    try {
      sentId = await keepCopy(account, composed, addresses);
      await counted(services.submit({
        account: account.name,
        mailFrom: details.mailFrom,
        recipients,
        file: composed.path,
        fileSize: composed.size,
        smtputf8: composed.smtputf8,
        has8bit: composed.has8bit,
        requireTls: request.requireTls ?? undefined,
        notBefore: undefined,
        messageId,
        subject: c.subject,
      }));
    } catch (err) {
      if (!services.wasSubmitted(account.name, messageId)) {
        await unfinished.callOff(account, messageId);
        throw err;
      }
      log.error("after putting a message into the queue", { err: err as Error });
      sentId = keptCopy(account, messageId)?.id ?? null;
    }
    const warnings = await unfinished.finish(account, { messageId, details, failures: 0 });
    for (const a of c.attachments) {
      if (a.kind === "upload") ctx.uploads.remove(account.name, a.uploadId);
    }
    return { sentId, waiting: null, warnings };
  } finally {
    removeFile(composed.path);
  }
}

function detailsOf(
  request: SendRequest,
  addresses: HeaderAddresses,
  recipients: string[],
  composed: ComposedMessage,
): SendingDetails {
  const { composition: c, requireTls, draftId, archiveThread } = request;
  return {
    mailFrom: addressOf(addresses.from[0]),
    recipients,
    smtputf8: composed.smtputf8,
    has8bit: composed.has8bit,
    requireTls,
    subject: c.subject,
    draftId,
    inReplyTo: c.inReplyTo,
    forwards: c.forwards,
    archiveThread,
  };
}

/** Does the rest for a message that the queue has, and of which nothing else is noted: its copy too. */
export async function finishSent(
  { unfinished }: SendingServices,
  ctx: ComposeContext,
  request: SendRequest,
  messageId: string,
): Promise<void> {
  const { account } = ctx;
  const c = request.composition;
  const addresses = headerAddresses(c);
  const composed = await composeMessage(ctx, c, addresses, [], messageId);
  try {
    if (keptCopy(account, messageId) === undefined) await keepCopy(account, composed, addresses);
    const details = detailsOf(request, addresses, [], composed);
    await unfinished.finish(account, { messageId, details, failures: 0 });
  } finally {
    removeFile(composed.path);
  }
}
