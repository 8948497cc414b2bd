/** The opened message, put together with what can be done with it. @module */
import { call } from "../api/client.ts";
import type { MessageItem, Settings, StartEvent } from "../api/mod.ts";
import type { MenuItem } from "../lib/dialog.ts";
import { attempt } from "../lib/notify.ts";
import type { Actions } from "./actions.ts";
import { answer, fromMailto, wantsRich } from "./compose/quoting.ts";
import type { ComposeWindows } from "./compose/windows.ts";
import { addSender } from "./contacts/contacts.ts";
import type { PageState } from "./page_state.ts";
import { type MessageView, messageView } from "./reading/message_view.ts";
import { ruleFrom } from "./rules/from_message.ts";
import { openRules } from "./rules/rules.ts";
import { showLog } from "./rules/trying.ts";
import { noticeOnce } from "./notice_once.ts";
import { t } from "../lib/text.ts";

export interface OpenedMessageParts {
  act: Actions;
  windows: ComposeWindows;
  tools: (m: MessageItem) => HTMLElement[];
  compose: (to: string) => void;
  /** Selects a message of the list. */
  select: (id: number) => void;
  /** On a phone, back to the list. */
  back: () => void;
  showSettings: () => void;
}

export function openedMessage(s: PageState, p: OpenedMessageParts): MessageView {
  // A message is open only after the server has said these.
  const start = (): StartEvent => s.start!;
  const settings = (): Settings => s.settings!;

  const setFlags = (m: MessageItem, flag: "seen" | "notjunk") =>
    call("FlagsSet", {
      target: { ids: [m.id] },
      add: [flag],
      remove: [],
      addKeywords: [],
      removeKeywords: [],
    }).catch(() => {
      // Tried again when the message is opened again.
    });

  function notJunk(m: MessageItem): void {
    // What lies in the junk mailbox is not vouched for by being looked at.
    const box = s.mailboxes.get(m.mailboxId);
    if (box?.specialUse.some((u) => ["junk", "trash", "sent", "drafts"].includes(u))) return;
    if (box !== undefined && start().rejectsMailboxes.includes(box.name)) return;
    void setFlags(m, "notjunk");
    noticeOnce(
      "notJunk",
      t(
        "Messages that are open for {0} seconds are marked as not junk, which trains your filter.",
        settings().notJunkAfter,
      ),
      { text: t("Change"), run: p.showSettings, seconds: 30 },
    );
  }

  /** For programs that are tested: the page of localserve with all there is of a message. */
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
        p.windows.open(answer(start(), settings(), m, how, quote));
      }),
    onEditDraft: (id) => attempt(() => p.windows.edit(id)),
    onShow: p.select,
    onBack: p.back,
    onCompose: (to) =>
      to.startsWith("mailto:")
        ? p.windows.open(fromMailto(start(), settings(), to))
        : p.compose(to),
    tools: p.tools,
    more: (m) => [
      { text: t("Keywords"), title: t("Add or remove keywords. Key: l"), run: p.act.label },
      {
        text: t("Make a rule"),
        title: t("For messages like this one, when they come"),
        run: () => openRules(s.mailboxes.values(), ruleFrom(m, view.current()?.headers ?? [])),
      },
      {
        text: t("Add sender to contacts"),
        title: t("Whoever wrote this message becomes a contact"),
        run: () => addSender(m.from[0]),
      },
      { text: t("What rules did"), run: () => showLog(m.id) },
      ...checksItem(m.id),
      ...settings().threading === "off" ? [] : [{
        text: m.threadMuted ? t("Unmute thread") : t("Mute thread"),
        title: t("Whether new messages of this thread are marked as read. Key: M"),
        run: () => p.act.mute(!m.threadMuted),
      }],
    ],
  });
  return view;
}
