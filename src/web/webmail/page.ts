/**
 * The page itself: one HTML document with its style and script in it, compressed once, and kept by
 * browsers until it changes.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { fixedResponse, textResponse, type WebHandler } from "../http/mod.ts";

/** Hashes of the contents of elements, for a Content-Security-Policy. */
function contentHashes(html: string, tag: string): string {
  const hashes: string[] = [];
  for (let at = 0;;) {
    const start = html.indexOf(`<${tag}`, at);
    const open = start < 0 ? -1 : html.indexOf(">", start);
    const end = open < 0 ? -1 : html.indexOf(`</${tag}>`, open);
    if (end < 0) return hashes.join(" ");
    const hash = createHash("sha256").update(html.slice(open + 1, end)).digest("base64");
    hashes.push(`'sha256-${hash}'`);
    at = end;
  }
}

const ownPage =
  "connect-src 'self'; img-src 'self' data: blob:; media-src 'self'; object-src 'self'; " +
  "frame-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** A page on its own, or in a frame of a page of its own origin. */
export interface PageOptions {
  /** "/" for the page itself. */
  path: string;
  framed: boolean;
}

/**
 * Serves a page. Scripts are those within it, no others; it may talk to its own origin, and show pictures
 * of it and what it made itself. One in a frame talks to nobody, and has any styles: those of messages.
 */
export function servePage(
  html: string,
  { path, framed }: PageOptions = { path: "/", framed: false },
): WebHandler {
  const bytes = new TextEncoder().encode(html);
  const bodies = {
    br: new Uint8Array(brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 9,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    })),
    gzip: new Uint8Array(gzipSync(bytes, { level: 9 })),
  };
  const tag = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  const common = {
    "Content-Type": "text/html; charset=utf-8",
    // Asked for each time, answered with 304 mostly: an upgrade shows at the next load.
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
    "Content-Security-Policy": "default-src 'none'; " +
      `script-src ${contentHashes(html, "script") || "'none'"}; ` +
      (framed
        ? "style-src 'unsafe-inline'; img-src 'self' data: blob:; base-uri 'none'; " +
          "form-action 'none'; frame-ancestors 'self'"
        : `style-src ${contentHashes(html, "style") || "'none'"}; ${ownPage}`),
  };
  return (req) => {
    if (req.path !== path) return textResponse(404, "not found");
    if (req.method !== "GET" && req.method !== "HEAD") {
      return textResponse(405, "only GET", { Allow: "GET, HEAD" });
    }
    const accepted = (req.headers.get("accept-encoding") ?? "").toLowerCase().split(",")
      .map((e) => e.trim().split(";", 1)[0]);
    const encoding = accepted.includes("br")
      ? "br"
      : accepted.includes("gzip")
      ? "gzip"
      : undefined;
    const etag = `"${tag}-${encoding ?? "plain"}"`;
    const headers: Record<string, string> = { ...common, ETag: etag };
    if ((req.headers.get("if-none-match") ?? "").includes(etag)) {
      return new Response(null, { status: 304, headers });
    }
    if (encoding !== undefined) headers["Content-Encoding"] = encoding;
    return fixedResponse(encoding === undefined ? bytes : bodies[encoding], headers);
  };
}

/** Serves a small file beside the page, which loads nothing itself but from its own origin. */
export function serveFile(text: string, type: string): WebHandler {
  const bytes = new TextEncoder().encode(text);
  const tag = `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"`;
  const headers = {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
    ETag: tag,
  };
  return (req) => {
    if (req.method !== "GET" && req.method !== "HEAD") {
      return textResponse(405, "only GET", { Allow: "GET, HEAD" });
    }
    if ((req.headers.get("if-none-match") ?? "").includes(tag)) {
      return new Response(null, { status: 304, headers });
    }
    return fixedResponse(bytes, headers);
  };
}
