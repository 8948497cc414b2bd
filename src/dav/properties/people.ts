/** Names and addresses of accounts and collections. @module */
import type { Resource } from "../core/resources.ts";
import type { DavServices } from "../services.ts";
import { DAV } from "../xml/write.ts";
import { innerText } from "../xml/stored.ts";
import type { PropertyContext } from "./types.ts";

/** Addresses of an account that are single ones. */
export function addressesOf(s: DavServices, account: string): string[] {
  return s.config.accountAddresses(account).filter((a) => !a.startsWith("@"));
}

const defaults: Record<string, string> = {
  "calendars/default": "Calendar",
  "addressbooks/default": "Contacts",
  "calendars/inbox": "Invitations",
  "calendars/outbox": "Outbox",
};

/** The name to show of a resource. */
export function displayNameOf({ s }: PropertyContext, r: Resource): string {
  switch (r.kind) {
    case "principal":
      return s.config.account(r.account)?.FullName || addressesOf(s, r.account)[0] || r.account;
    case "home":
    case "homes":
      return r.home === "calendars" ? "Calendars" : "Address books";
    case "principals":
      return "People";
    case "collection": {
      const given = r.g.properties(r.collection.id).get(`{${DAV}}displayname`);
      const text = given === undefined ? "" : innerText(given);
      return text || defaults[`${r.home}/${r.collection.name}`] || r.collection.name;
    }
    case "object":
      return r.object.summary;
    default:
      return "mox";
  }
}
