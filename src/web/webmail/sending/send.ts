/** Sending a message, and what goes with it: the copy in Sent, the draft, marks on what it answers. @module */
import type { CallChecked, CallResponse, Composition } from "../../../../webmail/api/mod.ts";
import type { Log } from "../../../log/mod.ts";
import { counter } from "../../../metrics/mod.ts";
import { removeFile } from "../../../platform/files.ts";
import type { Account } from "../../../store/account/account.ts";
import { listedThread } from "../../../store/messages/listing.ts";
import { Flag, SpecialUse } from "../../../store/types.ts";
import { HttpError, UserError } from "../../http/mod.ts";
import { expungeMessages, mailboxForUse, moveMessages } from "../list/actions.ts";
import {
  bccField,
  type CalendarPart,
  type ComposeContext,
  type ComposedMessage,
  composeMessage,
  type HeaderAddresses,
} from "./compose.ts";
import { isDraft } from "./drafts.ts";
import { maxThread } from "../list/items.ts";
import { addressOf, requiredAddresses } from "./recipients.ts";
import type { WebmailServices } from "../services.ts";
import type { UndoLog } from "../list/undo.ts";

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

/** What is left to do for a message that is in the queue already. */
export async function finishSent(account: Account, request: SendRequest): Promise<void> {
  if (request.draftId !== null) await removeDraft(account, request.draftId);
  await markAnswered(account, request.composition);
}

/** A message to send now. */
export type SendRequest = Pick<
  CallChecked<"Send">,
  "composition" | "draftId" | "requireTls" | "archiveThread"
>;

/**
 * Sends now. @throws UserError, HttpError; nothing was sent then.
 * @param messageId without <>
 * @param calendar what the message answers an invitation with
 */
export async function send(
  services: WebmailServices,
  ctx: ComposeContext,
  request: SendRequest,
  undo: UndoLog,
  log: Log,
  messageId?: string,
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
  const warnings: string[] = [];
  const attempt = async <T>(what: string, fn: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await fn();
    } catch (err) {
      // The message is on its way: what failed after it must not look as if it weren't.
      log.error("after sending a message", { what, err: err as Error });
      warnings.push(`The message was sent, but ${what} failed.`);
      return undefined;
    }
  };
  try {
    checkRoom(account, composed.size, request.draftId);
    await counted(services.submit({
      account: account.name,
      mailFrom: addressOf(addresses.from[0]),
      recipients,
      file: composed.path,
      fileSize: composed.size,
      smtputf8: composed.smtputf8,
      has8bit: composed.has8bit,
      requireTls: request.requireTls ?? undefined,
      notBefore: undefined,
      messageId: composed.messageId,
      subject: c.subject,
    }));
    const sentId = await attempt(
      "keeping a copy",
      () => keepCopy(account, composed, addresses, request.draftId),
    );
    await attempt("marking the message as answered", () => markAnswered(account, c));
    if (request.archiveThread && c.inReplyTo !== null) {
      await attempt("moving to the archive", () => archiveThread(account, c.inReplyTo!, undo));
    }
    for (const a of c.attachments) {
      if (a.kind === "upload") ctx.uploads.remove(account.name, a.uploadId);
    }
    return { sentId: sentId ?? null, waiting: null, warnings };
  } finally {
    removeFile(composed.path);
  }
}

/**
 * The copy in Sent takes the place of the draft. Nothing goes out of which nothing could be kept.
 * @throws UserError
 */
function checkRoom(account: Account, size: number, draftId: number | null): void {
  const { used, limit } = account.quota().messageSize;
  const draft = draftId === null ? 0 : account.message(draftId)?.size ?? 0;
  const kept = account.mailboxBySpecialUse(SpecialUse.Sent) !== undefined;
  if (limit === undefined || !kept || used + size - draft <= limit) return;
  throw new UserError(
    "your account is full, so that no copy of the message could be kept: it was not sent; " +
      "remove other messages, and empty the trash",
  );
}

/** Puts the message into Sent, and removes its draft. */
async function keepCopy(
  account: Account,
  message: ComposedMessage,
  addresses: HeaderAddresses,
  draftId: number | null,
): Promise<number | null> {
  const sent = account.mailboxBySpecialUse(SpecialUse.Sent);
  let id: number | null = null;
  if (sent !== undefined) {
    const [kept] = await account.append(sent.id, [{
      file: message.path,
      fileSize: message.size,
      fileSynced: true,
      prefix: new TextEncoder().encode(bccField(addresses)),
      flags: Flag.Seen,
      noTrain: true,
      // Looked at before; the draft, which it replaces, counts until it is removed.
      overQuota: true,
    }]);
    id = kept.id;
  }
  if (draftId !== null) await removeDraft(account, draftId);
  return id;
}

async function removeDraft(account: Account, id: number): Promise<void> {
  const draft = isDraft(account, id) ? account.message(id) : undefined;
  if (draft === undefined) return;
  await expungeMessages(account, new Map([[draft.mailboxId, Uint32Array.of(draft.uid)]]));
}

async function markAnswered(account: Account, composition: Composition): Promise<void> {
  const mark = async (id: number, flag: number) => {
    const m = account.message(id);
    if (m === undefined || m.flags & flag) return;
    await account.storeFlags(m.mailboxId, [m.uid], "add", flag, []);
  };
  if (composition.inReplyTo !== null) await mark(composition.inReplyTo, Flag.Answered);
  for (const id of composition.forwards) await mark(id, Flag.Forwarded);
}

/** Moves the messages of a thread that are in the mailbox of the one answered. */
async function archiveThread(account: Account, id: number, undo: UndoLog): Promise<void> {
  const answered = account.message(id);
  if (answered === undefined) return;
  const archive = await mailboxForUse(account, "archive");
  const uids = listedThread(account.db, answered.threadId, maxThread)
    .filter((m) => m.mailboxId === answered.mailboxId).map((m) => m.uid);
  await moveMessages(
    account,
    new Map([[answered.mailboxId, Uint32Array.from(uids).sort()]]),
    archive,
    undo,
  );
}
