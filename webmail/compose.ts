/**
 * Writing a message: a window over the page, saved as a draft while one types.
 *
 * @module
 */
import { call } from "./api/client.ts";
import type { Composition, Settings, StartEvent } from "./api/mod.ts";
import { button, linkButton } from "./lib/button.ts";
import { confirmDialog, openDialog } from "./lib/dialog.ts";
import { el, field, fill, newId } from "./lib/dom.ts";
import { longDate } from "./lib/format.ts";
import { addKeys } from "./lib/keys.ts";
import { alertUser, attempt, errorText, notice } from "./lib/notify.ts";
import { fullAddress } from "./names.ts";
import { type Beginning, cursorStart } from "./quoting.ts";
import { plausible, type Recipients, recipients } from "./recipients.ts";
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

const attachmentWords =
  /\b(attach(?:ed|ment|ments|ing)?|enclosed|angeh(?:ä|ae)ngt|anhang|bijlage|ci-joint|adjunto)\b/i;

/** Opens a window for writing. */
export function composeWindow(o: ComposeOptions): ComposeWindow {
  const { start, settings, beginning } = o;
  const c = beginning.composition;
  let draftId = beginning.draftId;
  let dirty = false;
  let saving: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sendAt: number | null = null;
  let requireTls: boolean | null = null;
  let closed = false;

  const changed = () => {
    dirty = true;
    fill(state, "");
    clearTimeout(timer);
    timer = setTimeout(() => void save(), saveAfter);
  };
  const lineOptions = { changed, security: () => settings.showRecipientSecurity };
  const to = recipients("To", c.to, lineOptions);
  const cc = recipients("Cc", c.cc, lineOptions);
  const bcc = recipients("Bcc", c.bcc, lineOptions);
  const replyTo = el("input", { type: "text", value: c.replyTo, oninput: changed });
  const identities = start.addresses.length > 0
    ? start.addresses
    : [{ name: "", address: start.loginAddress }];
  const from = el(
    "select",
    { "aria-label": "From", onchange: changed },
    identities.map((a, i) =>
      el("option", {
        value: i,
        selected: a.address.toLowerCase() === c.from.address.toLowerCase(),
      }, fullAddress(a))
    ),
  );
  const subjectId = newId("subject");
  const subject = el("input", { id: subjectId, type: "text", value: c.subject, oninput: changed });
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
  subject.addEventListener("input", () => fill(title, subject.value || "New message"));

  const line = (label: string, r: Recipients, shown: boolean) => {
    const row = el(
      "div",
      { class: "compose-line" },
      el("span", { class: "compose-label" }, label),
      r.root,
    );
    row.hidden = !shown;
    return row;
  };
  const ccLine = line("Cc", cc, c.cc.length > 0);
  const bccLine = line("Bcc", bcc, c.bcc.length > 0);
  const replyToId = newId("replyto");
  replyTo.id = replyToId;
  const replyToLine = el(
    "div",
    { class: "compose-line" },
    el("label", { class: "compose-label", for: replyToId }, "Reply to"),
    replyTo,
  );
  replyToLine.hidden = c.replyTo === "";
  const reveal = (row: HTMLElement, focus: () => void, b: HTMLElement) => {
    row.hidden = false;
    b.remove();
    focus();
  };
  const adders = el("span", { class: "compose-adders" });
  const adder = (name: string, row: HTMLElement, focus: () => void) => {
    if (!row.hidden) return;
    const b: HTMLButtonElement = linkButton(name, () => reveal(row, focus, b), `Add ${name}`);
    adders.append(b);
  };
  adder("Cc", ccLine, () => cc.focus());
  adder("Bcc", bccLine, () => bcc.focus());
  adder("Reply to", replyToLine, () => replyTo.focus());

  function composition(): Composition {
    const id = identities[Number(from.value)] ?? identities[0];
    return {
      ...c,
      from: { name: id.name, address: id.address },
      to: to.values(),
      cc: cc.values(),
      bcc: bcc.values(),
      replyTo: replyTo.value.trim(),
      subject: subject.value,
      text: text.value,
      attachments: files.attachments(),
    };
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
    const now = composition();
    const all = [...now.to, ...now.cc, ...now.bcc];
    if (all.length === 0) {
      to.focus();
      return void alertUser("Give at least one recipient.");
    }
    const wrong = all.filter((a) => !plausible(a));
    if (wrong.length > 0) return void alertUser(`${wrong.join(", ")}: not an address.`);
    if (files.busy()) return void alertUser("Attachments are still on their way.");
    const own = now.text.split("\n").filter((l) => !l.startsWith(">")).join("\n");
    if (
      files.count() === 0 && c.forwards.length === 0 &&
      attachmentWords.test(`${now.subject}\n${own}`)
    ) {
      const yes = await confirmDialog(
        "Send without attachment?",
        "The text speaks of an attachment, but there is none.",
        "Send anyway",
      );
      if (!yes) return;
    }
    if (now.subject.trim() === "") {
      const yes = await confirmDialog(
        "Send without subject?",
        "The subject is empty.",
        "Send anyway",
      );
      if (!yes) return;
    }
    if (settings.undoSend > 0 && sendAt === null && !await waited(settings.undoSend)) return;
    clearTimeout(timer);
    while (saving !== undefined) await saving;
    setBusy(true);
    try {
      const r = await call("Send", {
        composition: composition(),
        draftId,
        sendAt,
        requireTls,
        archiveThread,
      });
      closed = true;
      notice(sendAt === null ? "Message sent." : `Message will be sent ${longDate(sendAt)}.`);
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

  function sendOptions(): void {
    const when = el("input", { type: "datetime-local" });
    const tls = el(
      "select",
      {},
      [["", "As usual"], ["yes", "Only with verified TLS"], ["no", "Even without TLS"]].map((
        [v, t],
      ) =>
        el("option", {
          value: v,
          selected: v === (requireTls === null ? "" : requireTls ? "yes" : "no"),
        }, t)
      ),
    );
    const dialog = openDialog(
      "Send options",
      el(
        "form",
        {
          onsubmit: (e: Event) => {
            e.preventDefault();
            const at = when.value === "" ? null : new Date(when.value).getTime();
            sendAt = at !== null && at > Date.now() ? at : null;
            requireTls = tls.value === "" ? null : tls.value === "yes";
            fill(
              options,
              [
                sendAt === null ? "" : `To be sent ${longDate(sendAt)}.`,
                requireTls === null
                  ? ""
                  : requireTls
                  ? "Verified TLS required."
                  : "TLS not required.",
              ].filter((s) => s !== "").join(" "),
            );
            dialog.close();
          },
        },
        field("Send at", when, "Not before this time. Empty: at once."),
        field(
          "Encryption",
          tls,
          "Whether all servers on the way must use verified TLS (REQUIRETLS).",
        ),
        el("div", { class: "buttons" }, el("button", { type: "submit", class: "primary" }, "Set")),
      ),
    );
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
    el(
      "div",
      { class: "compose-line" },
      el("span", { class: "compose-label" }, "From"),
      from,
      adders,
    ),
    line("To", to, true),
    ccLine,
    bccLine,
    replyToLine,
    el(
      "div",
      { class: "compose-line" },
      el("label", { class: "compose-label", for: subjectId }, "Subject"),
      subject,
    ),
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
      button("Options", sendOptions, { title: "Send later, or require TLS" }),
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
      if (c.to.length === 0) return to.focus();
      text.focus();
      const at = cursorStart(text.value);
      text.setSelectionRange(at, at);
    },
  };
  return self;
}
