/** How an opened message's body is shown. @module */
import type { ParsedMessage } from "../../api/mod.ts";
import { button, linkButton } from "../../lib/button.ts";
import { el } from "../../lib/dom.ts";

export type BodyMode = "text" | "html" | "htmlExternal";

/** Choice between text and HTML, and of external content. */
export function bodyChoice(
  m: ParsedMessage,
  mode: BodyMode,
  onChoice: (mode: BodyMode, always?: boolean) => void,
): HTMLElement | null {
  if (!m.hasHtml) return null;
  const choice = (text: string, next: BodyMode, title: string, key?: string) =>
    button(text, () => onChoice(next), {
      title,
      key,
      attributes: { "aria-pressed": String(mode === next) },
    });
  return el(
    "div",
    { class: "body-choice" },
    m.texts.length > 0
      ? choice("Text", "text", "Plain text: nothing in it can track you", "t")
      : null,
    choice("HTML", "html", "As its sender laid it out, without content from other servers", "T"),
    m.hasExternal
      ? choice(
        "With external content",
        "htmlExternal",
        "Pictures are loaded from other servers: their owners see that and when you read this",
        "E",
      )
      : null,
    m.senderView !== mode && m.item.from.length > 0
      ? linkButton(
        "Always for this sender",
        () => onChoice(mode, true),
        `Show messages from ${m.item.from[0].address} this way from now on`,
      )
      : null,
  );
}
