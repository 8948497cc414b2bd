/** PROPFIND (RFC 4918 §9.1). @module */
import { DavError } from "../core/errors.ts";
import { multistatus, propResponse } from "../core/multistatus.ts";
import { depthOf, type Method, prefers, xmlBody } from "../request/request.ts";
import { addressOf, childrenOf, type Resource } from "../core/resources.ts";
import { requireThere } from "../core/there.ts";
import { propRequest, propstats } from "../properties/read.ts";
import { DAV } from "../xml/write.ts";

export const propfind: Method = {
  name: "PROPFIND",
  async run(q) {
    requireThere(q.r);
    const depth = depthOf(q, "infinity");
    const body = await xmlBody(q);
    if (body !== undefined && (body.ns !== DAV || body.name !== "propfind")) {
      throw new DavError(400, "the body has to be a DAV:propfind");
    }
    const request = body === undefined
      ? { kind: "allprop" as const, include: [] }
      : propRequest(body);
    if (request === undefined) {
      throw new DavError(400, "neither prop, allprop nor propname is asked for");
    }
    const minimal = prefers(q, "minimal");
    const { p } = q;
    const walk = async function* (resource: Resource, levels: number): AsyncGenerator<string> {
      yield propResponse(
        resource === q.r && q.asked !== undefined ? q.asked : addressOf(p.ctx.base, resource),
        await propstats(p, resource, request, { minimal }),
      );
      if (levels === 0 || resource.kind === "object") return;
      for await (const below of childrenOf(p.ctx, resource)) yield* walk(below, levels - 1);
    };
    const levels = depth === "infinity" ? 10 : Number(depth);
    return multistatus(walk(q.r, levels), "", {
      "Cache-Control": "no-cache",
      ...(minimal ? { "Preference-Applied": "return=minimal", "Vary": "Prefer, Brief" } : {}),
    });
  },
};
