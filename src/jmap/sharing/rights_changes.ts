/** Rights changed by IMAP, DAV or the account page, as ShareNotifications (RFC 9670 §3). @module */
import type { RightsChange } from "../../store/mailboxes/shares.ts";
import { asMailboxId } from "../../store/ids.ts";
import { collectionRights } from "../groupware/collection_object.ts";
import { idOf } from "../groupware/collections.ts";
import { mailboxIdOf } from "../mail/ids.ts";
import { myRights } from "../mail/mailbox_object.ts";
import type { JmapServices } from "../services.ts";
import { noteShares } from "../principals/share_notifications.ts";

function objectIdOf(change: RightsChange): string {
  switch (change.type) {
    case "Mailbox":
      return mailboxIdOf(asMailboxId(change.id));
    case "Calendar":
      return idOf("calendars", "collection", change.id);
    case "AddressBook":
      return idOf("addressbooks", "collection", change.id);
  }
}

function rightsOf(change: RightsChange, rights: string): Record<string, boolean> {
  if (change.type === "Mailbox") return myRights(rights, change.name === "Inbox");
  return collectionRights(
    change.type === "Calendar" ? "calendars" : "addressbooks",
    rights === "write" ? "write" : "read",
  );
}

/** Notes a change for the account that holds the rights. On disk when it resolves. */
export async function noteRightsChange(
  s: Pick<JmapServices, "config" | "objects">,
  change: RightsChange,
): Promise<void> {
  const of = (rights: string) =>
    new Map(rights === "" ? [] : [[change.account, rightsOf(change, rights)] as const]);
  await noteShares(
    s,
    change.by,
    {
      objectType: change.type,
      objectId: objectIdOf(change),
      name: change.name,
      owner: change.owner,
    },
    of(change.before),
    of(change.after),
  );
}
