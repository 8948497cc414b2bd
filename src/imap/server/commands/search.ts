/**
 * SEARCH and UID SEARCH (RFC 9051 §6.4.4, RFC 4731, 5182, 5267, 9394).
 *
 * @module
 */
import { formatString } from "../../format/text.ts";
import type { Answer } from "../session/answer.ts";
import type { Command } from "../session/command.ts";
import { addContext } from "../search/contexts.ts";
import {
  allOptions,
  asksForResult,
  badCharset,
  esearchItems,
  parseCriteria,
  relevancies,
  resultModseq,
  runSearch,
  saveResult,
  searchContext,
  takeReturn,
  toNumbers,
} from "../search/searching.ts";
import { State } from "../session/session.ts";

function searchCommand(uid: boolean): Command {
  return {
    name: uid ? "UID SEARCH" : "SEARCH",
    states: State.Selected,
    capabilities: ["ESEARCH", "SEARCHRES", "WITHIN", "PARTIAL", "CONTEXT=SEARCH", "SEARCH=FUZZY"],
    holdsExpunges: !uid,
    parse(cursor, session) {
      cursor.sp();
      const options = takeReturn(cursor);
      const ctx = searchContext(session);
      const key = parseCriteria(cursor, session, ctx, "may");
      if (key === undefined) {
        return () => {
          throw badCharset(session, options);
        };
      }
      return async (): Promise<Answer | void> => {
        // RFC 5182 §2.1: a failed search with SAVE leaves nothing saved.
        const before = session.selected.saved;
        let r: Awaited<ReturnType<typeof runSearch>>;
        try {
          r = await runSearch(session, key, ctx, uid);
        } catch (err) {
          session.selected.saved = options?.save ? [] : before;
          throw err;
        }
        const numbers = toNumbers(session, r.uids, uid);
        if (options?.save) saveResult(session, r.uids, options);
        const extended = options !== undefined || session.enabled.has("IMAP4REV2");
        if (!extended) {
          const modseq = ctx.modseq && numbers.length > 0 ? ` (MODSEQ ${r.modseq})` : "";
          session.untagged(`SEARCH${numbers.length > 0 ? ` ${numbers.join(" ")}` : ""}${modseq}`);
          return;
        }
        const o = options ?? allOptions();
        if (o.save && !o.update && !asksForResult(o)) return;
        const scores = o.relevancy ? await relevancies(session, key, r.uids) : undefined;
        const items = esearchItems(
          numbers,
          ctx.modseq ? resultModseq(session, r.uids, o) : undefined,
          o,
          scores && r.uids.map((u) => scores.get(u)!),
        );
        session.untagged(
          `ESEARCH (TAG ${formatString(session.tag, false)})${uid ? " UID" : ""}${items}`,
        );
        if (o.update) {
          const { node, uids: result } = r;
          addContext(session, {
            tag: session.tag,
            uid,
            node,
            keys: undefined,
            result,
            items: o.updateItems,
          });
        }
      };
    },
  };
}

export const searchBySeq = searchCommand(false);
export const searchByUid = searchCommand(true);
