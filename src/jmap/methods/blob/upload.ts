/** Blob/upload (RFC 9404 §4.1): blobs from text, from base64, and from pieces of others. @module */
import * as v from "valibot";
import { openBlob } from "../../mail/blob.ts";
import { UploadLimitError } from "../../blobs/uploads.ts";
import { Capability } from "../../core/capabilities.ts";
import { invalidProperties, MethodError, SetError } from "../../core/errors.ts";
import { type Access, defineMethod, type MethodContext } from "../../core/method.ts";
import { resolveId, setErrorOf } from "../../core/set.ts";
import { anyObject, id, mapOf } from "../../core/types.ts";
import { mediaType } from "../../http/media_type.ts";
import { giveWay } from "../../../platform/turns.ts";

/** Most pieces of such a blob, and most bytes. */
export const maxDataSources = 64;
export const maxSizeBlobSet = 50_000_000;

/** Bytes that are read from another blob at a time. */
const pieceSize = 256 * 1024;

/** A piece of a blob that is made: bytes that are here, or those of another, which are read as they are written. */
type Piece = Uint8Array | { blobId: string; offset: number; length: number };

async function piece(
  ctx: MethodContext,
  access: Access,
  source: unknown,
  at: string,
): Promise<Piece> {
  const bad = (why: string) => invalidProperties([at], `${at}: ${why}`);
  if (typeof source !== "object" || source === null || Array.isArray(source)) {
    throw bad("must be an object");
  }
  const s = source as Record<string, unknown>;
  const kinds = ["data:asText", "data:asBase64", "blobId"].filter((k) => s[k] !== undefined);
  if (kinds.length !== 1) throw bad("needs one of data:asText, data:asBase64 and blobId");
  const [kind] = kinds;
  const value = s[kind];
  const known = kind === "blobId" ? ["blobId", "offset", "length"] : kinds;
  const unknown = Object.keys(s).find((k) => !known.includes(k));
  if (unknown !== undefined) throw bad(`there is no ${unknown} here`);
  if (typeof value !== "string") throw bad(`${kind} must be a string`);
  if (kind === "data:asText") return new TextEncoder().encode(value.toWellFormed());
  if (kind === "data:asBase64") {
    try {
      return Uint8Array.fromBase64(value);
    } catch {
      throw bad("is not base64");
    }
  }
  const blobId = resolveId(ctx, value) ?? "";
  const blob = await openBlob(ctx.s, access, blobId);
  if (!blob) throw new SetError("blobNotFound", "there is no such blob", { notFound: [value] });
  try {
    const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;
    const offset = s.offset ?? 0;
    const length = s.length ?? (isCount(offset) ? Math.max(0, blob.size - offset) : 0);
    if (!isCount(offset) || !isCount(length) || offset + length > blob.size) {
      throw bad("is outside of the blob");
    }
    if (length > maxSizeBlobSet) throw new SetError("tooLarge", "the blob is too large");
    return { blobId, offset, length };
  } finally {
    blob.close();
  }
}

/** The bytes of pieces one after the other: 50 MB of each of 16 requests had been in memory at once. */
async function* bytesOf(
  ctx: MethodContext,
  access: Access,
  pieces: readonly Piece[],
): AsyncGenerator<Uint8Array> {
  for (const p of pieces) {
    if (p instanceof Uint8Array) {
      yield p;
      continue;
    }
    const blob = await openBlob(ctx.s, access, p.blobId);
    if (!blob) throw new SetError("blobNotFound", "a blob is gone", { notFound: [p.blobId] });
    try {
      const end = p.offset + p.length;
      for (let at = p.offset; at < end; at += pieceSize) {
        yield blob.read(at, Math.min(end, at + pieceSize));
        await giveWay();
      }
    } finally {
      blob.close();
    }
  }
}

async function make(
  ctx: MethodContext,
  access: Access,
  o: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const unknown = Object.keys(o).filter((k) => k !== "data" && k !== "type");
  if (unknown.length > 0) throw invalidProperties(unknown, `there is no ${unknown.join(", ")}`);
  if (o.type !== undefined && o.type !== null && typeof o.type !== "string") {
    throw invalidProperties(["type"], "type must be a string");
  }
  if (!Array.isArray(o.data)) throw invalidProperties(["data"], "data must be an array");
  if (o.data.length > maxDataSources) {
    throw new SetError("tooLarge", `a blob can have ${maxDataSources} pieces`);
  }
  const pieces: Piece[] = [];
  let size = 0;
  for (const [i, source] of o.data.entries()) {
    const p = await piece(ctx, access, source, `data/${i}`);
    size += p.length;
    if (size > maxSizeBlobSet) {
      throw new SetError("tooLarge", `a blob can have ${maxSizeBlobSet} bytes`);
    }
    pieces.push(p);
  }
  try {
    const upload = await ctx.s.uploads.add(
      access.account.name,
      ctx.user.account,
      ReadableStream.from(bytesOf(ctx, access, pieces)),
    );
    return {
      id: upload.id,
      blobId: upload.id,
      type: typeof o.type === "string" ? mediaType(o.type) : null,
      size,
    };
  } catch (err) {
    if (err instanceof UploadLimitError) throw new SetError("overQuota", err.message);
    throw err;
  }
}

export const blobUpload = defineMethod({
  name: "Blob/upload",
  capability: Capability.Blob,
  args: v.strictObject({ accountId: id, create: mapOf(id, anyObject) }),
  async run(ctx, args) {
    if (Object.keys(args.create).length > 100) {
      throw new MethodError("requestTooLarge", "more than 100 blobs");
    }
    const access = await ctx.access(args.accountId);
    const created: Record<string, unknown> = {};
    const notCreated: Record<string, unknown> = {};
    for (const [key, o] of Object.entries(args.create)) {
      try {
        const made = await make(ctx, access, o);
        created[key] = made;
        ctx.createdIds.set(key, made.id as string);
      } catch (err) {
        notCreated[key] = setErrorOf(err).value();
      }
    }
    return {
      accountId: args.accountId,
      created: Object.keys(created).length === 0 ? null : created,
      notCreated: Object.keys(notCreated).length === 0 ? null : notCreated,
    };
  },
});
