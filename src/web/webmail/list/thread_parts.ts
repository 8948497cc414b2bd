/**
 * Long threads, of which the list is sent in part: what their one line shows. The page asks for the whole when somebody
 * opens the thread, or acts on it.
 *
 * @module
 */
import type { Thread, ThreadPart } from "../../../../webmail/api/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import type { MailboxId } from "../../../store/ids.ts";
import {
  comparePlaces,
  type CountedMessage,
  countedMessages,
} from "../../../store/messages/listing.ts";
import { Flag } from "../../../store/types.ts";
import { flagsFromBits } from "./flags.ts";
import { lineItem, type ThreadChoice } from "./items.ts";

/** Items of a thread that is sent in part: its oldest and its newest, and the newest that were found. */
export const partItems = 4;
/** Emails of a thread that are counted for its line, the newest. What is beyond is had with the whole thread. */
const maxCounted = 100;

/** A thread as its line shows it. */
export interface PartialThread {
  items: Thread;
  part: ThreadPart;
  /** Ids of all messages that were counted. */
  ids: number[];
}

/**
 * The thread's line, if it has more than `room` items; undefined for one that is to be sent whole. `found` is a message that
 * was found in it, and is among the items also when it is older than all that is counted.
 */
export async function threadInPart(
  account: Account,
  threadId: number,
  choice: ThreadChoice,
  room: number,
  found?: number,
): Promise<PartialThread | undefined> {
  if (room === Infinity) return undefined;
  const counted = countedMessages(account.db, threadId, maxCounted);
  if (counted.length <= room) return undefined;
  const readable = new Map<MailboxId, boolean>();
  const mayRead = (id: MailboxId) => {
    const known = readable.get(id) ?? choice.mayRead(id);
    readable.set(id, known);
    return known;
  };
  const all = counted.filter((m) => mayRead(m.mailboxId)).sort(comparePlaces);
  const matching = await choice.matching(all);
  const shown = withoutCopies(all, matching, choice);
  const older = new Set(counted.map((m) => m.emailId)).size >= maxCounted;
  if (shown.length <= room && !older) return undefined;
  const hits = shown.filter((m) => matching.has(m.id));
  const ids = new Set<number>();
  if (shown.length > 0) ids.add(shown[0].id).add(shown.at(-1)!.id);
  for (let i = hits.length - 1; i >= 0 && ids.size < partItems; i--) ids.add(hits[i].id);
  const beyond = found !== undefined && !counted.some((m) => m.id === found);
  const items = [...ids].sort((a, b) => a - b)
    .map((id) => lineItem(account, id, matching.has(id)));
  if (beyond) items.push(lineItem(account, found, true));
  let bits = 0;
  const keywords = new Set<string>();
  let unread = false;
  for (const m of shown) {
    bits |= m.flags;
    unread ||= (m.flags & Flag.Seen) === 0;
    if (m.keywords !== "") { for (const k of m.keywords.split(" ")) keywords.add(k); }
  }
  return {
    items: items.filter((m) => m !== undefined)
      .sort((a, b) => a.received - b.received || a.id - b.id),
    part: {
      threadId,
      count: shown.length + Number(beyond),
      found: hits.length + Number(beyond),
      older,
      unread,
      allFlagged: hits.every((m) => m.flags & Flag.Flagged),
      flags: flagsFromBits(bits),
      keywords: [...keywords],
    },
    ids: counted.map((m) => m.id),
  };
}

/** Of the copies of a message those that match, or else one; of hidden mailboxes only what matches. See threadItems. */
function withoutCopies(
  all: readonly CountedMessage[],
  matching: ReadonlySet<number>,
  choice: Pick<ThreadChoice, "isHidden">,
): CountedMessage[] {
  const shown = new Map<string | number, CountedMessage[]>();
  const keyOf = new Map<number, string | number>();
  for (const m of all) {
    if (!matching.has(m.id) && choice.isHidden(m.mailboxId)) continue;
    // An email without a Message-ID is only a copy of itself.
    const key = keyOf.get(m.emailId) ?? (m.messageId || m.emailId);
    keyOf.set(m.emailId, key);
    const copies = shown.get(key);
    if (copies === undefined) shown.set(key, [m]);
    else if (!matching.has(copies[0].id) && matching.has(m.id)) copies[0] = m;
    else if (matching.has(m.id)) copies.push(m);
  }
  return [...shown.values()].flat().sort(comparePlaces);
}
