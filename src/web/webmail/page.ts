/**
 * The page itself: one HTML document with its style and script in it, compressed once, and kept by
 * browsers until it changes.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { fixedResponse, textResponse, type WebHandler, type WebRequest } from "../http/mod.ts";

/** The hash of a script or style, as a source in a Content-Security-Policy. */
const hashSource = (text: string) =>
  `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Hashes of the contents of elements, for a Content-Security-Policy. */
function contentHashes(html: string, tag: string): string {
  const hashes: string[] = [];
  for (let at = 0;;) {
    const start = html.indexOf(`<${tag}`, at);
    const open = start < 0 ? -1 : html.indexOf(">", start);
    const end = open < 0 ? -1 : html.indexOf(`</${tag}>`, open);
    if (end < 0) return hashes.join(" ");
    hashes.push(hashSource(html.slice(open + 1, end)));
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
  /** A script that the page puts into itself as text, and that its policy allows too. */
  later?: string;
}

type Encoding = "br" | "gzip";

function compress(bytes: Uint8Array, encoding: Encoding): Uint8Array<ArrayBuffer> {
  return new Uint8Array(
    encoding === "gzip" ? gzipSync(bytes, { level: 9 }) : brotliCompressSync(bytes, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 9,
        [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  );
}

/**
 * A fixed text: compressed as the request allows, or 304 if the browser has it.
 * @param ready encodings that are made at once; others are made when they are first asked for (some 20 ms)
 */
function answerer(
  text: string,
  common: Readonly<Record<string, string>>,
  ready: readonly Encoding[] = [],
): (req: WebRequest) => Response {
  const bytes = new TextEncoder().encode(text);
  const made: Partial<Record<Encoding, Uint8Array<ArrayBuffer>>> = {};
  const body = (encoding: Encoding) => made[encoding] ??= compress(bytes, encoding);
  for (const encoding of ready) body(encoding);
  const tag = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  return (req) => {
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
    const headers: Record<string, string> = { ...common, ETag: etag, Vary: "Accept-Encoding" };
    if ((req.headers.get("if-none-match") ?? "").includes(etag)) {
      return new Response(null, { status: 304, headers });
    }
    if (encoding !== undefined) headers["Content-Encoding"] = encoding;
    return fixedResponse(encoding === undefined ? bytes : body(encoding), headers);
  };
}

/**
 * Serves a page. Scripts are those within it and `later`, no others; it may talk to its own origin, and show
 * pictures of it and what it made itself. One in a frame talks to nobody, and has any styles: those of messages.
 */
export function servePage(
  html: string,
  { path, framed, later }: PageOptions = { path: "/", framed: false },
): WebHandler {
  const scripts = [
    contentHashes(html, "script"),
    later === undefined ? "" : hashSource(later),
  ].filter((s) => s !== "").join(" ");
  const answer = answerer(html, {
    "Content-Type": "text/html; charset=utf-8",
    // Asked for each time, answered with 304 mostly: an upgrade shows at the next load.
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; " +
      `script-src ${scripts || "'none'"}; ` +
      (framed
        ? "style-src 'unsafe-inline'; img-src 'self' data: blob:; base-uri 'none'; " +
          "form-action 'none'; frame-ancestors 'self'"
        : `style-src ${contentHashes(html, "style") || "'none'"}; ${ownPage}`),
  }, ["br", "gzip"]);
  return (req) => req.path === path ? answer(req) : textResponse(404, "not found");
}

/** Serves a small file beside the page, which loads nothing itself but from its own origin. */
export function serveFile(text: string, type: string): WebHandler {
  return answerer(text, {
    "Content-Type": `${type}; charset=utf-8`,
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
  });
}
