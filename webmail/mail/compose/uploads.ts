/**
 * Files of a message that is being written: upload with progress, and what is shown of them.
 *
 * @module
 */
import { type Attach, Upload, uploadUrl } from "../../api/mod.ts";
import { uploadFile } from "../../api/upload.ts";
import { el, fill } from "../../lib/dom.ts";
import { sizeText } from "../../lib/format.ts";
import { alertUser } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";

interface Entry {
  attach: Attach | undefined;
  filename: string;
  size: number;
  row: HTMLElement;
  abort?: () => void;
}

export interface Uploads {
  root: HTMLElement;
  /** All that are complete. */
  attachments(): Attach[];
  /** After a draft was saved: those that went into it are parts of it from now on. */
  replace(sent: readonly Attach[], saved: readonly Attach[]): void;
  add(files: Iterable<File>): void;
  /** Some are still on their way. */
  busy(): boolean;
  count(): number;
}

/** Makes the list. */
export function uploads(
  initial: readonly { attach: Attach; filename: string; size: number }[],
  changed: () => void,
): Uploads {
  let entries: Entry[] = [];
  const root = el("div", { class: "attachments", "aria-label": "Attachments", role: "group" });

  function addRow(e: Omit<Entry, "row">): Entry {
    const progress = el("progress", { max: 1, value: 0, "aria-label": `Upload of ${e.filename}` });
    progress.hidden = e.attach !== undefined;
    const row = el(
      "span",
      { class: "attachment" },
      el("span", {}, safeText(e.filename), el("span", { class: "size" }, ` ${sizeText(e.size)}`)),
      progress,
      el("button", {
        type: "button",
        class: "quiet",
        "aria-label": `Remove ${e.filename}`,
        onclick: () => {
          entry.abort?.();
          entries = entries.filter((x) => x !== entry);
          row.remove();
          changed();
        },
      }, "×"),
    );
    const entry: Entry = { ...e, row };
    entries.push(entry);
    root.append(row);
    return entry;
  }

  function upload(file: File): void {
    const filename = file.name || "pasted image.png";
    const entry = addRow({ attach: undefined, filename, size: file.size });
    const bar = entry.row.querySelector("progress")!;
    entry.abort = uploadFile({
      url: uploadUrl(filename, file.type || "application/octet-stream"),
      file,
      answer: Upload,
      bar,
      onDone: ({ uploadId }) => {
        entry.attach = { kind: "upload", uploadId, filename, cid: "" };
        entry.abort = undefined;
        bar.remove();
        changed();
      },
      onFailed: (why) => {
        alertUser(`${filename} could not be attached: ${why}`);
        entries = entries.filter((x) => x !== entry);
        entry.row.remove();
      },
    });
  }

  for (const a of initial) addRow(a);
  return {
    root,
    attachments: () => entries.flatMap((e) => e.attach === undefined ? [] : [e.attach]),
    replace: (sent, saved) => {
      // Others may have come and gone while the draft was saved.
      for (const e of entries) {
        const i = e.attach === undefined ? -1 : sent.indexOf(e.attach);
        if (i >= 0 && i < saved.length) e.attach = saved[i];
      }
    },
    add: (files) => {
      for (const f of files) upload(f);
      fill(root, entries.map((e) => e.row));
    },
    busy: () => entries.some((e) => e.attach === undefined),
    count: () => entries.length,
  };
}
