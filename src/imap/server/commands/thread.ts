/**
 * THREAD and UID THREAD (RFC 5256 §3).
 *
 * @module
 */
import type { Command } from "../command.ts";
import { badCharset, parseKeys, runSearch, searchContext, setCharset } from "../searching.ts";
import { State } from "../session.ts";
import { formatThreads, orderedSubject, references } from "../sorting.ts";

function threadCommand(uid: boolean): Command {
  return {
    name: uid ? "UID THREAD" : "THREAD",
    states: State.Selected,
    capabilities: ["THREAD=ORDEREDSUBJECT", "THREAD=REFERENCES"],
    holdsExpunges: !uid,
    parse(c, s) {
      c.sp();
      const algorithm = c.oneOf(["ORDEREDSUBJECT", "REFERENCES"], "threading algorithm");
      c.sp();
      const ctx = searchContext(s);
      const known = setCharset(ctx, c.astring("charset"));
      c.sp();
      if (!known) {
        c.pos = c.bytes.length;
        return () => {
          throw badCharset(s, undefined);
        };
      }
      const key = parseKeys(c, ctx);
      return async () => {
        const r = await runSearch(s, key, ctx, uid);
        const make = algorithm === "REFERENCES" ? references : orderedSubject;
        const roots = await make(s.selected.account, s.selected.mailboxId, r.uids);
        const text = formatThreads(roots, (u) => uid ? u : s.selected.seqOf(u));
        s.untagged(`THREAD${text === "" ? "" : ` ${text}`}`);
      };
    },
  };
}

export const threadBySeq = threadCommand(false);
export const threadByUid = threadCommand(true);
