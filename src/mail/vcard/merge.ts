/** Merges two cards of one person: everything from either, and nothing twice. @module */
import {
  changedProperty,
  type Component,
  param,
  type Property,
  property,
  unescapeText,
} from "../contentline/component.ts";

/** Properties that occur once in a card: the first card's stays. */
const single = new Set([
  ...["VERSION", "UID", "REV", "PRODID", "KIND", "X-ADDRESSBOOKSERVER-KIND", "N", "FN", "BDAY"],
  ...["ANNIVERSARY", "GENDER", "PHOTO", "ORG", "TITLE", "X-ABSHOWAS"],
]);

/** The form of a value for comparison: numbers by their digits, everything else regardless of case. */
function compared(p: Property): string {
  const text = unescapeText(p.value).trim().toLowerCase();
  return p.name === "TEL" ? text.replace(/^tel:/, "").replace(/[^\d+]/g, "") : text;
}

/** A picture in the form of another version of vCard (RFC 2426 §3.1.4, RFC 6350 §6.2.4). */
function picture(p: Property, version: string): Property {
  if (version === "4.0" && param(p, "ENCODING") !== undefined) {
    const type = (param(p, "TYPE") ?? "jpeg").toLowerCase();
    const none = { ENCODING: undefined, TYPE: undefined };
    return changedProperty(p, `data:image/${type};base64,${p.value}`, none);
  }
  const data = /^data:image\/([\w.+-]+);base64,(.*)$/is.exec(p.value);
  if (version === "3.0" && data !== null) {
    return changedProperty(p, data[2], { ENCODING: "b", TYPE: data[1].toUpperCase() });
  }
  return p;
}

/** The first card with additions from the others; the same object if there are none. */
export function mergedCard(card: Component, others: readonly Component[]): Component {
  const version = property(card, "VERSION")?.value.trim() ?? "3.0";
  const properties = [...card.properties];
  for (const [n, other] of others.entries()) {
    const has = (p: Property) => properties.some((x) => x.name === p.name);
    const came = other.properties.filter((p) => {
      if (p.name.startsWith("X-AB") && p.group !== "") return false;
      if (single.has(p.name)) return !has(p) && p.name !== "REV";
      const value = compared(p);
      return value !== "" && !properties.some((x) => x.name === p.name && compared(x) === value);
    });
    const groups = new Set(came.map((p) => p.group).filter((g) => g !== ""));
    // Labels (Apple's item1.X-ABLabel) are copied with their property, under an unused group name.
    const labels = other.properties.filter((p) => p.name.startsWith("X-AB") && groups.has(p.group));
    for (const p of [...came, ...labels]) {
      const group = p.group === "" ? "" : `m${n + 1}${p.group}`;
      const own = p.name === "PHOTO" ? picture(p, version) : p;
      properties.push(group === own.group ? own : { ...own, group, raw: undefined });
    }
  }
  return properties.length === card.properties.length ? card : { ...card, properties };
}
