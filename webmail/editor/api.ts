/**
 * The interface between the editor's frame and the compose window around it. The editor is a document of its own,
 * loaded when it is first needed: its styles and those of quoted messages stay in it, and its policy lets only its
 * own script run.
 *
 * @module
 */

/** What can be done to the selected text. */
export type Format =
  | "bold"
  | "italic"
  | "underline"
  | "strikethrough"
  | "bullets"
  | "numbers"
  | "quote"
  | "unquote"
  | "plain"
  | "undo"
  | "redo";

/** What the window does for the editor. */
export interface EditorHost {
  changed(): void;
  /** Called with the formats in effect at the cursor. */
  onFormats(on: ReadonlySet<Format>): void;
  /** Called with images that were pasted or dropped. */
  onPictures(files: File[]): void;
}

/** What the window asks of the editor. */
export interface Editor {
  start(host: EditorHost, html: string, pictures: ReadonlyMap<string, string>): void;
  /** The HTML, with images as `cid:` URLs. */
  html(): string;
  /** The same as plain text, for programs that show no HTML. */
  text(): string;
  write(html: string, pictures: ReadonlyMap<string, string>): void;
  focus(): void;
  format(format: Format): void;
  link(url: string): void;
  color(what: "text" | "background", color: string | null): void;
  /** Inserts an image at the cursor. */
  picture(cid: string, url: string): void;
  /** Sets whether the page around it is dark. */
  look(dark: boolean): void;
  selected(): string;
}

declare global {
  var moxEditor: Editor | undefined;
}
