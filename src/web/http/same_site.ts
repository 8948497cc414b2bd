/**
 * Refusing requests that another site makes a browser send.
 *
 * Cookies are SameSite=Strict already. In addition, browsers tell the origin of a request
 * (Sec-Fetch-Site, or Origin), and calls carry a header field that only our own pages can add
 * without a CORS preflight, which is never answered.
 *
 * @module
 */
import { HttpError, type WebRequest } from "./types.ts";

/** Header field of every call. */
export const callHeader = "x-mox-request";

/**
 * For documents, downloads and event streams, whose cookie must not work for other sites.
 * @throws HttpError 403
 */
export function checkSameSite(req: WebRequest): void {
  const site = req.headers.get("sec-fetch-site");
  // "none": typed in, or from a bookmark.
  if (site !== null) {
    if (site === "same-origin" || site === "none") return;
    throw new HttpError(403, "requests from other sites are refused");
  }
  const origin = req.headers.get("origin");
  if (origin === null) return;
  // Only the host: behind a reverse proxy the scheme may differ.
  if (URL.parse(origin)?.host !== req.url.host) {
    throw new HttpError(403, "requests from other sites are refused");
  }
}

/** For calls that may change something. */
export function checkCall(req: WebRequest): void {
  checkSameSite(req);
  if (req.headers.get(callHeader) === null) {
    throw new HttpError(403, `calls need the header field ${callHeader}`);
  }
}
