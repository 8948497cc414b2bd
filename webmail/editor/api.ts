/**
 * What the editor's frame and the compose window around it say to each other. The editor is a document of
 * its own, loaded when it is first needed: its styles and those of quoted messages stay in it, and its
 * policy lets nothing but its own script run.
 *
 * @module
 */

/** What can be done to the text that is selected. */
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
  /** Where the cursor is now: formats that are on there. */
  onFormats(on: ReadonlySet<Format>): void;
  /** Pictures that were pasted or dropped. */
  onPictures(files: File[]): void;
}

/** What the window asks of the editor. */
export interface Editor {
  start(host: EditorHost, html: string, pictures: ReadonlyMap<string, string>): void;
  /** Pictures have `cid:` addresses. */
  html(): string;
  /** The same for programs that show no HTML. */
  text(): string;
  write(html: string, pictures: ReadonlyMap<string, string>): void;
  focus(): void;
  format(format: Format): void;
  link(url: string): void;
  color(what: "text" | "background", color: string | null): void;
  /** Puts a picture at the cursor. */
  picture(cid: string, url: string): void;
  /** Whether the page around it is dark. */
  look(dark: boolean): void;
  selected(): string;
}

declare global {
  var moxEditor: Editor | undefined;
}
