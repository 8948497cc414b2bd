/** The event that a message is about, and answering an invitation to it. @module */
import type { CallChecked, CallResponse, Invitation } from "../../../../webmail/api/mod.ts";
import type { Config } from "../../../config/mod.ts";
import type { Log } from "../../../log/mod.ts";
import { answerInvitation, readInvitation } from "../../../mail/calendar/invitation.ts";
import type { Part } from "../../../mail/structure/structure.ts";
import type { Account } from "../../../store/account/account.ts";
import { accountSetting, changeAccountSetting } from "../../../store/account/settings.ts";
import { UserError } from "../../http/mod.ts";
import type { UndoLog } from "../list/undo.ts";
import type { ComposeContext } from "../sending/compose.ts";
import { send } from "../sending/send.ts";
import type { WebmailServices } from "../services.ts";
import { type MessageContent, partText, withContent } from "./content.ts";
import { numberedParts } from "./parts.ts";

/** Bytes of a calendar that are read. */
const maxCalendar = 100_000;
/** Answers that are remembered. */
const maxAnswers = 500;

const setting = "invitations";

function calendarPart(c: MessageContent): Part | undefined {
  for (const { part } of numberedParts(c.root)) {
    if (part.type === "text" && part.subtype === "calendar") return part;
  }
  return undefined;
}

function calendarText(c: MessageContent): string | undefined {
  const part = calendarPart(c);
  return part === undefined ? undefined : partText(c, part, maxCalendar).text;
}

/** What was answered to events, by uid and own address. */
function answers(account: Account): Record<string, string> {
  const value = accountSetting(account, setting);
  return typeof value === "object" && value !== null ? value as Record<string, string> : {};
}

/** The event of a message; null if it has none. */
export function invitationOf(
  config: Config,
  account: Account,
  c: MessageContent,
): Invitation | null {
  const text = calendarText(c);
  const found = text === undefined ? undefined : readInvitation(text);
  if (found === undefined) return null;
  const mine = found.attendees.find((a) => {
    const at = a.address.lastIndexOf("@");
    if (at < 0) return false;
    return config.mayUseFrom(account.name, a.address.slice(0, at), a.address.slice(at + 1)) ===
      "yes";
  });
  const { uid, sequence: _s, organizer, ...rest } = found;
  const known = mine && answers(account)[answerKey(uid, mine.address)];
  return {
    ...rest,
    organizer: organizer === undefined
      ? null
      : { name: organizer.name, address: organizer.address },
    me: mine === undefined ? null : { address: mine.address, status: known ?? mine.status },
  };
}

const answerKey = (uid: string, address: string) => `${uid} ${address.toLowerCase()}`;

const words = { accepted: "Accepted", tentative: "Tentative", declined: "Declined" } as const;

/** Sends an answer to the organiser, and remembers it. @throws UserError */
export async function answerTo(
  s: WebmailServices,
  ctx: ComposeContext,
  r: CallChecked<"InvitationAnswer">,
  undo: UndoLog,
  log: Log,
): Promise<CallResponse<"InvitationAnswer">> {
  const { account } = ctx;
  const { text, event } = await withContent(account, r.id, (c) => ({
    text: calendarText(c) ?? "",
    event: invitationOf(s.config, account, c),
  }));
  const organizer = event?.organizer;
  if (event === null || event.me === null || !organizer) {
    throw new UserError("this message invites none of your addresses");
  }
  const { address } = event.me;
  const name = s.config.account(account.name)?.FullName ?? "";
  const calendar = answerInvitation(text, { name, address }, r.answer);
  if (calendar === undefined) throw new UserError("this invitation can't be answered");
  const subject = `${words[r.answer]}: ${event.summary}`;
  const { warnings } = await send(
    s,
    ctx,
    {
      composition: {
        from: { name, address },
        to: [organizer.address],
        cc: [],
        bcc: [],
        replyTo: "",
        subject,
        text: `${name || address}: ${words[r.answer].toLowerCase()}\n${event.summary}\n`,
        html: null,
        attachments: [],
        inReplyTo: r.id,
        forwards: [],
      },
      draftId: null,
      requireTls: null,
      archiveThread: false,
    },
    undo,
    log,
    undefined,
    { method: "REPLY", text: calendar },
  );
  const uid = readInvitation(text)!.uid;
  await changeAccountSetting(account, setting, (before) => {
    const all = Object.entries(typeof before === "object" && before !== null ? before : {})
      .filter(([k]) => k !== answerKey(uid, address));
    return Object.fromEntries([...all, [answerKey(uid, address), r.answer]].slice(-maxAnswers));
  });
  return { warnings };
}
