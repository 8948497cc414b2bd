/** The list of labels below the mailboxes: each shows its messages, and has a colour. @module */
import { openMenu } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { safeText } from "../../lib/scripts.ts";
import { labelHue, labelHues } from "../label_colors.ts";
import { t } from "../../lib/text.ts";

export interface LabelListOptions {
  onOpen: (keyword: string) => void;
  onColor: (keyword: string, hue: number) => void;
}

export interface LabelList {
  root: HTMLElement;
  set(keywords: readonly string[]): void;
}

/** Labels that are listed. */
const maxLabels = 100;

/** Creates the list, empty. */
export function labelList(options: LabelListOptions): LabelList {
  const items = el("ul", {});
  const root = el("div", { class: "labels" }, el("h2", {}, t("Labels")), items);
  root.hidden = true;

  function row(keyword: string): HTMLElement {
    const b: HTMLButtonElement = el(
      "button",
      {
        type: "button",
        class: "mailbox label-row",
        title: t("Messages with the label {0}. Right click: its colour", keyword),
        "aria-keyshortcuts": "ArrowRight",
        onclick: () => options.onOpen(keyword),
        oncontextmenu: (event: Event) => {
          event.preventDefault();
          menu();
        },
        onkeydown: (event: KeyboardEvent) => {
          if (event.key !== "ArrowRight") return;
          event.preventDefault();
          event.stopPropagation();
          menu();
        },
      },
      el("span", { class: "label-dot", style: `--hue:${labelHue(keyword)}` }),
      el("span", { class: "mailbox-name" }, safeText(keyword)),
    );
    const menu = () =>
      openMenu(
        b,
        labelHues.map(([text, hue]) => ({
          text,
          checked: hue === labelHue(keyword),
          run: () => options.onColor(keyword, hue),
        })),
        t("Colour of {0}", keyword),
      );
    return el("li", {}, b);
  }

  return {
    root,
    set: (keywords) => {
      root.hidden = keywords.length === 0;
      fill(items, keywords.slice(0, maxLabels).map(row));
    },
  };
}
