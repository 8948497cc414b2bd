/** Where the properties are stored that clients keep with a resource. @module */
import type { Groupware } from "../../store/groupware/groupware.ts";
import type { Resource } from "../core/resources.ts";

/** The keys of a resource's kept properties in the store. */
export interface KeptPlace {
  g: Groupware;
  collectionId: number;
  /** 0 for the collection itself. */
  objectId: number;
}

/**
 * A home is not a collection of the store. macOS programs set alarms on it, iOS programs the owner's card, and
 * some fail if that is refused. These properties are stored with the outbox, which each account has, under
 * numbers that no object has.
 */
const homeIds = { calendars: -1, addressbooks: -2 } as const;

/** The place of a resource's kept properties; undefined for one that stores none, and for homes of others. */
export function keptPlace(r: Resource): KeptPlace | undefined {
  switch (r.kind) {
    case "collection":
      return { g: r.g, collectionId: r.collection.id, objectId: 0 };
    case "object":
      return { g: r.g, collectionId: r.collection.id, objectId: r.object.id };
    case "home": {
      const outbox = r.rights === "owner" ? r.g.collection("calendars", "outbox") : undefined;
      return outbox && { g: r.g, collectionId: outbox.id, objectId: homeIds[r.home] };
    }
    default:
      return undefined;
  }
}

/** The properties that clients keep with a resource: XML by name. */
export function keptProperties(resource: Resource): Map<string, string> {
  const place = keptPlace(resource);
  return place === undefined ? new Map() : place.g.properties(place.collectionId, place.objectId);
}
