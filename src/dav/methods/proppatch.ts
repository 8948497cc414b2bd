/** PROPPATCH (RFC 4918 §9.2): sets and removes properties, all or none. @module */
import { DavError } from "../core/errors.ts";
import { multistatus, propResponse } from "../core/multistatus.ts";
import { type DavRequest, type Method, prefers, xmlBody } from "../request/request.ts";
import { addressOf } from "../core/resources.ts";
import { storeError } from "../writing/store_object.ts";
import { requireRights, requireThere } from "../core/there.ts";
import { changeable, changesOf, checkChanges } from "../properties/change.ts";
import { keptPlace } from "../properties/kept.ts";
import { DAV } from "../xml/write.ts";

/** Whether an address is that of a calendar of the account whose resource is changed (RFC 6638 §9.2). */
function isCalendarOf(href: string, { r, p }: DavRequest): boolean {
  if (r.kind !== "collection") return false;
  let path: string;
  try {
    path = decodeURI(new URL(href, "http://here").pathname);
  } catch {
    return false;
  }
  return r.g.collections("calendars").some((c) =>
    c.kind === "calendar" &&
    new URL(addressOf(p.ctx.base, { ...r, collection: c }), "http://here").pathname ===
      new URL(path, "http://here").pathname.replace(/\/?$/, "/")
  );
}

export const proppatch: Method = {
  name: "PROPPATCH",
  async run(request) {
    const { r, p } = request;
    requireThere(r);
    const place = keptPlace(r);
    const kind = place === undefined ? "none" : changeable(r);
    if (place !== undefined || r.kind === "home") {
      requireRights(p.ctx.base, r, "write-properties");
    }
    const body = await xmlBody(request);
    if (body === undefined || body.ns !== DAV || body.name !== "propertyupdate") {
      throw new DavError(400, "the body has to be a DAV:propertyupdate");
    }
    const changes = changesOf(body);
    if (changes.length === 0) throw new DavError(400, "there is no property to set or remove");
    const { stored, propstats, refused } = checkChanges(
      changes,
      kind,
      false,
      (href) => isCalendarOf(href, request),
    );
    // Every resource has the method (RFC 4918 §9.2). What keeps no properties refuses each of them.
    if (!refused && place !== undefined) {
      try {
        await place.g.setProperties(place.collectionId, place.objectId, stored);
      } catch (err) {
        throw storeError(err, p.ctx.base, "collection" in r ? r : undefined);
      }
      // RFC 8144 §2.2: nothing failed, so nothing is reported.
      if (prefers(request, "minimal")) {
        return new Response(null, {
          status: 200,
          headers: { "Preference-Applied": "return=minimal" },
        });
      }
    }
    return multistatus([propResponse(addressOf(p.ctx.base, r), propstats)]);
  },
};
