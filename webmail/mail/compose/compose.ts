/**
 * Writing a message: a window over the page, kept while one types.
 *
 * @module
 */
import { call, CallError } from "../../api/client.ts";
import type { Composition, SendOptions, Settings, StartEvent } from "../../api/mod.ts";
import { type Body, type BodyText, plainBody } from "./body.ts";
import { richBody } from "./rich_body.ts";
import { textHtml } from "./text_html.ts";
import { type Draft, keepDraft } from "./draft.ts";
import { composeHead } from "./head.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { attachButton, composeFrame } from "./window_frame.ts";
import { composeBar, withoutParts } from "./draft_questions.ts";
import { addKeys } from "../../lib/keys.ts";
import { alertUser, attempt, errorText, notice } from "../../lib/notify.ts";
import type { Beginning } from "./quoting.ts";
import { withSignature, writtenAsHtml } from "./signatures.ts";
import { readyToSend } from "./send_checks.ts";
import { openSendOptions, sendOptionsText } from "./send_options.ts";
import { openTemplates } from "./templates.ts";
import { tellSent } from "./sent_notice.ts";
import { uploads } from "./uploads.ts";
import { t } from "../../lib/text.ts";

export interface ComposeOptions {
  start: StartEvent;
  settings: Settings;
  /** Their state at the time of the call. */
  currentSettings: () => Settings;
  beginning: Beginning;
  /** The window is gone. */
  onClose: (window: ComposeWindow) => void;
  /** The session has ended. */
  onLogin: () => void;
  /** Opens a draft in a window of this page. */
  onEdit: (draftId: number) => void;
  /** Opens a message in place of this one. */
  onReopen: (beginning: Beginning) => void;
  /** Opens a draft in a window of the browser; null where that can't be. */
  onPopOut: ((draftId: number) => void) | null;
}

export interface ComposeWindow {
  root: HTMLElement;
  key: string;
  /** There is text that isn't on the server yet. */
  unsaved(): boolean;
  save(): Promise<void>;
  /** Removes it; unsaved text stays in the browser. */
  end(): void;
  focus(): void;
  minimise(small: boolean): void;
}

/** Opens a window for writing. */
export function composeWindow(o: ComposeOptions): ComposeWindow {
  const { settings, beginning } = o;
  const c = beginning.composition;
  let sending: SendOptions = beginning.options ?? { sendAt: null, requireTls: null };
  let closed = false;

  const changed = () => {
    fill(state, "");
    draft.changed();
  };
  const head = composeHead({ start: o.start, settings, composition: c, changed, onFrom: sign });
  const files = uploads(beginning.attachments, changed);
  const makeBody = (text: BodyText): Body =>
    text.html === null ? plainBody(text, changed) : richBody(text, {
      changed,
      pictures: files.pictures,
      addPicture: files.addPicture,
      addFiles: files.add,
    });
  let rich = c.html !== null;
  let body = makeBody(c);
  const state = el("span", { class: "compose-state", role: "status" });
  const options = el("span", { class: "compose-state" });
  const bar = composeBar();
  const title = el("h2", { dir: "auto" }, c.subject || t("New message"));
  const { subject } = head;
  const drawTitle = () => fill(title, subject.value || t("New message"));
  subject.addEventListener("input", drawTitle);
  const sendButton = button(t("Send"), () => attempt(() => send(false)), {
    key: "ctrl Enter",
    primary: true,
  });

  function setOptions(next: SendOptions): void {
    sending = next;
    fill(options, sendOptionsText(next));
    fill(sendButton, next.sendAt === null ? t("Send") : t("Send later"));
  }

  function composition(): Composition {
    const written = body.read();
    // Pictures that are no longer in the text are not sent with it.
    const attachments = files.attachments().filter((a) =>
      a.kind === "message" || a.cid === "" || written.html?.includes(`cid:${a.cid}`)
    );
    return { ...c, ...head.values(), ...written, attachments };
  }

  const content = () => ({
    composition: composition(),
    options: sending,
    files: files.waiting(),
  });
  const draft: Draft = keepDraft({
    account: o.start.account,
    key: beginning.key ?? crypto.randomUUID(),
    draftId: beginning.draftId,
    content,
    onAttachments: files.replace,
    onState: (text) => fill(state, text),
    onLogin: o.onLogin,
    onOther: take,
    onConflict: (theirs) =>
      bar.ask(
        t("This draft was changed in another window."),
        [t("Use that version"), () =>
          attempt(async () => {
            // It is there before what is here goes.
            await call("DraftGet", { id: theirs });
            draft.gone("replaced");
            remove();
            o.onEdit(theirs);
          })],
        [t("Keep this version"), () => {
          bar.clear();
          body.focus();
          void draft.save({ force: true });
        }],
      ),
    onGone: (how, written) => {
      if (!written) {
        draft.close();
        remove();
        if (how === "sent") notice(t("This message was sent from another window."));
        return;
      }
      bar.ask(
        how === "sent"
          ? t("This message was sent from another window, without what you wrote here since.")
          : t("This draft was thrown away in another window."),
        [t("Keep as a new draft"), () => {
          const kept = withoutParts(content());
          draft.gone("replaced");
          remove();
          o.onReopen(kept);
        }],
        [t("Close"), () => {
          draft.gone("replaced");
          remove();
        }],
      );
    },
  });

  /** What another window has written. */
  function take(now: Composition, opts: SendOptions): void {
    head.write(now);
    files.show(now.attachments);
    if (rich === (now.html !== null)) body.write(now);
    else setRich(!rich, now);
    setOptions(opts);
    drawTitle();
  }

  /** Replaces the present signature by that of another address, if it was not edited. */
  function sign(before: string, now: string): void {
    body.write(withSignature(body.read(), settings, before, now));
  }

  const templateButton: HTMLButtonElement = button(
    t("Templates"),
    () =>
      openTemplates(templateButton, {
        settings: o.currentSettings,
        now: () => ({ subject: subject.value, text: body.read().text }),
        put: (chosen) => {
          const { text, html } = body.read();
          if (subject.value === "") subject.value = chosen.subject;
          drawTitle();
          body.write({
            text: `${chosen.text}${text}`,
            html: html === null ? null : `${textHtml(chosen.text)}${html}`,
          });
          body.focus();
          draft.changed();
        },
      }),
    { title: t("Texts that are written again and again") },
  );

  /** Continues in rich text, or in plain text. */
  function setRich(next: boolean, text: BodyText = body.read()): void {
    const before = body.root;
    rich = next;
    const html = () => text.html ?? writtenAsHtml(text.text, settings, head.values().from.address);
    body = makeBody({ text: text.text, html: next ? html() : null });
    before.replaceWith(body.root);
    fill(richButton, next ? t("Plain text") : t("Rich text"));
  }

  const richButton = button(rich ? t("Plain text") : t("Rich text"), () => {
    setRich(!rich);
    body.focus();
    draft.changed();
  }, { title: t("With formats, links and pictures, or text alone") });

  async function send(archiveThread: boolean): Promise<void> {
    if (!await readyToSend(composition(), files, head.focus)) return;
    setBusy(true);
    try {
      await draft.settled();
      const r = await call("Send", {
        composition: composition(),
        draftId: draft.id(),
        key: draft.key,
        ...sending,
        undo: sending.sendAt === null ? settings.undoSend : 0,
        archiveThread,
      });
      draft.gone("sent");
      tellSent(r, sending, o.onEdit);
      remove();
    } catch (e) {
      setBusy(false);
      if (e instanceof CallError && e.code === "login") o.onLogin();
      alertUser(errorText(e));
    }
  }

  let before: Element | null = null;
  function setBusy(busy: boolean): void {
    if (busy) before = document.activeElement;
    root.inert = busy;
    root.classList.toggle("busy", busy);
    // Inert elements have lost the focus: keys would have no effect.
    if (busy || document.activeElement !== document.body) return;
    if (before instanceof HTMLElement && root.contains(before)) before.focus();
    else body.focus();
  }

  async function close(): Promise<void> {
    await draft.save();
    if (draft.dirty()) {
      const yes = await confirmDialog(
        t("Close without saving?"),
        t("The draft could not be saved. What you wrote is lost if you close."),
        t("Close"),
        { danger: true },
      );
      if (!yes) return;
      draft.gone("replaced");
    } else draft.close();
    if (draft.id() !== null) notice(t("Saved in Drafts."));
    remove();
  }

  async function discard(): Promise<void> {
    if (body.read().text.trim() !== "" || draft.id() !== null) {
      const yes = await confirmDialog(
        t("Discard"),
        t("What you wrote is thrown away."),
        t("Discard"),
        {
          danger: true,
        },
      );
      if (!yes) return;
    }
    await draft.settled();
    draft.gone("discarded");
    remove();
    const id = draft.id();
    if (id !== null) await call("DraftDiscard", { id });
  }

  async function popOut(): Promise<void> {
    draft.changed();
    await draft.save();
    const id = draft.id();
    if (id === null || draft.dirty()) return void alertUser(t("The draft could not be saved."));
    draft.close();
    remove();
    o.onPopOut!(id);
  }

  function remove(): void {
    if (closed) return;
    closed = true;
    files.stop();
    removeKeys();
    root.remove();
    o.onClose(self);
  }

  function minimise(small: boolean): void {
    root.classList.toggle("minimised", small);
    fill(sizeButton, small ? t("Open") : t("Minimise"));
    if (!small) self.focus();
  }
  const sizeButton = button(t("Minimise"), () => minimise(!root.classList.contains("minimised")), {
    title: t("Only the title, or all of it"),
    attributes: { class: "quiet only-wide" },
  });

  const root = composeFrame({
    title,
    windowButtons: [
      sizeButton,
      o.onPopOut === null ? null : button(t("Pop out"), () => attempt(popOut), {
        title: t("Write in a window of its own"),
        attributes: { class: "quiet only-wide" },
      }),
      button(t("Close"), () => attempt(close), {
        title: t("Keep as draft and close"),
        key: "ctrl Backspace",
        attributes: { class: "quiet" },
      }),
    ],
    head: head.lines,
    bar: bar.root,
    body: body.root,
    files: files.root,
    addFiles: files.add,
    footer: [
      sendButton,
      c.inReplyTo === null ? null : button(t("Send and archive"), () => attempt(() => send(true)), {
        title: t("Send, and move the thread to the archive"),
        key: "ctrl shift Enter",
      }),
      attachButton(files.add),
      richButton,
      templateButton,
      button(t("Options"), () =>
        openSendOptions(sending, (set) => {
          setOptions(set);
          draft.changed();
        }), { title: t("Send later, or require TLS") }),
      button(t("Discard"), () => attempt(discard), { attributes: { class: "quiet" } }),
    ],
    states: [options, state],
  });
  const removeKeys = addKeys({
    name: t("Writing"),
    active: () => root.contains(document.activeElement),
    shortcuts: [
      { key: "ctrl Enter", what: t("Send"), inFields: true, run: () => attempt(() => send(false)) },
      {
        key: "ctrl shift Enter",
        what: t("Send and archive the thread"),
        inFields: true,
        run: () => attempt(() => send(c.inReplyTo !== null)),
      },
      { key: "ctrl s", what: t("Save the draft"), inFields: true, run: () => void draft.save() },
      {
        key: "Escape",
        what: t("Keep as draft and close"),
        inFields: true,
        run: () => attempt(close),
      },
    ],
  });
  setOptions(sending);
  if (beginning.failure) bar.ask(t("It could not be sent: {0}", beginning.failure));
  for (const f of beginning.files ?? []) files.add([new File([f.blob], f.filename, f)]);
  if (beginning.unsaved) draft.changed();

  const self: ComposeWindow = {
    root,
    key: draft.key,
    unsaved: () => !closed && (draft.dirty() || files.busy()),
    save: () => draft.save(),
    end: () => {
      draft.close();
      remove();
    },
    focus: () => c.to.length === 0 ? head.focus() : body.focus(),
    minimise,
  };
  return self;
}
