/**
 * The groupware of an account as seen by others it is shared with: of private events they see only the times,
 * and secret ones don't exist. All access of others to an account's calendars (CalDAV, JMAP, the webmail) goes
 * through this, reading and writing, so that these need not know of it.
 *
 * @module
 */
import { giveWay } from "../platform/turns.ts";
import type { Groupware } from "../store/groupware/groupware.ts";
import type { Changes } from "../store/groupware/object_reads.ts";
import { etagOf } from "../store/groupware/rows.ts";
import {
  type Condition,
  GroupwareError,
  type GroupwareEvent,
  type ObjectRow,
} from "../store/groupware/types.ts";
import { type ForGuests, forGuests } from "./reduced.ts";

/** Objects whose rows are read in one go. */
const atOnce = 200;
/** Most non-public objects of an account whose reduced contents are cached. */
const maxKept = 10_000;

/** Methods that differ for guests; all others must be listed in {@link asItIs}. */
type Differing = Pick<
  Groupware,
  | "object"
  | "objectById"
  | "objectByUid"
  | "eventsByUid"
  | "content"
  | "objects"
  | "objectsBetween"
  | "find"
  | "eventsSince"
  | "changesSince"
  | "properties"
  | "setProperties"
  | "checkPut"
  | "checkRemove"
  | "put"
  | "putAll"
  | "remove"
  | "move"
>;

/** Members that are the same for guests and the owner: they reveal nothing about objects. */
const asItIs = {
  onEventChange: true,
  listen: true,
  modseq: true,
  epoch: true,
  collections: true,
  collection: true,
  collectionById: true,
  createCollection: true,
  removeCollection: true,
  renameCollection: true,
  grants: true,
  rightsOf: true,
  setGrants: true,
  forgetGrants: true,
  count: true,
  stateOf: true,
  close: true,
} satisfies Record<Exclude<keyof Groupware, keyof Differing>, true>;

/** Tracks which objects of an account aren't public. */
class Seen {
  readonly #g: Groupware;
  /** By object, only non-public ones. */
  readonly #hidden = new Map<number, { modseq: number; is: ForGuests }>();
  /** By calendar: the modseq up to which all of its objects were checked. */
  readonly #upTo = new Map<number, number>();

  constructor(g: Groupware) {
    this.#g = g;
  }

  /** Checks new objects since the last time, in turns with other work. */
  async catchUp(): Promise<void> {
    for (const c of this.#g.collections("calendars")) {
      if (c.kind !== "calendar" || c.modseq <= (this.#upTo.get(c.id) ?? 0)) continue;
      for (let more = true; more;) {
        const since = this.#upTo.get(c.id) ?? 0;
        let changes: Changes;
        try {
          changes = this.#g.changesSince(c.id, since, atOnce);
        } catch (err) {
          if (!(err instanceof GroupwareError) || since === 0) throw err;
          this.#upTo.delete(c.id);
          continue;
        }
        for (const row of changes.changed) {
          this.of(row);
          await giveWay();
        }
        this.#upTo.set(c.id, changes.modseq);
        more = changes.more;
      }
    }
  }

  /** What guests see of an object. */
  of(row: ObjectRow): ForGuests {
    if (row.component === "VCARD") return { privacy: "public" };
    const known = this.#hidden.get(row.id);
    if (known?.modseq === row.modseq) return known.is;
    // A checked object that is not in the cache is public.
    const upTo = this.#upTo.get(row.collectionId) ?? 0;
    if (known === undefined && row.modseq <= upTo && !this.#dropped) return { privacy: "public" };
    const is = forGuests(this.#g.content(row.id) ?? new Uint8Array(0));
    if (is.privacy === "public") this.#hidden.delete(row.id);
    else {
      if (this.#hidden.size >= maxKept) {
        this.#hidden.clear();
        this.#dropped = true;
      }
      this.#hidden.set(row.id, { modseq: row.modseq, is });
    }
    return is;
  }

  /** There are more than fit: each is checked again. */
  #dropped = false;
}

const isPrivate = () =>
  new GroupwareError("private", "this event is private: only its owner can change it");

function differing(g: Groupware, seen: Seen): Differing {
  const shown = (row: ObjectRow | undefined): ObjectRow | undefined => {
    if (row === undefined) return undefined;
    const is = seen.of(row);
    if (is.privacy !== "private") return is.privacy === "public" ? row : undefined;
    return {
      ...row,
      reduced: true,
      size: is.content.length,
      etag: etagOf(is.content),
      scheduleTag: "",
      summary: "",
      emails: [],
      search: "",
    };
  };
  const allShown = (rows: readonly ObjectRow[]) =>
    rows.map(shown).filter((row) => row !== undefined);
  /** Refuses changes of objects that a guest doesn't see, or sees reduced. */
  const guarded = (condition: Condition = {}): Condition => ({
    ...condition,
    mayChange(row) {
      if (seen.of(row).privacy !== "public") throw isPrivate();
    },
  });
  /** Removes the name of an object that is hidden from guests. */
  const withoutNames = (collectionId: number, err: unknown): unknown =>
    err instanceof GroupwareError && err.other !== "" &&
      shown(g.object(collectionId, err.other)) === undefined
      ? new GroupwareError(err.kind, err.message)
      : err;
  const hides = (objectId: number): boolean => {
    const row = objectId === 0 ? undefined : g.objectById(objectId);
    return row !== undefined && seen.of(row).privacy !== "public";
  };
  const view: Differing = {
    object: (collectionId, name) => shown(g.object(collectionId, name)),
    objectById: (id) => shown(g.objectById(id)),
    objectByUid: (collectionId, uid) => shown(g.objectByUid(collectionId, uid)),
    eventsByUid: (uid) => allShown(g.eventsByUid(uid)),
    content(id) {
      const row = g.objectById(id);
      const is = row && seen.of(row);
      if (is === undefined || is.privacy === "confidential") return undefined;
      return is.privacy === "private" ? is.content : g.content(id);
    },
    objects(collectionId, after = "", limit = 1_000_000) {
      const found: ObjectRow[] = [];
      // Callers that read in pieces take a short one for the last.
      for (;;) {
        const rows = g.objects(collectionId, after, limit - found.length);
        found.push(...allShown(rows));
        if (found.length >= limit || rows.length === 0) return found;
        after = rows.at(-1)!.name;
      }
    },
    objectsBetween: (collectionId, from, to) => allShown(g.objectsBetween(collectionId, from, to)),
    find: (collectionIds, words, limit) =>
      // The words may be in hidden text.
      g.find(collectionIds, words, limit).filter((row) => seen.of(row).privacy === "public"),
    eventsSince(home, what, since, sees, component) {
      const events = g.eventsSince(home, what, since, sees, component);
      if (events === undefined || what === "collection") return events;
      return events.flatMap((e): GroupwareEvent[] => {
        if (e.kind === "destroyed" || view.objectById(e.id) !== undefined) return [e];
        return e.kind === "created" ? [] : [{ ...e, kind: "destroyed" }];
      });
    },
    changesSince(collectionId, since, limit) {
      const changes = g.changesSince(collectionId, since, limit);
      const gone = [...changes.gone];
      const changed = changes.changed.flatMap((row) => {
        const x = shown(row);
        if (x !== undefined) return [x];
        if (row.createseq <= since) gone.push(row.name);
        return [];
      });
      return { ...changes, changed, gone };
    },
    properties: (collectionId, objectId = 0) =>
      hides(objectId) ? new Map() : g.properties(collectionId, objectId),
    setProperties: (collectionId, objectId, changes, components) =>
      hides(objectId)
        ? Promise.reject(isPrivate())
        : g.setProperties(collectionId, objectId, changes, components),
    checkPut(collectionId, name, uid, condition) {
      try {
        return g.checkPut(collectionId, name, uid, guarded(condition));
      } catch (err) {
        throw withoutNames(collectionId, err);
      }
    },
    checkRemove: (collectionId, name, condition) =>
      g.checkRemove(collectionId, name, guarded(condition)),
    async put(collectionId, object, condition) {
      try {
        // As its author knows it; an event that a guest makes private belongs to the owner from then on.
        return await g.put(collectionId, object, guarded(condition));
      } catch (err) {
        throw withoutNames(collectionId, err);
      }
    },
    async putAll(collectionId, list) {
      for (const o of list) await view.put(collectionId, o);
    },
    remove: (collectionId, name, condition) => g.remove(collectionId, name, guarded(condition)),
    async move(from, collectionId, name, o) {
      try {
        return await g.move(from, collectionId, name, {
          ...o,
          mayChange: guarded().mayChange,
        });
      } catch (err) {
        throw withoutNames(collectionId, err);
      }
    },
  };
  return view;
}

const views = new WeakMap<Groupware, { view: Groupware; seen: Seen }>();
const owners = new WeakMap<Groupware, Groupware>();

/** The groupware of an account for users other than its owner. */
export async function guestView(g: Groupware): Promise<Groupware> {
  let known = views.get(g);
  if (known === undefined) {
    const seen = new Seen(g);
    const differs: Partial<Record<PropertyKey, unknown>> = { ...differing(g, seen) };
    const view = new Proxy(g, {
      get(target, key) {
        if (Object.hasOwn(differs, key)) return differs[key];
        if (!Object.hasOwn(asItIs, key)) return undefined;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === "function" && key !== "onEventChange" ? value.bind(target) : value;
      },
    });
    views.set(g, known = { view, seen });
    owners.set(view, g);
  }
  await known.seen.catchUp();
  return known.view;
}

/** The full groupware behind a guest's view: for free-busy times, in which private events count like others. */
export function wholeOf(g: Groupware): Groupware {
  return owners.get(g) ?? g;
}
