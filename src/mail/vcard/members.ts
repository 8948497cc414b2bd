/**
 * Groups of people: the members that a group's card names (RFC 6350 §6.6.5, and Apple's properties of vCard 3).
 * @module
 */
import { type Component, newProperty, type Property, property } from "../contentline/component.ts";
import { newCard } from "./edit.ts";

const names = new Set(["MEMBER", "X-ADDRESSBOOKSERVER-MEMBER"]);

const uidOf = (p: Property) => p.value.trim().replace(/^urn:uuid:/i, "");

/** UIDs of a group's members, each once, although some programs write one twice. */
export function membersOf(card: Component): string[] {
  return [...new Set(card.properties.filter((p) => names.has(p.name)).map(uidOf))];
}

/** A new group without members, in a form that all programs can read. */
export function newGroup(uid: string, name: string): Component {
  const card = newCard(uid);
  return {
    ...card,
    properties: [
      ...card.properties.map((p) => p.name === "N" ? newProperty("N", `${name};;;;`) : p),
      newProperty("FN", name),
      newProperty("X-ADDRESSBOOKSERVER-KIND", "group"),
    ],
  };
}

/** A group with members added and removed; the same object if that changes nothing. */
export function changedMembers(
  card: Component,
  add: readonly string[],
  remove: readonly string[],
): Component {
  const version = property(card, "VERSION")?.value.trim();
  const name = version === "4.0" ? "MEMBER" : "X-ADDRESSBOOKSERVER-MEMBER";
  const gone = new Set(remove);
  const there = new Set(membersOf(card));
  const left = card.properties.filter((p) => !names.has(p.name) || !gone.has(uidOf(p)));
  const added = [...new Set(add)].filter((u) => !there.has(u) || gone.has(u))
    .map((u) => newProperty(name, `urn:uuid:${u}`));
  if (left.length === card.properties.length && added.length === 0) return card;
  return { ...card, properties: [...left, ...added] };
}
