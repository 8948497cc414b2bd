/**
 * SORT and UID SORT (RFC 5256 §3, RFC 5267, 5957).
 *
 * @module
 */
import { formatString } from "../../format/text.ts";
import type { Command } from "../session/command.ts";
import { addContext } from "../search/contexts.ts";
import { sortUids } from "../search/kept_orders.ts";
import {
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
import { type SortKey, sortKeys } from "../../parse/sort_keys.ts";

function sortCommand(uid: boolean): Command {
  return {
    name: uid ? "UID SORT" : "SORT",
    states: State.Selected,
    capabilities: ["SORT", "SORT=DISPLAY", "ESORT", "CONTEXT=SORT"],
    holdsExpunges: !uid,
    parse(cursor, session) {
      cursor.sp();
      const options = takeReturn(cursor);
      const keys = cursor.list((): SortKey => {
        const reverse = cursor.takeWord("REVERSE");
        if (reverse) cursor.sp();
        return { key: cursor.oneOf(sortKeys, "sort key"), reverse };
      });
      cursor.sp();
      const ctx = searchContext(session);
      const key = parseCriteria(cursor, session, ctx, "must");
      if (key === undefined) {
        return () => {
          throw badCharset(session, options);
        };
      }
      return async () => {
        const r = await runSearch(session, key, ctx, uid);
        const { account, mailboxId } = session.selected;
        const needed = options?.relevancy || keys.some((k) => k.key === "RELEVANCY");
        const scores = needed ? await relevancies(session, key, r.uids) : undefined;
        const sorted = await sortUids(account, mailboxId, r.uids, keys, scores);
        const numbers = toNumbers(session, sorted, uid);
        if (options?.save) saveResult(session, sorted, options);
        if (!options) {
          const modseq = ctx.modseq && numbers.length > 0 ? ` (MODSEQ ${r.modseq})` : "";
          session.untagged(`SORT${numbers.length > 0 ? ` ${numbers.join(" ")}` : ""}${modseq}`);
          return;
        }
        // RFC 5182 §2.1: SAVE alone asks for no answer.
        if (options.save && !options.update && !asksForResult(options)) return;
        const items = esearchItems(
          numbers,
          ctx.modseq ? resultModseq(session, sorted, options) : undefined,
          options,
          scores && sorted.map((u) => scores.get(u)!),
        );
        session.untagged(
          `ESEARCH (TAG ${formatString(session.tag, false)})${uid ? " UID" : ""}${items}`,
        );
        if (options.update) {
          const { node } = r;
          addContext(session, {
            tag: session.tag,
            uid,
            node,
            keys,
            result: sorted,
            items: options.updateItems,
          });
        }
      };
    },
  };
}

export const sortBySeq = sortCommand(false);
export const sortByUid = sortCommand(true);
