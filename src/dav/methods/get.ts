/** GET and HEAD: an object as stored; for a collection all objects in one text. @module */
import { exportCollection } from "../../groupware/export.ts";
import { allowed } from "../core/allow.ts";
import {
  checkUnmodified,
  conditionOf,
  type DavRequest,
  isOld,
  type Method,
} from "../request/request.ts";
import { DavError } from "../core/errors.ts";
import { notHere, requireThere } from "../core/there.ts";
import { syncToken } from "../core/sync_token.ts";
import { contentType } from "../properties/common.ts";
import { displayNameOf } from "../properties/people.ts";

/** Header fields of an object. */
export function objectHeaders(
  extract: Extract<DavRequest["r"], { kind: "object" }>,
): Record<string, string> {
  return {
    "Content-Type": contentType(extract),
    "ETag": `"${extract.object.etag}"`,
    "Last-Modified": new Date(extract.object.modified).toUTCString(),
    "Cache-Control": "private, no-cache",
    ...(extract.object.scheduleTag === ""
      ? {}
      : { "Schedule-Tag": `"${extract.object.scheduleTag}"` }),
  };
}

function run(request: DavRequest): Response {
  const { r } = request;
  requireThere(r);
  if (r.kind === "object") {
    const headers = objectHeaders(r);
    const c = conditionOf(request);
    if (c.ifMatch !== undefined && c.ifMatch !== "*" && !c.ifMatch.includes(r.object.etag)) {
      throw new DavError(412, "If-Match: that isn't what is there");
    }
    checkUnmodified(request);
    if (c.ifNoneMatch === "*" || c.ifNoneMatch?.includes(r.object.etag) || isOld(request)) {
      return new Response(null, { status: 304, headers });
    }
    const content = r.g.content(r.object.id) ?? new Uint8Array(0);
    return new Response(new Uint8Array(content), { headers });
  }
  if (
    r.kind === "collection" && (r.collection.kind === "calendar" || r.collection.kind ===
        "addressbook")
  ) {
    const calendar = r.collection.kind === "calendar";
    const tag = syncToken(r.g, r.collection, r.collection.modseq);
    const headers = {
      "Content-Type": calendar ? "text/calendar; charset=utf-8" : "text/vcard; charset=utf-8",
      "Cache-Control": "private, no-cache",
      "ETag": `W/"${tag}"`,
    };
    // Programs that subscribe ask every few minutes.
    const { ifNoneMatch } = conditionOf(request);
    if (ifNoneMatch !== undefined && ifNoneMatch !== "*" && ifNoneMatch.includes(tag)) {
      return new Response(null, { status: 304, headers });
    }
    return new Response(exportCollection(r.g, r.collection, displayNameOf(request.p, r)), {
      headers,
    });
  }
  throw notHere(allowed(r).replace(/, GET, HEAD/, ""));
}

export const get: Method = { name: "GET", run };
export const head: Method = { name: "HEAD", run };
