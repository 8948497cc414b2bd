/**
 * POST: a new object whose name the server chooses (RFC 5995), or the question when people are busy, to the outbox
 * (RFC 6638 §5).
 *
 * @module
 */
import { randomUUID } from "node:crypto";
import { Series } from "../../mail/calendar/series.ts";
import { ObjectError, parseCalendar } from "../../mail/calendar/object.ts";
import { FormatError, property, valueOf } from "../../mail/contentline/component.ts";
import { allowed } from "../core/allow.ts";
import { calCondition, DavError } from "../core/errors.ts";
import { checkCondition, type DavRequest, type Method } from "../request/request.ts";
import type { CollectionResource } from "../core/resources.ts";
import { objectAddress, requireTakesObjects, storeObject } from "../writing/store_object.ts";
import { notHere, requireRights, requireThere } from "../core/there.ts";
import { addressesOf } from "../properties/people.ts";
import { CAL, DAV, el, escapeXml, href, xmlDocument } from "../xml/write.ts";
import { checkMediaType, objectBody } from "./put.ts";

async function add(q: DavRequest, r: CollectionResource): Promise<Response> {
  const { base } = q.p.ctx;
  requireTakesObjects(r);
  requireRights(base, r, "bind");
  checkMediaType(q, r);
  checkCondition({ ...q, r: { ...r, kind: "noObject", name: "" } });
  const content = await objectBody(q, r);
  const name = `${randomUUID()}.${r.home === "addressbooks" ? "vcf" : "ics"}`;
  const stored = await storeObject(q.p, r, name, content, {});
  return new Response(null, {
    status: 201,
    headers: {
      "Location": objectAddress(base, r, name),
      ...(stored.changed ? {} : { "ETag": `"${stored.row.etag}"` }),
    },
  });
}

const invalid = (text: string) => new DavError(403, text, calCondition("valid-scheduling-message"));

async function ask(q: DavRequest, r: CollectionResource): Promise<Response> {
  if (r.rights !== "owner") throw notHere(allowed(r));
  const content = await objectBody(q, r);
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
  const mine = addressesOf(q.p.s, r.account).map((a) => a.toLowerCase());
  if (organizer === undefined || !mine.includes(organizer.toLowerCase())) {
    throw new DavError(
      403,
      "the ORGANIZER is not one of your addresses",
      calCondition("organizer-allowed"),
    );
  }
  const recipients = series.master.properties.filter((p) => p.name === "ATTENDEE")
    .map((p) => p.value.trim());
  if (recipients.length === 0) throw invalid("nobody is asked");
  const answers = await q.p.s.scheduler.busy(r.account, series, recipients);
  const responses = answers.map((a) =>
    el(
      CAL,
      "response",
      el(CAL, "recipient", href(a.recipient)) +
        el(CAL, "request-status", escapeXml(a.status)) +
        (a.calendar === undefined ? "" : el(CAL, "calendar-data", escapeXml(a.calendar))) +
        el(DAV, "responsedescription", escapeXml(a.status.split(";")[1] ?? "")),
    )
  );
  return new Response(xmlDocument(el(CAL, "schedule-response", responses.join(""))), {
    headers: { "Content-Type": "application/xml; charset=utf-8", "Cache-Control": "no-store" },
  });
}

export const post: Method = {
  name: "POST",
  async run(q) {
    const { r } = q;
    requireThere(r);
    if (r.kind !== "collection") throw notHere(allowed(r));
    if (r.collection.kind === "outbox") return await ask(q, r);
    return await add(q, r);
  },
};
