/**
 * Address books and calendars of an account, in `groupware.db` of its folder: objects as they came, beside an index
 * of what is asked for. Writes are on disk when they resolve.
 *
 * @module
 */
import { join } from "node:path";
import { Db } from "../database/database.ts";
import { Collections } from "./collections.ts";
import { etagOf, objectColumns, objectOf } from "./rows.ts";
import { groupwareMigrations } from "./schema.ts";
import { type Condition, GroupwareError, type NewObject, type ObjectRow } from "./types.ts";

/** Objects of one collection. */
export const maxObjects = 200_000;
/** Changes after which objects are counted. */
const countEach = 500;
/** Tombstones of one collection that are kept. */
const maxTombstones = 100_000;

/** A change of a collection's objects since a token. */
export interface Changes {
  changed: ObjectRow[];
  gone: string[];
  /** What the next question starts from. */
  modseq: number;
  /** There are more than were asked for. */
  more: boolean;
}

export class Groupware extends Collections {
  /** Opens the database in an account's folder; a new one gets a calendar and an address book. */
  static async open(dir: string, now: () => number = Date.now): Promise<Groupware> {
    const g = new Groupware(await Db.open(join(dir, "groupware.db"), groupwareMigrations), now);
    try {
      if (g.db.get("SELECT 1 FROM collections") === undefined) {
        await g.writer.write(() => {
          g.insertCollection("calendar", "default", []);
          g.insertCollection("inbox", "inbox", []);
          g.insertCollection("outbox", "outbox", []);
          g.insertCollection("addressbook", "default", []);
        });
      }
    } catch (err) {
      await g.close();
      throw err;
    }
    return g;
  }

  object(collectionId: number, name: string): ObjectRow | undefined {
    const r = this.db.get(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ? AND name = ?`,
      collectionId,
      name,
    );
    return r && objectOf(r);
  }

  objectById(id: number): ObjectRow | undefined {
    const r = this.db.get(`SELECT ${objectColumns} FROM objects WHERE id = ?`, id);
    return r && objectOf(r);
  }

  /** The object of a uid in a collection. */
  objectByUid(collectionId: number, uid: string): ObjectRow | undefined {
    const r = this.db.get(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ? AND uid = ?`,
      collectionId,
      uid,
    );
    return r && objectOf(r);
  }

  /** Objects of a uid in all calendars. */
  eventsByUid(uid: string): ObjectRow[] {
    return this.db.all(
      `SELECT ${objectColumns} FROM objects WHERE uid = ? AND collection_id IN ` +
        "(SELECT id FROM collections WHERE kind = 'calendar') ORDER BY id",
      uid,
    ).map(objectOf);
  }

  content(objectId: number): Uint8Array | undefined {
    return this.db.get("SELECT content FROM objects WHERE id = ?", objectId)?.[0];
  }

  count(collectionId: number): number {
    return this.db.get("SELECT count(*) FROM objects WHERE collection_id = ?", collectionId)![0];
  }

  /** Objects of a collection by name, in pieces: those after a name. */
  objects(collectionId: number, after = "", limit = 1_000_000): ObjectRow[] {
    return this.db.all(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ? AND name > ? ORDER BY name LIMIT ?`,
      collectionId,
      after,
      limit,
    ).map(objectOf);
  }

  /** Objects that may have to do with a span: milliseconds since the epoch, ends included. */
  objectsBetween(collectionId: number, from: number, to: number): ObjectRow[] {
    const finite = (n: number) => Math.max(-8.64e15, Math.min(8.64e15, n));
    return this.db.all(
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
        ...this.db.all(
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

  /**
   * Throws what a write now would be refused with, but for the collection being full.
   * @returns what is there
   * @throws GroupwareError
   */
  checkPut(
    collectionId: number,
    name: string,
    uid: string,
    condition: Condition,
  ): ObjectRow | undefined {
    this.required(collectionId);
    const existing = this.object(collectionId, name);
    this.#check(existing, condition);
    if (uid !== "") {
      const [other] = this.db.get(
        "SELECT name FROM objects WHERE collection_id = ? AND uid = ? AND name != ?",
        collectionId,
        uid,
        name,
      ) ?? [];
      if (other !== undefined) {
        throw new GroupwareError("uidConflict", "another object has this UID", other);
      }
    }
    if (existing !== undefined && existing.uid !== uid) {
      throw new GroupwareError("uidChanged", "the UID of an object can't change", name);
    }
    return existing;
  }

  /** Throws what a removal now would be refused with. @throws GroupwareError "missing", "condition" */
  checkRemove(collectionId: number, name: string, condition: Condition): ObjectRow {
    const row = this.object(collectionId, name);
    this.#check(row, condition);
    if (row === undefined) throw new GroupwareError("missing", "there is no such object");
    return row;
  }

  /** Writes an object's rows. In a transaction. */
  #put(
    collectionId: number,
    o: NewObject,
    condition: Condition,
  ): { row: ObjectRow; created: boolean } {
    const { index } = o;
    const existing = this.checkPut(collectionId, o.name, index.uid, condition);
    const modseq = this.nextModseq();
    // Counting takes time: a few too many do no harm.
    if (
      existing === undefined && modseq % countEach === 0 && this.count(collectionId) >= maxObjects
    ) throw new GroupwareError("full", `more than ${maxObjects} objects in one collection`);
    const now = this.now();
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
      this.db.run(`UPDATE objects SET ${sets} WHERE id = ?`, ...values, existing.id);
    } else {
      this.db.run(
        `INSERT INTO objects (${columns}, collection_id, name, createseq, created) ` +
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        ...values,
        collectionId,
        o.name,
        modseq,
        now,
      );
      this.db.run(
        "DELETE FROM tombstones WHERE collection_id = ? AND name = ?",
        collectionId,
        o.name,
      );
    }
    this.db.run("UPDATE collections SET modseq = ? WHERE id = ?", modseq, collectionId);
    return { row: this.object(collectionId, o.name)!, created: existing === undefined };
  }

  /** Makes or changes an object. @throws GroupwareError */
  put(
    collectionId: number,
    o: NewObject,
    condition: Condition = {},
  ): Promise<{ row: ObjectRow; created: boolean }> {
    return this.writer.write(() => this.#put(collectionId, o, condition));
  }

  /** Makes or changes many objects in one transaction. @throws GroupwareError: then none is */
  putAll(collectionId: number, list: readonly NewObject[]): Promise<void> {
    return this.writer.write(() => {
      for (const o of list) this.#put(collectionId, o, {});
    });
  }

  #remove(row: ObjectRow): void {
    const modseq = this.nextModseq();
    this.db.run("DELETE FROM objects WHERE id = ?", row.id);
    this.db.run(
      "DELETE FROM properties WHERE collection_id = ? AND object_id = ?",
      row.collectionId,
      row.id,
    );
    this.db.run(
      "INSERT OR REPLACE INTO tombstones (collection_id, name, modseq) VALUES (?, ?, ?)",
      row.collectionId,
      row.name,
      modseq,
    );
    this.db.run("UPDATE collections SET modseq = ? WHERE id = ?", modseq, row.collectionId);
    if (modseq % 1000 === 0) this.#forget(row.collectionId);
  }

  /** Forgets what went longest ago, where too much did: older sync tokens are refused then. */
  #forget(collectionId: number): void {
    const [last] = this.db.get(
      "SELECT modseq FROM tombstones WHERE collection_id = ? ORDER BY modseq DESC LIMIT 1 OFFSET ?",
      collectionId,
      maxTombstones,
    ) ?? [];
    if (last === undefined) return;
    this.db.run(
      "DELETE FROM tombstones WHERE collection_id = ? AND modseq <= ?",
      collectionId,
      last,
    );
    this.db.run("UPDATE state SET forgotten = max(forgotten, ?)", last);
  }

  /** Removes an object. @throws GroupwareError "missing", "condition" */
  remove(collectionId: number, name: string, condition: Condition = {}): Promise<ObjectRow> {
    return this.writer.write(() => {
      const row = this.checkRemove(collectionId, name, condition);
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
    return this.writer.write(() => {
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
        this.setProperty(toCollectionId, made.id, name, value);
      }
      return { created: there === undefined };
    });
  }

  /**
   * What changed in a collection since a modseq, oldest first.
   * @throws GroupwareError "tokenTooOld" if that isn't known any more
   */
  changesSince(collectionId: number, since: number, limit: number): Changes {
    const [modseq, forgotten] = this.db.get("SELECT modseq, forgotten FROM state")!;
    if (since > modseq || since > 0 && since < forgotten) {
      throw new GroupwareError("tokenTooOld", "the changes since then are not known any more");
    }
    const changed = this.db.all(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ? AND modseq > ? ORDER BY modseq LIMIT ?`,
      collectionId,
      since,
      limit + 1,
    ).map(objectOf);
    const gone: { name: string; modseq: number }[] = since === 0 ? [] : this.db.all(
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
    await this.writer.close();
    await this.db.close();
  }
}
