/** COPY and MOVE (RFC 4918 §9.8, §9.9). @module */
import { byGuest, byOwner, dropEvent, moveEvent } from "../../groupware/event_writes.ts";
import { giveWay } from "../../platform/turns.ts";
import { GroupwareError } from "../../store/groupware/types.ts";
import { allowed } from "../core/allow.ts";
import { davCondition, DavError } from "../core/errors.ts";
import { checkCondition, type DavRequest, depthOf, type Method } from "../request/request.ts";
import {
  checkNewName,
  type CollectionResource,
  type ObjectResource,
  pathBelow,
  resolve,
  type Resource,
} from "../core/resources.ts";
import {
  checkedObject,
  requireTakesObjects,
  storeError,
  storeObject,
} from "../writing/store_object.ts";
import { notHere, requireRights, requireThere } from "../core/there.ts";

/** Objects copied in one transaction. */
const atOnce = 200;

async function destination(request: DavRequest): Promise<{ to: Resource; slash: boolean }> {
  const header = request.req.headers.get("destination");
  if (header === null) throw new DavError(400, "there is no Destination");
  const url = URL.parse(header.trim(), request.p.ctx.origin);
  if (url === null) throw new DavError(400, "the Destination is no address");
  const path = pathBelow(request.p.ctx, header);
  if (path === undefined) throw new DavError(502, "the Destination is on another server");
  return { to: await resolve(request.p.ctx, path), slash: path.endsWith("/") };
}

function overwrites(request: DavRequest): boolean {
  const text = request.req.headers.get("overwrite")?.trim().toUpperCase() ?? "T";
  if (text !== "T" && text !== "F") throw new DavError(400, "Overwrite is T or F");
  return text === "T";
}

/** The target collection and name of an object. @throws DavError */
function objectPlace(
  from: ObjectResource,
  to: Resource,
): { into: CollectionResource; name: string } {
  if (to.kind === "nothing") {
    throw new DavError(409, "there is no calendar or address book at the Destination");
  }
  if (to.kind !== "object" && to.kind !== "noObject") {
    throw new DavError(403, "an object can't take the place of what is at the Destination");
  }
  if (to.home !== from.home) {
    throw new DavError(403, "events are in calendars, and cards in address books");
  }
  const into: CollectionResource = { ...to, kind: "collection" };
  requireTakesObjects(into);
  return { into, name: to.kind === "object" ? to.object.name : to.name };
}

async function transferObject(
  request: DavRequest,
  from: ObjectResource,
  moving: boolean,
): Promise<Response> {
  const { p } = request;
  const { to } = await destination(request);
  const overwrite = overwrites(request);
  const { into, name } = objectPlace(from, to);
  checkNewName(name);
  const same = into.collection.id === from.collection.id && into.account === from.account;
  if (same && name === from.object.name) throw new DavError(403, "it is there already");
  requireRights(p.ctx.base, into, "bind");
  if (moving) requireRights(p.ctx.base, from, "unbind");
  if (to.kind === "object" && !overwrite) {
    throw new DavError(412, "there is something at the Destination (Overwrite: F)");
  }
  if (to.kind === "object" && to.object.uid !== from.object.uid) {
    // RFC 4791 §5.3.2.1, RFC 6352 §6.3.2.1: not over an object with another UID.
    throw storeError(
      new GroupwareError("uidChanged", "at the Destination is an object with another UID", name),
      p.ctx.base,
      into,
    );
  }
  const content = from.g.content(from.object.id) ?? new Uint8Array(0);
  try {
    if (moving && into.account === from.account) {
      if (from.collection.kind === "calendar" || from.home === "addressbooks") {
        await checkedObject(into, name, content);
      }
      const by = from.account === p.ctx.user ? byOwner(p.ctx.user) : byGuest(p.ctx.user);
      const to = { collectionId: into.collection.id, name, overwrite };
      const done = await moveEvent(from.g, from.object, to, by);
      return new Response(null, { status: done.created ? 201 : 204 });
    }
    // If it can't be removed, no copy is made either.
    if (moving) from.g.checkRemove(from.collection.id, from.object.name, {});
    const stored = await storeObject(p, into, name, content, {});
    const kept = [...from.g.properties(from.collection.id, from.object.id)];
    if (kept.length > 0) await into.g.setProperties(into.collection.id, stored.row.id, kept);
    if (moving) {
      const by = from.account === p.ctx.user ? byOwner(p.ctx.user) : byGuest(p.ctx.user);
      await dropEvent(from.g, from.collection, from.object.name, {}, by);
    }
    return new Response(null, { status: to.kind === "object" ? 204 : 201 });
  } catch (err) {
    throw storeError(err, p.ctx.base, into);
  }
}

async function copyCollection(
  request: DavRequest,
  from: CollectionResource,
  name: string,
  depth: string,
): Promise<void> {
  const { g, collection } = from;
  if (collection.kind !== "calendar" && collection.kind !== "addressbook") {
    throw new DavError(403, "the collections of invitations can't be copied");
  }
  const own = await request.p.ctx.open(request.p.ctx.user);
  if (own === undefined) throw new DavError(403, "there is no home to copy into");
  const made = await own.createCollection(collection.kind, name, {
    components: collection.components,
    properties: g.properties(collection.id),
  });
  if (depth === "0") return;
  for (let after = "";;) {
    const rows = g.objects(collection.id, after, atOnce);
    await own.putAll(
      made.id,
      rows.map((row) => ({ name: row.name, content: g.content(row.id)!, index: row })),
    );
    await giveWay();
    if (rows.length < atOnce) return;
    after = rows.at(-1)!.name;
  }
}

async function transferCollection(
  request: DavRequest,
  from: CollectionResource,
  moving: boolean,
): Promise<Response> {
  const { p } = request;
  const { to } = await destination(request);
  const overwrite = overwrites(request);
  const depth = depthOf(request, "infinity");
  if (depth === "1" || moving && depth !== "infinity") {
    throw new DavError(400, `Depth has to be ${moving ? "infinity" : "0 or infinity"}`);
  }
  if (to.kind === "nothing" && to.parentMissing) {
    throw new DavError(409, "what would hold it isn't there");
  }
  if (to.kind !== "collection" && to.kind !== "noCollection") {
    throw new DavError(403, "a collection can't be there", davCondition("valid-resourcetype"));
  }
  if (to.home !== from.home) throw new DavError(403, "calendars and address books are apart");
  if (to.account !== p.ctx.user) throw new DavError(403, "that is somebody else's home");
  const exists = to.kind === "collection";
  const name = exists ? to.collection.name : to.name;
  checkNewName(name);
  if (exists && to.collection.id === from.collection.id && to.account === from.account) {
    throw new DavError(403, "it is there already");
  }
  if (exists && !overwrite) {
    throw new DavError(412, "there is something at the Destination (Overwrite: F)");
  }
  if (moving) requireRights(p.ctx.base, from, "write-acl");
  if (moving && from.account !== p.ctx.user) throw new DavError(403, "that is somebody else's");
  if (from.collection.kind === "inbox" || from.collection.kind === "outbox") {
    throw new DavError(403, "the collections of invitations stay where they are");
  }
  try {
    if (exists) await to.g.removeCollection(to.collection.id);
    if (moving) await from.g.renameCollection(from.collection.id, name);
    else await copyCollection(request, from, name, depth);
  } catch (err) {
    throw storeError(err, p.ctx.base, from);
  }
  return new Response(null, { status: exists ? 204 : 201 });
}

async function run(request: DavRequest, moving: boolean): Promise<Response> {
  requireThere(request.r);
  // RFC 9110 §13.1.1: conditions apply to the moved resource.
  checkCondition(request);
  if (request.r.kind === "object") return await transferObject(request, request.r, moving);
  if (request.r.kind === "collection") return await transferCollection(request, request.r, moving);
  throw notHere(allowed(request.r));
}

export const copy: Method = { name: "COPY", run: (q) => run(q, false) };
export const move: Method = { name: "MOVE", run: (q) => run(q, true) };
