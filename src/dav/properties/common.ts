/** Properties of WebDAV itself: RFC 4918, 3744, 5397, 5995, 6578, 3253. @module */
import { addressOf, pathOf, type Resource } from "../core/resources.ts";
import { syncToken } from "../core/sync_token.ts";
import { CAL, CARD, CS, DAV, el, escapeXml, href } from "../xml/write.ts";
import { addressesOf, displayNameOf } from "./people.ts";
import { aclOf, supportedPrivileges, userPrivileges } from "./privileges.ts";
import { everything, type LiveProperty } from "./types.ts";

const dav = (name: string) => `{${DAV}}${name}`;

function resourceType(resource: Resource): string {
  const collection = el(DAV, "collection");
  switch (resource.kind) {
    case "object":
      return "";
    case "principal":
      return collection + el(DAV, "principal");
    case "collection":
      switch (resource.collection.kind) {
        case "calendar":
          return collection + el(CAL, "calendar");
        case "inbox":
          return collection + el(CAL, "schedule-inbox");
        case "outbox":
          return collection + el(CAL, "schedule-outbox");
        default:
          return collection + el(CARD, "addressbook");
      }
    default:
      return collection;
  }
}

/** Reports that a resource answers (RFC 3253 §3.1.5). */
export function reportsOf(resource: Resource): string[] {
  const list = [
    dav("expand-property"),
    dav("principal-match"),
    dav("principal-property-search"),
    dav("principal-search-property-set"),
    dav("acl-principal-prop-set"),
  ];
  if (resource.kind !== "collection" && resource.kind !== "object") return list;
  if (resource.kind === "collection") list.push(dav("sync-collection"));
  if (resource.home === "addressbooks") {
    list.push(`{${CARD}}addressbook-query`, `{${CARD}}addressbook-multiget`);
  } else {
    list.push(`{${CAL}}calendar-query`, `{${CAL}}calendar-multiget`);
    if (resource.collection.kind === "calendar") list.push(`{${CAL}}free-busy-query`);
  }
  return list;
}

/** Media type of an object. */
export function contentType(extract: Extract<Resource, { kind: "object" }>): string {
  return extract.home === "addressbooks"
    ? "text/vcard; charset=utf-8"
    : `text/calendar; charset=utf-8; component=${extract.object.component}`;
}

const iso = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

export const commonProperties: readonly LiveProperty[] = [
  { name: dav("resourcetype"), on: everything, allprop: true, value: (_p, r) => resourceType(r) },
  {
    name: dav("displayname"),
    on: everything,
    allprop: true,
    value: (p, r) => escapeXml(displayNameOf(p, r)),
  },
  {
    name: dav("creationdate"),
    on: ["collection", "object"],
    allprop: true,
    value: (_p, resource) =>
      resource.kind === "object"
        ? iso(resource.object.created)
        : resource.kind === "collection"
        ? iso(resource.collection.created)
        : undefined,
  },
  {
    name: dav("getlastmodified"),
    on: ["object"],
    allprop: true,
    value: (_p, r) => r.kind === "object" ? new Date(r.object.modified).toUTCString() : undefined,
  },
  {
    name: dav("getetag"),
    on: ["object"],
    allprop: true,
    value: (_p, r) => r.kind === "object" ? `"${r.object.etag}"` : undefined,
  },
  {
    name: dav("getcontenttype"),
    on: ["object"],
    allprop: true,
    value: (_p, r) => r.kind === "object" ? contentType(r) : undefined,
  },
  {
    name: dav("getcontentlength"),
    on: ["object"],
    allprop: true,
    value: (_p, r) => r.kind === "object" ? String(r.object.size) : undefined,
  },
  { name: dav("supportedlock"), on: everything, allprop: true, value: () => "" },
  { name: dav("lockdiscovery"), on: everything, allprop: true, value: () => "" },
  {
    name: dav("current-user-principal"),
    on: everything,
    value: ({ ctx }) => href(pathOf(ctx.base, "principals", ctx.user)),
  },
  {
    name: dav("principal-collection-set"),
    on: everything,
    value: ({ ctx }) => href(pathOf(ctx.base, "principals")),
  },
  {
    name: dav("principal-URL"),
    on: ["principal"],
    value: ({ ctx }, r) => href(addressOf(ctx.base, r)),
  },
  {
    name: dav("alternate-URI-set"),
    on: ["principal"],
    value: ({ s }, resource) =>
      resource.kind === "principal"
        ? addressesOf(s, resource.account).map((a) => href(`mailto:${a}`)).join("")
        : undefined,
  },
  { name: dav("group-member-set"), on: ["principal"], value: () => "" },
  { name: dav("group-membership"), on: ["principal"], value: () => "" },
  {
    name: dav("owner"),
    on: ["principal", "home", "collection", "object"],
    value: ({ ctx }, r) =>
      "account" in r ? href(pathOf(ctx.base, "principals", r.account)) : undefined,
  },
  {
    name: dav("supported-privilege-set"),
    on: everything,
    value: (_p, r) => supportedPrivileges(r),
  },
  {
    name: dav("current-user-privilege-set"),
    on: everything,
    value: (_p, r) => userPrivileges(r),
  },
  {
    name: dav("acl"),
    on: everything,
    // RFC 3744 §5.5: only for users with the right to read it.
    value: ({ ctx }, r) => "rights" in r && r.rights !== "owner" ? undefined : aclOf(ctx, r),
  },
  {
    name: dav("acl-restrictions"),
    on: everything,
    value: () => el(DAV, "grant-only") + el(DAV, "no-invert"),
  },
  { name: dav("inherited-acl-set"), on: everything, value: () => "" },
  {
    name: dav("supported-report-set"),
    on: everything,
    value: (_p, resource) =>
      reportsOf(resource).map((name) => {
        const end = name.indexOf("}");
        const report = el(DAV, "report", el(name.slice(1, end), name.slice(end + 1)));
        return el(DAV, "supported-report", report);
      }).join(""),
  },
  {
    name: dav("sync-token"),
    on: ["collection"],
    value: (_p, resource) =>
      resource.kind === "collection"
        ? escapeXml(syncToken(resource.g, resource.collection, resource.collection.modseq))
        : undefined,
  },
  {
    name: `{${CS}}getctag`,
    on: ["collection"],
    value: (_p, resource) =>
      resource.kind === "collection"
        ? escapeXml(syncToken(resource.g, resource.collection, resource.collection.modseq))
        : undefined,
  },
  {
    // RFC 5995 §3.2.1.
    name: dav("add-member"),
    on: ["collection"],
    value: ({ ctx }, resource) =>
      resource.kind === "collection" &&
        (resource.collection.kind === "calendar" || resource.collection.kind ===
            "addressbook")
        ? href(addressOf(ctx.base, resource))
        : undefined,
  },
];
