/** Copies the mail of many accounts: starting it, its progress, and the report. @module */
import { makeCall } from "../../api/client.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { longDate, numberText } from "../../lib/format.ts";
import { attempt, errorText } from "../../lib/notify.ts";
import {
  facts,
  formDialog,
  type FormField,
  lead,
  part,
  shortened,
  table,
  tools,
} from "../../lib/page.ts";
import { adminCalls } from "../api/mod.ts";
import type { MoveState } from "../api/moving.ts";
import { fromNow } from "../dates.ts";

/** Milliseconds between two requests for a move's state. */
const interval = 2000;

/** This part of the section; it follows the running move while it is shown. */
export async function mailPart(): Promise<HTMLElement> {
  const view = el("div", { class: "stacked", "aria-live": "polite" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = async () => {
    clearTimeout(timer);
    try {
      const { move } = await makeCall(adminCalls, "MoveState", {});
      // Unfolded warnings stay unfolded.
      const open = new Set(
        [...view.querySelectorAll("details[open]")].map((d) => d.getAttribute("data-account")),
      );
      fill(view, move === null ? null : stateOf(move, open, look));
      if (move?.ended === 0) schedule();
    } catch (e) {
      fill(view, el("p", { class: "error", role: "alert" }, errorText(e)));
      schedule();
    }
  };
  const schedule = () => {
    timer = setTimeout(() => {
      if (view.isConnected) void look();
    }, interval);
  };
  await look();
  return part(
    "Mail",
    lead(
      "Mailboxes, messages, flags, keywords and dates of many accounts. It can be stopped and begun again: what was " +
        "brought stays, and nothing comes twice. Begin while the old server still gets mail, and once more when the MX " +
        "record leads here.",
    ),
    tools(
      button("Bring mail by IMAP", () => imapDialog(look), { primary: true }),
      button("Bring mail from Maildirs", () => maildirDialog(look)),
      button("Bring mail from Cyrus", () => cyrusDialog(look)),
    ),
    view,
  );
}

const phases: Record<MoveState["phase"], string> = {
  running: "Bringing mail",
  waiting: "Waiting for the next round",
  stopped: "Stopped",
  done: "Done",
  failed: "Ended with failures",
};

function stateOf(
  state: MoveState,
  open: ReadonlySet<string | null>,
  changed: () => Promise<void>,
): HTMLElement[] {
  const all = Object.values(state.counts).reduce((n, c) => n + c, 0);
  const ended = state.counts.done + state.counts.failed;
  const stop = () =>
    attempt(async () => {
      const yes = await confirmDialog("Stop", "What was brought so far stays.", "Stop");
      if (!yes) return;
      await makeCall(adminCalls, "MoveStop", {});
      await changed();
    });
  return [
    el(
      "h3",
      {},
      `${phases[state.phase]}, ${state.what} `,
      state.phase === "running"
        ? el("progress", { max: all, value: ended, "aria-label": phases.running })
        : null,
    ),
    ...state.error === "" ? [] : [el("p", { class: "error", role: "alert" }, state.error)],
    facts([
      [
        "Accounts",
        `${numberText(ended)} of ${numberText(all)}` +
        (state.counts.failed > 0 ? `, ${numberText(state.counts.failed)} failed` : ""),
      ],
      ["Messages", numberText(state.imported)],
      ["Began", longDate(state.began)],
      ...state.ended > 0 ? [["Ended", longDate(state.ended)] as const] : [],
      ...state.rounds > 1 || state.next > 0 ? [["Rounds", numberText(state.rounds)] as const] : [],
      ...state.next > 0 ? [["Next round", fromNow(state.next)] as const] : [],
    ]),
    ...state.ended === 0 ? [tools(button("Stop", stop, { danger: true }))] : [],
    shortened(state.accounts, (some) =>
      table(
        [
          "Account",
          "State",
          { text: "Messages", number: true },
          {
            text: "There already",
            number: true,
          },
          { text: "Followed", number: true },
          "Report",
        ],
        some.map((a) => [
          a.account,
          el("span", { class: a.state === "failed" ? "bad" : "" }, a.state),
          numberText(a.imported),
          numberText(a.duplicates),
          numberText(a.followed),
          [
            a.error === "" ? null : el("div", { class: "bad" }, a.error),
            a.warningCount === 0 ? null : el(
              "details",
              { open: open.has(a.account), "data-account": a.account },
              el("summary", {}, `${numberText(a.warningCount)} warnings`),
              el("ul", {}, a.warnings.map((w) => el("li", {}, w))),
            ),
          ],
        ]),
        "",
      )),
  ];
}

const commonFields: readonly FormField[] = [
  { name: "accounts", label: "Accounts", explanation: "Names or addresses; empty for all." },
  {
    name: "parallel",
    label: "Accounts at a time",
    type: "number",
    min: 1,
    value: "4",
    required: true,
  },
  {
    name: "again",
    label: "Again after minutes",
    type: "number",
    min: 0,
    value: "0",
    required: true,
    explanation: "Until you stop it; 0 for once.",
  },
];

const common = (f: Record<string, string>) => ({
  parallel: Number(f.parallel),
  again: Number(f.again),
  accounts: f.accounts.split(/[\s,;]+/).filter((a) => a !== ""),
});

function imapDialog(begun: () => Promise<void>): void {
  formDialog(
    "Bring mail by IMAP",
    [
      { name: "host", label: "Server", required: true, placeholder: "old.example.org" },
      {
        name: "tls",
        label: "Security",
        options: [
          { value: "tls", text: "TLS (port 993)" },
          { value: "starttls", text: "STARTTLS (port 143)" },
          { value: "none", text: "none: passwords can be read on the way" },
        ],
      },
      {
        name: "port",
        label: "Port",
        type: "number",
        min: 0,
        value: "0",
        explanation: "0 for the usual one.",
      },
      {
        name: "master",
        label: "Master user",
        explanation: "Who may log in there as others; or a table of logins below.",
      },
      { name: "password", label: "Master user's password", type: "password", autocomplete: "off" },
      {
        name: "separator",
        label: "Separator",
        value: "*",
        explanation: "Between address and master user, as in ann@example.org*mover.",
      },
      {
        name: "table",
        label: "Table of logins",
        type: "textarea",
        rows: 4,
        placeholder: "ann,ann@old.example.org,password",
        explanation: "CSV: account or address here, user there, password.",
      },
      {
        name: "follow",
        label: "Follow changes there",
        type: "checkbox",
        explanation:
          "Flags that changed since a message was brought, and messages that were removed. Not once mail is " +
          "read here.",
      },
      ...commonFields,
    ],
    "Begin",
    async (f) => {
      await makeCall(adminCalls, "MoveByImap", {
        host: f.host.trim(),
        port: Number(f.port),
        tls: f.tls as "tls" | "starttls" | "none",
        master: f.master.trim(),
        separator: f.separator,
        password: f.password,
        table: f.table,
        follow: f.follow !== "",
        ...common(f),
      });
      await begun();
    },
  );
}

function maildirDialog(begun: () => Promise<void>): void {
  formDialog(
    "Bring mail from Maildirs",
    [
      {
        name: "pattern",
        label: "Path",
        required: true,
        value: "/var/vmail/%d/%n/Maildir",
        explanation:
          "Folders of this machine that the server may read: %u for the address, %n for what is before " +
          "the @, %d for the domain.",
      },
      ...commonFields,
    ],
    "Begin",
    async (f) => {
      await makeCall(adminCalls, "MoveMaildirs", { pattern: f.pattern.trim(), ...common(f) });
      await begun();
    },
  );
}

function cyrusDialog(begun: () => Promise<void>): void {
  formDialog(
    "Bring mail from Cyrus",
    [
      {
        name: "spool",
        label: "Partition",
        required: true,
        value: "/var/spool/cyrus/mail",
        explanation: "A folder of this machine that the server may read, of Cyrus 2.3 to 3.6.",
      },
      { name: "domain", label: "Domain of users without one", placeholder: "example.org" },
      ...commonFields,
    ],
    "Begin",
    async (f) => {
      await makeCall(adminCalls, "MoveCyrus", {
        spool: f.spool.trim(),
        domain: f.domain.trim(),
        ...common(f),
      });
      await begun();
    },
  );
}
