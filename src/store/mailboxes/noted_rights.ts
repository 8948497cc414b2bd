/** Changing rights of a mailbox so that the users concerned are notified. @module */
import type { AccountDb } from "../database/account_db.ts";
import type { Mailbox } from "../types.ts";
import { anyone, changeRights, effectiveRights } from "./rights.ts";
import type { RightsChange } from "./shares.ts";

/** Who changes rights, and who is notified. */
export interface RightsNote {
  by: RightsChange["by"];
  changed?: (change: RightsChange) => Promise<void>;
}

/**
 * Changes the rights granted to an identifier, and notifies the user of the new rights; durable when it
 * resolves.
 * @throws StoreError as {@link changeRights}
 */
export async function changeNotedRights(
  account: AccountDb,
  mailbox: Pick<Mailbox, "id" | "name">,
  identifier: string,
  change: (before: string) => string,
  note: RightsNote,
): Promise<void> {
  const user = identifier.replace(/^-/, "");
  const rights = () => user === anyone ? "" : effectiveRights(account, mailbox.id, user);
  const before = rights();
  await changeRights(account, mailbox.id, identifier, change);
  const { id, name } = mailbox;
  const after = rights();
  await note.changed?.({
    owner: account.name,
    by: note.by,
    type: "Mailbox",
    id,
    name,
    account: user,
    before,
    after,
  });
}
