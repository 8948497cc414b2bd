/** What the user may do in mailboxes that others share (RFC 4314). @module */
import type { Mailbox } from "../../api/mod.ts";
import { t } from "../../lib/text.ts";

/** Whether the user has all of these rights; of the own mailboxes always. */
export function may(mailbox: Mailbox | undefined, rights: string): boolean {
  const { shared } = mailbox ?? {};
  return shared === undefined || [...rights].every((r) => shared.rights.includes(r));
}

/** The button, or one that says why it can't be used. */
export function ifAllowed(allowed: boolean, button: HTMLButtonElement): HTMLButtonElement {
  if (allowed) return button;
  button.disabled = true;
  button.title = t("Whoever shares this mailbox has not allowed you this.");
  return button;
}
