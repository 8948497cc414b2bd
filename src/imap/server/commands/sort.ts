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
    parse(c, s) {
      c.sp();
      const options = takeReturn(c);
      const keys = c.list((): SortKey => {
        const reverse = c.takeWord("REVERSE");
        if (reverse) c.sp();
        return { key: c.oneOf(sortKeys, "sort key"), reverse };
      });
      c.sp();
      const ctx = searchContext(s);
      const key = parseCriteria(c, s, ctx, "must");
      if (key === undefined) {
        return () => {
          throw badCharset(s, options);
        };
      }
      return async () => {
        const r = await runSearch(s, key, ctx, uid);
        const { account, mailboxId } = s.selected;
        const needed = options?.relevancy || keys.some((k) => k.key === "RELEVANCY");
        const scores = needed ? await relevancies(s, key, r.uids) : undefined;
        const sorted = await sortUids(account, mailboxId, r.uids, keys, scores);
        const numbers = toNumbers(s, sorted, uid);
        if (options?.save) saveResult(s, sorted, options);
        if (!options) {
          const modseq = ctx.modseq && numbers.length > 0 ? ` (MODSEQ ${r.modseq})` : "";
          s.untagged(`SORT${numbers.length > 0 ? ` ${numbers.join(" ")}` : ""}${modseq}`);
          return;
        }
        const items = esearchItems(
          numbers,
          ctx.modseq ? resultModseq(s, sorted, options) : undefined,
          options,
          scores && sorted.map((u) => scores.get(u)!),
        );
        s.untagged(`ESEARCH (TAG ${formatString(s.tag, false)})${uid ? " UID" : ""}${items}`);
        if (options.update) {
          const { node } = r;
          addContext(s, {
            tag: s.tag,
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
