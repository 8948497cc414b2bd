/** The event that a message is about, and what was answered to it. @module */
import type { Invitation } from "../../../../webmail/api/mod.ts";
import type { Config } from "../../../config/mod.ts";
import { readInvitation } from "../../../mail/calendar/invitation.ts";
import type { Part } from "../../../mail/structure/structure.ts";
import type { Account } from "../../../store/account/account.ts";
import { accountSetting, changeAccountSetting } from "../../../store/account/settings.ts";
import { type MessageContent, partText } from "./content.ts";
import { numberedParts } from "./parts.ts";

/** Bytes of a calendar that are read. */
const maxCalendar = 100_000;
/** Answers that are remembered. */
const maxAnswers = 500;

const setting = "invitations";

function calendarPart(content: MessageContent): Part | undefined {
  for (const { part } of numberedParts(content.root)) {
    if (part.type === "text" && part.subtype === "calendar") return part;
  }
  return undefined;
}

/** The first calendar of a message, cut at its limit; undefined if it has none. */
export function calendarText(content: MessageContent): string | undefined {
  const part = calendarPart(content);
  return part === undefined ? undefined : partText(content, part, maxCalendar).text;
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
  content: MessageContent,
): Invitation | null {
  const text = calendarText(content);
  const found = text === undefined ? undefined : readInvitation(text);
  if (found === undefined) return null;
  const mine = found.attendees.find((person) => {
    const at = person.address.lastIndexOf("@");
    if (at < 0) return false;
    return config.mayUseFrom(
      account.name,
      person.address.slice(0, at),
      person.address.slice(at + 1),
    ) ===
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

/** Remembers an answer; durable when it resolves. */
export async function rememberAnswer(
  account: Account,
  uid: string,
  address: string,
  answer: "accepted" | "tentative" | "declined",
): Promise<void> {
  const key = answerKey(uid, address);
  await changeAccountSetting(account, setting, (before) => {
    const all = Object.entries(typeof before === "object" && before !== null ? before : {})
      .filter(([k]) => k !== key);
    return Object.fromEntries([...all, [key, answer]].slice(-maxAnswers));
  });
}
