/** The rich text editor, in its frame. @module */
import Squire from "squire-rte";
import type { Editor, EditorHost, Format } from "./api.ts";
import { cleanFragment } from "./clean.ts";
import { plainText } from "./plain_text.ts";

/** Shown in place of images on other servers: they stay in the message, but aren't loaded here. */
const nothing = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

const root = document.createElement("div");
root.id = "text";
root.dir = "auto";
root.spellcheck = true;
// Nothing can be typed before the editor has started: it would be lost when the text is set.
root.inert = true;
root.setAttribute("aria-multiline", "true");
root.setAttribute("aria-label", "Message text");
document.body.append(root);

/** HTML with images that the frame can show. */
function shown(html: string, pictures: ReadonlyMap<string, string>): DocumentFragment {
  const f = cleanFragment(html);
  for (const img of f.querySelectorAll("img")) {
    const src = img.getAttribute("src") ?? "";
    const cid = /^cid:(.*)$/i.exec(src)?.[1];
    if (cid !== undefined) {
      img.dataset.cid = cid;
      img.src = pictures.get(cid) ?? nothing;
    } else if (/^https?:/i.test(src)) {
      img.dataset.src = src;
      img.src = nothing;
      img.title ||= src;
    }
  }
  return f;
}

/** The HTML as it is in the message. */
function written(): Element {
  // In a document that loads nothing.
  const inert = document.implementation.createHTMLDocument("");
  const holder = inert.createElement("div");
  holder.innerHTML = squire.getHTML();
  for (const img of holder.querySelectorAll("img")) {
    const { cid, src } = img.dataset;
    if (cid !== undefined) img.setAttribute("src", `cid:${cid}`);
    else if (src !== undefined) img.setAttribute("src", src);
    img.removeAttribute("data-cid");
    img.removeAttribute("data-src");
  }
  for (const q of holder.querySelectorAll("blockquote")) {
    // Programs that don't know this style show the quote as one, too.
    q.setAttribute("type", "cite");
    q.setAttribute(
      "style",
      "margin:0 0 0 .8ex;border-left:2px solid #8ab;padding-left:1ex",
    );
  }
  return holder;
}

let host: EditorHost | undefined;
const squire = new Squire(root, {
  blockTag: "DIV",
  addLinks: true,
  sanitizeToDOMFragment: (html: string) => shown(html, new Map()),
});

const tags: readonly (readonly [Format, string])[] = [
  ["bold", "B"],
  ["italic", "I"],
  ["underline", "U"],
  ["strikethrough", "S"],
  ["bullets", "UL"],
  ["numbers", "OL"],
  ["quote", "BLOCKQUOTE"],
];

function tellFormats(): void {
  host?.onFormats(new Set(tags.filter(([, tag]) => squire.hasFormat(tag)).map(([f]) => f)));
}
/** What the window has set, as the editor reports that as a change, too. */
let known = "";
squire.addEventListener("input", () => {
  const now = squire.getHTML();
  if (now === known) return;
  known = now;
  host?.changed();
});
squire.addEventListener("pathChange", tellFormats);
squire.addEventListener("select", tellFormats);

function takePictures(event: Event, data: DataTransfer | null): void {
  const files = [...data?.files ?? []];
  if (files.length === 0 || data?.types.includes("text/html")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  host?.onPictures(files);
}
addEventListener("paste", (e) => takePictures(e, e.clipboardData), { capture: true });
addEventListener("drop", (e) => takePictures(e, e.dataTransfer), { capture: true });

const formats: Record<Format, () => unknown> = {
  bold: () => squire.hasFormat("B") ? squire.removeBold() : squire.bold(),
  italic: () => squire.hasFormat("I") ? squire.removeItalic() : squire.italic(),
  underline: () => squire.hasFormat("U") ? squire.removeUnderline() : squire.underline(),
  strikethrough: () =>
    squire.hasFormat("S") ? squire.removeStrikethrough() : squire.strikethrough(),
  bullets: () => squire.hasFormat("UL") ? squire.removeList() : squire.makeUnorderedList(),
  numbers: () => squire.hasFormat("OL") ? squire.removeList() : squire.makeOrderedList(),
  quote: () => squire.increaseQuoteLevel(),
  unquote: () => squire.decreaseQuoteLevel(),
  plain: () => squire.removeAllFormatting(),
  undo: () => squire.undo(),
  redo: () => squire.redo(),
};

function put(html: string, pictures: ReadonlyMap<string, string>): void {
  const holder = document.createElement("div");
  holder.append(shown(html, pictures));
  // Squire parses HTML whose images are already replaced.
  squire.setHTML(holder.innerHTML);
  for (const img of root.querySelectorAll<HTMLImageElement>("img[data-cid]")) {
    img.src = pictures.get(img.dataset.cid ?? "") ?? img.src;
  }
  known = squire.getHTML();
}

const editor: Editor = {
  start: (h, html, pictures) => {
    root.inert = false;
    root.setAttribute("role", "textbox");
    put(html, pictures);
    // Below a quote at the beginning.
    if (root.children[1]?.tagName === "BLOCKQUOTE") squire.moveCursorToEnd();
    else squire.moveCursorToStart();
    host = h;
  },
  html: () => written().innerHTML,
  text: () => plainText(written()),
  write: (html, pictures) => {
    const h = host;
    host = undefined;
    put(html, pictures);
    host = h;
  },
  focus: () => {
    squire.focus();
  },
  format: (format) => {
    formats[format]();
    squire.focus();
    tellFormats();
  },
  link: (url) => {
    if (url === "") squire.removeLink();
    else squire.makeLink(url);
    squire.focus();
  },
  color: (what, color) => {
    if (what === "text") squire.setTextColor(color);
    else squire.setHighlightColor(color);
    squire.focus();
  },
  picture: (cid, url) => {
    squire.insertImage(url, { "data-cid": cid });
    host?.changed();
  },
  look: (dark) => {
    document.documentElement.toggleAttribute("data-dark", dark);
  },
  selected: () => squire.getSelectedText(),
};
globalThis.moxEditor = editor;
