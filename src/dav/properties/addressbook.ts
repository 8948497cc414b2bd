/** Properties of CardDAV (RFC 6352). @module */
import { maxObjectSize } from "../../groupware/objects.ts";
import { cardVersions } from "../../mail/vcard/card.ts";
import { pathOf, type Resource } from "../core/resources.ts";
import { CARD, el, href } from "../xml/write.ts";
import { collations } from "./calendar.ts";
import type { LiveProperty } from "./types.ts";

const card = (name: string) => `{${CARD}}${name}`;
const isBook = (r: Resource) => r.kind === "collection" && r.collection.kind === "addressbook";

export const addressbookProperties: readonly LiveProperty[] = [
  {
    name: card("addressbook-home-set"),
    on: ["principal"],
    value: ({ ctx, s }, resource) =>
      resource.kind !== "principal" ? undefined : [
        resource.account,
        ...(resource.account === ctx.user ? s.sharing.owners(ctx.user) : []),
      ].map((a) => href(pathOf(ctx.base, "addressbooks", a))).join(""),
  },
  {
    name: card("supported-address-data"),
    on: ["collection"],
    value: (_p, resource) =>
      isBook(resource)
        ? cardVersions.map((v) =>
          el(CARD, "address-data-type", "", ` content-type="text/vcard" version="${v}"`)
        ).join("")
        : undefined,
  },
  {
    name: card("max-resource-size"),
    on: ["collection"],
    value: (_p, r) => isBook(r) ? String(maxObjectSize) : undefined,
  },
  {
    name: card("supported-collation-set"),
    on: ["collection"],
    value: (_p, r) =>
      isBook(r) ? collations.map((c) => el(CARD, "supported-collation", c)).join("") : undefined,
  },
];
