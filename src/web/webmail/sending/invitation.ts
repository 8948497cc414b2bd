/** Answering an invitation. @module */
import type { CallChecked, CallResponse } from "../../../../webmail/api/mod.ts";
import { noteAnswer } from "../../../groupware/incoming.ts";
import { answerInvitation, readInvitation } from "../../../mail/calendar/invitation.ts";
import { UserError } from "../../http/mod.ts";
import { withContent } from "../reading/content.ts";
import { calendarText, invitationOf, rememberAnswer } from "../reading/invitation.ts";
import type { ComposeContext } from "./compose.ts";
import { messageIdOf } from "./drafts.ts";
import { send, type SendingServices } from "./send.ts";

const words = { accepted: "Accepted", tentative: "Tentative", declined: "Declined" } as const;

/** Sends an answer to the organiser, and remembers it. @throws UserError */
export async function answerTo(
  sending: SendingServices,
  ctx: ComposeContext,
  checked: CallChecked<"InvitationAnswer">,
): Promise<CallResponse<"InvitationAnswer">> {
  const { account } = ctx;
  const { services, log } = sending;
  const { text, event } = await withContent(account, checked.id, (content) => ({
    text: calendarText(content) ?? "",
    event: invitationOf(services.config, account, content),
  }));
  const organizer = event?.organizer;
  if (event === null || event.me === null || !organizer) {
    throw new UserError("this message invites none of your addresses");
  }
  const { address } = event.me;
  const name = services.config.account(account.name)?.FullName ?? "";
  const calendar = answerInvitation(text, { name, address }, checked.answer);
  if (calendar === undefined) throw new UserError("this invitation can't be answered");
  const subject = `${words[checked.answer]}: ${event.summary}`;
  const messageId = messageIdOf(ctx, crypto.randomUUID());
  const { warnings } = await send(
    sending,
    ctx,
    {
      composition: {
        from: { name, address },
        to: [organizer.address],
        cc: [],
        bcc: [],
        replyTo: "",
        subject,
        text: `${name || address}: ${words[checked.answer].toLowerCase()}\n${event.summary}\n`,
        html: null,
        attachments: [],
        inReplyTo: checked.id,
        forwards: [],
      },
      draftId: null,
      requireTls: null,
      archiveThread: false,
    },
    messageId,
    { method: "REPLY", text: calendar },
  );
  await rememberAnswer(account, readInvitation(text)!.uid, address, checked.answer);
  const mine = (a: string) => {
    const at = a.lastIndexOf("@");
    return at > 0 &&
      services.config.mayUseFrom(account.name, a.slice(0, at), a.slice(at + 1)) === "yes";
  };
  try {
    const arrival = { g: await account.groupware(), mine, from: undefined };
    await noteAnswer(arrival, text, address, checked.answer, account.name);
  } catch (err) {
    // The answer is on its way all the same.
    log.error("an answer can't be put into the calendar", { err: err as Error });
  }
  return { warnings };
}
