/**
 * Writing a message: a window over the page, saved as a draft while one types.
 *
 * @module
 */
import { call } from "../../api/client.ts";
import type { Composition, Settings, StartEvent } from "../../api/mod.ts";
import { composeHead } from "./head.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { longDate } from "../../lib/format.ts";
import { addKeys } from "../../lib/keys.ts";
import { alertUser, attempt, errorText, notice } from "../../lib/notify.ts";
import { type Beginning, cursorStart } from "./quoting.ts";
import { readyToSend } from "./send_checks.ts";
import { openSendOptions, type SendOptions, sendOptionsText } from "./send_options.ts";
import { uploads } from "./uploads.ts";

export interface ComposeOptions {
  start: StartEvent;
  settings: Settings;
  beginning: Beginning;
  /** The window is gone. */
  onClose: (c: ComposeWindow) => void;
}

export interface ComposeWindow {
  root: HTMLElement;
  /** Something is written that isn't saved yet. */
  unsaved(): boolean;
  focus(): void;
}

/** Milliseconds after the last key until the draft is saved. */
const saveAfter = 3_000;

/** Opens a window for writing. */
export function composeWindow(o: ComposeOptions): ComposeWindow {
  const { settings, beginning } = o;
  const c = beginning.composition;
  let draftId = beginning.draftId;
  let dirty = false;
  let saving: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: SendOptions = { sendAt: null, requireTls: null };
  let closed = false;

  const changed = () => {
    dirty = true;
    fill(state, "");
    clearTimeout(timer);
    timer = setTimeout(() => void save(), saveAfter);
  };
  const head = composeHead({ start: o.start, settings, composition: c, changed });
  const text = el("textarea", {
    "aria-label": "Message text",
    spellcheck: "true",
    oninput: changed,
  });
  text.value = c.text;
  const files = uploads(beginning.attachments, changed);
  const picker = el("input", {
    type: "file",
    multiple: true,
    hidden: true,
    onchange: () => {
      files.add(picker.files ?? []);
      picker.value = "";
    },
  });
  const state = el("span", { class: "compose-state", role: "status" });
  const options = el("span", { class: "compose-state" });
  const title = el("h2", {}, c.subject || "New message");
  const { subject } = head;
  subject.addEventListener("input", () => fill(title, subject.value || "New message"));

  function composition(): Composition {
    return { ...c, ...head.values(), text: text.value, attachments: files.attachments() };
  }

  /** Saves the draft; one save after the other. */
  async function save(): Promise<void> {
    clearTimeout(timer);
    while (saving !== undefined) await saving;
    if (!dirty || closed) return;
    saving = (async () => {
      dirty = false;
      fill(state, "Saving…");
      try {
        const now = composition();
        const r = await call("DraftSave", { draftId, composition: now });
        draftId = r.draftId;
        files.replace(now.attachments, r.attachments);
        if (!dirty) fill(state, "Draft saved");
      } catch (e) {
        dirty = true;
        fill(state, `Draft is not saved: ${errorText(e)}`);
        timer = setTimeout(() => void save(), 15_000);
      }
    })();
    await saving;
    saving = undefined;
  }

  async function send(archiveThread: boolean): Promise<void> {
    if (!await readyToSend(composition(), files, head.focus)) return;
    if (settings.undoSend > 0 && sending.sendAt === null && !await waited(settings.undoSend)) {
      return;
    }
    clearTimeout(timer);
    while (saving !== undefined) await saving;
    setBusy(true);
    try {
      const r = await call("Send", {
        composition: composition(),
        draftId,
        ...sending,
        archiveThread,
      });
      closed = true;
      notice(
        sending.sendAt === null
          ? "Message sent."
          : `Message will be sent ${longDate(sending.sendAt)}.`,
      );
      for (const w of r.warnings) alertUser(w);
      remove();
    } catch (e) {
      setBusy(false);
      alertUser(errorText(e));
    }
  }

  /** Some seconds in which sending can be called off. */
  function waited(seconds: number): Promise<boolean> {
    setBusy(true);
    return new Promise((resolve) => {
      const finish = (yes: boolean) => {
        clearTimeout(wait);
        gone();
        if (!yes) setBusy(false);
        resolve(yes);
      };
      const wait = setTimeout(() => finish(true), seconds * 1000);
      const gone = notice(`Sending in ${seconds} seconds.`, {
        text: "Don't send",
        run: () => finish(false),
      });
    });
  }

  function setBusy(busy: boolean): void {
    root.inert = busy;
    root.classList.toggle("busy", busy);
  }

  async function close(): Promise<void> {
    await save();
    if (dirty) {
      const yes = await confirmDialog(
        "Close without saving?",
        "The draft could not be saved. What you wrote is lost if you close.",
        "Close",
        { danger: true },
      );
      if (!yes) return;
    }
    closed = true;
    if (draftId !== null) notice("Saved in Drafts.");
    remove();
  }

  async function discard(): Promise<void> {
    if (text.value.trim() !== "" || draftId !== null) {
      const yes = await confirmDialog("Discard", "What you wrote is thrown away.", "Discard", {
        danger: true,
      });
      if (!yes) return;
    }
    closed = true;
    clearTimeout(timer);
    while (saving !== undefined) await saving;
    if (draftId !== null) await call("DraftDiscard", { id: draftId });
    remove();
  }

  function remove(): void {
    clearTimeout(timer);
    removeKeys();
    root.remove();
    o.onClose(self);
  }

  const root = el(
    "section",
    {
      class: "compose",
      role: "dialog",
      "aria-label": "Write a message",
      ondragover: (e: DragEvent) => {
        if (!e.dataTransfer?.types.includes("Files")) return;
        e.preventDefault();
        root.classList.add("drop");
      },
      ondragleave: () => root.classList.remove("drop"),
      ondrop: (e: DragEvent) => {
        root.classList.remove("drop");
        if ((e.dataTransfer?.files.length ?? 0) === 0) return;
        e.preventDefault();
        files.add(e.dataTransfer!.files);
      },
      onpaste: (e: ClipboardEvent) => {
        const pasted = [...e.clipboardData?.files ?? []];
        if (pasted.length === 0) return;
        e.preventDefault();
        files.add(pasted);
      },
    },
    el(
      "header",
      {},
      title,
      button("Close", () => attempt(close), {
        title: "Keep as draft and close",
        key: "ctrl Backspace",
        attributes: { class: "quiet" },
      }),
    ),
    head.lines,
    text,
    files.root,
    picker,
    el(
      "footer",
      {},
      button("Send", () => attempt(() => send(false)), { key: "ctrl Enter", primary: true }),
      c.inReplyTo === null ? null : button("Send and archive", () => attempt(() => send(true)), {
        title: "Send, and move the thread to the archive",
        key: "ctrl shift Enter",
      }),
      button("Attach", () => picker.click(), {
        title: "Add files; you can also drop or paste them here",
      }),
      button("Options", () =>
        openSendOptions(sending, (set) => {
          sending = set;
          fill(options, sendOptionsText(set));
        }), { title: "Send later, or require TLS" }),
      button("Discard", () => attempt(discard), { attributes: { class: "quiet" } }),
      options,
      state,
    ),
  );
  const removeKeys = addKeys({
    name: "Writing",
    active: () => root.contains(document.activeElement),
    shortcuts: [
      { key: "ctrl Enter", what: "Send", inFields: true, run: () => attempt(() => send(false)) },
      {
        key: "ctrl shift Enter",
        what: "Send and archive the thread",
        inFields: true,
        run: () => attempt(() => send(c.inReplyTo !== null)),
      },
      { key: "ctrl s", what: "Save the draft", inFields: true, run: () => void save() },
      { key: "Escape", what: "Keep as draft and close", inFields: true, run: () => attempt(close) },
    ],
  });

  const self: ComposeWindow = {
    root,
    unsaved: () => !closed && (dirty || files.busy()),
    focus: () => {
      if (c.to.length === 0) return head.focus();
      text.focus();
      const at = cursorStart(text.value);
      text.setSelectionRange(at, at);
    },
  };
  return self;
}
