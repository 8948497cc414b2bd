/** Emails of a thread. @module */
import { emailsOfThread } from "../../store/messages/threads.ts";
import type { MailView } from "./view.ts";

/** Slots of the visible emails of a thread, oldest first (RFC 8621 §3). */
export function threadSlots(view: MailView, threadId: number | undefined): number[] {
  if (threadId === undefined) return [];
  const { index } = view;
  const slots: number[] = [];
  for (
    const emailId of emailsOfThread(view.account.db, threadId)
  ) {
    const slot = index.slotOf(emailId);
    if (slot !== undefined && view.visible(slot)) slots.push(slot);
  }
  return slots.sort((a, b) =>
    index.received[a] - index.received[b] || index.emailId[a] - index.emailId[b]
  );
}
