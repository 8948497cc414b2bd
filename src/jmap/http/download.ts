/** Downloading (RFC 8620 §6.2), whole or a range (RFC 9110 §14). @module */
import { HttpError, type WebRequest } from "../../web/http/mod.ts";
import { openBlob } from "../mail/blob.ts";
import { blobStream } from "../blobs/stream.ts";
import type { Blob } from "../blobs/types.ts";
import { AccountAccess } from "../core/access.ts";
import type { User } from "../core/method.ts";
import type { JmapServices } from "../services.ts";
import { mediaType } from "./media_type.ts";
import { accountNamed } from "./upload.ts";

/** A single range of bytes [from, to); undefined for no range, "none" for one outside (RFC 9110 §14.1.2). */
export function rangeOf(
  header: string | null,
  size: number,
): { from: number; to: number } | "none" | undefined {
  const m = /^bytes=(\d{0,15})-(\d{0,15})$/.exec((header ?? "").trim());
  if (m === null || m[1] === "" && m[2] === "") return undefined;
  if (m[1] === "") {
    const last = Number(m[2]);
    return last === 0 || size === 0 ? "none" : { from: Math.max(0, size - last), to: size };
  }
  const from = Number(m[1]);
  const to = m[2] === "" ? size : Math.min(size, Number(m[2]) + 1);
  if (m[2] !== "" && Number(m[2]) < from) return undefined;
  return from >= size ? "none" : { from, to };
}

/** Header field with a file's name, in ASCII and in full (RFC 6266, RFC 8187). */
function disposition(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%/]/g, "_").slice(0, 200);
  const full = encodeURIComponent(name.toWellFormed().slice(0, 200))
    .replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${full}`;
}

/** Sends the blob of an id. */
export async function answerDownload(
  services: JmapServices,
  user: User,
  req: WebRequest,
  accountId: string,
  blobId: string,
  name: string,
): Promise<Response> {
  accountNamed(services, user, accountId);
  const access = new AccountAccess(services, user);
  let blob: Blob | undefined;
  let open = true;
  const close = () => {
    if (!open) return;
    open = false;
    blob?.close();
    access.close();
  };
  try {
    blob = await openBlob(services, await access.open(accountId), blobId);
    if (blob === undefined) throw new HttpError(404, "there is no such file");
    const { size } = blob;
    const headers: Record<string, string> = {
      "Content-Type": mediaType(req.url.searchParams.get("accept")),
      "Content-Disposition": disposition(name),
      "Accept-Ranges": "bytes",
      // RFC 8620 §6.2: the content of an id never changes.
      "Cache-Control": "private, immutable, max-age=31536000",
      "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    };
    const range = rangeOf(req.headers.get("range"), size);
    if (range === "none") {
      close();
      return new Response(null, { status: 416, headers: { "Content-Range": `bytes */${size}` } });
    }
    const { from, to } = range ?? { from: 0, to: size };
    headers["Content-Length"] = String(to - from);
    if (range !== undefined) headers["Content-Range"] = `bytes ${from}-${to - 1}/${size}`;
    const status = range === undefined ? 200 : 206;
    if (req.method === "HEAD") {
      close();
      return new Response(null, { status, headers });
    }
    return new Response(blobStream(blob, from, to, close), { status, headers });
  } catch (err) {
    close();
    throw err;
  }
}
