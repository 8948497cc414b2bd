/**
 * POST: a new object whose name the server chooses (RFC 5995), a file with many objects, or a query for busy
 * times, sent to the outbox (RFC 6638 §5).
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { importText } from "../../groupware/import.ts";
import { maxObjectSize } from "../../groupware/objects.ts";
import { textResponse } from "../../web/http/mod.ts";
import { Series } from "../../mail/calendar/series.ts";
import { ObjectError, parseCalendar } from "../../mail/calendar/object.ts";
import { decodeText, FormatError, property, valueOf } from "../../mail/contentline/component.ts";
import { allowed } from "../core/allow.ts";
import { calCondition, cardCondition, DavError } from "../core/errors.ts";
import { checkCondition, type DavRequest, type Method } from "../request/request.ts";
import type { CollectionResource } from "../core/resources.ts";
import {
  checkSize,
  objectAddress,
  requireTakesObjects,
  storeObject,
} from "../writing/store_object.ts";
import { notHere, requireRights, requireThere } from "../core/there.ts";
import { addressesOf } from "../properties/people.ts";
import { CAL, DAV, el, escapeXml, href, xmlDocument } from "../xml/write.ts";
import { checkMediaType, objectBody } from "./put.ts";

/** Most bytes of a file of many objects. */
const maxImport = 50 * 1024 * 1024;

/** Whether a text is the file of another program: many objects, or ones that need a UID made for them. */
function isFile(content: Uint8Array, resource: CollectionResource): boolean {
  if (content.length > maxObjectSize) return true;
  const text = new TextDecoder().decode(content);
  if (resource.home === "addressbooks") return (text.match(/^BEGIN:VCARD/gim)?.length ?? 0) > 1;
  const uids = new Set<string>();
  // The names of the components that are open at a line, from the event, task or entry on; alarms have UIDs too.
  let open: string[] = [];
  let hasUid = false;
  for (const [line, verb, name] of text.matchAll(/^(?:(BEGIN|END):([A-Z-]+)|UID[:;].*$)/gim)) {
    if (verb === undefined) {
      if (open.length !== 1) continue;
      hasUid = true;
      if (uids.add(line.trim()).size > 1) return true;
    } else if (verb.toUpperCase() === "END") {
      if (open.length === 1 && !hasUid) return true;
      open = open.slice(0, -1);
    } else if (open.length > 0 || /^(?:VEVENT|VTODO|VJOURNAL)$/i.test(name)) {
      open.push(name);
      if (open.length === 1) hasUid = false;
    }
  }
  return false;
}

/** Imports all objects of a text. Left-out objects are reported, and the rest is stored. */
async function addAll(resource: CollectionResource, content: Uint8Array): Promise<Response> {
  try {
    const done = await importText(resource.g, resource.collection, decodeText(content));
    const lines = [`imported: ${done.imported}`, `left out: ${done.leftOut}`, ...done.left];
    return textResponse(200, lines.join("\n"));
  } catch (err) {
    if (!(err instanceof FormatError)) throw err;
    const condition = resource.home === "addressbooks"
      ? cardCondition("valid-address-data")
      : calCondition("valid-calendar-data");
    throw new DavError(403, err.message, condition);
  }
}

async function add(request: DavRequest, resource: CollectionResource): Promise<Response> {
  const { base } = request.p.ctx;
  requireTakesObjects(resource);
  requireRights(base, resource, "bind");
  checkMediaType(request, resource);
  checkCondition({ ...request, r: { ...resource, kind: "noObject", name: "" } });
  const content = await objectBody(request, resource, maxImport);
  if (isFile(content, resource)) return await addAll(resource, content);
  checkSize(resource, content.length);
  const name = `${randomUUID()}.${resource.home === "addressbooks" ? "vcf" : "ics"}`;
  const stored = await storeObject(request.p, resource, name, content, {});
  return new Response(null, {
    status: 201,
    headers: {
      "Location": objectAddress(base, resource, name),
      ...(stored.changed ? {} : { "ETag": `"${stored.row.etag}"` }),
    },
  });
}

// RFC 6638 §5.2.1.
const invalid = (text: string) => new DavError(400, text, calCondition("valid-scheduling-message"));

async function ask(request: DavRequest, resource: CollectionResource): Promise<Response> {
  if (resource.rights !== "owner") throw notHere(allowed(resource));
  checkMediaType(request, resource);
  const content = await objectBody(request, resource);
  let series: Series;
  let method: string | undefined;
  try {
    const calendar = parseCalendar(content);
    method = valueOf(calendar, "METHOD")?.trim().toUpperCase();
    series = new Series(calendar);
  } catch (err) {
    if (!(err instanceof ObjectError || err instanceof FormatError)) throw err;
    throw new DavError(403, err.message, calCondition("valid-calendar-data"));
  }
  if (method !== "REQUEST" || series.kind !== "VFREEBUSY" || series.master === undefined) {
    throw invalid("the outbox takes requests for VFREEBUSY");
  }
  const organizer = property(series.master, "ORGANIZER")?.value.trim().replace(/^mailto:/i, "");
  const mine = addressesOf(request.p.s, resource.account).map((a) => a.toLowerCase());
  if (organizer === undefined || !mine.includes(organizer.toLowerCase())) {
    throw new DavError(
      403,
      "the ORGANIZER is not one of your addresses",
      calCondition("valid-organizer"),
    );
  }
  const recipients = series.master.properties.filter((p) => p.name === "ATTENDEE")
    .map((p) => p.value.trim());
  if (recipients.length === 0) throw invalid("nobody is asked");
  // RFC 5546 §3.3.2: both have to be there.
  for (const name of ["DTSTART", "DTEND"]) {
    if (property(series.master, name) === undefined) throw invalid(`a ${name} is missing`);
  }
  const answers = await request.p.s.scheduler.busy(resource.account, series, recipients);
  const responses = answers.map((answer) =>
    el(
      CAL,
      "response",
      el(CAL, "recipient", href(answer.recipient)) +
        el(CAL, "request-status", escapeXml(answer.status)) +
        (answer.calendar === undefined
          ? ""
          : el(CAL, "calendar-data", escapeXml(answer.calendar))) +
        el(DAV, "responsedescription", escapeXml(answer.status.split(";")[1] ?? "")),
    )
  );
  return new Response(xmlDocument(el(CAL, "schedule-response", responses.join(""))), {
    headers: { "Content-Type": "application/xml; charset=utf-8", "Cache-Control": "no-store" },
  });
}

export const post: Method = {
  name: "POST",
  async run(request) {
    const { r } = request;
    requireThere(r);
    if (r.kind !== "collection") throw notHere(allowed(r));
    if (r.collection.kind === "outbox") return await ask(request, r);
    return await add(request, r);
  },
};
