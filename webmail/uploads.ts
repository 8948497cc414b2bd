/**
 * Files of a message that is being written: upload with progress, and what is shown of them.
 *
 * @module
 */
import * as v from "valibot";
import { type Attach, ErrorAnswer, Upload, uploadUrl } from "./api/mod.ts";
import { el, fill } from "./lib/dom.ts";
import { sizeText } from "./lib/format.ts";
import { alertUser } from "./lib/notify.ts";
import { safeText } from "./lib/scripts.ts";

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
    // XMLHttpRequest tells how much has been sent; fetch doesn't.
    const request = new XMLHttpRequest();
    entry.abort = () => request.abort();
    const failed = (why: string) => {
      alertUser(`${filename} could not be attached: ${why}`);
      entries = entries.filter((x) => x !== entry);
      entry.row.remove();
    };
    request.upload.onprogress = (e) => {
      bar.value = e.total > 0 ? e.loaded / e.total : 0;
    };
    request.onload = () => {
      let body: unknown;
      try {
        body = JSON.parse(request.responseText);
      } catch {
        return failed("the server's answer makes no sense");
      }
      const up = v.safeParse(Upload, body);
      if (request.status !== 200 || !up.success) {
        const refused = v.safeParse(ErrorAnswer, body);
        return failed(refused.success ? refused.output.error.message : `status ${request.status}`);
      }
      entry.attach = { kind: "upload", uploadId: up.output.uploadId, filename, cid: "" };
      entry.abort = undefined;
      bar.remove();
      changed();
    };
    request.onerror = () => failed("the connection broke");
    request.open("POST", uploadUrl(filename, file.type || "application/octet-stream"));
    request.setRequestHeader("x-mox-request", "1");
    request.send(file);
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
