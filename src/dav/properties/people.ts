/** Names and addresses of accounts and collections. @module */
import type { Resource } from "../core/resources.ts";
import type { DavServices } from "../services.ts";
import { DAV } from "../xml/write.ts";
import { innerText } from "../xml/stored.ts";
import type { PropertyContext } from "./types.ts";

/** Addresses of an account, without catch-alls. */
export function addressesOf(services: DavServices, account: string): string[] {
  return services.config.accountAddresses(account).filter((a) => !a.startsWith("@"));
}

const defaults: Record<string, string> = {
  "calendars/default": "Calendar",
  "addressbooks/default": "Contacts",
  "calendars/inbox": "Invitations",
  "calendars/outbox": "Outbox",
};

/** The display name of a resource. */
export function displayNameOf({ s }: PropertyContext, resource: Resource): string {
  switch (resource.kind) {
    case "principal":
      return s.config.account(resource.account)?.FullName || addressesOf(s, resource.account)[0] ||
        resource.account;
    case "home":
    case "homes":
      return resource.home === "calendars" ? "Calendars" : "Address books";
    case "principals":
      return "People";
    case "collection": {
      const given = resource.g.properties(resource.collection.id).get(`{${DAV}}displayname`);
      const text = given === undefined ? "" : innerText(given);
      return text || defaults[`${resource.home}/${resource.collection.name}`] ||
        resource.collection.name;
    }
    case "object":
      return resource.object.summary;
    default:
      return "mox";
  }
}
