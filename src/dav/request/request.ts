/** A request, and the parts common to all methods. @module */
import type { WebRequest } from "../../web/http/mod.ts";
import type { PropertyContext } from "../properties/types.ts";
import type { Condition } from "../../store/groupware/types.ts";
import { parseBody, type XmlElement, XmlError } from "../xml/parse.ts";
import { DavError } from "../core/errors.ts";
import type { Resource } from "../core/resources.ts";

/** Most bytes of an XML body. */
const maxBody = 10 * 1024 * 1024;

export interface DavRequest {
  req: WebRequest;
  p: PropertyContext;
  /** The resource at the request's address. */
  r: Resource;
  /** Whether the address ended with a slash. */
  slash: boolean;
  /** The address that the client knows the resource by, if it isn't the one of the service. */
  asked?: string;
}

/** A method, as RFC 4918 and those after it name it. */
export interface Method {
  name: string;
  run(request: DavRequest): Response | Promise<Response>;
}

/** The body as XML; undefined if there is none. @throws DavError 400, HttpError 413 */
export async function xmlBody(request: DavRequest): Promise<XmlElement | undefined> {
  const bytes = await request.req.body(maxBody);
  if (bytes.length === 0) return undefined;
  try {
    return await parseBody(bytes);
  } catch (err) {
    if (err instanceof XmlError) throw new DavError(400, `the body is no XML: ${err.message}`);
    throw err;
  }
}

export type Depth = "0" | "1" | "infinity";

/** Depth of the request (RFC 4918 §10.2). @throws DavError 400 */
export function depthOf(request: DavRequest, fallback: Depth): Depth {
  const text = request.req.headers.get("depth")?.trim().toLowerCase();
  if (text === undefined || text === "") return fallback;
  if (text === "0" || text === "1" || text === "infinity") return text;
  throw new DavError(400, "Depth is 0, 1 or infinity");
}

/** Preferences (RFC 7240, RFC 8144), and Microsoft's header for the same. */
export function prefers(request: DavRequest, what: "minimal" | "representation"): boolean {
  const prefer = request.req.headers.get("prefer")?.toLowerCase() ?? "";
  if (prefer.split(/[,;]/).some((x) => x.trim().replaceAll('"', "") === `return=${what}`)) {
    return true;
  }
  return what === "minimal" && request.req.headers.get("brief")?.trim().toLowerCase() === "t";
}

/** Etags of a header field such as If-Match (RFC 9110 §13.1.1), also without quotes. Weak ones match nothing in If-Match. */
function etags(header: string | null, weak: boolean): readonly string[] | "*" | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (text === "*") return "*";
  if (!text.includes('"')) return text.split(",").map((x) => x.trim());
  // Commas may be within an etag.
  return [...text.matchAll(/(W\/)?"([^"]*)"/g)].flatMap(([, w, tag]) => w && !weak ? [] : [tag]);
}

/** The time of a header field, in milliseconds; undefined if there is none, or another condition counts. */
function timeOf(request: DavRequest, name: string, unless: string): number | undefined {
  const { headers } = request.req;
  const time = headers.has(unless) ? NaN : Date.parse(headers.get(name) ?? "");
  return Number.isNaN(time) ? undefined : time;
}

/** Whether an object has changed since the time in If-Unmodified-Since (RFC 9110 §13.1.4). */
function changedSince(request: DavRequest): boolean {
  const time = timeOf(request, "if-unmodified-since", "if-match");
  return time !== undefined && request.r.kind === "object" &&
    request.r.object.modified >= time + 1000;
}

/** Whether an object is as old as the client's copy (If-Modified-Since, RFC 9110 §13.1.3). */
export function isOld(request: DavRequest): boolean {
  const time = timeOf(request, "if-modified-since", "if-none-match");
  return time !== undefined && request.r.kind === "object" &&
    request.r.object.modified < time + 1000;
}

/** @throws DavError 412 */
export function checkUnmodified(request: DavRequest): void {
  if (changedSince(request)) throw new DavError(412, "If-Unmodified-Since: it has changed since");
}

/** The conditions of a write. */
export function conditionOf(request: DavRequest): Condition {
  const { headers } = request.req;
  const tag = headers.get("if-schedule-tag-match");
  return {
    ifMatch: etags(headers.get("if-match"), false),
    ifNoneMatch: etags(headers.get("if-none-match"), true),
    ifScheduleTag: tag === null ? undefined : tag.trim().replace(/^"|"$/g, ""),
  };
}

/** Checks conditions against the existing resource. @throws DavError 412 */
export function checkCondition(request: DavRequest): Condition {
  const c = conditionOf(request);
  const { r } = request;
  const there = r.kind === "object" ? r.object : undefined;
  const exists = !["nothing", "noCollection", "noObject"].includes(r.kind);
  const fail = (text: string) => new DavError(412, text);
  checkUnmodified(request);
  if (c.ifMatch !== undefined) {
    const right = exists && (c.ifMatch === "*" || there && c.ifMatch.includes(there.etag));
    if (!right) throw fail("If-Match: that isn't what is there");
  }
  if (c.ifNoneMatch !== undefined && exists) {
    const same = c.ifNoneMatch === "*" || there && c.ifNoneMatch.includes(there.etag);
    if (same) throw fail("If-None-Match: there is something already");
  }
  if (c.ifScheduleTag !== undefined && there?.scheduleTag !== c.ifScheduleTag) {
    throw fail("If-Schedule-Tag-Match: the event has changed");
  }
  return c;
}
