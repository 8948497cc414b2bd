/**
 * MKCOL (RFC 4918 §9.3, RFC 5689) and MKCALENDAR (RFC 4791 §5.3.1): creates a calendar or address book. @module
 */
import { allowed } from "../core/allow.ts";
import { calCondition, davCondition, DavError } from "../core/errors.ts";
import { multistatus, propResponse } from "../core/multistatus.ts";
import { type DavRequest, type Method, xmlBody } from "../request/request.ts";
import { addressOf, checkNewName } from "../core/resources.ts";
import { storeError } from "../writing/store_object.ts";
import { notHere, requireRights } from "../core/there.ts";
import { changesOf, checkChanges, componentsIn } from "../properties/change.ts";
import { children, clark, type XmlElement } from "../xml/parse.ts";
import { CAL, CARD, DAV, el, xmlDocument } from "../xml/write.ts";

/** The place for something new. @throws DavError */
function place(request: DavRequest, calendarOnly: boolean) {
  const { r, p } = request;
  if (r.kind === "nothing") {
    throw r.parentMissing ? new DavError(409, "what would hold it isn't there") : new DavError(
      403,
      "calendars and address books are made in one's own home",
      calCondition("calendar-collection-location-ok"),
    );
  }
  if (r.kind !== "noCollection") {
    if (calendarOnly && r.kind !== "noObject") {
      throw new DavError(403, "there is something already", davCondition("resource-must-be-null"));
    }
    if (r.kind === "noObject") {
      throw new DavError(
        403,
        "a calendar or address book has no collections in it",
        calCondition("calendar-collection-location-ok"),
      );
    }
    throw notHere(allowed(r));
  }
  requireRights(p.ctx.base, r, "bind");
  checkNewName(r.name);
  return r;
}

/** The kind of collection requested by a DAV:resourcetype. */
function wantedKind(
  type: XmlElement | undefined,
): "calendar" | "addressbook" | undefined | "other" {
  if (type === undefined) return undefined;
  const names = children(type).map(clark);
  if (!names.includes(`{${DAV}}collection`)) return "other";
  const rest = names.filter((n) => n !== `{${DAV}}collection`);
  if (rest.length === 0) return undefined;
  if (rest.length > 1) return "other";
  return rest[0] === `{${CAL}}calendar`
    ? "calendar"
    : rest[0] === `{${CARD}}addressbook`
    ? "addressbook"
    : "other";
}

async function make(request: DavRequest, method: "MKCOL" | "MKCALENDAR"): Promise<Response> {
  const r = place(request, method === "MKCALENDAR");
  const calendars = r.home === "calendars";
  if (method === "MKCALENDAR" && !calendars) {
    throw new DavError(
      403,
      "calendars are not among address books",
      calCondition("calendar-collection-location-ok"),
    );
  }
  const type = request.req.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
  const body = await xmlBodyOf(request, type);
  const [ns, name] = method === "MKCALENDAR" ? [CAL, "mkcalendar"] : [DAV, "mkcol"];
  if (body !== undefined && (body.ns !== ns || body.name !== name)) {
    throw new DavError(415, `the body has to be ${name}`);
  }
  const changes = body === undefined ? [] : changesOf(body);
  const kind = calendars ? "calendar" : "addressbook";
  const resourceType = changes.find((c) => c.key === `{${DAV}}resourcetype`)?.element ?? undefined;
  const wanted = wantedKind(resourceType);
  if (wanted !== undefined && wanted !== kind) {
    throw new DavError(
      403,
      `here are ${kind}s only`,
      davCondition("valid-resourcetype"),
    );
  }
  const { stored, propstats, refused } = checkChanges(changes, kind, true);
  if (refused) {
    if (method === "MKCALENDAR") {
      return multistatus([propResponse(addressOf(request.p.ctx.base, r), propstats)]);
    }
    // RFC 5689 §3: the answer says which property it was.
    return new Response(xmlDocument(el(DAV, "mkcol-response", propstats)), {
      status: 403,
      headers: { "Content-Type": "application/xml; charset=utf-8" },
    });
  }
  const set = changes.find((c) => c.key === `{${CAL}}supported-calendar-component-set`)?.element;
  const properties = new Map(stored.filter((x): x is [string, string] => x[1] !== null));
  try {
    await r.g.createCollection(kind, r.name, {
      components: set ? [...new Set(componentsIn(set))] : [],
      properties,
    });
  } catch (err) {
    throw storeError(err, request.p.ctx.base, undefined);
  }
  return new Response(null, { status: 201, headers: { "Cache-Control": "no-cache" } });
}

async function xmlBodyOf(
  request: DavRequest,
  type: string | undefined,
): Promise<XmlElement | undefined> {
  if (
    type !== undefined && type !== "" && !/^(?:text|application)\/(?:[\w.-]+\+)?xml$/.test(type)
  ) {
    const bytes = await request.req.body(1024 * 1024);
    // RFC 4918 §9.3: an unknown body is refused.
    if (bytes.length > 0) throw new DavError(415, "the body has to be XML");
    return undefined;
  }
  return await xmlBody(request);
}

export const mkcol: Method = { name: "MKCOL", run: (q) => make(q, "MKCOL") };
export const mkcalendar: Method = { name: "MKCALENDAR", run: (q) => make(q, "MKCALENDAR") };
