/** PROPPATCH (RFC 4918 §9.2): properties are set and removed, all or none. @module */
import { allowed } from "../core/allow.ts";
import { DavError } from "../core/errors.ts";
import { multistatus, propResponse } from "../core/multistatus.ts";
import { type Method, prefers, xmlBody } from "../request/request.ts";
import { addressOf } from "../core/resources.ts";
import { storeError } from "../writing/store_object.ts";
import { notHere, requireRights, requireThere } from "../core/there.ts";
import { changeable, changesOf, checkChanges } from "../properties/change.ts";
import { DAV } from "../xml/write.ts";

export const proppatch: Method = {
  name: "PROPPATCH",
  async run(request) {
    const { r, p } = request;
    requireThere(r);
    const kind = changeable(r);
    if (kind === undefined || r.kind !== "collection" && r.kind !== "object") {
      throw notHere(allowed(r));
    }
    requireRights(p.ctx.base, r, "write-properties");
    const body = await xmlBody(request);
    if (body === undefined || body.ns !== DAV || body.name !== "propertyupdate") {
      throw new DavError(400, "the body has to be a DAV:propertyupdate");
    }
    const changes = changesOf(body);
    if (changes.length === 0) throw new DavError(400, "there is no property to set or remove");
    const { stored, propstats, refused } = checkChanges(changes, kind, false);
    if (!refused) {
      try {
        const id = r.kind === "object" ? r.object.id : 0;
        await r.g.setProperties(r.collection.id, id, stored);
      } catch (err) {
        throw storeError(err, p.ctx.base, r);
      }
      // RFC 8144 §2.2: nothing went wrong, so nothing is told.
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
