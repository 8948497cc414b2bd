/** Buttons for actions on messages. @module */
import type { Actions } from "../actions.ts";
import type { Mailbox, MessageItem } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { ifAllowed, may } from "../mailboxes/rights.ts";
import { has } from "../names.ts";
import { t } from "../../lib/text.ts";

/** Buttons for a message in the mailbox, or (undefined) for the selected ones. */
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
  const own = box?.shared === undefined;
  const canMove = may(box, "te");
  const canSee = may(box, "s");
  const canFlag = may(box, "w");
  const seen = item !== undefined && has(item, "seen");
  return [
    ...own ? [button(t("Archive"), act.archive, { key: "a" })] : [],
    inTrash && own
      ? button(t("Delete for good"), act.deleteForever, { key: "D", danger: true })
      : ifAllowed(canMove, button(t("Trash"), act.trash, { key: "d" })),
    ...!own ? [] : [
      inJunk
        ? button(t("Not junk"), act.notJunk, {
          key: "Q",
          title: t("Train the filter that this is fine"),
        })
        : button(t("Junk"), act.junk, { key: "q", title: t("Move to junk, and train the filter") }),
    ],
    ifAllowed(canMove, move),
    ...own ? [snooze] : [],
    ifAllowed(
      canSee,
      item !== undefined && !seen
        ? button(t("Read"), () => act.flags(["seen"], []), { key: "m", title: t("Mark as read") })
        : button(t("Unread"), () => act.flags([], ["seen"]), {
          key: "u",
          title: t("Mark as unread"),
        }),
    ),
    ...item === undefined
      ? [ifAllowed(canSee, button(t("Read"), () => act.flags(["seen"], []), { key: "m" }))]
      : [],
    ifAllowed(
      canFlag,
      item !== undefined && has(item, "flagged")
        ? button(t("Unflag"), () => act.flags([], ["flagged"]), { key: "s" })
        : button(t("Flag"), () => act.flags(["flagged"], []), { key: "s" }),
    ),
    ...item === undefined
      ? [
        ifAllowed(
          canFlag,
          button(t("Keywords"), act.label, { key: "l", title: t("Add or remove keywords") }),
        ),
      ]
      : [],
  ];
}
