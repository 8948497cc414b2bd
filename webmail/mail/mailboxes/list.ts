/**
 * The list of mailboxes: counts, opening, dropping messages, and actions on a mailbox.
 *
 * @module
 */
import { call } from "../../api/client.ts";
import { exportUrl, type Mailbox, type SpecialUse } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog, type MenuItem, openMenu, promptDialog } from "../../lib/dialog.ts";
import { el, fill, unseen } from "../../lib/dom.ts";
import { countText, numberText, sizeText } from "../../lib/format.ts";
import { attempt, notice } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { ifAllowed, may } from "./rights.ts";
import { leafName, sortedMailboxes } from "../names.ts";
import { t } from "../../lib/text.ts";

/** Type of data dragged from the message list. */
export const dragType = "application/x-mox-messages";

export interface MailboxListOptions {
  onOpen: (id: number | null) => void;
  /** Called when messages are dropped on a mailbox. */
  onDrop: (id: number) => void;
  /** Shown below the mailboxes. */
  below: HTMLElement;
}

export interface MailboxList {
  root: HTMLElement;
  set(mailboxes: Iterable<Mailbox>): void;
  /** Shows a mailbox's changed counts or name. */
  update(mailbox: Mailbox): void;
  /** Sets the limit on the size of all messages in bytes; null for none. */
  setQuota(bytes: number | null): void;
  setOpen(id: number | null): void;
  focus(): void;
}

const uses: readonly [SpecialUse, string][] = [
  ["archive", t("Archive")],
  ["drafts", t("Drafts")],
  ["junk", t("Junk")],
  ["sent", t("Sent")],
  ["trash", t("Trash")],
];

/** Creates the list. */
export function mailboxList(options: MailboxListOptions): MailboxList {
  let all = new Map<number, Mailbox>();
  const rows = new Map<number, { row: HTMLElement; count: HTMLElement; name: HTMLElement }>();
  let open: number | null | undefined;

  const allRow = el(
    "button",
    {
      type: "button",
      class: "mailbox all",
      onclick: () => options.onOpen(null),
      title: t("Messages of all mailboxes but junk, trash and rejects"),
    },
    el("span", { class: "mailbox-name" }, t("All mail")),
  );
  const items = el("ul", { class: "mailboxes" });
  const shared = el("div", { class: "labels" });
  const quota = el("div", { class: "quota" });
  let limit: number | null = null;
  const root = el(
    "nav",
    { class: "mailbox-list", "aria-label": t("Mailboxes") },
    items,
    el("div", { class: "mailbox-tools" }, button(t("New mailbox"), () => create(""))),
    shared,
    options.below,
    quota,
  );

  const showCounts = (mailbox: Mailbox) => {
    const r = rows.get(mailbox.id);
    if (r === undefined) return;
    // For drafts their number is more useful than how many are unread.
    const n = mailbox.specialUse.includes("drafts") ? mailbox.total : mailbox.unread;
    const what = mailbox.specialUse.includes("drafts")
      ? countText(n, "message")
      : t("{0} unread", numberText(n));
    const number = el("span", { "aria-hidden": "true" }, numberText(n));
    fill(r.count, n > 0 ? [number, unseen(what)] : null);
    r.row.classList.toggle("unread", mailbox.unread > 0);
    r.row.title = [
      `${mailbox.name}: ${countText(mailbox.total, "message")}`,
      t("{0} unread", numberText(mailbox.unread)),
      sizeText(mailbox.size),
    ].join(", ");
  };

  function showQuota(): void {
    const used = [...all.values()].reduce((n, m) => m.shared ? n : n + m.size, 0);
    if (limit === null) return fill(quota, t("{0} used", sizeText(used)));
    const text = t("{0} of {1} used", sizeText(used), sizeText(limit));
    fill(
      quota,
      el("meter", {
        min: 0,
        max: limit,
        high: limit * 0.9,
        value: Math.min(used, limit),
        "aria-label": text,
      }),
      text,
    );
  }

  function render(): void {
    rows.clear();
    const sections = Map.groupBy(all.values(), (m) => m.shared?.owner);
    const lines = (list: Iterable<Mailbox> = []) =>
      sortedMailboxes(list).map(({ mailbox, depth }) => el("li", {}, row(mailbox, depth)));
    fill(items, lines(sections.get(undefined)), el("li", {}, allRow));
    sections.delete(undefined);
    fill(
      shared,
      sections.size > 0 ? el("h2", {}, t("Shared with me")) : null,
      [...sections].map(([owner, list]) => [
        el("h3", {}, safeText(owner!)),
        el("ul", { class: "mailboxes", "aria-label": owner }, lines(list)),
      ]),
    );
    mark();
  }

  function row(mailbox: Mailbox, depth: number): HTMLElement {
    const count = el("span", { class: "mailbox-count" });
    const name = el("span", { class: "mailbox-name" }, safeText(leafName(mailbox.name)));
    const more = el("button", {
      type: "button",
      class: "quiet mailbox-more",
      // By keyboard the menu opens on the mailbox itself.
      tabindex: -1,
      "aria-label": t("Actions for {0}", mailbox.name),
      title: t("Actions"),
      onclick: (event: Event) => {
        event.stopPropagation();
        menu(mailbox.id, more);
      },
    }, "…");
    const row = el(
      "button",
      {
        type: "button",
        class: "mailbox",
        "data-name": mailbox.name,
        style: `--depth:${depth}`,
        onclick: () => options.onOpen(mailbox.id),
        "aria-keyshortcuts": "ArrowRight",
        onkeydown: (event: KeyboardEvent) => {
          const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };
          if (event.key === "ArrowRight") menu(mailbox.id, row);
          else if (steps[event.key] !== undefined) {
            const list = [...root.querySelectorAll<HTMLElement>(".mailbox:enabled")];
            list[list.indexOf(row) + steps[event.key]]?.focus();
          } else return;
          event.preventDefault();
          event.stopPropagation();
        },
        oncontextmenu: (event: Event) => {
          event.preventDefault();
          menu(mailbox.id, row);
        },
        ondragover: (event: DragEvent) => {
          if (!event.dataTransfer?.types.includes(dragType) || !may(mailbox, "i")) return;
          event.preventDefault();
          event.dataTransfer.dropEffect = "move";
          row.classList.add("drop");
        },
        ondragleave: () => row.classList.remove("drop"),
        ondrop: (event: DragEvent) => {
          event.preventDefault();
          row.classList.remove("drop");
          options.onDrop(mailbox.id);
        },
      },
      name,
      count,
    );
    rows.set(mailbox.id, { row, count, name });
    showCounts(mailbox);
    ifAllowed(may(mailbox, "r"), row);
    return el("div", { class: "mailbox-row" }, row, row.disabled ? null : more);
  }

  function mark(): void {
    for (const [id, { row }] of rows) {
      if (id === open) row.setAttribute("aria-current", "page");
      else row.removeAttribute("aria-current");
    }
    if (open === null) allRow.setAttribute("aria-current", "page");
    else allRow.removeAttribute("aria-current");
  }

  function menu(id: number, at: Element): void {
    const m = all.get(id);
    if (m === undefined) return;
    const setUse = (use: SpecialUse) => {
      const now = m.specialUse.includes(use);
      return call("MailboxSetSpecialUse", {
        id,
        specialUse: now ? m.specialUse.filter((u) => u !== use) : [...m.specialUse, use],
      });
    };
    const list: MenuItem[] = [
      ...m.shared ? [] : [{ text: t("New mailbox below"), run: () => create(`${m.name}/`) }],
      ...may(m, "s")
        ? [{ text: t("Mark all as read"), run: () => attempt(() => markRead(m)) }]
        : [],
      ...may(m, "te")
        ? [{ text: t("Empty"), danger: true, run: () => attempt(() => empty(m)) }]
        : [],
      { text: t("Save as mbox"), run: () => location.assign(exportUrl(id, "mbox")) },
      { text: t("Save as Maildir"), run: () => location.assign(exportUrl(id, "maildir")) },
    ];
    if (m.name !== "Inbox" && m.shared === undefined) {
      list.splice(
        1,
        0,
        { text: t("Rename"), run: () => attempt(() => rename(m)) },
        { text: t("Delete"), danger: true, run: () => attempt(() => remove(m)) },
      );
      for (const [use, text] of uses) {
        list.push({
          text: t("Use for {0}", text),
          checked: m.specialUse.includes(use),
          run: () => attempt(() => setUse(use)),
        });
      }
    }
    openMenu(at, list, t("Actions for {0}", m.name));
  }

  const create = (prefix: string) =>
    attempt(async () => {
      const name = await promptDialog(
        t("New mailbox"),
        t("Name; / separates levels"),
        prefix,
        t("Create"),
      );
      if (name === undefined || name === prefix) return;
      const { mailbox } = await call("MailboxCreate", { name });
      options.onOpen(mailbox.id);
    });
  const rename = async (mailbox: Mailbox) => {
    const name = await promptDialog(
      t("Rename"),
      t("New name of {0}", mailbox.name),
      mailbox.name,
      t("Rename"),
    );
    if (name !== undefined && name !== mailbox.name) {
      await call("MailboxRename", { id: mailbox.id, name });
    }
  };
  const remove = async (mailbox: Mailbox) => {
    const yes = await confirmDialog(
      t("Delete {0}", mailbox.name),
      t("The mailbox and its {0} are removed for good.", countText(mailbox.total, "message")),
      t("Delete"),
      { danger: true },
    );
    if (yes) await call("MailboxDelete", { id: mailbox.id });
  };
  const empty = async (mailbox: Mailbox) => {
    const yes = await confirmDialog(
      t("Empty {0}", mailbox.name),
      t("Its {0} are removed for good.", countText(mailbox.total, "message")),
      t("Empty"),
      { danger: true },
    );
    if (!yes) return;
    const { count } = await call("MailboxEmpty", { id: mailbox.id });
    notice(t("{0} removed.", countText(count, "message")));
  };
  const markRead = async (mailbox: Mailbox) => {
    const { count } = await call("FlagsSet", {
      target: {
        query: {
          mailboxId: mailbox.id,
          withChildren: false,
          filter: { notFlags: ["seen"] },
          order: "newest",
          threading: "off",
        },
      },
      add: ["seen"],
      remove: [],
      addKeywords: [],
      removeKeywords: [],
    });
    notice(t("{0} marked as read.", countText(count, "message")));
  };

  return {
    root,
    set: (mailboxes) => {
      all = new Map([...mailboxes].map((m) => [m.id, m]));
      render();
      showQuota();
    },
    update: (m) => {
      all.set(m.id, m);
      showCounts(m);
      showQuota();
    },
    setQuota: (bytes) => {
      limit = bytes;
      showQuota();
    },
    setOpen: (id) => {
      open = id;
      mark();
    },
    focus: () => {
      (root.querySelector<HTMLElement>("[aria-current]") ??
        root.querySelector<HTMLElement>("button"))?.focus();
    },
  };
}
