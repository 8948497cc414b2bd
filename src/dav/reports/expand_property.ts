/** expand-property (RFC 3253 §3.8): properties whose addresses are followed. @module */
import { DavError } from "../core/errors.ts";
import { multistatus, propResponse, propstat, statusResponse } from "../core/multistatus.ts";
import { addressOf, pathBelow, resolve, type Resource } from "../core/resources.ts";
import { propstats } from "../properties/read.ts";
import { attribute, child, children, textOf, type XmlElement } from "../xml/parse.ts";
import { DAV, element, serialize } from "../xml/write.ts";
import { parseStored } from "../xml/stored.ts";
import type { Report, ReportRequest } from "./types.ts";

/** Most resources that one report visits, and most levels. */
const maxVisits = 1000;
const maxLevels = 5;

interface Asked {
  key: string;
  below: XmlElement[];
}

const nested = (e: XmlElement) => children(e).filter((c) => c.ns === DAV && c.name === "property");

function asked(e: XmlElement): Asked {
  const name = attribute(e, "name");
  if (name === undefined) throw new DavError(400, "a property has no name");
  return { key: `{${attribute(e, "namespace") ?? DAV}}${name}`, below: nested(e) };
}

async function propsOf(
  request: ReportRequest,
  resource: Resource,
  wanted: readonly Asked[],
  budget: { visits: number },
  level: number,
): Promise<string> {
  const found: string[] = [];
  const missing: string[] = [];
  for (const w of wanted) {
    const e: XmlElement = { ...nameOf(w.key), attributes: [], children: [], lang: "" };
    const xml = await propstats(request.p, resource, {
      kind: "prop",
      names: [{ key: w.key, element: e }],
    }, {
      minimal: true,
    });
    const prop = child(child(parseStored(xml), DAV, "prop")!, e.ns, e.name);
    if (prop === undefined) missing.push(element(w.key));
    else if (w.below.length === 0) found.push(serialize(prop));
    else {
      let inner = "";
      for (const c of children(prop)) {
        if (c.ns !== DAV || c.name !== "href" || level >= maxLevels) inner += serialize(c);
        else inner += await followed(request, textOf(c), w.below, budget, level + 1);
      }
      found.push(element(w.key, inner));
    }
  }
  return (found.length > 0 || missing.length === 0 ? propstat(200, found.join("")) : "") +
    (missing.length > 0 ? propstat(404, missing.join("")) : "");
}

function nameOf(key: string): { ns: string; name: string } {
  const end = key.indexOf("}");
  return { ns: key.slice(1, end), name: key.slice(end + 1) };
}

async function followed(
  request: ReportRequest,
  address: string,
  below: readonly XmlElement[],
  budget: { visits: number },
  level: number,
): Promise<string> {
  if (++budget.visits > maxVisits) throw new DavError(403, `more than ${maxVisits} resources`);
  const path = pathBelow(request.p.ctx, address);
  const r = path === undefined ? undefined : await resolve(request.p.ctx, path);
  if (
    r === undefined || r.kind === "nothing" || r.kind === "noCollection" || r.kind === "noObject"
  ) {
    return statusResponse(address, 404);
  }
  const props = await propsOf(request, r, below.map(asked), budget, level);
  return propResponse(addressOf(request.p.ctx.base, r), props);
}

export const expandProperty: Report = {
  name: `{${DAV}}expand-property`,
  async run(request) {
    const budget = { visits: 0 };
    const props = await propsOf(request, request.r, nested(request.body).map(asked), budget, 0);
    return multistatus([propResponse(addressOf(request.p.ctx.base, request.r), props)]);
  },
};
