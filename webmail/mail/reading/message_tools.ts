/** Buttons for what can be done to messages. @module */
import type { Actions } from "../actions.ts";
import type { Mailbox, MessageItem } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { has } from "../names.ts";
import { t } from "../../lib/text.ts";

/** Buttons for a message of the mailbox, or (undefined) for those selected. */
export function messageTools(
  act: Actions,
  box: Mailbox | undefined,
  item: MessageItem | undefined,
): HTMLElement[] {
  const inTrash = box?.specialUse.includes("trash") === true;
  const inJunk = box?.specialUse.includes("junk") === true;
  const move: HTMLButtonElement = button(t("Move"), () => act.moveMenu(move), {
    key: "v",
    title: t("Move to another mailbox"),
  });
  const snooze: HTMLButtonElement = button(t("Snooze"), () => act.snoozeMenu(snooze), {
    key: "b",
    title: t("Put away until a time"),
  });
  const seen = item !== undefined && has(item, "seen");
  return [
    button(t("Archive"), act.archive, { key: "a" }),
    inTrash
      ? button(t("Delete for good"), act.deleteForever, { key: "D", danger: true })
      : button(t("Trash"), act.trash, { key: "d" }),
    inJunk
      ? button(t("Not junk"), act.notJunk, {
        key: "Q",
        title: t("Train the filter that this is fine"),
      })
      : button(t("Junk"), act.junk, { key: "q", title: t("Move to junk, and train the filter") }),
    move,
    snooze,
    item !== undefined && !seen
      ? button(t("Read"), () => act.flags(["seen"], []), { key: "m", title: t("Mark as read") })
      : button(t("Unread"), () => act.flags([], ["seen"]), {
        key: "u",
        title: t("Mark as unread"),
      }),
    ...item === undefined ? [button(t("Read"), () => act.flags(["seen"], []), { key: "m" })] : [],
    item !== undefined && has(item, "flagged")
      ? button(t("Unflag"), () => act.flags([], ["flagged"]), { key: "s" })
      : button(t("Flag"), () => act.flags(["flagged"], []), { key: "s" }),
    ...item === undefined
      ? [button(t("Keywords"), act.label, { key: "l", title: t("Add or remove keywords") })]
      : [],
  ];
}
