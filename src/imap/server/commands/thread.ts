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
    parse(c, s) {
      c.sp();
      const algorithm = c.oneOf(["ORDEREDSUBJECT", "REFERENCES", "REFS"], "threading algorithm");
      c.sp();
      const ctx = searchContext(s);
      const key = parseCriteria(c, s, ctx, "must");
      if (key === undefined) {
        return () => {
          throw badCharset(s, undefined);
        };
      }
      return async () => {
        const r = await runSearch(s, key, ctx, uid);
        const { account, mailboxId } = s.selected;
        const numbers = toNumbers(s, r.uids, uid);
        const text = await threadText(account, mailboxId, r.uids, algorithm, numbers);
        s.untagged(`THREAD${text === "" ? "" : ` ${text}`}`);
      };
    },
  };
}

export const threadBySeq = threadCommand(false);
export const threadByUid = threadCommand(true);
