/**
 * FETCH and UID FETCH (RFC 9051 §6.4.5), with CHANGEDSINCE, VANISHED and PARTIAL.
 *
 * @module
 */
import { type FetchItem, parseFetchItems } from "../../parse/fetch.ts";
import {
  formatNumSet,
  lowerBound,
  normalRanges,
  type NumSet,
  parseNumSet,
} from "../../parse/numset.ts";
import { parsePartialRange, type PartialRange, slicePartial } from "../../parse/partial.ts";
import { type Answer, ImapBad, ImapNo } from "../session/answer.ts";
import type { Command } from "../session/command.ts";
import { fetchUids } from "../fetch/rows.ts";
import { resolveUids } from "../messages/resolve.ts";
import { type Session, State } from "../session/session.ts";

function fetchCommand(uid: boolean): Command {
  return {
    name: uid ? "UID FETCH" : "FETCH",
    states: State.Selected,
    capabilities: ["BINARY", "SAVEDATE", "OBJECTID", "PREVIEW"],
    holdsExpunges: !uid,
    parse(cursor, session) {
      cursor.sp();
      const set = parseNumSet(cursor, uid ? "uid set" : "sequence set");
      cursor.sp();
      const items = parseFetchItems(cursor);
      let changedSince: number | undefined;
      let vanished = false;
      let partial: PartialRange | undefined;
      if (!cursor.atEnd) {
        cursor.sp();
        cursor.options(() => {
          const w = cursor.oneOf(["CHANGEDSINCE", "VANISHED", "PARTIAL"], "fetch modifier");
          if (w === "CHANGEDSINCE") {
            cursor.sp();
            changedSince = cursor.number64("modseq");
          } else if (w === "VANISHED") {
            vanished = true;
          } else {
            cursor.sp();
            partial = parsePartialRange(cursor);
          }
        });
      }
      return () => fetch(session, uid, set, items, changedSince, vanished, partial);
    },
  };
}

async function fetch(
  session: Session,
  uid: boolean,
  set: NumSet,
  items: FetchItem[],
  changedSince: number | undefined,
  vanished: boolean,
  partial: PartialRange | undefined,
): Promise<Answer | void> {
  if (!uid) session.requireSequenceNumbers();
  // RFC 7162 §3.2.6.
  if (vanished && (!uid || changedSince === undefined || !session.enabled.has("QRESYNC"))) {
    throw new ImapBad("VANISHED needs UID FETCH, CHANGEDSINCE and ENABLE QRESYNC");
  }
  // RFC 9394 §3.3.
  if (partial && !uid) throw new ImapBad("PARTIAL needs UID FETCH");
  if (changedSince !== undefined || items.some((i) => i.kind === "modseq")) {
    session.enableCondstore();
  }
  const v = session.selected;
  let uids = resolveUids(session, set, uid);
  if (vanished) {
    // "*" reaches to the highest uid ever used, or the end of a mailbox could vanish unnoticed.
    const highest = v.account.highestEverUid(v.mailboxId);
    const asked = set.saved ? [] : normalRanges(set, highest);
    const gone = v.account.expungedSince(v.mailboxId, changedSince!)
      .filter((u) => asked.some(([a, b]) => u >= a && u <= b));
    if (gone.length > 0) session.untagged(`VANISHED (EARLIER) ${formatNumSet(gone)}`);
  }
  if (partial) uids = slicePartial(uids, partial);
  // If messages have vanished without the client knowing, check the requested ones to report them.
  const gone = (v.account.mailbox(v.mailboxId)?.total ?? 0) < v.count;
  if (changedSince !== undefined && !(gone && !uid)) {
    uids = commonUids(uids, v.account.uidsSince(v.mailboxId, changedSince));
  }
  const r = await fetchUids(session, uids, items, { uid, changedSince });
  if (r.unknownEncoding) {
    throw new ImapNo("a part has a transfer encoding that can't be undone", "UNKNOWN-CTE");
  }
  // RFC 5530: the log says what is damaged.
  if (r.unreadable.length > 0) {
    const n = r.unreadable.length;
    throw new ImapNo(
      `files of ${n} ${n === 1 ? "message" : "messages"} can't be read, UID ` +
        `${formatNumSet(r.unreadable.slice(0, 100))}; ask the server's administrator`,
      "CORRUPTION",
    );
  }
  // RFC 5530: the client will hear of it when expunges may be announced.
  if (r.missing > 0 && !uid) return { code: "EXPUNGEISSUED", text: "some messages are gone" };
}

/** Uids that are in both lists, all ascending. */
function commonUids(a: Uint32Array, b: Uint32Array): Uint32Array {
  const [shorter, many] = a.length < b.length ? [a, b] : [b, a];
  const found = shorter.slice();
  let n = 0;
  let at = 0;
  for (const uid of shorter) {
    at = many.length > shorter.length * 32 ? lowerBound(many, uid) : at;
    while (at < many.length && many[at] < uid) at++;
    if (many[at] === uid) found[n++] = uid;
  }
  return found.subarray(0, n);
}

export const fetchBySeq = fetchCommand(false);
export const fetchByUid = fetchCommand(true);
