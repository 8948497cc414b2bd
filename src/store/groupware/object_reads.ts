/**
 * Reading the objects of calendars and address books, and their additions, changes and removals. Writes are in
 * groupware.ts.
 *
 * @module
 */
import { Collections } from "./collections.ts";
import { objectColumns, objectOf } from "./rows.ts";
import { GroupwareError, type GroupwareEvent, type Home, type ObjectRow } from "./types.ts";

/** A change of a collection's objects since a token. */
export interface Changes {
  changed: ObjectRow[];
  gone: string[];
  /** The starting point of the next query. */
  modseq: number;
  /** There are more than requested. */
  more: boolean;
}

export class ObjectReads extends Collections {
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

  /** Objects of a collection by name, in pieces: those after a given name. */
  objects(collectionId: number, after = "", limit = 1_000_000): ObjectRow[] {
    return this.db.all(
      `SELECT ${objectColumns} FROM objects WHERE collection_id = ? AND name > ? ORDER BY name LIMIT ?`,
      collectionId,
      after,
      limit,
    ).map(objectOf);
  }

  /** Objects that may fall in a time span: milliseconds since the epoch, ends included. */
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

  /** Modseq of the last addition, change or removal of the objects, or collections, of a home. */
  stateOf(home: Home, what: "object" | "collection"): number {
    const [gone] = this.db.get(
      "SELECT max(modseq) FROM gone WHERE home = ? AND what = ?",
      home,
      what,
    )!;
    let most: number = gone ?? 0;
    for (const c of this.#shown(home)) {
      if (what === "collection") most = Math.max(most, c.propseq);
      else {
        const [n] = this.db.get(
          "SELECT max(modseq) FROM objects WHERE collection_id = ?",
          c.id,
        )!;
        most = Math.max(most, n ?? 0);
      }
    }
    return most;
  }

  /** Address books, or calendars without those for invitations. */
  #shown(home: Home) {
    return this.collections(home).filter((c) => c.kind === "calendar" || c.kind === "addressbook");
  }

  /**
   * Additions, changes and removals of a home's objects or collections since a modseq; undefined if no longer
   * known.
   * @param seen which collections are included; removals are reported for all
   * @param component only objects of this kind; removals are reported for all kinds
   */
  eventsSince(
    home: Home,
    what: "object" | "collection",
    since: number,
    seen: (collectionId: number) => boolean = () => true,
    component?: string,
  ): GroupwareEvent[] | undefined {
    const [modseq, forgotten] = this.db.get("SELECT modseq, forgotten FROM state")!;
    if (since > modseq || since < forgotten) return undefined;
    const events: GroupwareEvent[] = this.db.all(
      "SELECT id, modseq FROM gone WHERE home = ? AND what = ? AND modseq > ? AND createseq <= ?",
      home,
      what,
      since,
      since,
    ).map((r) => ({ kind: "destroyed", id: r[0], modseq: r[1] }));
    const add = (id: number, modseq: number, createseq: number) =>
      events.push({ kind: createseq > since ? "created" : "updated", id, modseq });
    for (const c of this.#shown(home)) {
      if (!seen(c.id)) continue;
      if (what === "collection") {
        if (c.propseq > since) add(c.id, c.propseq, c.createseq);
        continue;
      }
      const rows = this.db.all(
        "SELECT id, modseq, createseq FROM objects WHERE collection_id = ?1 AND modseq > ?2 " +
          "AND (?3 = '' OR component = ?3)",
        c.id,
        since,
        component ?? "",
      );
      for (const r of rows) add(r[0], r[1], r[2]);
    }
    return events;
  }

  /**
   * What changed in a collection since a modseq, oldest first.
   * @throws GroupwareError "tokenTooOld" if no longer known
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
}
