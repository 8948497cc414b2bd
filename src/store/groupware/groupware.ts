/**
 * Address books and calendars of an account, in `groupware.db` of its folder: objects as they came, beside an index
 * of what is asked for. Writes are on disk when they resolve.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Db, type Row } from "../database/database.ts";
import { Writer } from "../database/writer.ts";
import { groupwareMigrations } from "./schema.ts";
import {
  type Collection,
  type CollectionKind,
  type Condition,
  GroupwareError,
  type Home,
  type NewObject,
  type ObjectRow,
} from "./types.ts";

/** Collections of an account, and objects of one collection. */
export const maxCollections = 500;
export const maxObjects = 200_000;
/** Changes after which objects are counted. */
const countEach = 500;
/** Properties that clients keep of one collection or object, and characters of one. */
export const maxProperties = 200;
/** Tombstones of one collection that are kept. */
const maxTombstones = 100_000;

const collectionColumns = "id, kind, home, name, components, modseq, createseq, created";
const objectColumns =
  "id, collection_id, name, uid, component, size, etag, schedule_tag, modseq, createseq, created, modified, " +
  "first, last, recurring, summary, emails, search";

function collectionOf(r: Row): Collection {
  return {
    id: r[0],
    kind: r[1],
    home: r[2],
    name: r[3],
    components: r[4] === "" ? [] : r[4].split(","),
    modseq: r[5],
    createseq: r[6],
    created: r[7],
  };
}

function objectOf(r: Row): ObjectRow {
  return {
    id: r[0],
    collectionId: r[1],
    name: r[2],
    uid: r[3],
    component: r[4],
    size: r[5],
    etag: r[6],
    scheduleTag: r[7],
    modseq: r[8],
    createseq: r[9],
    created: r[10],
    modified: r[11],
    first: r[12],
    last: r[13],
    recurring: r[14] === 1,
    summary: r[15],
    emails: r[16] === "" ? [] : r[16].split("\n"),
    search: r[17],
  };
}

/** The etag of a content. */
export function etagOf(content: Uint8Array): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 24);
}

const homeOf = (kind: CollectionKind): Home =>
  kind === "addressbook" ? "addressbooks" : "calendars";

/** A change of a collection's objects since a token. */
export interface Changes {
  changed: ObjectRow[];
  gone: string[];
  /** What the next question starts from. */
  modseq: number;
  /** There are more than were asked for. */
  more: boolean;
}

export class Groupware {
  readonly #db: Db;
  readonly #writer: Writer;
  readonly #now: () => number;
  /** Told of each collection that was changed, after the change is durable. */
  readonly #listeners = new Set<(collectionId: number) => void>();

  private constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#writer = new Writer(db, () => {});
    this.#now = now;
  }

  /** Opens the database in an account's folder; a new one gets a calendar and an address book. */
  static async open(dir: string, now: () => number = Date.now): Promise<Groupware> {
    const g = new Groupware(await Db.open(join(dir, "groupware.db"), groupwareMigrations), now);
    try {
      if (g.#db.get("SELECT 1 FROM collections") === undefined) {
        await g.#writer.write(() => {
          g.#insertCollection("calendar", "default", []);
          g.#insertCollection("inbox", "inbox", []);
          g.#insertCollection("outbox", "outbox", []);
          g.#insertCollection("addressbook", "default", []);
        });
      }
    } catch (err) {
      await g.close();
      throw err;
    }
    return g;
  }

  /** Calls back after each change; the function that is returned ends it. */
  listen(fn: (collectionId: number) => void): () => void {
    this.#listeners.add(fn);
    return () => void this.#listeners.delete(fn);
  }

  async #write<T>(collectionId: number, fn: () => T): Promise<T> {
    const result = await this.#writer.write((ctx) => {
      ctx.afterCommit(() => {
        for (const tell of this.#listeners) tell(collectionId);
      });
      return fn();
    });
    return result;
  }

  #nextModseq(): number {
    return this.#db.get("UPDATE state SET modseq = modseq + 1 RETURNING modseq")![0];
  }

  get modseq(): number {
    return this.#db.get("SELECT modseq FROM state")![0];
  }

  /** Which database it is: tokens of another one mean nothing here. */
  get epoch(): number {
    return this.#db.get("SELECT epoch FROM state")![0];
  }

  // --- collections

  collections(home?: Home): Collection[] {
    return (home === undefined
      ? this.#db.all(`SELECT ${collectionColumns} FROM collections ORDER BY id`)
      : this.#db.all(
        `SELECT ${collectionColumns} FROM collections WHERE home = ? ORDER BY id`,
        home,
      )).map(collectionOf);
  }

  collection(home: Home, name: string): Collection | undefined {
    const r = this.#db.get(
      `SELECT ${collectionColumns} FROM collections WHERE home = ? AND name = ?`,
      home,
      name,
    );
    return r && collectionOf(r);
  }

  collectionById(id: number): Collection | undefined {
    const r = this.#db.get(`SELECT ${collectionColumns} FROM collections WHERE id = ?`, id);
    return r && collectionOf(r);
  }

  #insertCollection(kind: CollectionKind, name: string, components: readonly string[]): Collection {
    const home = homeOf(kind);
    if (this.collection(home, name)) throw new GroupwareError("exists", `${name} is there already`);
    const [n] = this.#db.get("SELECT count(*) FROM collections")!;
    if (n >= maxCollections) {
      throw new GroupwareError("full", `more than ${maxCollections} calendars and address books`);
    }
    const modseq = this.#nextModseq();
    this.#db.run(
      "INSERT INTO collections (kind, home, name, components, modseq, createseq, created) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
      kind,
      home,
      name,
      components.join(","),
      modseq,
      modseq,
      this.#now(),
    );
    return this.collection(home, name)!;
  }

  /** Makes a collection with properties. @throws GroupwareError "exists", "full" */
  createCollection(
    kind: CollectionKind,
    name: string,
    o: { components?: readonly string[]; properties?: ReadonlyMap<string, string> } = {},
  ): Promise<Collection> {
    return this.#write(0, () => {
      const c = this.#insertCollection(kind, name, o.components ?? []);
      for (const [key, value] of o.properties ?? []) this.#setProperty(c.id, 0, key, value);
      return c;
    });
  }

  /** Removes a collection with all in it. @throws GroupwareError "missing", "kept" */
  removeCollection(id: number): Promise<void> {
    return this.#write(id, () => {
      const c = this.#required(id);
      if (c.kind === "inbox" || c.kind === "outbox") {
        throw new GroupwareError("kept", "the collections of invitations can't be removed");
      }
      this.#nextModseq();
      this.#db.run("DELETE FROM collections WHERE id = ?", id);
    });
  }

  /** Gives a collection another name. @throws GroupwareError "missing", "exists", "kept" */
  renameCollection(id: number, name: string): Promise<void> {
    return this.#write(id, () => {
      const c = this.#required(id);
      if (c.kind === "inbox" || c.kind === "outbox") {
        throw new GroupwareError("kept", "the collections of invitations can't be renamed");
      }
      if (this.collection(c.home, name)) {
        throw new GroupwareError("exists", `${name} is there already`);
      }
      this.#db.run(
        "UPDATE collections SET name = ?, modseq = ? WHERE id = ?",
        name,
        this.#nextModseq(),
        id,
      );
    });
  }

  #required(id: number): Collection {
    const c = this.collectionById(id);
    if (c === undefined) throw new GroupwareError("missing", "the collection is gone");
    return c;
  }

  // --- properties

  /** Properties that clients keep: their XML by {namespace}name. */
  properties(collectionId: number, objectId = 0): Map<string, string> {
    return new Map(
      this.#db.all(
        "SELECT name, value FROM properties WHERE collection_id = ? AND object_id = ?",
        collectionId,
        objectId,
      ).map((r) => [r[0], r[1]]),
    );
  }

  #setProperty(collectionId: number, objectId: number, name: string, value: string | null): void {
    if (value === null) {
      this.#db.run(
        "DELETE FROM properties WHERE collection_id = ? AND object_id = ? AND name = ?",
        collectionId,
        objectId,
        name,
      );
      return;
    }
    this.#db.run(
      "INSERT OR REPLACE INTO properties (collection_id, object_id, name, value) VALUES (?, ?, ?, ?)",
      collectionId,
      objectId,
      name,
      value,
    );
    const [n] = this.#db.get(
      "SELECT count(*) FROM properties WHERE collection_id = ? AND object_id = ?",
      collectionId,
      objectId,
    )!;
    if (n > maxProperties) {
      throw new GroupwareError("full", `more than ${maxProperties} properties`);
    }
  }

  /** Sets properties, or removes those that are null, all or none; the kinds of components too, if given. */
  setProperties(
    collectionId: number,
    objectId: number,
    changes: readonly (readonly [string, string | null])[],
    components?: readonly string[],
  ): Promise<void> {
    return this.#write(collectionId, () => {
      this.#required(collectionId);
      for (const [name, value] of changes) this.#setProperty(collectionId, objectId, name, value);
      const modseq = this.#nextModseq();
      this.#db.run("UPDATE collections SET modseq = ? WHERE id = ?", modseq, collectionId);
      if (components !== undefined) {
        this.#db.run(
          "UPDATE collections SET components = ? WHERE id = ?",
          components.join(","),
          collectionId,
        );
      }
    });
  }

  // --- grants

  /** Who may do what with a collection. */
  grants(collectionId: number): { account: string; rights: "read" | "write" }[] {
    return this.#db.all(
      "SELECT account, rights FROM grants WHERE collection_id = ? ORDER BY account",
      collectionId,
    ).map((r) => ({ account: r[0], rights: r[1] }));
  }

  /** What another account may do with a collection. */
  rightsOf(collectionId: number, account: string): "read" | "write" | undefined {
    return this.#db.get(
      "SELECT rights FROM grants WHERE collection_id = ? AND account = ?",
      collectionId,
      account,
    )?.[0];
  }

  /** Sets who may do what, in place of all before. */
  setGrants(
    collectionId: number,
    grants: readonly { account: string; rights: "read" | "write" }[],
  ): Promise<void> {
    return this.#write(collectionId, () => {
      this.#required(collectionId);
      this.#db.run("DELETE FROM grants WHERE collection_id = ?", collectionId);
      for (const g of grants) {
        this.#db.run(
          "INSERT OR REPLACE INTO grants (collection_id, account, rights) VALUES (?, ?, ?)",
          collectionId,
          g.account,
          g.rights,
        );
      }
    });
  }

  /** Takes all rights from an account: another one of its name may come. */
  forgetGrants(account: string): Promise<void> {
    return this.#write(0, () => void this.#db.run("DELETE FROM grants WHERE account = ?", account));
  }

  // --- objects

  object(collectionId: number, name: string): ObjectRow | undefined {
    const r = this.#db.get(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ? AND name = ?`,
      collectionId,
      name,
    );
    return r && objectOf(r);
  }

  objectById(id: number): ObjectRow | undefined {
    const r = this.#db.get(`SELECT ${objectColumns} FROM objects WHERE id = ?`, id);
    return r && objectOf(r);
  }

  /** The object of a uid in a collection. */
  objectByUid(collectionId: number, uid: string): ObjectRow | undefined {
    const r = this.#db.get(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ? AND uid = ?`,
      collectionId,
      uid,
    );
    return r && objectOf(r);
  }

  /** Objects of a uid in all calendars. */
  eventsByUid(uid: string): ObjectRow[] {
    return this.#db.all(
      `SELECT ${objectColumns} FROM objects WHERE uid = ? AND collection_id IN ` +
        "(SELECT id FROM collections WHERE kind = 'calendar') ORDER BY id",
      uid,
    ).map(objectOf);
  }

  content(objectId: number): Uint8Array | undefined {
    return this.#db.get("SELECT content FROM objects WHERE id = ?", objectId)?.[0];
  }

  count(collectionId: number): number {
    return this.#db.get("SELECT count(*) FROM objects WHERE collection_id = ?", collectionId)![0];
  }

  /** Objects of a collection by name, in pieces: those after a name. */
  objects(collectionId: number, after = "", limit = 1_000_000): ObjectRow[] {
    return this.#db.all(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ? AND name > ? ORDER BY name LIMIT ?`,
      collectionId,
      after,
      limit,
    ).map(objectOf);
  }

  /** Objects that may have to do with a span: milliseconds since the epoch, ends included. */
  objectsBetween(collectionId: number, from: number, to: number): ObjectRow[] {
    const finite = (n: number) => Math.max(-8.64e15, Math.min(8.64e15, n));
    return this.#db.all(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ?1 AND recurring = 0 AND first <= ?3
         AND first >= ?2 - 40 * 86400000
         AND coalesce(last, first) >= ?2
       UNION ALL
       SELECT ${objectColumns} FROM objects WHERE collection_id = ?1 AND recurring = 0
         AND first < ?2 - 40 * 86400000 AND last >= ?2
       UNION ALL
       SELECT ${objectColumns} FROM objects WHERE collection_id = ?1 AND recurring = 1 AND first <= ?3
         AND (last IS NULL OR last >= ?2)
       UNION ALL
       SELECT ${objectColumns} FROM objects WHERE collection_id = ?1 AND recurring IN (0, 1) AND first IS NULL`,
      collectionId,
      finite(from),
      finite(to),
    ).map(objectOf);
  }

  /** Objects whose text has all words (lower case), newest first for events, by name for people. */
  find(collectionIds: readonly number[], words: readonly string[], limit: number): ObjectRow[] {
    const found: ObjectRow[] = [];
    const marks = words.map(() => "AND instr(search, ?) > 0").join(" ");
    for (const id of collectionIds) {
      found.push(
        ...this.#db.all(
          `SELECT ${objectColumns} FROM objects WHERE collection_id = ? ${marks} ` +
            "ORDER BY summary COLLATE NOCASE LIMIT ?",
          id,
          ...words,
          limit,
        ).map(objectOf),
      );
    }
    return found.slice(0, limit);
  }

  #check(existing: ObjectRow | undefined, c: Condition): void {
    const failed = (text: string) => new GroupwareError("condition", text);
    if (c.ifMatch !== undefined) {
      if (existing === undefined) throw failed("there is no such object (If-Match)");
      if (c.ifMatch !== "*" && !c.ifMatch.includes(existing.etag)) {
        throw failed("the object has changed meanwhile (If-Match)");
      }
    }
    if (c.ifNoneMatch !== undefined && existing !== undefined) {
      if (c.ifNoneMatch === "*" || c.ifNoneMatch.includes(existing.etag)) {
        throw failed("there is such an object already (If-None-Match)");
      }
    }
    if (c.ifScheduleTag !== undefined && existing?.scheduleTag !== c.ifScheduleTag) {
      throw failed("the event has changed meanwhile (If-Schedule-Tag-Match)");
    }
  }

  /** Writes an object's rows. In a transaction. */
  #put(
    collectionId: number,
    o: NewObject,
    condition: Condition,
  ): { row: ObjectRow; created: boolean } {
    this.#required(collectionId);
    const existing = this.object(collectionId, o.name);
    this.#check(existing, condition);
    const { index } = o;
    if (index.uid !== "") {
      const [other] = this.#db.get(
        "SELECT name FROM objects WHERE collection_id = ? AND uid = ? AND name != ?",
        collectionId,
        index.uid,
        o.name,
      ) ?? [];
      if (other !== undefined) {
        throw new GroupwareError("uidConflict", "another object has this UID", other);
      }
    }
    if (existing !== undefined && existing.uid !== index.uid) {
      throw new GroupwareError("uidChanged", "the UID of an object can't change", o.name);
    }
    const modseq = this.#nextModseq();
    // Counting takes time: a few too many do no harm.
    if (
      existing === undefined && modseq % countEach === 0 && this.count(collectionId) >= maxObjects
    ) throw new GroupwareError("full", `more than ${maxObjects} objects in one collection`);
    const now = this.#now();
    const values = [
      index.uid,
      index.component,
      o.content,
      o.content.length,
      etagOf(o.content),
      o.scheduleTag ?? "",
      modseq,
      now,
      index.first,
      index.last,
      Number(index.recurring),
      index.summary,
      index.emails.join("\n"),
      index.search,
    ];
    const columns =
      "uid, component, content, size, etag, schedule_tag, modseq, modified, first, last, " +
      "recurring, summary, emails, search";
    if (existing !== undefined) {
      const sets = columns.split(", ").map((c) => `${c} = ?`).join(", ");
      this.#db.run(`UPDATE objects SET ${sets} WHERE id = ?`, ...values, existing.id);
    } else {
      this.#db.run(
        `INSERT INTO objects (${columns}, collection_id, name, createseq, created) ` +
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...values,
        collectionId,
        o.name,
        modseq,
        now,
      );
      this.#db.run(
        "DELETE FROM tombstones WHERE collection_id = ? AND name = ?",
        collectionId,
        o.name,
      );
    }
    this.#db.run("UPDATE collections SET modseq = ? WHERE id = ?", modseq, collectionId);
    return { row: this.object(collectionId, o.name)!, created: existing === undefined };
  }

  /** Makes or changes an object. @throws GroupwareError */
  put(
    collectionId: number,
    o: NewObject,
    condition: Condition = {},
  ): Promise<{ row: ObjectRow; created: boolean }> {
    return this.#write(collectionId, () => this.#put(collectionId, o, condition));
  }

  /** Makes or changes many objects in one transaction. @throws GroupwareError: then none is */
  putAll(collectionId: number, list: readonly NewObject[]): Promise<void> {
    return this.#write(collectionId, () => {
      for (const o of list) this.#put(collectionId, o, {});
    });
  }

  #remove(row: ObjectRow): void {
    const modseq = this.#nextModseq();
    this.#db.run("DELETE FROM objects WHERE id = ?", row.id);
    this.#db.run(
      "DELETE FROM properties WHERE collection_id = ? AND object_id = ?",
      row.collectionId,
      row.id,
    );
    this.#db.run(
      "INSERT OR REPLACE INTO tombstones (collection_id, name, modseq) VALUES (?, ?, ?)",
      row.collectionId,
      row.name,
      modseq,
    );
    this.#db.run("UPDATE collections SET modseq = ? WHERE id = ?", modseq, row.collectionId);
    if (modseq % 1000 === 0) this.#forget(row.collectionId);
  }

  /** Forgets what went longest ago, where too much did: older sync tokens are refused then. */
  #forget(collectionId: number): void {
    const [last] = this.#db.get(
      "SELECT modseq FROM tombstones WHERE collection_id = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?",
      collectionId,
      maxTombstones,
    ) ?? [];
    if (last === undefined) return;
    this.#db.run(
      "DELETE FROM tombstones WHERE collection_id = ? AND modseq <= ?",
      collectionId,
      last,
    );
    this.#db.run("UPDATE state SET forgotten = max(forgotten, ?)", last);
  }

  /** Removes an object. @throws GroupwareError "missing", "condition" */
  remove(collectionId: number, name: string, condition: Condition = {}): Promise<ObjectRow> {
    return this.#write(collectionId, () => {
      const row = this.object(collectionId, name);
      this.#check(row, condition);
      if (row === undefined) throw new GroupwareError("missing", "there is no such object");
      this.#remove(row);
      return row;
    });
  }

  /** Moves an object, over another one if it is there, in one transaction. @throws GroupwareError */
  move(
    from: ObjectRow,
    toCollectionId: number,
    toName: string,
    o: { overwrite: boolean },
  ): Promise<{ created: boolean }> {
    return this.#write(toCollectionId, () => {
      const row = this.objectById(from.id);
      if (row === undefined) throw new GroupwareError("missing", "there is no such object");
      const there = this.object(toCollectionId, toName);
      if (there !== undefined && !o.overwrite) {
        throw new GroupwareError("condition", "there is such an object already (Overwrite: F)");
      }
      const content = this.content(row.id)!;
      const properties = this.properties(row.collectionId, row.id);
      if (there !== undefined) this.#remove(there);
      this.#remove(row);
      const { row: made } = this.#put(toCollectionId, {
        name: toName,
        content,
        index: row,
        scheduleTag: row.scheduleTag,
      }, {});
      for (const [name, value] of properties) {
        this.#setProperty(toCollectionId, made.id, name, value);
      }
      for (const tell of this.#listeners) tell(row.collectionId);
      return { created: there === undefined };
    });
  }

  /**
   * What changed in a collection since a modseq, oldest first.
   * @throws GroupwareError "tokenTooOld" if that isn't known any more
   */
  changesSince(collectionId: number, since: number, limit: number): Changes {
    const [modseq, forgotten] = this.#db.get("SELECT modseq, forgotten FROM state")!;
    if (since > modseq || since > 0 && since < forgotten) {
      throw new GroupwareError("tokenTooOld", "the changes since then are not known any more");
    }
    const changed = this.#db.all(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ? AND modseq > ? ORDER BY modseq LIMIT ?`,
      collectionId,
      since,
      limit + 1,
    ).map(objectOf);
    const gone: { name: string; modseq: number }[] = since === 0 ? [] : this.#db.all(
      "SELECT name, modseq FROM tombstones WHERE collection_id = ? AND modseq > ? ORDER BY modseq LIMIT ?",
      collectionId,
      since,
      limit + 1,
    ).map((r) => ({ name: r[0], modseq: r[1] }));
    if (changed.length + gone.length <= limit) {
      return { changed, gone: gone.map((g) => g.name), modseq, more: false };
    }
    const all = [...changed, ...gone].map((x) => x.modseq).sort((a, b) => a - b);
    const last = all[limit - 1];
    return {
      changed: changed.filter((o) => o.modseq <= last),
      gone: gone.filter((g) => g.modseq <= last).map((g) => g.name),
      modseq: last,
      more: true,
    };
  }

  /** Finishes writes and closes the database. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#db.close();
  }
}
