/** Writing an object to a collection: checks, scheduling, the store. @module */
import { byGuest, putEvent, writeEvent } from "../../groupware/event_writes.ts";
import {
  type CalendarObject,
  calendarObjectInTurns,
  cardObjectInTurns,
  maxObjectSize,
} from "../../groupware/objects.ts";
import { SchedulingError } from "../../groupware/scheduling.ts";
import { ObjectError } from "../../mail/calendar/object.ts";
import { CardError } from "../../mail/vcard/card.ts";
import {
  type Collection,
  type Condition,
  GroupwareError,
  type NewObject,
  type ObjectRow,
} from "../../store/groupware/types.ts";
import { componentsOf } from "../properties/calendar.ts";
import { giveWay } from "../../platform/turns.ts";
import type { PropertyContext } from "../properties/types.ts";
import { href } from "../xml/write.ts";
import { calCondition, cardCondition, davCondition, DavError } from "../core/errors.ts";
import {
  addressOf,
  checkNewName,
  type CollectionResource,
  encodeSegment,
  pathOf,
} from "../core/resources.ts";
import { calendarZone } from "../core/timezone.ts";

/** The error to answer with for an error of the store. */
export function storeError(
  err: unknown,
  base: string,
  c: { home: string; account: string; collection: Collection } | undefined,
): unknown {
  if (!(err instanceof GroupwareError)) return err;
  switch (err.kind) {
    case "condition":
      return new DavError(412, err.message);
    case "missing":
      return new DavError(404, err.message);
    case "exists":
      return new DavError(405, err.message, davCondition("resource-must-be-null"));
    case "uidConflict":
    case "uidChanged": {
      const where = c && err.other !== ""
        ? href(pathOf(base, c.home, c.account, c.collection.name) + encodeSegment(err.other))
        : "";
      const condition = c?.home === "addressbooks"
        ? cardCondition("no-uid-conflict", where)
        : calCondition("no-uid-conflict", where);
      return new DavError(409, err.message, condition);
    }
    case "full":
      return new DavError(507, err.message, davCondition("quota-not-exceeded"));
    case "private":
      return new DavError(403, err.message, davCondition("need-privileges"));
    case "kept":
      return new DavError(403, err.message);
    default:
      return new DavError(403, err.message);
  }
}

/** Checks a content for a collection. @throws DavError */
export async function checkedObject(
  resource: CollectionResource,
  name: string,
  content: Uint8Array,
): Promise<CalendarObject | NewObject> {
  if (resource.home === "addressbooks") {
    try {
      return await cardObjectInTurns(name, content);
    } catch (err) {
      if (!(err instanceof CardError)) throw err;
      throw new DavError(403, err.message, cardCondition(err.rule));
    }
  }
  try {
    const zone = calendarZone(resource.g, resource.collection.id);
    const object = await calendarObjectInTurns(name, content, zone);
    if (!componentsOf(resource).includes(object.index.component)) {
      throw new ObjectError(
        "supported-calendar-component",
        `this calendar takes ${componentsOf(resource).join(", ")}, not ${object.index.component}`,
      );
    }
    return object;
  } catch (err) {
    if (!(err instanceof ObjectError)) throw err;
    throw new DavError(403, err.message, calCondition(err.rule));
  }
}

/** Refuses contents that are too large. @throws DavError */
export function checkSize(resource: CollectionResource, size: number): void {
  if (size <= maxObjectSize) return;
  const condition = resource.home === "addressbooks"
    ? cardCondition("max-resource-size")
    : calCondition("max-resource-size");
  throw new DavError(403, `an object has at most ${maxObjectSize} bytes`, condition);
}

/** Refuses writes to collections that accept none. @throws DavError */
export function requireTakesObjects(resource: CollectionResource): void {
  if (resource.collection.kind === "inbox" || resource.collection.kind === "outbox") {
    throw new DavError(403, "nothing is put there by clients");
  }
}

export interface StoredObject {
  row: ObjectRow;
  created: boolean;
  /** Whether it differs from what the client wrote. */
  changed: boolean;
}

/** The answer for a refusal by scheduling. */
function schedulingError(
  base: string,
  resource: CollectionResource,
  err: SchedulingError,
): DavError {
  const where = err.other &&
    href(
      pathOf(base, resource.home, resource.account, err.other.collection) +
        encodeSegment(err.other.name),
    );
  return new DavError(403, err.message, calCondition(err.rule, where ?? ""));
}

/** Stores an object; on disk when it resolves. @throws DavError */
export async function storeObject(
  context: PropertyContext,
  resource: CollectionResource,
  name: string,
  content: Uint8Array,
  condition: Condition,
): Promise<StoredObject> {
  checkSize(resource, content.length);
  checkNewName(name);
  await giveWay();
  const object = await checkedObject(resource, name, content);
  const { g, collection, account } = resource;
  try {
    // Nobody sends mail in somebody else's name: a user with only write rights doesn't invite.
    if ("series" in object && collection.kind === "calendar" && context.ctx.user === account) {
      return await writeEvent(
        { scheduler: context.s.scheduler, account, g, collection },
        object,
        condition,
      );
    }
    const scheduleTag = g.object(collection.id, name)?.scheduleTag ?? "";
    const by = byGuest(context.ctx.user);
    const done = await putEvent(g, collection, { ...object, scheduleTag }, condition, by);
    return { ...done, changed: false };
  } catch (err) {
    if (err instanceof SchedulingError) throw schedulingError(context.ctx.base, resource, err);
    throw storeError(err, context.ctx.base, resource);
  }
}

/** Address of an object in a collection. */
export const objectAddress = (base: string, r: CollectionResource, name: string) =>
  addressOf(base, r) + encodeSegment(name);
