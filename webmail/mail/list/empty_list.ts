/** The content shown in place of messages if there are none. @module */
import { button } from "../../lib/button.ts";
import { el } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";

export interface EmptyListOptions {
  /** Name of the mailbox; null for all. */
  place: string | null;
  /** Messages were searched for. */
  searched: boolean;
  searchAll: () => void;
  clearSearch: () => void;
}

/** Shows that there is nothing, and after a search what can be done about it. */
export function emptyList(o: EmptyListOptions): HTMLElement | null {
  // A name has the direction of its letters, whatever the direction of the text around it.
  const name = o.place === null ? null : `\u2068${o.place}\u2069`;
  if (!o.searched) return name === null ? null : el("p", {}, t("{0} is empty.", name));
  return el(
    "div",
    {},
    el("p", {}, name === null ? t("Nothing was found.") : t("Nothing was found in {0}.", name)),
    el(
      "div",
      { class: "buttons" },
      button(t("Clear the search"), o.clearSearch),
      name === null ? null : button(t("Search in all mail"), o.searchAll),
    ),
  );
}
