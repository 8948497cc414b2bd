/** calendar-multiget (RFC 4791 §7.9) and addressbook-multiget (RFC 6352 §8.7): objects by their addresses. @module */
import { DavError } from "../core/errors.ts";
import { multistatus, propResponse, statusResponse } from "../core/multistatus.ts";
import { addressOf, pathBelow, resolve } from "../core/resources.ts";
import { calendarZone } from "../core/timezone.ts";
import { propRequest, propstats } from "../properties/read.ts";
import { children, textOf } from "../xml/parse.ts";
import { CAL, CARD, DAV } from "../xml/write.ts";
import { dataProperties } from "./object_data.ts";
import type { Report, ReportRequest } from "./types.ts";

/** Most addresses of one request. */
const maxHrefs = 50_000;

function multiget(q: ReportRequest): Response {
  const hrefs = children(q.body).filter((c) => c.ns === DAV && c.name === "href").map(textOf);
  if (hrefs.length === 0) throw new DavError(400, "there is no href");
  if (hrefs.length > maxHrefs) throw new DavError(403, `more than ${maxHrefs} hrefs`);
  const request = propRequest(q.body) ?? { kind: "prop", names: [] };
  const data = dataProperties(request, (r) => calendarZone(r.g, r.collection.id));
  const { ctx } = q.p;
  const parts = async function* () {
    for (const address of hrefs) {
      const path = pathBelow(ctx, address);
      let r;
      try {
        r = path === undefined ? undefined : await resolve(ctx, path);
      } catch (err) {
        if (!(err instanceof DavError)) throw err;
      }
      if (r === undefined || r.kind !== "object" || "home" in q.r && r.home !== q.r.home) {
        yield statusResponse(address.trim(), 404);
        continue;
      }
      yield propResponse(
        addressOf(ctx.base, r),
        await propstats(q.p, r, request, { minimal: q.minimal, data }),
      );
    }
  };
  return multistatus(parts());
}

export const calendarMultiget: Report = { name: `{${CAL}}calendar-multiget`, run: multiget };
export const addressbookMultiget: Report = { name: `{${CARD}}addressbook-multiget`, run: multiget };
