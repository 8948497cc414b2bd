/** The line above the text: questions about a draft that other windows have too. @module */
import type { Composition, SendOptions } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { el, fill } from "../../lib/dom.ts";
import type { Beginning } from "./quoting.ts";

export interface ComposeBar {
  root: HTMLElement;
  /** Says something, with buttons for what can be done. */
  ask(text: string, ...answers: (readonly [string, () => unknown])[]): void;
  clear(): void;
}

export function composeBar(): ComposeBar {
  const root = el("div", { class: "compose-bar", role: "alert" });
  return {
    root,
    ask: (text, ...answers) =>
      fill(root, el("span", {}, text), answers.map(([name, run]) => button(name, run))),
    clear: () => fill(root),
  };
}

/** What is written as a new message: parts of a draft that is gone went with it, files that were added stay. */
export function withoutParts(
  now: { composition: Composition; options: SendOptions; files: Beginning["files"] },
): Beginning {
  const attachments = now.composition.attachments.filter((a) => a.kind === "upload");
  return {
    draftId: null,
    composition: { ...now.composition, attachments },
    attachments: attachments.map((attach) => ({
      attach,
      filename: attach.filename,
      type: "",
      size: 0,
    })),
    options: now.options,
    files: now.files,
    unsaved: true,
  };
}
