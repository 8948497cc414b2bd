/**
 * How a calendar or an address book is shown to its owner: name, colour and order set by programs, stored as
 * the elements that CalDAV and CardDAV programs set and read.
 *
 * @module
 */
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Collection } from "../store/groupware/types.ts";

/** Properties by meaning. */
export const lookProperties = {
  name: "{DAV:}displayname",
  color: "{http://apple.com/ns/ical/}calendar-color",
  order: "{http://apple.com/ns/ical/}calendar-order",
  bookDescription: "{urn:ietf:params:xml:ns:carddav}addressbook-description",
  calendarDescription: "{urn:ietf:params:xml:ns:caldav}calendar-description",
  timeZone: "{urn:ietf:params:xml:ns:caldav}calendar-timezone-id",
  transparency: "{urn:ietf:params:xml:ns:caldav}schedule-calendar-transp",
  /** Additional settings of JMAP, in their own property. */
  settings: "{urn:mox:groupware}jmap",
} as const;

const entities: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" };

/** Text of a stored element that contains only text. */
export function elementText(xml: string): string {
  return xml.replace(/<[^>]*>/g, "").replace(
    /&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex, decimal, name) => {
      if (name !== undefined) return entities[name] ?? whole;
      const code = hex === undefined ? Number(decimal) : parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  ).trim();
}

/** An element with a text, in the stored form of a property. */
export function textElement(property: string, text: string): string {
  const end = property.indexOf("}");
  const [ns, name] = [property.slice(1, end), property.slice(end + 1)];
  const escaped = text
    // deno-lint-ignore no-control-regex -- XML 1.0 does not have them
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "")
    .replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  return `<${name} xmlns="${ns}">${escaped}</${name}>`;
}

/** Name and colour of a collection; the colour as #rrggbb, "" if none was chosen. */
export function calendarLooks(
  groupware: Groupware,
  collection: Collection,
): { name: string; color: string } {
  const kept = groupware.properties(collection.id);
  const name = elementText(kept.get(lookProperties.name) ?? "").slice(0, 200);
  // Apple adds the opacity.
  const color = /^#[\da-f]{6}/i.exec(elementText(kept.get(lookProperties.color) ?? ""))?.[0] ?? "";
  return { name: name || collection.name, color: color.toLowerCase() };
}

/** JMAP's settings of a collection besides its looks. */
export interface CollectionSettings {
  isDefault?: boolean;
  /** Missing means true. */
  isSubscribed?: boolean;
  isVisible?: boolean;
  includeInAvailability?: "all" | "attending" | "none";
  defaultAlertsWithTime?: Record<string, unknown> | null;
  defaultAlertsWithoutTime?: Record<string, unknown> | null;
}

/** The settings of a collection; unreadable ones count as unset. */
export function collectionSettings(kept: ReadonlyMap<string, string>): CollectionSettings {
  const text = kept.get(lookProperties.settings);
  if (text === undefined) return {};
  try {
    const value = JSON.parse(elementText(text));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
  } catch {
    return {};
  }
}

/** The property change that sets them. */
export function settingsChange(settings: CollectionSettings): [string, string] {
  return [lookProperties.settings, textElement(lookProperties.settings, JSON.stringify(settings))];
}
