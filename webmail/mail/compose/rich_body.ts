/**
 * Rich text: a frame with the editor, and the buttons for it. The frame is loaded when it is first needed.
 *
 * @module
 */
import type { Editor, Format } from "../../editor/api.ts";
import { darkPage } from "../reading/looks.ts";
import { button } from "../../lib/button.ts";
import { openMenu, promptDialog } from "../../lib/dialog.ts";
import { el, fill, unseen } from "../../lib/dom.ts";
import type { Body, BodyText } from "./body.ts";
import { textHtml } from "./text_html.ts";
import { t } from "../../lib/text.ts";

export interface RichBodyOptions {
  /** What it is, for those who listen. */
  label?: string;
  changed: () => void;
  /** Where pictures of the text are, by their Content-ID. */
  pictures: () => ReadonlyMap<string, string>;
  /** Takes a picture for the text; returns its Content-ID. Null: pictures are treated like other files. */
  addPicture: ((file: File) => string) | null;
  /** Files that are not pictures. */
  addFiles: (files: File[]) => void;
}

const colors = [
  [t("Black"), null],
  [t("Grey"), "#6b7280"],
  [t("Red"), "#c0392b"],
  [t("Orange"), "#c05a00"],
  [t("Green"), "#2e7d32"],
  [t("Blue"), "#1f5fbf"],
  [t("Purple"), "#7b3fb5"],
] as const;
const backgrounds = [[t("None"), null], [t("Yellow"), "#fff2a8"], [t("Green"), "#d3f0d0"], [
  t("Blue"),
  "#d4e6fb",
], [t("Pink"), "#fbd7e2"]] as const;

/** A field for rich text. */
export function richBody(b: BodyText, options: RichBodyOptions): Body {
  let last: BodyText = b;
  let editor: Editor | undefined;
  let wantsFocus = false;

  const frame = el("iframe", {
    src: "editor",
    title: options.label ?? t("Message text"),
    class: "rich-text",
  });
  frame.addEventListener("load", () => {
    editor = (frame.contentWindow as Window & typeof globalThis | null)?.moxEditor;
    if (editor === undefined) return;
    editor.look(darkPage());
    if (options.label !== undefined) {
      frame.contentDocument!.getElementById("text")!.ariaLabel = options.label;
    }
    editor.start(
      {
        changed: options.changed,
        onFormats: (on) => {
          for (const [f, x] of buttons) x.setAttribute("aria-pressed", String(on.has(f)));
        },
        onPictures: (files) => {
          const { addPicture } = options;
          const isPicture = (f: File) => addPicture !== null && f.type.startsWith("image/");
          for (const f of files.filter(isPicture)) {
            editor!.picture(addPicture!(f), URL.createObjectURL(f));
          }
          const others = files.filter((f) => !isPicture(f));
          if (others.length > 0) options.addFiles(others);
        },
      },
      last.html ?? textHtml(last.text),
      options.pictures(),
    );
    // Keys that belong to the window.
    frame.contentWindow!.addEventListener("keydown", (e) => {
      if (!(e.ctrlKey || e.metaKey || e.key === "Escape") || e.defaultPrevented) return;
      const { key, ctrlKey, metaKey, shiftKey, altKey } = e;
      const same = new KeyboardEvent("keydown", {
        key,
        ctrlKey,
        metaKey,
        shiftKey,
        altKey,
        bubbles: true,
        cancelable: true,
      });
      if (!frame.dispatchEvent(same)) e.preventDefault();
    });
    if (wantsFocus) focus();
  });

  function focus(): void {
    wantsFocus = true;
    if (editor === undefined) return;
    frame.focus();
    frame.contentWindow?.focus();
    editor.focus();
  }

  function read(): BodyText {
    if (editor !== undefined) last = { html: editor.html(), text: editor.text() };
    return last;
  }

  const tool = (sign: string, format: Format, title: string, key?: string) => {
    const b = button(title, () => editor?.format(format), {
      title,
      key,
      attributes: { class: `quiet tool-${format}` },
    });
    fill(b, el("span", { "aria-hidden": "true" }, sign), unseen(title));
    return b;
  };
  const buttons: (readonly [Format, HTMLButtonElement])[] = [
    ["bold", tool("B", "bold", t("Bold"), "ctrl b")],
    ["italic", tool("I", "italic", t("Italic"), "ctrl i")],
    ["underline", tool("U", "underline", t("Underlined"), "ctrl u")],
    ["strikethrough", tool("S", "strikethrough", t("Struck through"))],
    ["bullets", tool("•", "bullets", t("List with bullets"), "ctrl shift 8")],
    ["numbers", tool("1.", "numbers", t("List with numbers"), "ctrl shift 9")],
    ["quote", tool("❝", "quote", t("Quote"), "ctrl ]")],
    ["unquote", tool("❞", "unquote", t("Less quoted"), "ctrl [")],
  ];
  const link = button(t("Link"), async () => {
    const url = await promptDialog(t("Link"), t("Address; empty for none"), "https://", t("Set"));
    if (url === undefined) return;
    const plain = url.trim();
    editor?.link(
      /^(?:https?:|mailto:|tel:)/i.test(plain) || plain === "" ? plain : `https://${plain}`,
    );
  }, { title: t("Make what is selected a link"), attributes: { class: "quiet" } });
  const palette = (
    text: string,
    title: string,
    what: "text" | "background",
    list: readonly (readonly [string, string | null])[],
  ): HTMLButtonElement => {
    const b: HTMLButtonElement = button(text, () =>
      openMenu(
        b,
        list.map(([name, color]) => ({ text: name, run: () => editor?.color(what, color) })),
        title,
      ), { title, attributes: { class: "quiet" } });
    return b;
  };

  const root = el(
    "div",
    { class: "rich" },
    el(
      "div",
      { class: "rich-tools", role: "toolbar", "aria-label": t("Format") },
      buttons.map(([, b]) => b),
      link,
      palette(t("Colour"), t("Colour of the text"), "text", colors),
      palette(t("Marker"), t("Colour behind the text"), "background", backgrounds),
      tool(t("Clear"), "plain", t("No formats")),
      tool("↶", "undo", t("Undo"), "ctrl z"),
      tool("↷", "redo", t("Redo"), "ctrl y"),
    ),
    frame,
  );
  return {
    root,
    read,
    write: (next) => {
      last = next;
      editor?.write(next.html ?? textHtml(next.text), options.pictures());
    },
    focus,
  };
}
