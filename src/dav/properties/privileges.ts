/** Privileges (RFC 3744 §5) as properties. @module */
import { type Context, pathOf, type Resource } from "../core/resources.ts";
import { CAL, DAV, el, escapeXml, href } from "../xml/write.ts";

const privilege = (ns: string, name: string) => el(DAV, "privilege", el(ns, name));
const dav = (...names: string[]) => names.map((n) => privilege(DAV, n)).join("");
const cal = (...names: string[]) => names.map((n) => privilege(CAL, n)).join("");

const readNames = ["read", "read-current-user-privilege-set"];
const writeNames = ["write", "write-properties", "write-content", "bind", "unbind", "unlock"];

/** Whether a user may change the contents of a resource. */
export function mayWrite(resource: Resource): boolean {
  return "rights" in resource && (resource.rights === "owner" || resource.rights === "write");
}

/** Privileges of the user on a resource. */
export function userPrivileges(resource: Resource): string {
  if (!("rights" in resource)) return dav(...readNames);
  const calendar = "home" in resource && resource.home === "calendars" ? cal("read-free-busy") : "";
  if (resource.rights === "read") return dav(...readNames) + calendar;
  if (resource.rights === "write") return dav(...readNames, ...writeNames) + calendar;
  const all = dav("all", ...readNames, ...writeNames, "read-acl", "write-acl") + calendar;
  if (resource.kind !== "collection") return all;
  const names = resource.collection.kind === "inbox"
    ? [
      "schedule-deliver",
      "schedule-deliver-invite",
      "schedule-deliver-reply",
      "schedule-query-freebusy",
    ]
    : resource.collection.kind === "outbox"
    ? ["schedule-send", "schedule-send-invite", "schedule-send-reply", "schedule-send-freebusy"]
    : [];
  return all + cal(...names);
}

/** All privileges, each with those it contains (RFC 3744 §5.3). */
export function supportedPrivileges(resource: Resource): string {
  const one = (ns: string, name: string, words: string, inner = "") =>
    el(
      DAV,
      "supported-privilege",
      privilege(ns, name) + el(DAV, "description", escapeXml(words), ' xml:lang="en"') + inner,
    );
  const calendars = "home" in resource && resource.home === "calendars";
  const read = one(
    DAV,
    "read",
    "Read",
    one(DAV, "read-current-user-privilege-set", "Read one's own rights") +
      (calendars ? one(CAL, "read-free-busy", "Read when one is busy") : ""),
  );
  const write = one(
    DAV,
    "write",
    "Write",
    one(DAV, "write-properties", "Write properties") + one(DAV, "write-content", "Write content") +
      one(DAV, "bind", "Add") + one(DAV, "unbind", "Remove"),
  );
  const schedule = resource.kind === "collection" && resource.collection.kind === "inbox"
    ? one(
      CAL,
      "schedule-deliver",
      "Deliver invitations",
      one(CAL, "schedule-deliver-invite", "Deliver invitations of organizers") +
        one(CAL, "schedule-deliver-reply", "Deliver answers") +
        one(CAL, "schedule-query-freebusy", "Ask when one is busy"),
    )
    : resource.kind === "collection" && resource.collection.kind === "outbox"
    ? one(
      CAL,
      "schedule-send",
      "Send invitations",
      one(CAL, "schedule-send-invite", "Send invitations as organizer") +
        one(CAL, "schedule-send-reply", "Send answers") +
        one(CAL, "schedule-send-freebusy", "Ask when others are busy"),
    )
    : "";
  return one(
    DAV,
    "all",
    "All",
    read + write + one(DAV, "read-acl", "Read rights") + one(DAV, "write-acl", "Change rights") +
      one(DAV, "unlock", "Unlock") + schedule,
  );
}

/** Everybody's rights on a resource (RFC 3744 §5.5). */
export function aclOf(ctx: Context, resource: Resource): string {
  const ace = (principal: string, privileges: string, marks: string) =>
    el(DAV, "ace", el(DAV, "principal", principal) + el(DAV, "grant", privileges) + marks);
  const protectedAce = el(DAV, "protected");
  if (!("account" in resource)) {
    return ace(el(DAV, "authenticated"), dav("read"), protectedAce);
  }
  const owner = href(pathOf(ctx.base, "principals", resource.account));
  const list = [ace(owner, dav("all"), protectedAce)];
  if ("collection" in resource) {
    for (const g of resource.g.grants(resource.collection.id)) {
      const names = g.rights === "write" ? ["read", "write"] : ["read"];
      list.push(ace(
        href(pathOf(ctx.base, "principals", g.account)),
        dav(...names),
        resource.kind === "object"
          ? el(
            DAV,
            "inherited",
            href(pathOf(ctx.base, resource.home, resource.account, resource.collection.name)),
          )
          : "",
      ));
    }
  }
  return list.join("");
}
