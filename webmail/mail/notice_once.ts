/** Notices that each browser shows once. @module */
import { notice, type NoticeAction } from "../lib/notify.ts";

/** Shows a notice unless it was shown before. */
export function noticeOnce(name: string, text: string, action?: NoticeAction): void {
  const key = `mox-webmail-said-${name}`;
  try {
    if (localStorage.getItem(key) !== null) return;
    localStorage.setItem(key, "yes");
  } catch {
    // Without storage it would be shown each time.
    return;
  }
  notice(text, action);
}
