/**
 * Editing a card: the fields of a form, and a card with these changed. All other properties keep their lines
 * unchanged.
 *
 * @module
 */
import {
  changedProperty,
  type Component,
  escapeText,
  newProperty,
  type Property,
  property,
  splitUnescaped,
  unescapeText,
} from "../contentline/component.ts";
import { CardError } from "./card.ts";

/** The kind of an address or number; "" for none of these. */
export const entryKinds = ["", "home", "work", "mobile"] as const;
export type EntryKind = (typeof entryKinds)[number];

/** An e-mail address or a telephone number. */
export interface CardEntry {
  /** Index of its property in the card; null for a new one. */
  at: number | null;
  kind: EntryKind;
  value: string;
}

/** The card fields of a form. */
export interface CardFields {
  /** FN. */
  name: string;
  given: string;
  family: string;
  /** First part of ORG. */
  organisation: string;
  emails: CardEntry[];
  phones: CardEntry[];
  /** Text of the first NOTE; lines end with LF. */
  note: string;
}

/** Fields to set: a name of "" is derived from the others; a note that isn't given stays. */
export type CardChange = Omit<CardFields, "note"> & { note?: string };

/** Most entries of a kind in a form; further ones stay unchanged. */
export const maxEntries = 100;

/** TYPE values of kinds (RFC 2426 §3.3.1, RFC 6350 §5.6 and §6.4.1). */
const typeOf: Readonly<Record<EntryKind, string>> = {
  "": "",
  home: "home",
  work: "work",
  mobile: "cell",
};
const kindTypes = new Set(Object.values(typeOf));

const types = (p: Property): string[] =>
  p.params.filter((x) => x.name === "TYPE").flatMap((x) => x.values)
    .flatMap((v) => v.toLowerCase().split(","));

function kindOf(p: Property): EntryKind {
  const has = types(p);
  return (["mobile", "home", "work"] as const).find((k) => has.includes(typeOf[k])) ?? "";
}

/** Text of an address or number; for a tel: URI without the scheme. */
function entryText(p: Property): string {
  const s = unescapeText(p.value).trim();
  return p.name === "TEL" ? s.replace(/^tel:/i, "") : s;
}

function entries(component: Component, name: string): CardEntry[] {
  return component.properties
    .map((p, at) => ({ p, at }))
    .filter(({ p }) => p.name === name)
    .slice(0, maxEntries)
    .map(({ p, at }) => ({ at, kind: kindOf(p), value: entryText(p) }));
}

const parts = (p: Property | undefined): string[] =>
  p === undefined ? [] : splitUnescaped(p.value, ";");
const part = (p: Property | undefined, n: number): string => unescapeText(parts(p)[n] ?? "").trim();

const lines = (s: string): string => s.replace(/\r\n?/g, "\n");

/** The fields of a card. */
export function cardFields(component: Component): CardFields {
  const n = property(component, "N");
  return {
    name: unescapeText(property(component, "FN")?.value ?? "").trim(),
    given: part(n, 1),
    family: part(n, 0),
    organisation: part(property(component, "ORG"), 0),
    emails: entries(component, "EMAIL"),
    phones: entries(component, "TEL"),
    note: lines(unescapeText(property(component, "NOTE")?.value ?? "")),
  };
}

const wrong = (message: string): CardError => new CardError("valid-address-data", message);

/** A field's text, trimmed. @throws CardError */
function clean(what: string, s: string): string {
  // deno-lint-ignore no-control-regex -- none of these is allowed in a value (RFC 6350 §3.3)
  if (/[\x00-\x09\x0b-\x1f\x7f]/.test(s)) throw wrong(`the ${what} has a control character`);
  return s.trim();
}

function line(what: string, s: string): string {
  if (/[\r\n]/.test(s)) throw wrong(`the ${what} has more than one line`);
  return clean(what, s);
}

/** A property with another value, in plain text. */
const withText = (p: Property, value: string): Property =>
  changedProperty(p, value, { ENCODING: undefined, CHARSET: undefined, VALUE: undefined });

/** Replacements of properties: null removes one. */
type Changes = Map<Property, Property | null>;

/** A change of a card, being assembled. */
class Change {
  readonly card: Component;
  readonly changes: Changes = new Map();
  readonly added: Property[] = [];
  readonly #upper: boolean;

  constructor(card: Component) {
    this.card = card;
    this.#upper = property(card, "VERSION")?.value.trim() === "3.0";
  }

  /**
   * Changes a property whose value has parts separated by semicolons: the given parts are changed, the others
   * stay.
   */
  structured(name: string, now: readonly { at: number; text: string }[], least: number): void {
    const p = property(this.card, name);
    if (now.every(({ at, text }) => part(p, at) === text)) return;
    const list = parts(p);
    while (list.length < least) list.push("");
    for (const { at, text } of now) if (part(p, at) !== text) list[at] = escapeText(text);
    const empty = list.every((s) => s.trim() === "");
    const value = list.join(";");
    if (p === undefined) this.added.push(newProperty(name, value));
    else this.changes.set(p, empty && name !== "N" ? null : withText(p, value));
  }

  text(name: string, now: string, before: string): void {
    if (now === before) return;
    const p = property(this.card, name);
    if (p === undefined) this.added.push(newProperty(name, escapeText(now)));
    else this.changes.set(p, now === "" ? null : withText(p, escapeText(now)));
  }

  #withKind(p: Property, kind: EntryKind): Property {
    const params = p.params.map((parameter) =>
      parameter.name === "TYPE"
        ? {
          ...parameter,
          values: parameter.values.map((v) =>
            v.split(",").filter((s) => !kindTypes.has(s.toLowerCase())).join(",")
          ).filter((v) => v !== ""),
        }
        : parameter
    ).filter((x) => x.name !== "TYPE" || x.values.length > 0);
    const type = this.#upper ? typeOf[kind].toUpperCase() : typeOf[kind];
    if (type !== "") params.push({ name: "TYPE", values: [type] });
    return { ...p, params, raw: undefined };
  }

  /** Addresses or numbers: those no longer given are removed. */
  entries(
    name: string,
    now: readonly CardEntry[],
    check: (value: string) => void,
  ): void {
    const left = new Map(entries(this.card, name).map((e) => [e.at, e]));
    for (const e of now) {
      const value = line(name === "TEL" ? "telephone number" : "e-mail address", e.value);
      if (value === "") continue;
      const before = left.get(e.at);
      if (e.at === null) {
        check(value);
        this.added.push(this.#withKind(newProperty(name, escapeText(value)), e.kind));
        continue;
      }
      if (before === undefined) throw wrong("the contact has other fields than the form");
      left.delete(e.at);
      const p = this.card.properties[e.at];
      let changed = p;
      if (before.value !== value) {
        check(value);
        changed = withText(changed, escapeText(value));
      }
      if (before.kind !== e.kind) changed = this.#withKind(changed, e.kind);
      if (changed !== p) this.changes.set(p, changed);
    }
    for (const at of left.keys()) this.changes.set(this.card.properties[at!], null);
  }

  /** Labels (Apple's item1.X-ABLabel) are removed with their property. */
  #dropLabels(): void {
    const groups = new Set(
      [...this.changes].filter(([p, to]) => to === null && p.group !== "").map(([p]) => p.group),
    );
    for (const group of groups) {
      const own = this.card.properties.filter((p) => p.group === group);
      const labels = own.filter((p) => p.name.startsWith("X-AB"));
      if (own.every((p) => labels.includes(p) || this.changes.get(p) === null)) {
        for (const p of labels) this.changes.set(p, null);
      }
    }
  }

  /** The changed card; the same object if nothing differs. */
  done(now: Date): Component {
    if (this.changes.size === 0 && this.added.length === 0) return this.card;
    this.#dropLabels();
    const rev = property(this.card, "REV");
    if (rev !== undefined) {
      const basic = now.toISOString().replace(/\.\d+|[-:]/g, "");
      this.changes.set(rev, changedProperty(rev, basic, { VALUE: undefined }));
    }
    const properties: Property[] = [];
    for (const p of this.card.properties) {
      const to = this.changes.has(p) ? this.changes.get(p)! : p;
      if (to !== null) properties.push(to);
    }
    for (const p of this.added) {
      const last = properties.findLastIndex((x) => x.name === p.name);
      properties.splice(last < 0 ? properties.length : last + 1, 0, p);
    }
    return { ...this.card, properties };
  }
}

/** Refuses invalid addresses. @throws CardError */
function checkEmail(s: string): void {
  if (!/^[^\s@<>](?:[^\r\n<>]*[^\s<>])?@[^\s@<>]+$/.test(s)) {
    throw wrong(`${s} is not an e-mail address`);
  }
}

/** A card with the fields of a form; the same object if nothing changes. @throws CardError */
export function changeCard(component: Component, f: CardChange, now = new Date()): Component {
  const before = cardFields(component);
  const given = line("first name", f.given);
  const family = line("last name", f.family);
  const organisation = line("organisation", f.organisation);
  const change = new Change(component);
  change.structured("N", [{ at: 0, text: family }, { at: 1, text: given }], 5);
  change.structured("ORG", [{ at: 0, text: organisation }], 1);
  change.entries("EMAIL", f.emails, checkEmail);
  change.entries("TEL", f.phones, () => {});
  const name = line("name", f.name) || `${given} ${family}`.trim() || organisation ||
    [...f.emails, ...f.phones].map((e) => e.value.trim()).find((v) => v !== "");
  if (name === undefined) {
    throw wrong("a contact needs a name, an organisation, an address or a number");
  }
  change.text("FN", name, before.name);
  if (f.note !== undefined) change.text("NOTE", clean("note", lines(f.note)), before.note.trim());
  return change.done(now);
}

/** An empty card, to be changed. All programs can read version 3. */
export function newCard(uid: string): Component {
  const properties = [
    newProperty("VERSION", "3.0"),
    newProperty("PRODID", "-//mox//mox for Deno//EN"),
    newProperty("UID", uid),
    newProperty("N", ";;;;"),
  ];
  return { name: "VCARD", properties, components: [] };
}
