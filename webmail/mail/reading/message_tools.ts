/** Buttons for what can be done to messages. @module */
import type { Actions } from "../actions.ts";
import type { Mailbox, MessageItem } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { has } from "../names.ts";

/** Buttons for a message of the mailbox, or (undefined) for those selected. */
export function messageTools(
  act: Actions,
  box: Mailbox | undefined,
  m: MessageItem | undefined,
): HTMLElement[] {
  const inTrash = box?.specialUse.includes("trash") === true;
  const inJunk = box?.specialUse.includes("junk") === true;
  const move: HTMLButtonElement = button("Move", () => act.moveMenu(move), {
    key: "v",
    title: "Move to another mailbox",
  });
  const snooze: HTMLButtonElement = button("Snooze", () => act.snoozeMenu(snooze), {
    key: "b",
    title: "Put away until a time",
  });
  const seen = m !== undefined && has(m, "seen");
  return [
    button("Archive", act.archive, { key: "a" }),
    inTrash
      ? button("Delete for good", act.deleteForever, { key: "D", danger: true })
      : button("Trash", act.trash, { key: "d" }),
    inJunk
      ? button("Not junk", act.notJunk, { key: "Q", title: "Train the filter that this is fine" })
      : button("Junk", act.junk, { key: "q", title: "Move to junk, and train the filter" }),
    move,
    snooze,
    m !== undefined && !seen
      ? button("Read", () => act.flags(["seen"], []), { key: "m", title: "Mark as read" })
      : button("Unread", () => act.flags([], ["seen"]), { key: "u", title: "Mark as unread" }),
    ...m === undefined ? [button("Read", () => act.flags(["seen"], []), { key: "m" })] : [],
    m !== undefined && has(m, "flagged")
      ? button("Unflag", () => act.flags([], ["flagged"]), { key: "s" })
      : button("Flag", () => act.flags(["flagged"], []), { key: "s" }),
    ...m === undefined
      ? [button("Keywords", act.label, { key: "l", title: "Add or remove keywords" })]
      : [],
  ];
}
