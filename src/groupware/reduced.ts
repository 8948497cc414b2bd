/**
 * The part of a private event that others see: only its times. The shared properties follow RFC 8984 §4.4.3.
 *
 * @module
 */
import { parseCalendar } from "../mail/calendar/object.ts";
import { privacyIn } from "../mail/calendar/privacy.ts";
import {
  type Component,
  newProperty,
  type Property,
  writeComponent,
} from "../mail/contentline/component.ts";

/**
 * Most bytes of a private object whose times others see; a larger one, which takes long to parse, is hidden
 * from them.
 */
const maxReduced = 1_000_000;

/** A word, folded or not (RFC 5545 §3.1). */
const folded = (word: string) => [...word].join("[\\r\\n\\t ]*");
/** Whether there may be a CLASS, or a JSPROP of privacy: all non-public objects have one of them. */
const mayHaveClass = new RegExp(`${folded("CLASS")}|${folded("PRIVACY")}`, "i");
const latin1 = new TextDecoder("latin1");

/** Properties with the times of an object, and the parameters that belong to the times. */
const shownProperties = new Set([
  "UID",
  "DTSTAMP",
  "CREATED",
  "LAST-MODIFIED",
  "SEQUENCE",
  "DTSTART",
  "DTEND",
  "DURATION",
  "DUE",
  "RRULE",
  "RDATE",
  "EXRULE",
  "EXDATE",
  "RECURRENCE-ID",
  "TRANSP",
]);
const shownParameters = new Set(["TZID", "VALUE", "RANGE"]);

function reducedComponent(component: Component): Component {
  const properties: Property[] = component.properties
    .filter((p) => shownProperties.has(p.name) && p.group === "")
    .map((p) => ({
      ...p,
      params: p.params.filter((x) => shownParameters.has(x.name)),
      raw: undefined,
    }));
  const isOff = component.properties.some((p) =>
    p.name === "STATUS" && p.value.trim().toUpperCase() === "CANCELLED"
  );
  const free = isOff && component.name === "VEVENT";
  return {
    name: component.name,
    properties: [
      ...free ? properties.filter((p) => p.name !== "TRANSP") : properties,
      ...free ? [newProperty("TRANSP", "TRANSPARENT")] : [],
      newProperty("CLASS", "PRIVATE"),
    ],
    components: [],
  };
}

/** What others than the owner see of a calendar object. */
export type ForGuests =
  | { privacy: "public" | "confidential" }
  /** What they get in its place. */
  | { privacy: "private"; content: Uint8Array };

/** What others than the owner see of a calendar object's content; nothing of an unreadable one. */
export function forGuests(content: Uint8Array): ForGuests {
  if (!mayHaveClass.test(latin1.decode(content))) return { privacy: "public" };
  if (content.length > maxReduced) return { privacy: "confidential" };
  try {
    const calendar = parseCalendar(content);
    const privacy = privacyIn([calendar]);
    if (privacy !== "private") return { privacy };
    const reduced: Component = {
      name: calendar.name,
      properties: calendar.properties.filter((p) =>
        ["VERSION", "PRODID", "CALSCALE"].includes(p.name)
      ),
      components: calendar.components.map((c) => c.name === "VTIMEZONE" ? c : reducedComponent(c)),
    };
    return { privacy, content: new TextEncoder().encode(writeComponent(reduced)) };
  } catch {
    return { privacy: "confidential" };
  }
}
