/**
 * Identifiers of access control lists: whose rights a command is about (RFC 4314 §2).
 *
 * The owner of a mailbox keeps all rights, so nobody can be locked out of their own mail.
 *
 * @module
 */
import type { RightsNote } from "../../../store/mailboxes/noted_rights.ts";
import { anyone } from "../../../store/mailboxes/rights.ts";
import { ImapNo } from "../session/answer.ts";
import type { Session } from "../session/session.ts";

/** Whose session changes rights, and who is notified. */
export function rightsNote(session: Session): RightsNote {
  return {
    by: { account: session.store.name, login: session.login ?? "" },
    changed: (c) => session.backend.sharing?.changed?.(c) ?? Promise.resolve(),
  };
}

/** Whom an identifier means, and whether it takes rights away. @throws ImapNo if there is no such account */
export function whoIs(session: Session, identifier: string): { user: string; negative: boolean } {
  const negative = identifier.startsWith("-");
  const name = negative ? identifier.slice(1) : identifier;
  const user = name === anyone ? anyone : session.backend.sharing?.accountNamed(name);
  if (user === undefined) throw new ImapNo(`there is no account ${name} here`, "CANNOT");
  return { user, negative };
}
