/** The window around a message that is written: its parts in their places, and files that are dropped or pasted on it. @module */
import { button } from "../../lib/button.ts";
import { type Child, el } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";

export interface WindowParts {
  title: HTMLElement;
  windowButtons: Child;
  /** Lines of the head. */
  head: Child;
  bar: HTMLElement;
  body: HTMLElement;
  files: HTMLElement;
  footer: Child;
  addFiles: (files: Iterable<File>) => void;
}

export function composeFrame(p: WindowParts): HTMLElement {
  const root = el(
    "section",
    {
      class: "compose",
      role: "dialog",
      "aria-label": t("Write a message"),
      ondragover: (e: DragEvent) => {
        if (!e.dataTransfer?.types.includes("Files")) return;
        e.preventDefault();
        root.classList.add("drop");
      },
      ondragleave: () => root.classList.remove("drop"),
      ondrop: (e: DragEvent) => {
        root.classList.remove("drop");
        if ((e.dataTransfer?.files.length ?? 0) === 0) return;
        e.preventDefault();
        p.addFiles(e.dataTransfer!.files);
      },
      onpaste: (e: ClipboardEvent) => {
        const pasted = [...e.clipboardData?.files ?? []];
        if (pasted.length === 0) return;
        e.preventDefault();
        p.addFiles(pasted);
      },
    },
    el("header", {}, p.title, el("span", { class: "window-buttons" }, p.windowButtons)),
    el("div", { class: "compose-head" }, p.head),
    p.bar,
    p.body,
    p.files,
    el("footer", {}, p.footer),
  );
  return root;
}

/** A button that lets one choose files, with its field, which nobody sees. */
export function attachButton(add: (files: Iterable<File>) => void): HTMLElement[] {
  const picker = el("input", {
    type: "file",
    multiple: true,
    hidden: true,
    onchange: () => {
      add(picker.files ?? []);
      picker.value = "";
    },
  });
  return [
    button(t("Attach"), () => picker.click(), {
      title: t("Add files; you can also drop or paste them here"),
    }),
    picker,
  ];
}
