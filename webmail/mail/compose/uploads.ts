/**
 * Files of a message that is being written: upload with progress, and what is shown of them. Those that
 * could not be uploaded because there is no connection wait for it.
 *
 * @module
 */
import { type Attach, partUrl, Upload, uploadUrl } from "../../api/mod.ts";
import { uploadFile } from "../../api/upload.ts";
import { el, fill } from "../../lib/dom.ts";
import { sizeText } from "../../lib/format.ts";
import { alertUser } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { t } from "../../lib/text.ts";

interface Entry {
  attach: Attach | undefined;
  filename: string;
  size: number;
  /** Of a picture in the text. */
  cid?: string;
  row: HTMLElement;
  /** Not on the server yet. */
  file?: File;
  abort?: () => void;
  retry?: ReturnType<typeof setTimeout>;
}

export interface Uploads {
  root: HTMLElement;
  /** All that are complete. */
  attachments(): Attach[];
  /** Those that aren't on the server. */
  waiting(): { filename: string; type: string; blob: Blob }[];
  /** After a draft was saved: those that went into it are parts of it from now on. */
  replace(sent: readonly Attach[], saved: readonly Attach[]): void;
  /** Shows those that another window has. */
  show(list: readonly Attach[]): void;
  add(files: Iterable<File>): void;
  /** Adds a picture in the text; returns its Content-ID. */
  addPicture(file: File): string;
  /** Where the pictures in the text are, by Content-ID. */
  pictures(): ReadonlyMap<string, string>;
  /** Some are still being uploaded. */
  busy(): boolean;
  count(): number;
  /** Aborts running uploads. */
  stop(): void;
}

/** Milliseconds until an upload that got no answer is tried again. */
const retryAfter = 5_000;

/** Creates the list. */
export function uploads(
  initial: readonly { attach: Attach; filename: string; size: number }[],
  changed: () => void,
): Uploads {
  let entries: Entry[] = [];
  /** Pictures of this window, by Content-ID. */
  const urls = new Map<string, string>();
  const root = el("div", { class: "attachments", "aria-label": t("Attachments"), role: "group" });

  function addRow(e: Omit<Entry, "row">): Entry {
    const progress = el("progress", {
      max: 1,
      value: 0,
      "aria-label": t("Upload of {0}", e.filename),
    });
    const row = el(
      "span",
      { class: "attachment" },
      el(
        "span",
        {},
        safeText(e.filename),
        e.size > 0 ? el("span", { class: "size" }, ` ${sizeText(e.size)}`) : null,
      ),
      e.attach === undefined ? progress : null,
      el("button", {
        type: "button",
        class: "quiet",
        "aria-label": t("Remove {0}", e.filename),
        onclick: () => {
          remove(entry);
          changed();
        },
      }, "×"),
    );
    const entry: Entry = { ...e, row };
    const inText = e.cid ?? (e.attach?.kind === "message" ? "" : e.attach?.cid ?? "");
    row.hidden = inText !== "";
    entries.push(entry);
    root.append(row);
    return entry;
  }

  function stop(entry: Entry): void {
    entry.abort?.();
    clearTimeout(entry.retry);
  }

  function remove(entry: Entry): void {
    stop(entry);
    entries = entries.filter((x) => x !== entry);
    entry.row.remove();
  }

  function upload(entry: Entry, file: File): void {
    const { filename } = entry;
    const bar = entry.row.querySelector("progress")!;
    entry.abort = uploadFile({
      url: uploadUrl(filename, file.type || "application/octet-stream"),
      file,
      answer: Upload,
      bar,
      onDone: ({ uploadId }) => {
        entry.attach = { kind: "upload", uploadId, filename, cid: entry.cid ?? "" };
        entry.abort = entry.file = undefined;
        bar.remove();
        changed();
      },
      onFailed: (why, unanswered) => {
        if (unanswered) {
          bar.value = 0;
          bar.title = t("Waits for the connection");
          entry.retry = setTimeout(() => upload(entry, file), retryAfter);
          return;
        }
        alertUser(t("{0} could not be attached: {1}", filename, why));
        remove(entry);
      },
    });
  }

  for (const a of initial) addRow(a);
  return {
    root,
    attachments: () => entries.flatMap((e) => e.attach === undefined ? [] : [e.attach]),
    waiting: () =>
      entries.flatMap(({ file, filename }) =>
        file === undefined ? [] : [{ filename, type: file.type, blob: file }]
      ),
    replace: (sent, saved) => {
      // Others may have come and gone while the draft was saved.
      for (const e of entries) {
        const i = e.attach === undefined ? -1 : sent.indexOf(e.attach);
        if (i >= 0 && i < saved.length) e.attach = saved[i];
      }
    },
    show: (list) => {
      for (const e of entries.filter((x) => x.attach !== undefined)) remove(e);
      for (const attach of list) {
        const filename = attach.kind === "message" ? "message.eml" : attach.filename;
        addRow({ attach, filename, size: 0 });
      }
    },
    add: (files) => {
      for (const file of files) {
        const filename = file.name || t("pasted image.png");
        upload(addRow({ attach: undefined, filename, size: file.size, file }), file);
        changed();
      }
      fill(root, entries.map((e) => e.row));
    },
    addPicture: (file) => {
      const cid = `${crypto.randomUUID()}@picture`;
      const filename = file.name || "picture.png";
      urls.set(cid, URL.createObjectURL(file));
      upload(addRow({ attach: undefined, filename, size: file.size, file, cid }), file);
      return cid;
    },
    pictures: () => {
      const all = new Map(urls);
      for (const { attach } of entries) {
        if (attach?.kind !== "part" || attach.cid === "" || all.has(attach.cid)) continue;
        all.set(attach.cid, partUrl(attach.messageId, attach.path));
      }
      return all;
    },
    busy: () => entries.some((e) => e.attach === undefined),
    count: () => entries.filter((e) => !e.row.hidden).length,
    stop: () => entries.forEach(stop),
  };
}
