/** The text of a message being written. @module */
import type { Composition } from "../../api/mod.ts";
import { el } from "../../lib/dom.ts";
import { cursorStart } from "./quoting.ts";
import { t } from "../../lib/text.ts";

/** A message's text as both kinds of mail programs show it. */
export type BodyText = Pick<Composition, "text" | "html">;

export interface Body {
  root: HTMLElement;
  read(): BodyText;
  write(text: BodyText): void;
  /** Puts the cursor where writing starts. */
  focus(): void;
}

/** A field for plain text. */
export function plainBody(text: BodyText, changed: () => void): Body {
  const root = el("textarea", {
    "aria-label": t("Message text"),
    dir: "auto",
    spellcheck: "true",
    oninput: changed,
  });
  root.value = text.text;
  return {
    root,
    read: () => ({ text: root.value, html: null }),
    write: (next) => {
      if (root.value === next.text) return;
      const { selectionStart, selectionEnd } = root;
      root.value = next.text;
      root.setSelectionRange(selectionStart, selectionEnd);
    },
    focus: () => {
      root.focus();
      const at = cursorStart(root.value);
      root.setSelectionRange(at, at);
    },
  };
}
