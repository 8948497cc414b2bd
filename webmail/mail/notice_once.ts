/** What is said once in each browser. @module */
import { notice, type NoticeAction } from "../lib/notify.ts";

/** Says something unless it was said before. */
export function noticeOnce(name: string, text: string, action?: NoticeAction): void {
  const key = `mox-webmail-said-${name}`;
  try {
    if (localStorage.getItem(key) !== null) return;
    localStorage.setItem(key, "yes");
  } catch {
    // Without storage it would be said each time.
    return;
  }
  notice(text, action);
}
