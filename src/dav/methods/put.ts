/** PUT (RFC 4791 §5.3.2, RFC 6352 §6.3.2): creates or changes an object. @module */
import { maxObjectSize } from "../../groupware/objects.ts";
import { HttpError } from "../../web/http/mod.ts";
import { allowed } from "../core/allow.ts";
import { calCondition, cardCondition, DavError } from "../core/errors.ts";
import { checkCondition, type DavRequest, type Method, prefers } from "../request/request.ts";
import type { CollectionResource } from "../core/resources.ts";
import { checkSize, requireTakesObjects, storeObject } from "../writing/store_object.ts";
import { notHere, requireRights } from "../core/there.ts";
import { objectHeaders } from "./get.ts";
import type { Condition } from "../../store/groupware/types.ts";

/** Media types of objects; many clients send none, or an old name. */
export function checkMediaType(request: DavRequest, resource: CollectionResource): void {
  const given = request.req.headers.get("content-type");
  if (given === null) return;
  const type = given.split(";")[0].trim().toLowerCase();
  const right = resource.home === "addressbooks"
    ? ["text/vcard", "text/x-vcard", "text/directory"]
    : ["text/calendar"];
  if (type === "" || right.includes(type) || type === "application/octet-stream") return;
  throw new DavError(
    403,
    `objects here are ${right[0]}, not ${type}`,
    resource.home === "addressbooks"
      ? cardCondition("supported-address-data")
      : calCondition("supported-calendar-data"),
  );
}

/** The body of an object. @throws DavError with max-resource-size */
export async function objectBody(
  request: DavRequest,
  resource: CollectionResource,
  limit = maxObjectSize,
): Promise<Uint8Array> {
  try {
    return await request.req.body(limit);
  } catch (err) {
    if (err instanceof HttpError && err.status === 413) checkSize(resource, maxObjectSize + 1);
    throw err;
  }
}

/**
 * The condition of a request, or the current object if the condition fails and the client requests it (RFC 8144
 * §3.2).
 */
function conditionOrCurrent(request: DavRequest): Condition | Response {
  const { r } = request;
  try {
    return checkCondition(request);
  } catch (err) {
    const wanted = r.kind === "object" && prefers(request, "representation");
    if (!wanted || !(err instanceof DavError) || err.status !== 412) throw err;
    return new Response(new Uint8Array(r.g.content(r.object.id)!), {
      status: 412,
      headers: { ...objectHeaders(r), "Preference-Applied": "return=representation" },
    });
  }
}

export const put: Method = {
  name: "PUT",
  async run(request) {
    const { r, p } = request;
    if (r.kind === "nothing" && r.parentMissing) {
      throw new DavError(409, "there is no calendar or address book at that address");
    }
    if (r.kind === "noCollection" || r.kind === "nothing") {
      throw new DavError(403, "objects are in calendars and address books only");
    }
    if (r.kind !== "object" && r.kind !== "noObject") throw notHere(allowed(r));
    if (request.slash) throw new DavError(409, "the address of an object has no slash at its end");
    const parent: CollectionResource = { ...r, kind: "collection" };
    requireTakesObjects(parent);
    requireRights(p.ctx.base, r, r.kind === "object" ? "write-content" : "bind");
    const condition = conditionOrCurrent(request);
    if (condition instanceof Response) return condition;
    if (request.req.headers.has("content-range")) {
      throw new DavError(400, "parts of objects can't be put");
    }
    checkMediaType(request, parent);
    const sent = await objectBody(request, parent);
    const name = r.kind === "object" ? r.object.name : r.name;
    const stored = await storeObject(p, parent, name, sent, condition);
    const object = { ...parent, kind: "object" as const, object: stored.row };
    const all = objectHeaders(object);
    const status = stored.created ? 201 : 204;
    // An object that a guest has made secret is hidden from them.
    const content = r.g.content(stored.row.id);
    if (content !== undefined && prefers(request, "representation")) {
      return new Response(new Uint8Array(content), {
        status: stored.created ? 201 : 200,
        headers: { ...all, "Preference-Applied": "return=representation" },
      });
    }
    const headers: Record<string, string> = {};
    // An etag means that the object was stored exactly as sent (RFC 4791 §5.3.4).
    if (!stored.changed) headers["ETag"] = all["ETag"];
    if (all["Schedule-Tag"]) headers["Schedule-Tag"] = all["Schedule-Tag"];
    return new Response(null, { status, headers });
  },
};
