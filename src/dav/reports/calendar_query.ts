/** calendar-query (RFC 4791 §7.8): objects that match a filter. @module */
import { storedSeriesInTurns, wholeWithin } from "../../groupware/objects.ts";
import {
  calendarMatches,
  type CompFilter,
  inRange,
  type TimeRange,
} from "../../mail/calendar/filter.ts";
import type { Zone } from "../../mail/calendar/zones.ts";
import { giveWay } from "../../platform/turns.ts";
import type { ObjectRow } from "../../store/groupware/types.ts";
import { multistatus, propResponse } from "../core/multistatus.ts";
import {
  addressOf,
  childrenOf,
  type CollectionResource,
  objectIn,
  type ObjectResource,
  type Resource,
} from "../core/resources.ts";
import { calendarZone, queryZone } from "../core/timezone.ts";
import { propRequest, propstats } from "../properties/read.ts";
import { calendarFilter } from "../query/calendar_filter.ts";
import { CAL } from "../xml/write.ts";
import { dataProperties } from "./object_data.ts";
import type { Report, ReportRequest } from "./types.ts";

/** Objects that may match, from the index. */
function candidates(
  resource: CollectionResource,
  filter: CompFilter,
): Iterable<ObjectRow> | undefined {
  const asked = filter.comps.filter((x) => !x.notDefined);
  const [comp] = asked;
  if (comp === undefined) return undefined;
  const rows = comp.range === undefined
    ? undefined
    : resource.g.objectsBetween(resource.collection.id, comp.range.start, comp.range.end);
  return rows?.filter((o) => o.component === comp.name);
}

/** The kind of component that a filter asks for, if nothing else: then the index alone decides. */
function byKindAlone(filter: CompFilter): string | undefined {
  if (filter.props.length > 0 || filter.comps.length !== 1) return undefined;
  const [comp] = filter.comps;
  const plain = !comp.notDefined && comp.range === undefined && comp.props.length === 0 &&
    comp.comps.length === 0;
  return plain ? comp.name : undefined;
}

/** The time span, if the filter asks for nothing but events in it. */
function bySpanAlone(filter: CompFilter): TimeRange | undefined {
  if (filter.props.length > 0 || filter.comps.length !== 1) return undefined;
  const [comp] = filter.comps;
  const plain = comp.name === "VEVENT" && !comp.notDefined && comp.props.length === 0 &&
    comp.comps.length === 0;
  return plain ? comp.range : undefined;
}

/** Objects of a calendar that match. */
export async function* matching(
  request: ReportRequest,
  resource: CollectionResource,
  filter: CompFilter,
  zone: Zone | undefined,
): AsyncGenerator<ObjectResource> {
  if (resource.home !== "calendars" || filter.notDefined) return;
  const kind = byKindAlone(filter);
  const span = bySpanAlone(filter);
  const test = async (object: ObjectRow): Promise<boolean> => {
    if (kind !== undefined) return object.component === kind;
    if (span !== undefined && wholeWithin(object, span)) return true;
    try {
      const series = await storedSeriesInTurns(resource.g, object, zone);
      // Usually only the first date in a span matters.
      if (span !== undefined && object.component === "VEVENT") {
        const [first] = series.instances(span.start, span.end, 1);
        if (first === undefined) return false;
        if (inRange(series, first, span)) return true;
      }
      return await calendarMatches(series, filter);
    } catch {
      return false;
    }
  };
  const rows = candidates(resource, filter);
  if (rows !== undefined) {
    for (const object of rows) {
      await giveWay();
      if (await test(object)) yield objectIn(resource, object);
    }
    return;
  }
  for await (const x of childrenOf(request.p.ctx, resource)) {
    await giveWay();
    if (x.kind === "object" && await test(x.object)) yield x;
  }
}

/** The calendars that a query covers. */
export async function* calendarsOf(request: ReportRequest): AsyncGenerator<CollectionResource> {
  const { r } = request;
  // Depth 0 would cover only the collection itself, where nothing can be found: programs that send it, or no
  // depth, mean the contents.
  if (r.kind === "collection") yield r;
  else if (request.depth === "infinity") {
    for await (const x of below(request, r)) yield x;
  }
}

async function* below(
  request: ReportRequest,
  resource: Resource,
): AsyncGenerator<CollectionResource> {
  if (resource.kind === "collection") yield resource;
  else if (resource.kind !== "object") {
    for await (const x of childrenOf(request.p.ctx, resource)) yield* below(request, x);
  }
}

async function* found(
  request: ReportRequest,
  filter: CompFilter,
  given: Zone | undefined,
): AsyncGenerator<ObjectResource> {
  const { r } = request;
  if (r.kind === "object") {
    const zone = given ?? calendarZone(r.g, r.collection.id);
    if (r.home !== "calendars") return;
    const series = await storedSeriesInTurns(r.g, r.object, zone);
    if (await calendarMatches(series, filter)) yield r;
    return;
  }
  for await (const c of calendarsOf(request)) {
    if (c.home === "calendars") {
      yield* matching(request, c, filter, given ?? calendarZone(c.g, c.collection.id));
    }
  }
}

export const calendarQuery: Report = {
  name: `{${CAL}}calendar-query`,
  run(q) {
    const filter = calendarFilter(q.body);
    const given = queryZone(q.body);
    const request = propRequest(q.body) ?? { kind: "prop", names: [] };
    const zones = new Map<number, Zone | undefined>();
    const data = dataProperties(request, (r) => {
      const id = r.collection.id;
      if (given !== undefined) return given;
      if (!zones.has(id)) zones.set(id, calendarZone(r.g, id));
      return zones.get(id);
    });
    const parts = async function* () {
      for await (const r of found(q, filter, given)) {
        yield propResponse(
          addressOf(q.p.ctx.base, r),
          await propstats(q.p, r, request, { minimal: q.minimal, data }),
        );
      }
    };
    return multistatus(parts());
  },
};
