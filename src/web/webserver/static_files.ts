/**
 * Files of a folder: kinds, ranges, validators, listings.
 *
 * @module
 */
import type { WebStatic } from "../../config/mod.ts";
import { HttpError, redirect, textResponse, type WebRequest } from "../http/mod.ts";
import { contentType } from "./content_type.ts";
import { folderListing } from "./listing.ts";
import { parseRange } from "./range.ts";
import { PathError, safeJoin } from "../../platform/paths.ts";

/** Bytes read at a time. */
const chunk = 64 * 1024;

/**
 * Answers from the folder; undefined leaves the request to later handlers.
 * @throws HttpError 404, 403 for folders that aren't listed, 405, 416
 */
export async function serveStatic(
  req: WebRequest,
  s: WebStatic,
): Promise<Response | undefined> {
  const get = req.method === "GET" || req.method === "HEAD";
  const missing = () => {
    if (s.ContinueNotFound) return undefined;
    throw new HttpError(404, "not found");
  };
  if (!get) {
    if (s.ContinueNotFound) return undefined;
    throw new HttpError(405, "only GET and HEAD", { Allow: "GET, HEAD" });
  }
  let path = req.path;
  if (s.StripPrefix !== "") {
    if (!path.startsWith(s.StripPrefix)) return missing();
    path = path.slice(s.StripPrefix.length);
    if (!path.startsWith("/")) path = `/${path}`;
  }
  const file = resolve(s.Root, path);
  if (file === undefined) return missing();
  const info = await stat(file);
  if (info === undefined) return missing();
  if (info.isDirectory) {
    // Relative links in a page need the slash.
    if (!req.url.pathname.endsWith("/")) {
      return redirect(302, `${req.url.pathname}/${req.url.search}`);
    }
    const index = safeJoin(file, "index.html");
    const indexInfo = await stat(index);
    if (indexInfo?.isFile) return await sendFile(req, s, index, indexInfo);
    if (!s.ListFiles) throw new HttpError(403, "this folder is not listed");
    return withHeaders(await folderListing(req, file), s);
  }
  if (!info.isFile) return missing();
  if (path.endsWith("/")) return missing();
  return await sendFile(req, s, file, info);
}

/** The file that a path names inside the root; undefined for paths that can't name one. */
function resolve(root: string, path: string): string | undefined {
  try {
    const parts = path.split("/").filter((p) => p !== "").map(decodeURIComponent);
    // A name must not turn into a path by its decoding.
    if (parts.some((p) => p.includes("/"))) return undefined;
    return parts.length === 0 ? root : safeJoin(root, parts.join("/"));
  } catch (e) {
    if (e instanceof PathError || e instanceof URIError) return undefined;
    throw e;
  }
}

async function stat(file: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(file);
  } catch {
    return undefined;
  }
}

function withHeaders(response: Response, s: WebStatic): Response {
  for (const [name, value] of s.ResponseHeaders) response.headers.set(name, value);
  return response;
}

async function sendFile(
  req: WebRequest,
  s: WebStatic,
  path: string,
  info: Deno.FileInfo,
): Promise<Response> {
  const modified = Math.floor((info.mtime?.getTime() ?? 0) / 1000) * 1000;
  const etag = `"${info.size.toString(36)}-${(info.mtime?.getTime() ?? 0).toString(36)}"`;
  const headers = new Headers({
    "Content-Type": contentType(path),
    "Accept-Ranges": "bytes",
    "ETag": etag,
    "Last-Modified": new Date(modified).toUTCString(),
    // Sites have policies of their own, or none.
    "Content-Security-Policy": "frame-ancestors 'self'",
    "Referrer-Policy": "strict-origin-when-cross-origin",
  });
  if (notModified(req, etag, modified)) {
    headers.delete("Content-Type");
    return withHeaders(new Response(null, { status: 304, headers }), s);
  }
  let from = 0;
  let to = info.size;
  let status = 200;
  const ifRange = req.headers.get("if-range");
  const asked = req.headers.get("range");
  if (asked !== null && (ifRange === null || ifRange === etag)) {
    const range = parseRange(asked, info.size);
    if (range === "unsatisfiable") {
      return textResponse(416, "no such range", { "Content-Range": `bytes */${info.size}` });
    }
    if (range !== undefined) {
      ({ from, to } = range);
      status = 206;
      headers.set("Content-Range", `bytes ${from}-${to - 1}/${info.size}`);
    }
  }
  headers.set("Content-Length", String(to - from));
  const body = req.method === "HEAD" ? null : await fileBytes(path, from, to);
  return withHeaders(new Response(body, { status, headers }), s);
}

function notModified(req: WebRequest, etag: string, modified: number): boolean {
  const match = req.headers.get("if-none-match");
  if (match !== null) {
    return match.split(",").some((m) => m.trim().replace(/^W\//, "") === etag || m.trim() === "*");
  }
  const since = req.headers.get("if-modified-since");
  return since !== null && Date.parse(since) >= modified;
}

/** The bytes of a file, read as they are asked for. */
async function fileBytes(
  path: string,
  from: number,
  to: number,
): Promise<ReadableStream<Uint8Array>> {
  const file = await Deno.open(path);
  let left = to - from;
  try {
    if (from > 0) await file.seek(from, Deno.SeekMode.Start);
  } catch (e) {
    file.close();
    throw e;
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const buffer = new Uint8Array(Math.min(chunk, Math.max(left, 1)));
      const n = left > 0 ? await file.read(buffer) : null;
      if (n === null) {
        file.close();
        // A file that got shorter meanwhile: the client must not take it for whole.
        if (left > 0) controller.error(new Error("file got shorter"));
        else controller.close();
        return;
      }
      left -= n;
      controller.enqueue(buffer.subarray(0, n));
    },
    cancel() {
      file.close();
    },
  }, { highWaterMark: 1 });
}
