/** How an opened message's body is shown. @module */
import type { ParsedMessage } from "../../api/mod.ts";
import { button, linkButton } from "../../lib/button.ts";
import { el } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";

export type BodyMode = "text" | "html" | "htmlExternal";

/** Other properties of how the body looks. */
export interface BodyLook {
  /** Text in a monospaced font. */
  mono: boolean;
  /** HTML in colours for a dark page; undefined if the page isn't dark. */
  dark: boolean | undefined;
}

/** Lets the user choose between text and HTML, external content, and looks. */
export function bodyChoice(
  message: ParsedMessage,
  mode: BodyMode,
  look: BodyLook,
  onChoice: (mode: BodyMode, always?: boolean) => void,
  onLook: (look: Partial<BodyLook>) => void,
): HTMLElement | null {
  if (!message.hasHtml) return null;
  const toggle = (text: string, on: boolean, run: () => void, title: string) =>
    button(text, run, { title, attributes: { "aria-pressed": String(on) } });
  const looks = mode === "text" || look.dark === undefined ? null : toggle(
    "Dark",
    look.dark,
    () => onLook({ dark: !look.dark }),
    "Its colours for a dark page, or as they were sent",
  );
  const choice = (text: string, next: BodyMode, title: string, key?: string) =>
    button(text, () => onChoice(next), {
      title,
      key,
      attributes: { "aria-pressed": String(mode === next) },
    });
  return el(
    "div",
    { class: "body-choice" },
    message.texts.length > 0
      ? choice(t("Text"), "text", t("Plain text: nothing in it can track you"), "t")
      : null,
    choice("HTML", "html", t("As its sender laid it out, without content from other servers"), "T"),
    message.hasExternal
      ? choice(
        t("With external content"),
        "htmlExternal",
        t("Pictures are loaded from other servers: their owners see that and when you read this"),
        "E",
      )
      : null,
    looks,
    message.senderView !== mode && message.item.from.length > 0
      ? linkButton(
        t("Always for this sender"),
        () => onChoice(mode, true),
        t("Show messages from {0} this way from now on", message.item.from[0].address),
      )
      : null,
  );
}
