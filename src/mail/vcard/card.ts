/**
 * Cards of people and groups (vCard 3 and 4, RFC 2426 and RFC 6350): reading them, and their searchable text.
 *
 * @module
 */
import {
  type Component,
  decodeText,
  FormatError,
  parseComponents,
  parseInTurns,
  property,
  splitUnescaped,
  textStart,
  unescapeText,
  valueOf,
} from "../contentline/component.ts";

/** A text that can't be stored as a card, by the name of its precondition (RFC 6352 §6.3.2.1). */
export class CardError extends Error {
  override name = "CardError";
  readonly rule: "valid-address-data" | "supported-address-data";
  constructor(rule: "valid-address-data" | "supported-address-data", message: string) {
    super(message);
    this.rule = rule;
  }
}

/** Supported versions. */
export const cardVersions = ["3.0", "4.0"] as const;

/** A card with its index data. */
export interface Card {
  component: Component;
  uid: string;
  version: string;
  /** The name to show. */
  name: string;
  emails: string[];
  /** A group of people: KIND:group, or marked as by Apple's programs. */
  group: boolean;
}

/** Most characters of one indexed value. */
const maxIndexed = 4000;

/** All text values of a property in a card, each cut after 4,000 characters. */
export function texts(component: Component, name: string): string[] {
  return component.properties.filter((p) => p.name === name)
    .map((p) => textStart(p.value, maxIndexed).trim());
}

/** A name for a card without one. */
function nameOf(component: Component, emails: readonly string[]): string {
  const shown = texts(component, "FN").find((s) => s !== "");
  if (shown !== undefined) return shown;
  const [family = "", given = ""] = splitUnescaped(
    (valueOf(component, "N") ?? "").slice(0, maxIndexed),
    ";",
  )
    .map(unescapeText);
  const whole = `${given} ${family}`.trim();
  return whole || texts(component, "ORG").map((s) => s.split(";")[0])[0] || emails[0] || "";
}

/** The index data of a card. */
export function describeCard(component: Component): Card {
  const emails = texts(component, "EMAIL").filter((e) => e !== "").slice(0, 100);
  const kind = (valueOf(component, "KIND") ?? valueOf(component, "X-ADDRESSBOOKSERVER-KIND") ?? "")
    .trim();
  return {
    component,
    uid: valueOf(component, "UID")?.trim() ?? "",
    version: valueOf(component, "VERSION")?.trim() ?? "",
    name: nameOf(component, emails),
    emails,
    group: kind.toLowerCase() === "group",
  };
}

const textOf = (bytes: Uint8Array | string) =>
  typeof bytes === "string" ? bytes : decodeText(bytes);

function invalidData(err: unknown): never {
  if (err instanceof FormatError) throw new CardError("valid-address-data", err.message);
  throw err;
}

/** Reads a card before storing it. @throws CardError */
export function readCard(bytes: Uint8Array | string): Card {
  try {
    return checkedCard(parseComponents(textOf(bytes)));
  } catch (err) {
    return invalidData(err);
  }
}

/** The same in turns with other work. @throws CardError */
export async function readCardInTurns(bytes: Uint8Array): Promise<Card> {
  try {
    return checkedCard(await parseInTurns(textOf(bytes)));
  } catch (err) {
    return invalidData(err);
  }
}

function checkedCard(list: readonly Component[]): Card {
  if (list.length !== 1 || list[0].name !== "VCARD") {
    throw new CardError(
      "valid-address-data",
      list.length === 0 ? "the text is empty" : "the text is not one VCARD",
    );
  }
  const card = describeCard(list[0]);
  if (!cardVersions.includes(card.version as "3.0")) {
    throw new CardError(
      card.version === "" ? "valid-address-data" : "supported-address-data",
      `VERSION has to be 3.0 or 4.0, not ${card.version || "missing"}`,
    );
  }
  if (card.uid === "") throw new CardError("valid-address-data", "the card has no UID");
  if (property(card.component, "FN") === undefined) {
    throw new CardError("valid-address-data", "the card has no FN");
  }
  return card;
}

/** Searchable words of a card. */
export function cardText(card: Card): string {
  const names = [
    "FN",
    "N",
    "NICKNAME",
    "EMAIL",
    "TEL",
    "ORG",
    "TITLE",
    "NOTE",
    "CATEGORIES",
    "ADR",
  ];
  return names.flatMap((n) => texts(card.component, n).slice(0, 20)).join("\n").slice(0, 4000)
    .toLowerCase();
}
