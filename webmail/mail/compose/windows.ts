/** The windows in which messages are written, at the bottom of the page. @module */
import { call } from "../../api/client.ts";
import type { Settings, StartEvent } from "../../api/mod.ts";
import { type ComposeWindow, composeWindow } from "./compose.ts";
import { el } from "../../lib/dom.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { heldWritten, writtenBy } from "./journal.ts";
import type { Beginning } from "./quoting.ts";
import { t } from "../../lib/text.ts";

const maxWindows = 8;
/** Windows that are open side by side; others are minimised. */
const maxOpen = 2;

export interface ComposeWindowsOptions {
  start: () => StartEvent;
  settings: () => Settings;
  /** A window is gone. */
  onClose: () => void;
  /** The session has ended. */
  onLogin: () => void;
  /** Opens a draft in a window of the browser; null where that can't be. */
  onPopOut: ((draftId: number) => void) | null;
}

export interface ComposeWindows {
  root: HTMLElement;
  open(beginning: Beginning): void;
  /** Opens a draft. @throws CallError */
  edit(draftId: number): Promise<void>;
  /** Opens text that was written in this browser and never reached the server. */
  recover(): Promise<void>;
  /** There is unsaved text. */
  unsaved(): boolean;
  /** Saves all. */
  save(): Promise<void>;
  count(): number;
  /** Removes all windows, saved or not. */
  remove(): void;
}

/** Creates the area for windows. */
export function composeWindows(o: ComposeWindowsOptions): ComposeWindows {
  const windows: ComposeWindow[] = [];
  const root = el("div", { class: "compose-windows" });

  function open(beginning: Beginning): void {
    const there = windows.find((w) => w.key === beginning.key);
    if (there !== undefined) return there.minimise(false);
    if (windows.length >= maxWindows) return void notice(t("Close another message first."));
    const w = composeWindow({
      start: o.start(),
      settings: o.settings(),
      currentSettings: o.settings,
      beginning,
      onClose: (gone) => {
        windows.splice(windows.indexOf(gone), 1);
        o.onClose();
      },
      onLogin: o.onLogin,
      onEdit: (id) => attempt(() => edit(id)),
      onReopen: open,
      onPopOut: o.onPopOut,
    });
    windows.push(w);
    root.append(w.root);
    for (const old of windows.slice(0, -maxOpen)) old.minimise(true);
    w.focus();
  }

  async function edit(id: number): Promise<void> {
    const d = await call("DraftGet", { id });
    const { composition, attachments, options, failure } = d;
    open({ draftId: id, key: d.key ?? undefined, composition, attachments, options, failure });
  }

  return {
    root,
    open,
    edit,
    recover: async () => {
      const held = await heldWritten();
      const mine = new Set(windows.map((w) => w.key));
      const left = (await writtenBy(o.start().account))
        .filter((w) => !held.has(w.key) && !mine.has(w.key));
      for (const { composition, ...w } of left.slice(0, maxWindows - windows.length)) {
        // Uploads of a page that is gone may be gone too; parts of a draft are there.
        const attachments = composition.attachments.map((attach) => ({
          attach,
          filename: attach.kind === "message" ? "message.eml" : attach.filename,
          type: "",
          size: 0,
        }));
        open({ ...w, composition, attachments, unsaved: true });
      }
      if (left.length > 0) notice(t("What you were writing is here again."));
    },
    unsaved: () => windows.some((w) => w.unsaved()),
    save: async () => {
      await Promise.all(windows.map((w) => w.save()));
    },
    count: () => windows.length,
    remove: () => {
      for (const w of [...windows]) w.end();
    },
  };
}
