/** The window around a message being written: the layout of its parts, and files dropped or pasted on it. @module */
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
  /** Buttons at its foot. */
  footer: Child;
  /** What is said beside them: on a phone over them, where no button hides it. */
  states: Child;
  addFiles: (files: Iterable<File>) => void;
}

export function composeFrame(parts: WindowParts): HTMLElement {
  const root = el(
    "section",
    {
      class: "compose",
      role: "dialog",
      "aria-label": t("Write a message"),
      ondragover: (event: DragEvent) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        root.classList.add("drop");
      },
      ondragleave: () => root.classList.remove("drop"),
      ondrop: (event: DragEvent) => {
        root.classList.remove("drop");
        if ((event.dataTransfer?.files.length ?? 0) === 0) return;
        event.preventDefault();
        parts.addFiles(event.dataTransfer!.files);
      },
      onpaste: (event: ClipboardEvent) => {
        const pasted = [...event.clipboardData?.files ?? []];
        if (pasted.length === 0) return;
        event.preventDefault();
        parts.addFiles(pasted);
      },
    },
    el("header", {}, parts.title, el("span", { class: "window-buttons" }, parts.windowButtons)),
    el("div", { class: "compose-head" }, parts.head),
    parts.bar,
    parts.body,
    parts.files,
    el(
      "footer",
      {},
      el("div", { class: "compose-buttons" }, parts.footer),
      el("div", { class: "compose-states" }, parts.states),
    ),
  );
  return root;
}

/** A button for choosing files, with its hidden field. */
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
