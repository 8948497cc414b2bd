/** What a page asks for when it sends: at once, in some seconds, or at a time. @module */
import type { CallChecked, CallResponse } from "../../../../webmail/api/mod.ts";
import { UserError } from "../../http/mod.ts";
import type { ComposeContext } from "../sending/compose.ts";
import {
  messageIdOf,
  oneAfterTheOther,
  putDraft,
  withPartsOf,
  writtenUnder,
} from "../sending/drafts.ts";
import {
  checkFrom,
  headerAddresses,
  recipientsOf,
  send,
  type SendingServices,
} from "../sending/send.ts";
import type { WebmailServices } from "../services.ts";
import type { Scheduler } from "./scheduler.ts";

/** Milliseconds that a message may wait to be sent. */
const maxWait = 60 * 24 * 3600_000;

/** @throws UserError for a time that can't be sent at */
export function checkSendAt(sendAt: number): void {
  const now = Date.now();
  if (sendAt <= now) throw new UserError("the time to send at is in the past");
  if (sendAt > now + maxWait) {
    throw new UserError("a message can be sent at most 60 days from now");
  }
}

/** What a page asks for: sent at once, or kept until it is time. @throws UserError, HttpError */
export function sendOrSchedule(
  sending: SendingServices,
  ctx: ComposeContext,
  request: CallChecked<"Send">,
  scheduler: Scheduler,
): Promise<CallResponse<"Send">> {
  const { services, unfinished } = sending;
  const { sendAt } = request;
  if (sendAt !== null) checkSendAt(sendAt);
  const key = request.key ?? crypto.randomUUID();
  const messageId = messageIdOf(ctx, key);
  return oneAfterTheOther(ctx.account, messageId, async () => {
    await unfinished.settle(ctx.account, messageId, true);
    const there = writtenUnder(ctx, key, request.draftId);
    if (there.sent || services.wasSubmitted(ctx.account.name, messageId)) {
      throw new UserError("this message was sent already, perhaps from another window");
    }
    // Another window has saved it since: it is the same message.
    const draftId = there.draftId ?? request.draftId;
    const composition = await withPartsOf(
      ctx.account,
      request.composition,
      request.draftId,
      there.draftId,
    );
    const now = { ...request, composition, draftId, key };
    if (sendAt === null && request.undo === 0) return await send(sending, ctx, now, messageId);
    return await schedule(services, ctx, now, scheduler);
  });
}

/** Keeps a message as a draft that is sent when it is time. */
async function schedule(
  services: WebmailServices,
  ctx: ComposeContext,
  request: CallChecked<"Send"> & { key: string },
  scheduler: Scheduler,
): Promise<CallResponse<"Send">> {
  const { account } = ctx;
  const c = request.composition;
  // What would be refused then is refused now.
  const addresses = headerAddresses(c);
  checkFrom(services, account.name, addresses);
  recipientsOf(addresses);
  const { key } = request;
  const at = request.sendAt ?? Date.now() + request.undo * 1000;
  const later = request.sendAt !== null;
  const { draftId } = await putDraft(ctx, request.draftId, c, {
    key,
    options: { sendAt: request.sendAt, requireTls: request.requireTls },
    mailbox: later ? await scheduler.mailbox(account) : undefined,
    received: later ? at : undefined,
  });
  await scheduler.add(account, {
    message: draftId,
    due: at,
    requireTls: request.requireTls,
    archiveThread: request.archiveThread,
    messageId: messageIdOf(ctx, key),
  });
  for (const a of c.attachments) {
    if (a.kind === "upload") ctx.uploads.remove(account.name, a.uploadId);
  }
  return { sentId: null, waiting: { id: draftId, at }, warnings: [] };
}
