/** AddressBook (RFC 9610 §2) and Calendar (jmap-calendars §4) as objects. @module */
import { defaultBook, defaultCalendar } from "../../groupware/default_calendar.ts";
import {
  collectionSettings,
  elementText,
  lookProperties,
} from "../../groupware/collection_looks.ts";
import { namedZone } from "../../mail/calendar/zones.ts";
import type { Collection, Home } from "../../store/groupware/types.ts";
import { accountIdOf } from "../core/access.ts";
import { idOf, type Rights, rightsIn, shownCollections, type View } from "./collections.ts";

const common = [
  "id",
  "name",
  "description",
  "sortOrder",
  "isDefault",
  "isSubscribed",
  "shareWith",
  "myRights",
];
export const bookProperties = common;
export const calendarProperties = [
  ...common,
  "color",
  "isVisible",
  "includeInAvailability",
  "defaultAlertsWithTime",
  "defaultAlertsWithoutTime",
  "timeZone",
];

/** Rights in the form for clients. */
export const rightsObject = (v: View, rights: Rights): Record<string, boolean> =>
  collectionRights(v.home, rights);

/** The same for a home. */
export function collectionRights(home: Home, rights: Rights): Record<string, boolean> {
  const [owner, writes] = [rights === "owner", rights !== "read"];
  if (home === "addressbooks") {
    return { mayRead: true, mayWrite: writes, mayShare: owner, mayDelete: owner };
  }
  return {
    mayReadFreeBusy: true,
    mayReadItems: true,
    mayWriteAll: writes,
    mayWriteOwn: writes,
    mayUpdatePrivate: writes,
    mayRSVP: writes,
    mayShare: owner,
    mayDelete: owner,
  };
}

/** With whom a collection is shared, by the ids of principals; null for users who may not know. */
function shareWith(view: View, collection: Collection): Record<string, unknown> | null {
  if (!view.access.own) return null;
  const grants = view.g.grants(collection.id);
  return grants.length === 0 ? null : Object.fromEntries(
    grants.map((g) => [accountIdOf(g.account), rightsObject(view, g.rights)]),
  );
}

function collectionObject(
  view: View,
  collection: Collection,
  usual: number | undefined,
): Record<string, unknown> {
  const kept = view.g.properties(collection.id);
  const settings = collectionSettings(kept);
  const text = (name: keyof typeof lookProperties) => {
    const xml = kept.get(lookProperties[name]);
    return xml === undefined ? "" : elementText(xml);
  };
  const books = view.home === "addressbooks";
  const mine = view.mine?.of(view.home, collection) ?? {};
  const shown = text("name") ||
    (collection.name === "default" ? books ? "Contacts" : "Calendar" : collection.name);
  const order = Number(text("order"));
  const book = {
    id: idOf(view.home, "collection", collection.id),
    name: shown.slice(0, 255),
    description: text(books ? "bookDescription" : "calendarDescription") || null,
    sortOrder: Number.isInteger(order) && order > 0 ? order : 0,
    isDefault: view.access.own && collection.id === usual,
    isSubscribed: settings.isSubscribed ?? true,
    shareWith: shareWith(view, collection),
    myRights: rightsObject(view, rightsIn(view, collection)!),
  };
  if (books) return { ...book, ...mine };
  const transparent = (kept.get(lookProperties.transparency) ?? "").includes("transparent");
  return {
    ...book,
    color: text("color").slice(0, 7).toLowerCase() || null,
    isVisible: settings.isVisible ?? true,
    includeInAvailability: transparent ? "none" : settings.includeInAvailability ?? "all",
    defaultAlertsWithTime: settings.defaultAlertsWithTime ?? null,
    defaultAlertsWithoutTime: settings.defaultAlertsWithoutTime ?? null,
    timeZone: collectionZone(view, collection) ?? null,
    ...mine,
  };
}

/** The time zone of a calendar; undefined if it has none. */
export function collectionZone(view: View, collection: Collection): string | undefined {
  const xml = view.g.properties(collection.id).get(lookProperties.timeZone);
  const zone = xml === undefined ? "" : elementText(xml);
  return zone !== "" && namedZone(zone) !== undefined ? zone : undefined;
}

/** All collections that the user may see, by id. */
export function collectionObjects(view: View): Map<string, Record<string, unknown>> {
  const usual = (view.home === "addressbooks" ? defaultBook(view.g) : defaultCalendar(view.g))?.id;
  return new Map(
    shownCollections(view).map((
      c,
    ) => [idOf(view.home, "collection", c.id), collectionObject(view, c, usual)]),
  );
}
