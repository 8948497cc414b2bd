/**
 * SORT and UID SORT (RFC 5256 §3, RFC 5267, 5957).
 *
 * @module
 */
import { formatString } from "../../format/text.ts";
import type { Command } from "../command.ts";
import { addContext } from "../contexts.ts";
import { sortUids } from "../kept_orders.ts";
import {
  badCharset,
  esearchItems,
  parseKeys,
  parseReturn,
  relevancies,
  resultModseq,
  type ReturnOptions,
  runSearch,
  saveResult,
  searchContext,
  setCharset,
  toNumbers,
} from "../searching.ts";
import { State } from "../session.ts";
import { type SortKey, sortKeys } from "../sorting.ts";

function sortCommand(uid: boolean): Command {
  return {
    name: uid ? "UID SORT" : "SORT",
    states: State.Selected,
    capabilities: ["SORT", "SORT=DISPLAY", "ESORT", "CONTEXT=SORT"],
    holdsExpunges: !uid,
    parse(c, s) {
      c.sp();
      let options: ReturnOptions | undefined;
      if (c.takeText("RETURN ")) {
        options = parseReturn(c);
        c.sp();
      }
      const keys = c.list((): SortKey => {
        const reverse = c.takeWord("REVERSE");
        if (reverse) c.sp();
        return { key: c.oneOf(sortKeys, "sort key"), reverse };
      });
      c.sp();
      const ctx = searchContext(s);
      const known = setCharset(ctx, c.astring("charset"));
      c.sp();
      if (!known) {
        c.pos = c.bytes.length;
        return () => {
          throw badCharset(s, options);
        };
      }
      const key = parseKeys(c, ctx);
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
          true,
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
