/** The help: keys, and the language of the search bar. @module */
import { openDialog } from "../lib/dialog.ts";
import { el } from "../lib/dom.ts";
import type { KeyLayer } from "../lib/keys.ts";
import { conditions } from "./search/syntax.ts";
import { t } from "../lib/text.ts";

/** Shows the help. */
export function openHelp(layers: readonly KeyLayer[]): void {
  /** Keys as labelled on keyboards. */
  const words: Record<string, string> = {
    ArrowDown: "↓",
    ArrowUp: "↑",
    ArrowLeft: "←",
    ArrowRight: "→",
    PageDown: "Page ↓",
    PageUp: "Page ↑",
    Escape: "Esc",
  };
  const shown = (key: string) => key.replace(/[A-Z]\w+/, (name) => words[name] ?? name);
  const keyTable = (layer: KeyLayer) =>
    el(
      "section",
      {},
      el("h3", {}, layer.name),
      el(
        "dl",
        { class: "keys" },
        layer.shortcuts.map((
          s,
        ) => [el("dt", {}, el("kbd", {}, shown(s.key))), el("dd", {}, s.what)]),
      ),
    );
  openDialog(
    t("Help"),
    el(
      "div",
      { class: "help" },
      el("div", { class: "help-columns" }, layers.map(keyTable)),
      el(
        "section",
        {},
        el("h3", {}, t("Search")),
        el(
          "p",
          {},
          t("Words are found anywhere in a message. A minus in front means not; quotes keep words together. Conditions can be combined:"),
        ),
        el(
          "dl",
          { class: "keys" },
          conditions.map((c) => [el("dt", {}, el("code", {}, c.example)), el("dd", {}, c.what)]),
        ),
      ),
      el(
        "section",
        {},
        el("h3", {}, t("Good to know")),
        el(
          "ul",
          {},
          el("li", {}, t("Text with dots under it says more when the mouse rests on it.")),
          el(
            "li",
            {},
            t("Letters underlined in orange are of another script than the rest of their word: the word may be made to look like something else."),
          ),
          el("li", {}, t("Messages can be dragged to a mailbox, files into a message.")),
          el(
            "li",
            {},
            t("Ctrl and a click select several messages, shift and a click all in between."),
          ),
          el("li", {}, t("A double click on a thread collapses or expands it.")),
        ),
      ),
    ),
    { wide: true },
  );
}
