/** Reports about principals (RFC 3744 §9): finding them, and the searchable properties. @module */
import { davCondition, DavError } from "../core/errors.ts";
import { requireRights } from "../core/there.ts";
import { multistatus, propResponse, statusResponse } from "../core/multistatus.ts";
import { addressOf, childrenOf, type Context, type Resource } from "../core/resources.ts";
import { addressesOf, displayNameOf } from "../properties/people.ts";
import { propRequest, propstats } from "../properties/read.ts";
import { child, children, clark, textOf } from "../xml/parse.ts";
import { CAL, CS, DAV, el, element, escapeXml, xmlDocument } from "../xml/write.ts";
import type { Report, ReportRequest } from "./types.ts";

/** Most principals found by one search. */
const most = 500;

type Principal = Extract<Resource, { kind: "principal" }>;

function principal(ctx: Context, account: string): Principal {
  return { kind: "principal", account, rights: account === ctx.user ? "owner" : "read" };
}

async function answer(q: ReportRequest, accounts: Iterable<string>): Promise<Response> {
  const request = propRequest(q.body) ?? { kind: "prop" as const, names: [] };
  const responses: string[] = [];
  for (const account of accounts) {
    const r = principal(q.p.ctx, account);
    responses.push(propResponse(
      addressOf(q.p.ctx.base, r),
      await propstats(q.p, r, request, { minimal: q.minimal }),
    ));
  }
  return multistatus(responses);
}

/** Resources owned by the user: a given one, and all below it. */
async function* ownedBelow(q: ReportRequest, r: Resource): AsyncGenerator<Resource> {
  if (r.kind === "principals" || r.kind === "principal") return;
  if ("account" in r && r.account === q.p.ctx.user) yield r;
  if (r.kind === "object") return;
  for await (const below of childrenOf(q.p.ctx, r)) yield* ownedBelow(q, below);
}

export const principalMatch: Report = {
  name: `{${DAV}}principal-match`,
  async run(q) {
    const self = child(q.body, DAV, "self");
    const by = child(q.body, DAV, "principal-property");
    if (self === undefined && by === undefined) {
      throw new DavError(400, "neither self nor principal-property is given");
    }
    const { ctx } = q.p;
    if (self !== undefined) {
      const inside = q.r.kind === "root" || q.r.kind === "principals" ||
        q.r.kind === "principal" && q.r.account === ctx.user;
      return await answer(q, inside ? [ctx.user] : []);
    }
    const names = children(by!).map(clark);
    const request = propRequest(q.body) ?? { kind: "prop" as const, names: [] };
    const responses: string[] = [];
    for await (const r of names.includes(`{${DAV}}owner`) ? ownedBelow(q, q.r) : []) {
      if (responses.length >= most) {
        const why = el(DAV, "error", davCondition("number-of-matches-within-limits"));
        responses.push(statusResponse(addressOf(ctx.base, q.r), 507, why));
        break;
      }
      responses.push(propResponse(addressOf(ctx.base, r), await propstats(q.p, r, request, q)));
    }
    return multistatus(responses);
  },
};

/** Searchable properties of principals, with their texts. */
const searched: Record<string, (request: ReportRequest, r: Principal) => string[]> = {
  [`{${DAV}}displayname`]: (q, r) => [displayNameOf(q.p, r)],
  [`{${CAL}}calendar-user-address-set`]: (
    request,
    r,
  ) => [
    ...addressesOf(request.p.s, r.account).map((a) => `mailto:${a}`),
    addressOf(request.p.ctx.base, r),
  ],
  [`{${CS}}email-address-set`]: (q, r) => addressesOf(q.p.s, r.account),
  [`{${CAL}}calendar-user-type`]: () => ["INDIVIDUAL"],
  [`{${CS}}first-name`]: (q, r) => [displayNameOf(q.p, r).split(" ")[0]],
  [`{${CS}}last-name`]: (q, r) => [displayNameOf(q.p, r).split(" ").at(-1)!],
};

export const principalPropertySearch: Report = {
  name: `{${DAV}}principal-property-search`,
  async run(request) {
    const { ctx, s } = request.p;
    const parts = children(request.body).filter((c) =>
      c.ns === DAV && c.name === "property-search"
    );
    if (parts.length === 0) throw new DavError(400, "there is no property-search");
    const any = request.body.attributes.some((a) => a.name === "test" && a.value === "anyof");
    const tests = parts.map((part) => {
      const prop = child(part, DAV, "prop");
      const match = child(part, DAV, "match");
      if (prop === undefined || match === undefined) {
        throw new DavError(400, "a property-search has prop and match");
      }
      const wanted = textOf(match).toLowerCase();
      const how = match.attributes.find((a) => a.name === "match-type")?.value ?? "contains";
      const texts = children(prop).map((c) => searched[clark(c)]);
      return (r: Principal) =>
        texts.every((of) =>
          of !== undefined && of(request, r).some((text) => {
            const t = text.toLowerCase();
            const bare = t.replace(/^mailto:/, "");
            return how === "equals"
              ? t === wanted || bare === wanted
              : how === "starts-with"
              ? t.startsWith(wanted) || bare.startsWith(wanted)
              : how === "ends-with"
              ? t.endsWith(wanted)
              : t.includes(wanted);
          })
        );
    });
    const whole = child(request.body, DAV, "apply-to-principal-collection-set") !== undefined ||
      request.r.kind === "principals" || request.r.kind === "root";
    const found: string[] = [];
    for (const account of whole ? s.config.dynamic.Accounts.keys() : []) {
      if (!ctx.knows(account)) continue;
      const r = principal(ctx, account);
      if (any ? tests.some((t) => t(r)) : tests.every((t) => t(r))) found.push(account);
      if (found.length >= most) break;
    }
    return await answer(request, found);
  },
};

export const principalSearchPropertySet: Report = {
  name: `{${DAV}}principal-search-property-set`,
  run() {
    const words: [string, string][] = [
      [`{${DAV}}displayname`, "Name"],
      [`{${CAL}}calendar-user-address-set`, "Address"],
      [`{${CS}}email-address-set`, "Email address"],
      [`{${CAL}}calendar-user-type`, "Kind"],
    ];
    const list = words.map(([key, text]) =>
      el(
        DAV,
        "principal-search-property",
        el(DAV, "prop", element(key)) +
          el(DAV, "description", escapeXml(text), ' xml:lang="en"'),
      )
    );
    return new Response(xmlDocument(el(DAV, "principal-search-property-set", list.join(""))), {
      headers: { "Content-Type": "application/xml; charset=utf-8" },
    });
  },
};

export const aclPrincipalPropSet: Report = {
  name: `{${DAV}}acl-principal-prop-set`,
  async run(request) {
    requireRights(request.p.ctx.base, request.r, "read-acl");
    const accounts = new Set<string>();
    if ("account" in request.r) accounts.add(request.r.account);
    if ("collection" in request.r) {
      for (const g of request.r.g.grants(request.r.collection.id)) accounts.add(g.account);
    }
    return await answer(request, accounts);
  },
};
