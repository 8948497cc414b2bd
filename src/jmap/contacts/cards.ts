/** ContactCard (RFC 9610 §3): JSContact cards, converted from the stored vCards. @module */
import { cardProperties, type JsonObject } from "../../mail/jscontact/schema.ts";
import type { ObjectRow } from "../../store/groupware/types.ts";
import { MethodError } from "../core/errors.ts";
import { readStored, withBlobs } from "../groupware/card_media.ts";
import { idOf, type View } from "../groupware/collections.ts";

export const contactProperties = ["id", "addressBookIds", ...cardProperties];

/**
 * The properties to return; vendor properties have a ":" in their names. @throws MethodError invalidArguments
 */
export function askedContactProperties(
  asked: readonly string[] | null | undefined,
): ReadonlySet<string> | undefined {
  if (asked === null || asked === undefined) return undefined;
  for (const p of asked) {
    if (!contactProperties.includes(p) && !p.includes(":")) {
      throw new MethodError(
        "invalidArguments",
        `properties: there is no property ${p.slice(0, 200)}`,
      );
    }
  }
  return new Set(["id", ...asked]);
}

/** A card in the form for clients. */
export async function contactObject(
  view: View,
  row: ObjectRow,
  properties?: ReadonlySet<string>,
): Promise<JsonObject> {
  const { converted } = await readStored(view, row);
  const card = properties === undefined || properties.has("media")
    ? withBlobs(row, converted.card)
    : converted.card;
  const all: JsonObject = {
    id: idOf("addressbooks", "object", row.id),
    addressBookIds: { [idOf("addressbooks", "collection", row.collectionId)]: true },
    ...card,
  };
  if (all.uid === undefined) all.uid = row.uid;
  return properties === undefined
    ? all
    : Object.fromEntries(Object.entries(all).filter(([k]) => properties.has(k)));
}
