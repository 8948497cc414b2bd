/** Rights that were changed by IMAP, DAV or the account page, as ShareNotifications (RFC 9670 §3). @module */
import type { RightsChange } from "../../store/mailboxes/shares.ts";
import { asMailboxId } from "../../store/ids.ts";
import { collectionRights } from "../groupware/collection_object.ts";
import { idOf } from "../groupware/collections.ts";
import { mailboxIdOf } from "../mail/ids.ts";
import { myRights } from "../mail/mailbox_object.ts";
import type { JmapServices } from "../services.ts";
import { noteShares } from "../principals/share_notifications.ts";

function objectIdOf(c: RightsChange): string {
  switch (c.type) {
    case "Mailbox":
      return mailboxIdOf(asMailboxId(c.id));
    case "Calendar":
      return idOf("calendars", "collection", c.id);
    case "AddressBook":
      return idOf("addressbooks", "collection", c.id);
  }
}

function rightsOf(c: RightsChange, rights: string): Record<string, boolean> {
  if (c.type === "Mailbox") return myRights(rights, c.name === "Inbox");
  return collectionRights(
    c.type === "Calendar" ? "calendars" : "addressbooks",
    rights === "write" ? "write" : "read",
  );
}

/** Notes a change for the account whose rights they are. On disk when it resolves. */
export async function noteRightsChange(
  s: Pick<JmapServices, "config" | "objects">,
  c: RightsChange,
): Promise<void> {
  const of = (rights: string) =>
    new Map(rights === "" ? [] : [[c.account, rightsOf(c, rights)] as const]);
  await noteShares(
    s,
    c.by,
    { objectType: c.type, objectId: objectIdOf(c), name: c.name, owner: c.owner },
    of(c.before),
    of(c.after),
  );
}
