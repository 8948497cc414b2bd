/** The user's rights in mailboxes that others share (RFC 4314). @module */
import type { Mailbox } from "../../api/mod.ts";
import { t } from "../../lib/text.ts";

/** Whether the user has all of these rights; always true for the user's own mailboxes. */
export function may(mailbox: Mailbox | undefined, rights: string): boolean {
  const { shared } = mailbox ?? {};
  return shared === undefined || [...rights].every((r) => shared.rights.includes(r));
}

/** The button, disabled with an explanation if the action isn't allowed. */
export function ifAllowed(allowed: boolean, button: HTMLButtonElement): HTMLButtonElement {
  if (allowed) return button;
  button.disabled = true;
  button.title = t("Whoever shares this mailbox has not allowed you this.");
  return button;
}
