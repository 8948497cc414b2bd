/** Stored cards, and the pictures and sounds in them as blobs (RFC 9610 §3). @module */
import { createHash } from "node:crypto";
import { type Component, parseInTurns } from "../../mail/contentline/component.ts";
import { cardFromVcard, type ConvertedCard } from "../../mail/jscontact/from_vcard.ts";
import type { JsonObject } from "../../mail/jscontact/schema.ts";
import type { ObjectRow } from "../../store/groupware/types.ts";
import type { View } from "./collections.ts";

const decoder = new TextDecoder();

/** A parsed stored card. */
export interface ReadCard {
  component: Component;
  converted: ConvertedCard;
}

/** Reads a stored card. @throws FormatError if it is unreadable */
export async function readStored(view: View, row: ObjectRow): Promise<ReadCard> {
  const text = decoder.decode(view.g.content(row.id) ?? new Uint8Array(0));
  const [component] = await parseInTurns(text);
  return { component, converted: cardFromVcard(component) };
}

const dataForm = /^data:([^;,]*)((?:;[^;,]*)*),/;

/** The bytes of a data: URI; undefined for other URIs, or if undecodable. */
export function dataOf(uri: string): { type: string; bytes: Uint8Array } | undefined {
  const m = dataForm.exec(uri.slice(0, 500));
  if (!m) return undefined;
  const rest = uri.slice(m[0].length);
  try {
    const bytes = /;base64$/i.test(m[2])
      ? Uint8Array.fromBase64(rest)
      : new TextEncoder().encode(decodeURIComponent(rest));
    return { type: m[1], bytes };
  } catch {
    return undefined;
  }
}

/** The blob id of a card's picture or sound: made of the card's id and a hash of the content. */
export function mediaBlobId(row: ObjectRow, bytes: Uint8Array): string {
  return `K${row.id}_${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}`;
}

/** Media with blob ids in place of their data (RFC 9610 §3). */
export function withBlobs(row: ObjectRow, card: JsonObject): JsonObject {
  const media = card.media as Record<string, JsonObject> | undefined;
  if (media === undefined) return card;
  const shown: JsonObject = {};
  for (const [id, m] of Object.entries(media)) {
    const data = typeof m.uri === "string" && m.uri.startsWith("data:") ? dataOf(m.uri) : undefined;
    if (data === undefined) shown[id] = m;
    else {
      const { uri: _uri, ...rest } = m;
      shown[id] = {
        ...rest,
        blobId: mediaBlobId(row, data.bytes),
        ...(data.type === "" ? {} : { mediaType: data.type }),
      };
    }
  }
  return { ...card, media: shown };
}

/** The picture or sound of a blob id. */
export async function mediaBlob(
  view: View,
  row: ObjectRow,
  blobId: string,
): Promise<Uint8Array | undefined> {
  const { converted } = await readStored(view, row);
  const media = converted.card.media as Record<string, JsonObject> | undefined;
  for (const m of Object.values(media ?? {})) {
    const data = typeof m.uri === "string" ? dataOf(m.uri) : undefined;
    if (data !== undefined && mediaBlobId(row, data.bytes) === blobId) return data.bytes;
  }
  return undefined;
}
