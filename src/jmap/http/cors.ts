/**
 * Requests of pages of other sites (CORS): allowed only for the origins listed in the configuration.
 *
 * @module
 */
import { HttpError, type WebRequest } from "../../web/http/mod.ts";

/** The request's origin if allowed, "*" if all are; undefined otherwise. */
export function allowedOrigin(req: WebRequest, origins: readonly string[]): string | undefined {
  const origin = req.headers.get("origin");
  if (origin === null) return undefined;
  const anyPort = `${origin.replace(/:\d+$/, "")}:*`;
  return origins.some((o) => o === "*" || o === origin || o === anyPort) ? origin : undefined;
}

/**
 * Refuses requests that another site's page makes a browser send: the browser may know the password.
 * @throws HttpError 403
 */
export function checkOrigin(req: WebRequest, origins: readonly string[]): void {
  if (allowedOrigin(req, origins) !== undefined) return;
  const site = req.headers.get("sec-fetch-site");
  const origin = req.headers.get("origin");
  const foreign = site === null
    ? origin !== null && origin !== req.origin && URL.parse(origin)?.host !== req.url.host
    : site !== "same-origin" && site !== "none";
  if (foreign) throw new HttpError(403, "requests from pages of other sites are refused");
}

/** Answers a preflight (Fetch §3.2.3): what such a page may send, if anything. */
export function preflight(req: WebRequest, origins: readonly string[]): Response {
  const origin = allowedOrigin(req, origins);
  const headers: Record<string, string> = { Vary: "Origin" };
  if (origin !== undefined) {
    headers["Access-Control-Allow-Origin"] = origin;
    headers["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS";
    headers["Access-Control-Allow-Headers"] =
      "Authorization, Content-Type, Accept, Range, Last-Event-ID";
    headers["Access-Control-Max-Age"] = "7200";
  }
  return new Response(null, { status: 204, headers });
}

/** Lets a page of an allowed origin read the answer. */
export function withCors(
  req: WebRequest,
  origins: readonly string[],
  response: Response,
): Response {
  const origin = allowedOrigin(req, origins);
  if (origins.length > 0) response.headers.append("Vary", "Origin");
  if (origin === undefined) return response;
  response.headers.set("Access-Control-Allow-Origin", origin);
  response.headers.set(
    "Access-Control-Expose-Headers",
    "Content-Range, Accept-Ranges, Content-Length",
  );
  response.headers.set("Cross-Origin-Resource-Policy", "cross-origin");
  return response;
}
