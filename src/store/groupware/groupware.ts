/**
 * Address books and calendars of an account, in `groupware.db` of its folder: unchanged objects, along with an
 * index for queries. Writes are on disk when they resolve.
 *
 * @module
 */
import { join } from "node:path";
import { Db } from "../database/database.ts";
import { ObjectReads } from "./object_reads.ts";
import { etagOf } from "./rows.ts";
import { groupwareMigrations } from "./schema.ts";
import {
  type Condition,
  type EventChange,
  GroupwareError,
  type NewObject,
  type ObjectRow,
} from "./types.ts";

/** Most objects of one collection. */
export const maxObjects = 200_000;
/** Objects are counted after this many changes. */
const countEach = 500;
/** Most tombstones kept for one collection. */
const maxTombstones = 100_000;

export class Groupware extends ObjectReads {
  /** Called with users' changes of events, one by one, after they are on disk. It doesn't fail. */
  onEventChange: ((change: EventChange) => Promise<void>) | undefined;

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

  #check(existing: ObjectRow | undefined, condition: Condition): void {
    const failed = (text: string) => new GroupwareError("condition", text);
    if (existing !== undefined) condition.mayChange?.(existing);
    if (condition.ifMatch !== undefined) {
      if (existing === undefined) throw failed("there is no such object (If-Match)");
      if (condition.ifMatch !== "*" && !condition.ifMatch.includes(existing.etag)) {
        throw failed("the object has changed meanwhile (If-Match)");
      }
    }
    if (condition.ifNoneMatch !== undefined && existing !== undefined) {
      if (condition.ifNoneMatch === "*" || condition.ifNoneMatch.includes(existing.etag)) {
        throw failed("there is such an object already (If-None-Match)");
      }
    }
    if (
      condition.ifScheduleTag !== undefined && existing?.scheduleTag !== condition.ifScheduleTag
    ) {
      throw failed("the event has changed meanwhile (If-Schedule-Tag-Match)");
    }
  }

  /**
   * Throws the error with which a write would be refused now, except that of a full collection.
   * @returns the existing object
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

  /**
   * Throws the error with which a removal would be refused now. @throws GroupwareError "missing", "condition"
   */
  checkRemove(collectionId: number, name: string, condition: Condition): ObjectRow {
    const row = this.object(collectionId, name);
    this.#check(row, condition);
    if (row === undefined) throw new GroupwareError("missing", "there is no such object");
    return row;
  }

  /** Writes an object's rows. In a transaction. */
  #put(
    collectionId: number,
    object: NewObject,
    condition: Condition,
  ): { row: ObjectRow; created: boolean } {
    const { index } = object;
    const existing = this.checkPut(collectionId, object.name, index.uid, condition);
    const modseq = this.nextModseq();
    // Counting takes time, and a few too many do no harm.
    if (
      existing === undefined && modseq % countEach === 0 && this.count(collectionId) >= maxObjects
    ) throw new GroupwareError("full", `more than ${maxObjects} objects in one collection`);
    const now = this.now();
    const values = [
      index.uid,
      index.component,
      object.content,
      object.content.length,
      etagOf(object.content),
      object.scheduleTag ?? "",
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
        object.name,
        modseq,
        now,
      );
      this.db.run(
        "DELETE FROM tombstones WHERE collection_id = ? AND name = ?",
        collectionId,
        object.name,
      );
    }
    this.db.run("UPDATE collections SET modseq = ? WHERE id = ?", modseq, collectionId);
    return { row: this.object(collectionId, object.name)!, created: existing === undefined };
  }

  /** Creates or changes an object. @throws GroupwareError */
  put(
    collectionId: number,
    object: NewObject,
    condition: Condition = {},
  ): Promise<{ row: ObjectRow; created: boolean }> {
    return this.writer.write(() => this.#put(collectionId, object, condition));
  }

  /** Creates or changes many objects in one transaction. @throws GroupwareError: then none of them is */
  putAll(collectionId: number, list: readonly NewObject[]): Promise<void> {
    return this.writer.write(() => {
      for (const o of list) this.#put(collectionId, o, {});
    });
  }

  #remove(row: ObjectRow): void {
    const modseq = this.nextModseq();
    this.db.run("DELETE FROM objects WHERE id = ?", row.id);
    this.db.run(
      "INSERT OR REPLACE INTO gone (id, what, home, createseq, modseq) " +
        "SELECT ?, 'object', home, ?, ? FROM collections WHERE id = ? AND kind NOT IN ('inbox', 'outbox')",
      row.id,
      row.createseq,
      modseq,
      row.collectionId,
    );
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

  /** Forgets the oldest tombstones if there are too many: older sync tokens are then refused. */
  #forget(collectionId: number): void {
    this.#forgetGone();
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

  #forgetGone(): void {
    const [last] = this.db.get(
      "SELECT modseq FROM gone ORDER BY modseq DESC LIMIT 1 OFFSET ?",
      maxTombstones,
    ) ?? [];
    if (last === undefined) return;
    this.db.run("DELETE FROM gone WHERE modseq <= ?", last);
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

  /**
   * Moves an object, replacing one of the target name, in one transaction; it keeps its number.
   * @param changed its new content, checked against the etag of `from`
   * @param mayChange as of a {@link Condition}, for both
   * @throws GroupwareError
   */
  move(
    from: ObjectRow,
    toCollectionId: number,
    toName: string,
    o: { overwrite: boolean; changed?: NewObject; mayChange?: Condition["mayChange"] },
  ): Promise<{ row: ObjectRow; created: boolean }> {
    return this.writer.write(() => {
      const row = this.objectById(from.id);
      if (row === undefined) throw new GroupwareError("missing", "there is no such object");
      o.mayChange?.(row);
      this.required(toCollectionId);
      if (o.changed !== undefined) this.#check(row, { ifMatch: [from.etag] });
      const there = this.object(toCollectionId, toName);
      if (there !== undefined && !o.overwrite) {
        throw new GroupwareError("condition", "there is such an object already (Overwrite: F)");
      }
      if (there !== undefined && there.id !== row.id) {
        o.mayChange?.(there);
        this.#remove(there);
      }
      const [other] = this.db.get(
        "SELECT name FROM objects WHERE collection_id = ? AND uid = ? AND id != ?",
        toCollectionId,
        row.uid,
        row.id,
      ) ?? [];
      if (other !== undefined && row.uid !== "") {
        throw new GroupwareError("uidConflict", "another object has this UID", other);
      }
      // One modseq each, so that no answer exceeds its limit (RFC 6578 §3.7).
      const goneAt = this.nextModseq();
      const modseq = this.nextModseq();
      this.db.run(
        "UPDATE objects SET collection_id = ?, name = ?, modseq = ?, modified = ? WHERE id = ?",
        toCollectionId,
        toName,
        modseq,
        this.now(),
        row.id,
      );
      this.db.run(
        "UPDATE properties SET collection_id = ? WHERE collection_id = ? AND object_id = ?",
        toCollectionId,
        row.collectionId,
        row.id,
      );
      this.db.run(
        "INSERT OR REPLACE INTO tombstones (collection_id, name, modseq) VALUES (?, ?, ?)",
        row.collectionId,
        row.name,
        goneAt,
      );
      this.db.run(
        "DELETE FROM tombstones WHERE collection_id = ? AND name = ?",
        toCollectionId,
        toName,
      );
      for (const id of [row.collectionId, toCollectionId]) {
        this.db.run("UPDATE collections SET modseq = ? WHERE id = ?", modseq, id);
      }
      if (o.changed !== undefined) this.#put(toCollectionId, { ...o.changed, name: toName }, {});
      return { row: this.objectById(row.id)!, created: there === undefined };
    });
  }

  /** Finishes writes and closes the database. */
  async close(): Promise<void> {
    await this.writer.close();
    await this.db.close();
  }
}
