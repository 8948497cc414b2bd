/** DELETE (RFC 4918 §9.6). @module */
import { byGuest, dropEvent, removeEvent } from "../../groupware/event_writes.ts";
import { chosenCalendar } from "../../groupware/default_calendar.ts";
import { allowed } from "../core/allow.ts";
import { calCondition, DavError } from "../core/errors.ts";
import { childrenOf, type CollectionResource } from "../core/resources.ts";
import { checkCondition, type DavRequest, depthOf, type Method } from "../request/request.ts";
import { storeError } from "../writing/store_object.ts";
import { notHere, requireRights, requireThere } from "../core/there.ts";

/** Notifies the participants of all events of a calendar being removed. */
async function tellAll(request: DavRequest, resource: CollectionResource): Promise<void> {
  if (resource.collection.kind !== "calendar") return;
  for await (const x of childrenOf(request.p.ctx, resource)) {
    if (x.kind !== "object" || x.object.scheduleTag === "") continue;
    const { account, g, collection, object: before } = x;
    await request.p.s.scheduler.remove({
      account,
      g,
      collection,
      before,
      after: undefined,
      reply: true,
    });
  }
}

export const remove: Method = {
  name: "DELETE",
  async run(request) {
    const { r, p } = request;
    const condition = checkCondition(request);
    requireThere(r);
    if (r.kind !== "object" && r.kind !== "collection") throw notHere(allowed(r));
    try {
      if (r.kind === "object") {
        requireRights(p.ctx.base, r, "unbind");
        // Nobody sends mail in somebody else's name.
        if (r.collection.kind === "calendar" && r.account === p.ctx.user) {
          const reply = request.req.headers.get("schedule-reply")?.trim().toUpperCase() !== "F";
          const { account, g, collection } = r;
          const place = { scheduler: p.s.scheduler, account, g, collection };
          await removeEvent(place, r.object.name, { condition, reply });
        } else {
          await dropEvent(r.g, r.collection, r.object.name, condition, byGuest(p.ctx.user));
        }
      } else {
        if (depthOf(request, "infinity") !== "infinity") {
          throw new DavError(400, "collections are removed with all in them (Depth: infinity)");
        }
        // A collection is removed from its home, which is its owner's.
        requireRights(p.ctx.base, r, "write-acl");
        // RFC 6638 §4.3. Where none was chosen, another takes the place of one that goes.
        if (chosenCalendar(r.g)?.id === r.collection.id) {
          throw new DavError(
            403,
            "invitations go to this calendar: choose another one first",
            calCondition("default-calendar-needed"),
          );
        }
        await tellAll(request, r);
        await r.g.removeCollection(r.collection.id);
      }
    } catch (err) {
      throw storeError(err, p.ctx.base, r);
    }
    return new Response(null, { status: 204 });
  },
};
