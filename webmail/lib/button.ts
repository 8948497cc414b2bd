/**
 * Buttons that show the key with the same effect.
 *
 * @module
 */
import { type Attributes, el } from "./dom.ts";
import { t } from "./text.ts";

/** Called when a button that has a key is clicked. */
type Hint = (key: string, action: string) => void;
let hint: Hint = () => {};

/** Sets what shows the keys of clicked buttons. */
export function onButtonHint(fn: Hint): void {
  hint = fn;
}

export interface ButtonOptions {
  /** What it does, as a sentence. */
  title?: string;
  /** As shown to people: "r", "ctrl Enter". */
  key?: string;
  primary?: boolean;
  danger?: boolean;
  attributes?: Attributes;
}

/** A text button. The caller handles errors of `run`. */
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

/** A button that looks like a link in running text. */
export function linkButton(text: string, run: () => unknown, title?: string): HTMLButtonElement {
  return button(text, run, { title, attributes: { class: "link", dir: "auto" } });
}
