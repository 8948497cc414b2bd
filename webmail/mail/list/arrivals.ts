/** Notifications of new messages while the page is in the background. @module */
import type { MessageItem } from "../../api/mod.ts";
import { shortName, subjectText } from "../names.ts";

/** Shows a notification, if the user has allowed them and the page is not visible. */
export function tellArrival(item: MessageItem, onClick: () => void): void {
  if (!document.hidden || globalThis.Notification?.permission !== "granted") return;
  const who = item.from.map(shortName).join(", ");
  const n = new Notification(who, { body: subjectText(item), tag: `message-${item.id}` });
  n.onclick = () => {
    focus();
    onClick();
  };
}
