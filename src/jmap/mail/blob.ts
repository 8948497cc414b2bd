/**
 * Binary data by its id (RFC 8620 §6): uploads ("U…"), messages ("B12"), and parts of either ("B12-2_1", and
 * for an attached message "B12-2_1-1").
 *
 * @module
 */
import { emailStructure } from "../../store/messages/content.ts";
import { asEmailId } from "../../store/ids.ts";
import { createHash } from "node:crypto";
import { unpackStructure } from "../../mail/structure/packed.ts";
import type { Part } from "../../mail/structure/structure.ts";
import type { Access } from "../core/method.ts";
import { mediaBlob } from "../groupware/card_media.ts";
import { groupwareView, objectOfId } from "../groupware/collections.ts";
import { partOfId } from "./body_parts.ts";
import { blobMessage, decodedPieces, isIdentity } from "./message_source.ts";
import { mailView } from "./view.ts";
import type { JmapServices } from "../services.ts";
import type { Blob } from "../blobs/types.ts";

/** Most levels of nested messages in an id. */
const maxLevels = 10;

const idForm = /^(B[1-9]\d{0,14}|U[0-9a-f]{32})((?:-[1-9]\d{0,5}(?:_[1-9]\d{0,5}){0,100})*)$/;

/** A Sieve script (RFC 9661 §2.1): its number and a hash of its content. */
const scriptForm = /^S([1-9]\d{0,14})_([0-9a-f]{32})$/;

/** A picture or sound of a contact (RFC 9610 §3): the card's number and a hash of the content. */
const mediaForm = /^K([1-9]\d{0,14})_([0-9a-f]{32})$/;

/** True for a valid blob id. */
export function isBlobId(id: string): boolean {
  return idForm.test(id) || scriptForm.test(id) || mediaForm.test(id);
}

function bytesBlob(bytes: Uint8Array): Blob {
  return { size: bytes.length, read: (from, to) => bytes.slice(from, to), close() {} };
}

/** The content of the id, if the script still has it; only for its owner. */
function scriptBlob(
  services: JmapServices,
  access: Access,
  number: number,
  hash: string,
): Blob | undefined {
  if (!access.own) return undefined;
  const { name: account } = access.account;
  const found = services.scripts.list(account).find((i) => i.id === number);
  const text = found && services.scripts.get(account, found.name);
  if (text === undefined || scriptHash(text) !== hash) return undefined;
  return bytesBlob(new TextEncoder().encode(text));
}

/** A hash that identifies a script's content. */
export function scriptHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function uploaded(path: string, size: number): Blob {
  const file = Deno.openSync(path);
  return {
    size,
    read(from, to) {
      const out = new Uint8Array(Math.max(0, Math.min(to, size) - from));
      file.seekSync(from, Deno.SeekMode.Start);
      let n = 0;
      while (n < out.length) {
        const r = file.readSync(out.subarray(n));
        if (r === null) break;
        n += r;
      }
      return out.subarray(0, n);
    },
    close: () => file.close(),
  };
}

/** A part without its transfer encoding. Reading forwards costs least. */
function partBlob(outer: Blob, part: Part): Blob {
  if (isIdentity(part.encoding)) {
    return {
      size: part.endOffset - part.bodyOffset,
      read: (from, to) =>
        outer.read(part.bodyOffset + from, Math.min(part.endOffset, part.bodyOffset + to)),
      close: () => outer.close(),
    };
  }
  let size = 0;
  for (const b of decodedPieces(outer, part)) size += b.length;
  let pieces = decodedPieces(outer, part);
  /** Decoded bytes not requested yet, with their position. */
  let held: Uint8Array = new Uint8Array(0);
  let at = 0;
  return {
    size,
    read(from, to) {
      if (from < at) {
        pieces = decodedPieces(outer, part);
        held = new Uint8Array(0);
        at = 0;
      }
      const out = new Uint8Array(Math.max(0, Math.min(to, size) - from));
      let n = 0;
      for (;;) {
        const skip = Math.min(held.length, Math.max(0, from + n - at));
        held = held.subarray(skip);
        at += skip;
        const take = at === from + n ? Math.min(held.length, out.length - n) : 0;
        out.set(held.subarray(0, take), n);
        held = held.subarray(take);
        at += take;
        n += take;
        if (n === out.length) return out;
        if (held.length > 0) continue;
        const next = pieces.next();
        if (next.done) return out.subarray(0, n);
        held = next.value.slice();
      }
    },
    close: () => outer.close(),
  };
}

async function wholeBlob(
  services: JmapServices,
  access: Access,
  id: string,
): Promise<Blob | undefined> {
  if (id.startsWith("U")) {
    const upload = services.uploads.get(access.account.name, access.user.account, id);
    return upload && uploaded(upload.path, upload.size);
  }
  const view = await mailView(access);
  const emailId = asEmailId(Number(id.slice(1)));
  const slot = view.index.slotOf(emailId);
  if (slot === undefined || !view.visible(slot)) return undefined;
  const reader = access.account.openMessage(emailId);
  return {
    size: view.index.size[slot],
    read: (from, to) => reader.read(from, to),
    close: () => reader.close(),
  };
}

/** Opens the blob of an id in an account; undefined if this user has no such blob. */
export async function openBlob(
  services: JmapServices,
  access: Access,
  id: string,
): Promise<Blob | undefined> {
  const script = scriptForm.exec(id);
  if (script) return scriptBlob(services, access, Number(script[1]), script[2]);
  const media = mediaForm.exec(id);
  if (media) {
    const v = await groupwareView(access, "addressbooks");
    const found = objectOfId(v, `K${media[1]}`);
    const bytes = found && await mediaBlob(v, found.row, id);
    return bytes && bytesBlob(bytes);
  }
  const m = idForm.exec(id);
  if (!m) return undefined;
  const levels = m[2] === "" ? [] : m[2].slice(1).split("-");
  if (levels.length > maxLevels) return undefined;
  let blob = await wholeBlob(services, access, m[1]);
  for (const [depth, level] of levels.entries()) {
    if (blob === undefined) return undefined;
    const stored = depth === 0 && m[1].startsWith("B")
      ? emailStructure(access.account.db, asEmailId(Number(m[1].slice(1))))
      : undefined;
    const root = stored !== undefined
      ? unpackStructure(stored)
      : (await blobMessage(blob, "")).root;
    const part = partOfId(root, level);
    if (part === undefined) {
      blob.close();
      return undefined;
    }
    blob = partBlob(blob, part);
  }
  return blob;
}
