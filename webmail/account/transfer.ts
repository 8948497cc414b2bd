/** The section for import and export. @module */
import * as v from "valibot";
import { makeCall } from "../api/client.ts";
import { uploadFile } from "../api/upload.ts";
import { button } from "../lib/button.ts";
import { confirmDialog } from "../lib/dialog.ts";
import type { Section } from "../lib/frame.ts";
import { el, field, fill } from "../lib/dom.ts";
import { countText, numberText } from "../lib/format.ts";
import { alertUser, attempt } from "../lib/notify.ts";
import { facts, formDialog, part, table } from "../lib/page.ts";
import { accountCalls } from "./api.ts";
import { takeawayPart } from "./takeaway.ts";
import { ImportBegun, ImportState } from "./transfer_api.ts";
import { t } from "../lib/text.ts";

/** Key of an import's token in storage, by which the page finds it again. */
const storageKey = "mox-import";

export function transferSection(): Section {
  return {
    id: "transfer",
    title: t("Import and export"),
    async show() {
      const { running, mailboxes } = await makeCall(accountCalls, "Transfers", {});
      const view = el("div", { class: "import", "aria-live": "polite" });
      const follow = (token: string) => followImport(view, token);
      const token = running?.token ?? sessionStorage.getItem(storageKey);
      if (token) follow(token);
      return [
        part(
          t("Import"),
          el(
            "p",
            { class: "muted" },
            t(
              "From other mail programs: a zip, tar or tgz archive with mailbox files (mbox), Maildirs or .eml " +
                "files, or a single mailbox file. Folders become mailboxes; flags, keywords and dates are kept. If " +
                "it fails or you abort it, nothing is changed.",
            ),
          ),
          uploadForm(view, follow),
          view,
        ),
        part(
          t("Import from another server"),
          el(
            "p",
            { class: "muted" },
            t("Fetches all mailboxes of an account by IMAP. Do it again later for what is new: nothing comes twice."),
          ),
          button(t("Import by IMAP"), () => imapDialog(follow)),
        ),
        part(
          t("Export"),
          el(
            "p",
            { class: "muted" },
            t("All your mail, or a mailbox with those below it, for other programs."),
          ),
          exportForm(mailboxes),
        ),
        takeawayPart(),
      ];
    },
  };
}

function uploadForm(view: HTMLElement, follow: (token: string) => void): HTMLElement {
  const file = el("input", { type: "file", required: true });
  const mailbox = el("input", { type: "text", placeholder: t("such as Old mail"), maxlength: 500 });
  const skip = el("input", { type: "checkbox" });
  const submit = (event: Event) => {
    event.preventDefault();
    const chosen = file.files?.[0];
    if (chosen) upload(view, chosen, mailbox.value, skip.checked, follow);
  };
  return el(
    "form",
    { onsubmit: submit },
    field(t("Archive or mailbox file"), file),
    field(t("Put all below this mailbox"), mailbox, t("Empty: at the top, Inbox into your Inbox.")),
    el(
      "label",
      { class: "checkbox" },
      skip,
      t("Leave out messages that are in the mailbox already"),
    ),
    el(
      "div",
      { class: "buttons" },
      el("button", { type: "submit", class: "primary" }, t("Import")),
    ),
  );
}

function upload(
  view: HTMLElement,
  file: File,
  mailbox: string,
  skip: boolean,
  follow: (token: string) => void,
): void {
  const bar = el("progress", { max: 1, value: 0, "aria-label": t("Upload") });
  const query = new URLSearchParams({
    filename: file.name,
    mailbox,
    skipDuplicates: skip ? "yes" : "no",
  });
  const cancel = uploadFile({
    url: `import?${query}`,
    file,
    answer: ImportBegun,
    bar,
    onDone: ({ token }) => follow(token),
    onFailed: (why) => {
      fill(view);
      alertUser(t("The import did not begin: {0}", why));
    },
    onCancelled: () => fill(view, el("p", {}, t("The upload was cancelled."))),
  });
  fill(view, el("p", {}, t("Uploading {0} ", file.name), bar, " ", button(t("Cancel"), cancel)));
}

/** Shows the progress of an import until it ends. */
function followImport(view: HTMLElement, token: string): void {
  sessionStorage.setItem(storageKey, token);
  const events = new EventSource(`import/events?token=${encodeURIComponent(token)}`);
  events.onmessage = (e) => {
    const r = v.safeParse(ImportState, JSON.parse(e.data));
    if (!r.success || !view.isConnected && events.readyState === EventSource.CLOSED) return;
    show(view, r.output);
    if (!["reading", "importing"].includes(r.output.phase)) {
      events.close();
      sessionStorage.removeItem(storageKey);
    }
  };
  events.addEventListener("gone", () => {
    events.close();
    sessionStorage.removeItem(storageKey);
  });
}

const titles: Record<ImportState["phase"], string> = {
  reading: t("Looking through the archive"),
  importing: t("Importing {0} ", "").trim(),
  done: t("Imported"),
  failed: t("The import failed"),
  aborted: t("The import was aborted, nothing was changed"),
};

function show(view: HTMLElement, state: ImportState): void {
  const active = state.phase === "reading" || state.phase === "importing";
  const abort = () =>
    attempt(async () => {
      if (
        !await confirmDialog(
          t("Abort"),
          t("Nothing of it stays, unless all has been read already: then it comes to its end."),
          t("Abort"),
        )
      ) {
        return;
      }
      await makeCall(accountCalls, "ImportAbort", { token: state.token });
    });
  fill(
    view,
    el(
      "h3",
      {},
      titles[state.phase],
      active
        ? el("progress", {
          "aria-label": titles[state.phase],
          ...state.part === null ? {} : { max: 1, value: state.part },
        })
        : null,
    ),
    state.error === "" ? null : el("p", { class: "error", role: "alert" }, state.error),
    state.phase === "aborted" ? null : facts([
      ...state.phase === "reading" ? [[t("Files"), numberText(state.files)] as const] : [],
      [t("Messages"), numberText(state.imported)],
      ...state.duplicates > 0 ? [[t("There already"), numberText(state.duplicates)] as const] : [],
    ]),
    state.mailboxes.length === 0 ? null : table(
      [t("Mailbox"), t("Messages")],
      state.mailboxes.map(([name, count]) => [name, numberText(count)]),
      "",
    ),
    state.warningCount === 0 ? null : el(
      "details",
      {},
      el("summary", {}, countText(state.warningCount, "warning")),
      el("ul", {}, state.warnings.map((w) => el("li", {}, w))),
    ),
    active ? button(t("Abort"), abort, { danger: true }) : null,
  );
}

function imapDialog(follow: (token: string) => void): void {
  formDialog(
    t("Import by IMAP"),
    [
      {
        name: "host",
        label: t("Server"),
        required: true,
        explanation: t("Such as imap.example.org."),
      },
      {
        name: "security",
        label: t("Security"),
        options: ["TLS (port 993)", "STARTTLS (port 143)"],
        required: true,
      },
      { name: "user", label: t("Name or address there"), required: true, autocomplete: "off" },
      { name: "password", label: t("Password or token"), type: "password", required: true },
      { name: "token", label: t("It is a token of OAuth2"), type: "checkbox" },
      {
        name: "mailbox",
        label: t("Put all below this mailbox"),
        explanation: t("Empty: at the top."),
      },
    ],
    t("Import"),
    async (form) => {
      const tls = form.security.startsWith("TLS");
      const { token } = await makeCall(accountCalls, "ImportImap", {
        host: form.host.trim(),
        port: tls ? 993 : 143,
        tls,
        user: form.user.trim(),
        password: form.password,
        token: form.token !== "",
        mailbox: form.mailbox,
      });
      follow(token);
    },
  );
}

function exportForm(mailboxes: readonly { id: number; name: string }[]): HTMLElement {
  const select = (name: string, options: [string, string][]) =>
    el("select", { name }, options.map(([value, text]) => el("option", { value }, text)));
  // A form with GET: the browser saves the answer.
  return el(
    "form",
    { action: "export", method: "get" },
    field(
      t("Mailbox"),
      select("mailbox", [
        ["", t("All")],
        ...mailboxes.map((m): [string, string] => [`${m.id}`, m.name]),
      ]),
    ),
    field(
      t("Format"),
      select("format", [["mbox", t("Mailbox files (mbox)")], ["maildir", "Maildir"]]),
    ),
    field(t("Archive"), select("kind", [["zip", "zip"], ["tgz", "tgz"], ["tar", "tar"]])),
    el("div", { class: "buttons" }, el("button", { type: "submit" }, t("Export"))),
  );
}
