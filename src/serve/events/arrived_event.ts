/** Events received by mail: invitations into the invitee's calendar, replies into the organizer's. @module */
import type { Config } from "../../config/mod.ts";
import { takeMessage } from "../../groupware/incoming.ts";
import type { Log } from "../../log/mod.ts";
import { decodeText } from "../../mail/structure/contents.ts";
import type { Part } from "../../mail/structure/structure.ts";
import type { Account } from "../../store/account/account.ts";

/** Bytes of a calendar that are read. */
const maxCalendar = 512 * 1024;
/** Parts of a message that are examined. */
const maxParts = 200;

/** A message that was put into a mailbox of an account. */
export interface MailWithEvent {
  account: Account;
  root: Part;
  read(from: number, to: number): Uint8Array;
  /** Its author, lower case, if verified; else undefined. */
  author: string | undefined;
}

/** The calendar of a message: the first part with a method. */
function calendarPart(root: Part): Part | undefined {
  let left = maxParts;
  const walk = (part: Part): Part | undefined => {
    if (--left < 0) return undefined;
    if (part.type === "text" && part.subtype === "calendar" && part.params.method !== undefined) {
      return part;
    }
    for (const below of part.parts) {
      const found = walk(below);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return walk(root);
}

/** Applies a message's invitation, reply or cancellation, if it has one. */
export async function takeMailedEvent(
  s: { config: Config; log: Log },
  event: MailWithEvent,
): Promise<void> {
  const part = calendarPart(event.root);
  if (part === undefined) return;
  const to = Math.min(part.endOffset, part.bodyOffset + maxCalendar);
  const text = decodeText(part, event.read(part.bodyOffset, to));
  const mine = (address: string) => {
    const at = address.lastIndexOf("@");
    return at > 0 &&
      s.config.mayUseFrom(event.account.name, address.slice(0, at), address.slice(at + 1)) ===
        "yes";
  };
  const taken = await takeMessage(
    {
      g: await event.account.groupware(),
      mine,
      from: event.author,
      accountOf: (a) => s.config.accountFor(a),
      method: part.params.method,
    },
    text,
  );
  if (taken !== undefined) s.log.info("event by mail", { account: event.account.name, ...taken });
}
