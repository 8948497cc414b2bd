/**
 * The line over the list when several messages are selected: how many, and the choice of all that the
 * query finds, also what isn't loaded.
 *
 * @module
 */
import { button } from "../../lib/button.ts";
import { type Child, el, fill } from "../../lib/dom.ts";
import { countText } from "../../lib/format.ts";
import { attempt } from "../../lib/notify.ts";
import { t } from "../../lib/text.ts";

export interface BulkBarOptions {
  /** Messages of the list; null if that isn't known. */
  total: () => number | null;
  /** Counts all that the query finds. */
  count: () => Promise<number>;
  /** Buttons for those selected, where they have no other place. */
  tools: () => Child;
}

export interface BulkBar {
  root: HTMLElement;
  /** Shows how many messages are selected now, one by one. */
  show(selected: number): void;
  /** Everything the query finds is selected. */
  whole(): boolean;
}

/** Creates the line, empty. */
export function bulkBar(options: BulkBarOptions): BulkBar {
  const root = el("div", { class: "bulk", role: "status" });
  /** Selected by the query: so many. */
  let whole: number | undefined;
  let turn = 0;

  function draw(count: number): void {
    if (count < 2) return fill(root);
    const total = options.total();
    const more = total === null || total > count;
    fill(
      root,
      whole === undefined
        ? t("{0} selected.", countText(count, "message"))
        : t("All {0} found are selected.", countText(whole, "message")),
      whole === undefined && more
        ? button(total === null ? t("Select all found") : t("Select all {0}", total), () => {
          attempt(() => selectWhole(count));
        }, { title: t("Also those that aren't loaded yet") })
        : null,
      options.tools(),
    );
  }

  async function selectWhole(shown: number): Promise<void> {
    const mine = turn;
    const count = await options.count();
    if (mine !== turn) return;
    whole = count;
    draw(shown);
  }

  return {
    root,
    show: (selected) => {
      turn++;
      whole = undefined;
      draw(selected);
    },
    whole: () => whole !== undefined,
  };
}
