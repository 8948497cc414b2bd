/** Keys that work everywhere on the page. @module */
import type { Actions } from "./actions.ts";
import type { MessageItem } from "../api/mod.ts";
import type { KeyLayer } from "../lib/keys.ts";
import { has } from "./names.ts";

export interface PageKeysOptions {
  act: Actions;
  selected: () => MessageItem[];
  compose: () => void;
  search: () => void;
  goToMailboxes: () => void;
  help: () => void;
  /** Where the menu of mailboxes to move to opens. */
  moveMenuAt: () => Element;
}

/** The layer of these keys. */
export function pageKeys(o: PageKeysOptions): KeyLayer {
  const { act } = o;
  return {
    name: "Everywhere",
    shortcuts: [
      { key: "c", what: "Write a message", run: o.compose },
      { key: "/", what: "Search", run: o.search },
      { key: "g", what: "Go to the list of mailboxes", run: o.goToMailboxes },
      { key: "?", what: "Help", run: o.help },
      { key: "a", what: "Archive", run: act.archive },
      { key: "d", what: "Move to trash", run: act.trash },
      { key: "Delete", what: "Move to trash", run: act.trash },
      { key: "D", what: "Delete for good", run: act.deleteForever },
      { key: "q", what: "Move to junk", run: act.junk },
      { key: "Q", what: "Mark as not junk", run: act.notJunk },
      {
        key: "v",
        what: "Move to another mailbox",
        run: () => act.moveMenu(o.moveMenuAt()),
      },
      { key: "m", what: "Mark as read", run: () => act.flags(["seen"], []) },
      { key: "u", what: "Mark as unread", run: () => act.flags([], ["seen"]) },
      {
        key: "s",
        what: "Flag, or take the flag away",
        run: () => {
          const flagged = o.selected().every((m) => has(m, "flagged"));
          act.flags(flagged ? [] : ["flagged"], flagged ? ["flagged"] : []);
        },
      },
      { key: "l", what: "Keywords", run: act.label },
      {
        key: "M",
        what: "Mute the thread, or unmute it",
        run: () => act.mute(!o.selected().some((m) => m.threadMuted)),
      },
      { key: "b", what: "Snooze", run: () => act.snoozeMenu(o.moveMenuAt()) },
      { key: "z", what: "Undo", run: act.undo },
    ],
  };
}
