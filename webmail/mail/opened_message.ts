/** The opened message, with the actions on it. @module */
import { call } from "../api/client.ts";
import type { MessageItem, Settings, StartEvent } from "../api/mod.ts";
import type { MenuItem } from "../lib/dialog.ts";
import { attempt } from "../lib/notify.ts";
import type { Actions } from "./actions.ts";
import { answer, fromMailto, wantsRich } from "./compose/quoting.ts";
import type { ComposeWindows } from "./compose/windows.ts";
import { withLater } from "./later.ts";
import { ownMailboxes, type PageState } from "./page_state.ts";
import { type MessageView, messageView } from "./reading/message_view.ts";
import { noticeOnce } from "./notice_once.ts";
import { t } from "../lib/text.ts";

export interface OpenedMessageParts {
  act: Actions;
  windows: ComposeWindows;
  tools: (item: MessageItem) => HTMLElement[];
  compose: (to: string) => void;
  /** Selects a message in the list. */
  select: (id: number) => void;
  /** On a phone, goes back to the list. */
  back: () => void;
  showSettings: () => void;
}

export function openedMessage(state: PageState, parts: OpenedMessageParts): MessageView {
  // No message can be open before the server has sent these.
  const start = (): StartEvent => state.start!;
  const settings = (): Settings => state.settings!;

  const setFlags = (item: MessageItem, flag: "seen" | "notjunk") =>
    call("FlagsSet", {
      target: { ids: [item.id] },
      add: [flag],
      remove: [],
      addKeywords: [],
      removeKeywords: [],
    }).catch(() => {
      // Tried again when the message is next opened.
    });

  function notJunk(item: MessageItem): void {
    // Looking at a message in the junk mailbox doesn't mean that it is good.
    const box = state.mailboxes.get(item.mailboxId);
    if (box?.shared !== undefined) return;
    if (box?.specialUse.some((u) => ["junk", "trash", "sent", "drafts"].includes(u))) return;
    if (box !== undefined && start().rejectsMailboxes.includes(box.name)) return;
    void setFlags(item, "notjunk");
    noticeOnce(
      "notJunk",
      t(
        "Messages that are open for {0} seconds are marked as not junk, which trains your filter.",
        settings().notJunkAfter,
      ),
      { text: t("Change"), run: parts.showSettings, seconds: 30 },
    );
  }

  /** For developers: localserve's page with everything about a message. */
  function checksItem(id: number): MenuItem[] {
    const { checks } = start();
    if (checks === null) return [];
    const page = checks.replace("{id}", String(id));
    return [{
      text: t("Checks"),
      title: t("What readers and receivers may mind of this message"),
      run: () => void open(page, "_blank", "noopener"),
    }];
  }

  const view: MessageView = messageView({
    settings,
    onSeen: (m) => void setFlags(m, "seen"),
    onNotJunk: notJunk,
    onReply: (m, how, shown) =>
      attempt(async () => {
        const rich = how !== "forwardAttached" && wantsRich(settings(), m, shown);
        const quote = rich
          ? await call("MessageQuote", { id: m.item.id, style: how === "forward" })
          : undefined;
        parts.windows.open(answer(start(), settings(), m, how, quote));
      }),
    onEditDraft: (id) => attempt(() => parts.windows.edit(id)),
    onShow: parts.select,
    onBack: parts.back,
    onCompose: (to) =>
      to.startsWith("mailto:")
        ? parts.windows.open(fromMailto(start(), settings(), to))
        : parts.compose(to),
    tools: parts.tools,
    more: (m) => [
      { text: t("Keywords"), title: t("Add or remove keywords. Key: l"), run: parts.act.label },
      {
        text: t("Make a rule"),
        title: t("For messages like this one, when they come"),
        run: () => {
          const headers = view.current()?.headers ?? [];
          withLater((p) => p.openRules(ownMailboxes(state), p.ruleFrom(m, headers)));
        },
      },
      {
        text: t("Add sender to contacts"),
        title: t("Whoever wrote this message becomes a contact"),
        run: () => withLater((p) => p.addSender(m.from[0])),
      },
      { text: t("What rules did"), run: () => withLater((p) => p.showLog(m.id)) },
      ...checksItem(m.id),
      ...settings().threading === "off" ? [] : [{
        text: m.threadMuted ? t("Unmute thread") : t("Mute thread"),
        title: t("Whether new messages of this thread are marked as read. Key: M"),
        run: () => parts.act.mute(!m.threadMuted),
      }],
    ],
  });
  return view;
}
