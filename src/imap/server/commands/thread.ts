/**
 * THREAD and UID THREAD (RFC 5256 §3).
 *
 * @module
 */
import type { Command } from "../session/command.ts";
import { threadText } from "../search/kept_threads.ts";
import {
  badCharset,
  parseCriteria,
  runSearch,
  searchContext,
  toNumbers,
} from "../search/searching.ts";
import { State } from "../session/session.ts";

function threadCommand(uid: boolean): Command {
  return {
    name: uid ? "UID THREAD" : "THREAD",
    states: State.Selected,
    capabilities: ["THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES", "THREAD=REFS"],
    holdsExpunges: !uid,
    parse(cursor, session) {
      cursor.sp();
      const algorithm = cursor.oneOf(
        ["ORDEREDSUBJECT", "REFERENCES", "REFS"],
        "threading algorithm",
      );
      cursor.sp();
      const ctx = searchContext(session);
      const key = parseCriteria(cursor, session, ctx, "must");
      if (key === undefined) {
        return () => {
          throw badCharset(session, undefined);
        };
      }
      return async () => {
        const r = await runSearch(session, key, ctx, uid);
        const { account, mailboxId } = session.selected;
        const numbers = toNumbers(session, r.uids, uid);
        const text = await threadText(account, mailboxId, r.uids, algorithm, numbers);
        session.untagged(`THREAD${text === "" ? "" : ` ${text}`}`);
      };
    },
  };
}

export const threadBySeq = threadCommand(false);
export const threadByUid = threadCommand(true);
