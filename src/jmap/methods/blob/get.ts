/** Blob/get (RFC 9404 §4.2): bytes of blobs, and their digests. @module */
import { createHash } from "node:crypto";
import * as v from "valibot";
import { openBlob } from "../../mail/blob.ts";
import type { Blob } from "../../blobs/types.ts";
import { Capability } from "../../core/capabilities.ts";
import { MethodError } from "../../core/errors.ts";
import { askedProperties, checkCount } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { resolveId } from "../../core/set.ts";
import { id, unsignedInt } from "../../core/types.ts";
import { Turns } from "../../mail/message_source.ts";

/** Supported digests, with the runtime's names. */
export const digests: Record<string, string> = {
  sha: "sha1",
  "sha-256": "sha256",
  "sha-512": "sha512",
};
const properties = [
  "id",
  "data",
  "data:asText",
  "data:asBase64",
  "size",
  ...Object.keys(digests).map((d) => `digest:${d}`),
];
/** Most bytes returned for all blobs of a call together. */
const maxData = 8_000_000;
const pieceSize = 256 * 1024;

async function digest(blob: Blob, from: number, to: number, algorithm: string): Promise<string> {
  const turns = new Turns();
  const hash = createHash(digests[algorithm]);
  for (let at = from; at < to; at += pieceSize) {
    hash.update(blob.read(at, Math.min(to, at + pieceSize)));
    await turns.next();
  }
  return hash.digest("base64");
}

export const blobGet = defineMethod({
  name: "Blob/get",
  capability: Capability.Blob,
  args: v.strictObject({
    accountId: id,
    ids: v.array(v.string()),
    properties: v.optional(v.nullable(v.array(v.string()))),
    offset: v.optional(v.nullable(unsignedInt)),
    length: v.optional(v.nullable(unsignedInt)),
  }),
  async run(ctx, args) {
    const asked = askedProperties(args.properties, properties, ["data", "size"]);
    const ids = [...new Set(args.ids)];
    checkCount(ids.length);
    const access = await ctx.access(args.accountId);
    const list: unknown[] = [];
    const notFound: string[] = [];
    let given = 0;
    for (const blobId of ids) {
      const blob = await openBlob(ctx.s, access, resolveId(ctx, blobId) ?? "");
      if (!blob) {
        notFound.push(blobId);
        continue;
      }
      try {
        const from = Math.min(args.offset ?? 0, blob.size);
        const to = Math.min(blob.size, from + (args.length ?? blob.size));
        const o: Record<string, unknown> = { id: blobId };
        // RFC 9404 §4.2: truncation is reported.
        const cut = (args.offset ?? 0) > blob.size ||
          (args.length ?? 0) > 0 && (args.offset ?? 0) + args.length! > blob.size;
        if (cut) o.isTruncated = true;
        if (asked.has("size")) o.size = blob.size;
        if (["data", "data:asText", "data:asBase64"].some((p) => asked.has(p))) {
          given += to - from;
          if (given > maxData) {
            throw new MethodError("requestTooLarge", `more than ${maxData} bytes in all`);
          }
          const bytes = blob.read(from, to);
          let text: string | undefined;
          try {
            text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
          } catch {
            text = undefined;
          }
          if (text === undefined) o.isEncodingProblem = true;
          if (asked.has("data:asText")) o["data:asText"] = text ?? null;
          if (asked.has("data")) {
            if (text === undefined) o["data:asBase64"] = bytes.toBase64();
            else o["data:asText"] = text;
          }
          if (asked.has("data:asBase64")) o["data:asBase64"] = bytes.toBase64();
        }
        for (const name of Object.keys(digests)) {
          if (asked.has(`digest:${name}`)) {
            o[`digest:${name}`] = await digest(blob, from, to, name);
          }
        }
        list.push(o);
      } finally {
        blob.close();
      }
    }
    return { accountId: args.accountId, list, notFound };
  },
});
