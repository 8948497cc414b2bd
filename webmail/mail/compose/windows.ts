/** The windows in which messages are written, at the bottom of the page. @module */
import { call } from "../../api/client.ts";
import type { Settings, StartEvent } from "../../api/mod.ts";
import { type ComposeWindow, composeWindow } from "./compose.ts";
import { el } from "../../lib/dom.ts";
import { notice } from "../../lib/notify.ts";
import type { Beginning } from "./quoting.ts";

const maxWindows = 3;

export interface ComposeWindowsOptions {
  start: () => StartEvent;
  settings: () => Settings;
  /** A window is gone. */
  onClose: () => void;
}

export interface ComposeWindows {
  root: HTMLElement;
  open(beginning: Beginning): void;
  /** Opens a draft. @throws CallError */
  edit(draftId: number): Promise<void>;
  /** Something is written that isn't saved yet. */
  unsaved(): boolean;
  count(): number;
  /** Takes all windows away, saved or not. */
  remove(): void;
}

/** Makes the place for windows. */
export function composeWindows(o: ComposeWindowsOptions): ComposeWindows {
  const windows: ComposeWindow[] = [];
  const root = el("div", { class: "compose-windows" });

  function open(beginning: Beginning): void {
    if (windows.length >= maxWindows) return void notice("Close another message first.");
    const w = composeWindow({
      start: o.start(),
      settings: o.settings(),
      beginning,
      onClose: (gone) => {
        windows.splice(windows.indexOf(gone), 1);
        o.onClose();
      },
    });
    windows.push(w);
    root.append(w.root);
    w.focus();
  }

  return {
    root,
    open,
    edit: async (id) => {
      const d = await call("DraftGet", { id });
      open({ draftId: id, composition: d.composition, attachments: d.attachments });
    },
    unsaved: () => windows.some((w) => w.unsaved()),
    count: () => windows.length,
    remove: () => {
      for (const w of windows) w.root.remove();
    },
  };
}
