/** Reading properties: those known to the server, and those stored by clients. @module */
import type { Resource } from "../core/resources.ts";
import { propstat } from "../core/multistatus.ts";
import { children, clark, type XmlElement } from "../xml/parse.ts";
import { CAL, CARD, CS, DAV, element } from "../xml/write.ts";
import { addressbookProperties } from "./addressbook.ts";
import { calendarProperties } from "./calendar.ts";
import { commonProperties } from "./common.ts";
import { keptProperties } from "./kept.ts";
import type { LiveProperty, PropertyContext } from "./types.ts";

const live = new Map<string, LiveProperty>(
  [...commonProperties, ...calendarProperties, ...addressbookProperties].map((p) => [p.name, p]),
);

/** Properties known to the server that clients may not set. */
export function isLive(name: string): boolean {
  return live.has(name) && !settable.has(name);
}

/** Properties with a server default, until a client sets one. */
const settable = new Set([
  `{${DAV}}displayname`,
  `{${CAL}}schedule-calendar-transp`,
  `{${CAL}}schedule-default-calendar-URL`,
]);

/** A requested property, with its details. */
export interface Wanted {
  key: string;
  element: XmlElement;
}

export type PropRequest =
  | { kind: "prop"; names: Wanted[] }
  | { kind: "allprop"; include: Wanted[] }
  | { kind: "propname" };

/** Properties that only a report has, such as calendar-data; the whole element. */
export type DataProperty = (wanted: Wanted, resource: Resource) => Promise<string | undefined>;

/** Names in a DAV:prop or DAV:include. */
export function wantedIn(e: XmlElement | undefined): Wanted[] {
  if (e === undefined) return [];
  const seen = new Set<string>();
  return children(e).flatMap((c) => {
    const key = clark(c);
    if (seen.has(key)) return [];
    seen.add(key);
    return [{ key, element: c }];
  });
}

/** The properties requested by a body: DAV:prop, DAV:allprop or DAV:propname; undefined if none. */
export function propRequest(e: XmlElement): PropRequest | undefined {
  for (const c of children(e)) {
    if (c.ns !== DAV) continue;
    if (c.name === "prop") return { kind: "prop", names: wantedIn(c) };
    if (c.name === "propname") return { kind: "propname" };
    if (c.name === "allprop") {
      const include = children(e).find((x) => x.ns === DAV && x.name === "include");
      return { kind: "allprop", include: wantedIn(include) };
    }
  }
  return undefined;
}

/** Stored properties are loaded only if one may be needed: lists of objects request only live ones. */
class Kept {
  readonly #r: Resource;
  #map: Map<string, string> | undefined;
  constructor(resource: Resource) {
    this.#r = resource;
  }
  get(key: string): string | undefined {
    return this.all().get(key);
  }
  all(): Map<string, string> {
    return this.#map ??= keptProperties(this.#r);
  }
}

/** The element of one property; undefined if the resource doesn't have it. */
async function valueOf(
  context: PropertyContext,
  resource: Resource,
  kept: Kept,
  key: string,
): Promise<string | undefined> {
  const known = live.get(key);
  if (known === undefined || settable.has(key) && resource.kind !== "object") {
    const stored = kept.get(key);
    if (stored !== undefined) return stored;
  }
  if (known === undefined || !known.on.includes(resource.kind)) return undefined;
  const value = await known.value(context, resource);
  return value === undefined ? undefined : element(key, value);
}

/** Namespaces whose properties are not among "all" (RFC 4791 §5.2, RFC 6352 §6.2). */
const notInAll = new Set([CAL, CARD, CS]);

/** The propstats of a resource. `minimal` leaves out missing ones (RFC 8144 §2.1). */
export async function propstats(
  context: PropertyContext,
  resource: Resource,
  request: PropRequest,
  o: { minimal?: boolean; data?: DataProperty } = {},
): Promise<string> {
  const kept = new Kept(resource);
  const found: string[] = [];
  const missing: string[] = [];
  const one = async (wanted: Wanted) => {
    const value = await o.data?.(wanted, resource) ??
      await valueOf(context, resource, kept, wanted.key);
    if (value !== undefined) found.push(value);
    else missing.push(element(wanted.key));
  };
  if (request.kind === "prop") { for (const w of request.names) await one(w); }
  else if (request.kind === "propname") {
    const names = new Set(kept.all().keys());
    for (const l of live.values()) {
      if (l.on.includes(resource.kind) && await l.value(context, resource) !== undefined) {
        names.add(l.name);
      }
    }
    found.push(...[...names].map((n) => element(n)));
  } else {
    const done = new Set<string>();
    for (const l of live.values()) {
      if (!l.allprop || !l.on.includes(resource.kind)) continue;
      const value = await valueOf(context, resource, kept, l.name);
      if (value !== undefined) found.push(value);
      done.add(l.name);
    }
    for (const [key, value] of kept.all()) {
      if (done.has(key) || notInAll.has(key.slice(1, key.indexOf("}")))) continue;
      found.push(value);
      done.add(key);
    }
    for (const w of request.include) if (!done.has(w.key)) await one(w);
  }
  let xml = found.length > 0 || missing.length === 0 || o.minimal
    ? propstat(200, found.join(""))
    : "";
  if (missing.length > 0 && !o.minimal) xml += propstat(404, missing.join(""));
  return xml;
}
