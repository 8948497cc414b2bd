/**
 * Compressing answers for clients that take it.
 *
 * @module
 */
import { createGzip } from "node:zlib";
import { Readable } from "node:stream";
import type { WebRequest } from "../http/mod.ts";

/** Answers below so many bytes are not worth it. */
const minSize = 512;

/** True for kinds of content that get smaller. */
export function compressible(contentType: string): boolean {
  const type = contentType.split(";", 1)[0].trim().toLowerCase();
  return type.startsWith("text/") && type !== "text/event-stream" ||
    /[+/](?:json|xml|javascript|wasm|yaml|x-yaml|manifest\+json)$/.test(type) ||
    ["image/svg+xml", "image/bmp", "image/vnd.microsoft.icon", "font/ttf", "font/otf"].includes(
      type,
    );
}

/** True if a request takes a content coding (RFC 9110 §12.5.3). */
export function accepts(req: WebRequest, coding: string): boolean {
  for (const item of (req.headers.get("accept-encoding") ?? "").split(",")) {
    const [name, ...params] = item.split(";").map((s) => s.trim().toLowerCase());
    if (name === coding || name === "*") return !params.some((p) => /^q=0(?:\.0*)?$/.test(p));
  }
  return false;
}

/** The same answer compressed, if the client takes gzip and it is of a kind that gets smaller. */
export function compress(req: WebRequest, response: Response): Response {
  const length = response.headers.get("content-length");
  if (
    response.status !== 200 || response.body === null || req.method === "HEAD" ||
    response.headers.has("content-encoding") || response.headers.has("content-range") ||
    !compressible(response.headers.get("content-type") ?? "") ||
    (length !== null && Number(length) < minSize) || !accepts(req, "gzip")
  ) return response;
  const headers = new Headers(response.headers);
  headers.set("content-encoding", "gzip");
  headers.append("vary", "Accept-Encoding");
  headers.delete("content-length");
  // An ETag names bytes; these are others (RFC 9110 §8.8.3.3).
  const etag = headers.get("etag");
  if (etag !== null && !etag.startsWith("W/")) headers.set("etag", `W/${etag}`);
  const source = Readable.fromWeb(response.body as never);
  const gzip = createGzip({ level: 5 });
  source.on("error", (e) => gzip.destroy(e));
  gzip.on("close", () => source.destroy());
  source.pipe(gzip);
  return new Response(Readable.toWeb(gzip) as ReadableStream<Uint8Array>, {
    status: response.status,
    headers,
  });
}
