/** Creating, changing and removing cards (RFC 9610 §3.5). @module */
import { cardObjectInTurns, maxObjectSize } from "../../groupware/objects.ts";
import { writeComponent } from "../../mail/contentline/component.ts";
import { cardProblems, type JsonObject } from "../../mail/jscontact/schema.ts";
import { vcardOf } from "../../mail/jscontact/to_vcard.ts";
import { CardError } from "../../mail/vcard/card.ts";
import {
  type Collection,
  GroupwareError,
  type NewObject,
  type ObjectRow,
} from "../../store/groupware/types.ts";
import { invalidProperties, SetError } from "../core/errors.ts";
import type { MethodContext } from "../core/method.ts";
import { applyPatch, sameJson } from "../core/patch.ts";
import { notFound, resolveId } from "../core/set.ts";
import { utcDateOf } from "../core/types.ts";
import {
  collectionOfId,
  idOf,
  objectOfId,
  requireWrite,
  shownCollections,
  type View,
} from "../groupware/collections.ts";
import { imageType } from "../groupware/image_type.ts";
import { type ReadCard, readStored, withBlobs } from "../groupware/card_media.ts";
import { openBlob } from "../mail/blob.ts";

/** How often a change is restarted because another one came in between. */
const attempts = 5;
/** Most bytes of a picture or sound. */
const maxMedia = 7 * 1024 * 1024;

/** The one address book of a card. @throws SetError invalidProperties, forbidden */
function bookOf(ctx: MethodContext, view: View, value: unknown): Collection {
  const wrong = (why: string) => invalidProperties(["addressBookIds"], why);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong("the address book is missing");
  }
  const ids = Object.entries(value);
  if (ids.length !== 1 || ids[0][1] !== true) throw wrong("a card is in one address book");
  const id = resolveId(ctx, ids[0][0]);
  const c = id === undefined ? undefined : collectionOfId(view, id);
  if (c === undefined) throw wrong("there is no such address book");
  requireWrite(view, c);
  return c;
}

/** The SetError for a refusal by the store or the format. */
function refused(err: unknown): never {
  if (err instanceof CardError) throw new SetError("invalidProperties", err.message);
  if (!(err instanceof GroupwareError)) throw err;
  switch (err.kind) {
    case "uidConflict": {
      throw new SetError("alreadyExists", "there is a card with this uid in the address book");
    }
    case "uidChanged":
      throw invalidProperties(["uid"], err.message);
    case "full":
      throw new SetError("overQuota", err.message);
    case "missing":
      throw notFound();
    default:
      throw err;
  }
}

/** The card of a uid in any address book that the user sees. */
function cardOfUid(view: View, uid: string): ObjectRow | undefined {
  for (const c of shownCollections(view)) {
    const row = view.g.objectByUid(c.id, uid);
    if (row !== undefined) return row;
  }
}

function alreadyThere(row: ObjectRow | undefined): SetError {
  return new SetError(
    "alreadyExists",
    "there is a card with this uid in the account",
    row ? { existingId: idOf("addressbooks", "object", row.id) } : {},
  );
}

/** Media with their data: blobs named by the client, and media of the existing card. @throws SetError */
async function withData(
  ctx: MethodContext,
  view: View,
  card: JsonObject,
  before?: { row: ObjectRow; card: JsonObject },
): Promise<JsonObject> {
  const media = card.media as Record<string, JsonObject> | undefined;
  if (typeof media !== "object" || media === null) return card;
  const known = new Map<string, JsonObject>();
  if (before !== undefined) {
    const shown = withBlobs(before.row, before.card).media as
      | Record<string, JsonObject>
      | undefined;
    for (const [id, m] of Object.entries(shown ?? {})) {
      if (typeof m.blobId === "string") {
        known.set(m.blobId, (before.card.media as Record<string, JsonObject>)[id]);
      }
    }
  }
  const filled: JsonObject = {};
  for (const [id, m] of Object.entries(media)) {
    const blobId = m?.blobId;
    if (typeof blobId !== "string") {
      filled[id] = m;
      continue;
    }
    const { blobId: _blobId, ...rest } = m;
    const there = known.get(blobId);
    if (there !== undefined) {
      const type = there.mediaType === undefined ? {} : { mediaType: there.mediaType };
      const { mediaType: _mediaType, ...more } = rest;
      filled[id] = { ...more, uri: there.uri, ...type };
      continue;
    }
    const blob = await openBlob(ctx.s, view.access, blobId);
    if (blob === undefined) {
      throw new SetError("blobNotFound", "there is no such blob", { notFound: [blobId] });
    }
    try {
      if (blob.size > maxMedia) {
        throw new SetError("tooLarge", `a picture has ${maxMedia} bytes at most`);
      }
      const bytes = blob.read(0, blob.size);
      const image = imageType(bytes);
      // RFC 9610 §3.5: what is no image can't be the photo of a card.
      if (m.kind === "photo" && image === undefined) {
        throw invalidProperties(["media"], `media/${id}: a photo is a picture of a known type`);
      }
      const said = typeof m.mediaType === "string" && /^[\w.+-]+\/[\w.+-]+$/.test(m.mediaType)
        ? m.mediaType
        : undefined;
      const type = m.kind === "photo" ? image : said ?? image ?? "application/octet-stream";
      const { mediaType: _mediaType, ...more } = rest;
      filled[id] = { ...more, uri: `data:${type};base64,${bytes.toBase64()}` };
    } finally {
      blob.close();
    }
  }
  return { ...card, media: filled };
}

/** Checks a card that a client sends. @throws SetError invalidProperties */
function check(card: JsonObject): void {
  const problems = cardProblems(card);
  if (problems.length === 0) return;
  throw invalidProperties(
    problems.map((p) => p.name),
    problems.map((p) => `${p.name}: ${p.problem}`).join("; ").slice(0, 1000),
  );
}

async function object(
  name: string,
  card: JsonObject,
  before?: ReadCard,
): Promise<NewObject> {
  const text = writeComponent(vcardOf(card, before));
  const content = new TextEncoder().encode(text);
  if (content.length > maxObjectSize) {
    throw new SetError("tooLarge", `a card has at most ${maxObjectSize} bytes`);
  }
  try {
    return await cardObjectInTurns(name, content);
  } catch (err) {
    return refused(err);
  }
}

/** Creates a card; returns the properties that the client doesn't know. @throws SetError */
export async function createCard(
  ctx: MethodContext,
  view: View,
  o: JsonObject,
): Promise<JsonObject> {
  const { addressBookIds, ...given } = o;
  if ("id" in given) throw invalidProperties(["id"], "the server sets this");
  const book = bookOf(ctx, view, addressBookIds);
  const sent = Object.fromEntries(Object.entries(given).filter(([, x]) => x !== null));
  const now = utcDateOf(Date.now());
  const preset: JsonObject = {
    "@type": "Card",
    version: "1.0",
    uid: `urn:uuid:${crypto.randomUUID()}`,
    created: now,
    updated: now,
  };
  check(sent);
  const card = await withData(ctx, view, { ...preset, ...sent });
  const made = await object(`${crypto.randomUUID()}.vcf`, card);
  // RFC 9610 §3: one card of a uid in an account. CardDAV has it for each address book.
  const other = cardOfUid(view, made.index.uid);
  if (other !== undefined) throw alreadyThere(other);
  try {
    const { row } = await view.g.put(book.id, made, { ifNoneMatch: "*" });
    const told = Object.fromEntries(
      Object.entries(preset).filter(([k]) => k !== "@type" && !(k in sent)),
    );
    const media = card.media === undefined ? {} : { media: withBlobs(row, card).media };
    return {
      id: idOf("addressbooks", "object", row.id),
      ...told,
      ...(sent.media === undefined || sameJson(media.media, sent.media) ? {} : media),
    };
  } catch (err) {
    if (err instanceof GroupwareError && err.kind === "uidConflict") {
      throw alreadyThere(view.g.objectByUid(book.id, made.index.uid));
    }
    return refused(err);
  }
}

/** Changes a card; null if the result is exactly as requested. @throws SetError */
export async function updateCard(
  ctx: MethodContext,
  view: View,
  id: string,
  patch: JsonObject,
): Promise<JsonObject | null> {
  for (let i = 0;; i++) {
    const found = objectOfId(view, id);
    if (found === undefined) throw notFound();
    const { row, collection } = found;
    requireWrite(view, collection);
    const stored = await readStored(view, row);
    const { card } = stored.converted;
    const shown: JsonObject = {
      id,
      addressBookIds: { [idOf("addressbooks", "collection", collection.id)]: true },
      ...withBlobs(row, card),
    };
    const { id: newId, addressBookIds, ...rest } = applyPatch(shown, patch);
    if (newId !== id) throw invalidProperties(["id"], "the server sets this");
    const sent = Object.fromEntries(Object.entries(rest).filter(([, x]) => x !== null));
    if (sent.uid !== (card.uid ?? sent.uid)) {
      throw invalidProperties(["uid"], "the uid of a card stays");
    }
    const book = sameJson(addressBookIds, shown.addressBookIds)
      ? collection
      : bookOf(ctx, view, addressBookIds);
    check(sent);
    const next = await withData(ctx, view, sent, { row, card });
    const differs = !sameJson(next, card);
    if (!differs && book.id === collection.id) return null;
    const updated = utcDateOf(Date.now());
    const setsTime = Object.keys(patch).some((k) => k === "updated");
    if (differs && !setsTime) next.updated = updated;
    const changed = differs ? await object(row.name, next, stored) : undefined;
    try {
      if (book.id !== collection.id) {
        const free = view.g.object(book.id, row.name) === undefined;
        const name = free ? row.name : `${crypto.randomUUID()}.vcf`;
        await view.g.move(row, book.id, name, { overwrite: false, changed });
      } else if (changed !== undefined) {
        await view.g.put(collection.id, changed, { ifMatch: [row.etag] });
      }
      return differs && !setsTime ? { updated } : null;
    } catch (err) {
      const raced = err instanceof GroupwareError && err.kind === "condition";
      if (!raced || i >= attempts) return refused(err);
    }
  }
}

/** @throws SetError notFound, forbidden */
export async function destroyCard(view: View, id: string): Promise<void> {
  const found = objectOfId(view, id);
  if (found === undefined) throw notFound();
  requireWrite(view, found.collection);
  try {
    await view.g.remove(found.collection.id, found.row.name);
  } catch (err) {
    refused(err);
  }
}
