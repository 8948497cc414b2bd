/**
 * Buttons, with the key that does the same.
 *
 * @module
 */
import { type Attributes, el } from "./dom.ts";
import { t } from "./text.ts";

/** Told when a button was clicked that has a key. */
type Hint = (key: string, action: string) => void;
let hint: Hint = () => {};

/** Who shows keys of clicked buttons. */
export function onButtonHint(fn: Hint): void {
  hint = fn;
}

export interface ButtonOptions {
  /** What it does, in a sentence. */
  title?: string;
  /** As people read it: "r", "ctrl Enter". */
  key?: string;
  primary?: boolean;
  danger?: boolean;
  attributes?: Attributes;
}

/** A button of text. Errors of `run` are the caller's to handle. */
export function button(
  text: string,
  run: () => unknown,
  options: ButtonOptions = {},
): HTMLButtonElement {
  const title = [options.title, options.key === undefined ? undefined : t("Key: {0}", options.key)]
    .filter((t) => t !== undefined).join(". ");
  return el(
    "button",
    {
      type: "button",
      class: options.primary ? "primary" : options.danger ? "danger" : null,
      title: title === "" ? null : title,
      "aria-keyshortcuts": options.key === undefined ? null : options.key.replace(/ /g, "+"),
      onclick: () => {
        if (options.key !== undefined) hint(options.key, text);
        run();
      },
      ...options.attributes,
    },
    text,
  );
}

/** A button that looks like a link in text. */
export function linkButton(text: string, run: () => unknown, title?: string): HTMLButtonElement {
  return button(text, run, { title, attributes: { class: "link", dir: "auto" } });
}
