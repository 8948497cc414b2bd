/** Keys that work everywhere on the page. @module */
import type { Actions } from "./actions.ts";
import type { SelectedMessages } from "./list/selected_messages.ts";
import type { KeyLayer } from "../lib/keys.ts";
import { t } from "../lib/text.ts";

export interface PageKeysOptions {
  act: Actions;
  selected: SelectedMessages;
  compose: () => void;
  search: () => void;
  goToMailboxes: () => void;
  calendar: () => void;
  contacts: () => void;
  help: () => void;
  /** Where the menu for moving messages opens. */
  moveMenuAt: () => Element;
}

/** The layer with these keys. */
export function pageKeys(options: PageKeysOptions): KeyLayer {
  const { act } = options;
  return {
    name: t("Everywhere"),
    shortcuts: [
      { key: "c", what: t("Write a message"), run: options.compose },
      { key: "/", what: t("Search"), run: options.search },
      { key: "g", what: t("Go to the list of mailboxes"), run: options.goToMailboxes },
      { key: "K", what: t("Calendar"), run: options.calendar },
      { key: "P", what: t("Contacts"), run: options.contacts },
      { key: "?", what: t("Help"), run: options.help },
      { key: "a", what: t("Archive"), run: act.archive },
      { key: "d", what: t("Move to trash"), run: act.trash },
      { key: "Delete", what: t("Move to trash"), run: act.trash },
      { key: "D", what: t("Delete for good"), run: act.deleteForever },
      { key: "q", what: t("Move to junk"), run: act.junk },
      { key: "Q", what: t("Mark as not junk"), run: act.notJunk },
      {
        key: "v",
        what: t("Move to another mailbox"),
        run: () => act.moveMenu(options.moveMenuAt()),
      },
      { key: "m", what: t("Mark as read"), run: () => act.flags(["seen"], []) },
      { key: "u", what: t("Mark as unread"), run: () => act.flags([], ["seen"]) },
      {
        key: "s",
        what: t("Flag, or take the flag away"),
        run: () => {
          const flagged = options.selected.allFlagged();
          act.flags(flagged ? [] : ["flagged"], flagged ? ["flagged"] : []);
        },
      },
      { key: "l", what: t("Keywords"), run: act.label },
      {
        key: "M",
        what: t("Mute the thread, or unmute it"),
        run: () => act.mute(!options.selected.here().some((m) => m.threadMuted)),
      },
      { key: "b", what: t("Snooze"), run: () => act.snoozeMenu(options.moveMenuAt()) },
      { key: "z", what: t("Undo"), run: act.undo },
    ],
  };
}
