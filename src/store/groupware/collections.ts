/**
 * The calendars and address books of an account, with the properties that clients store and the rights of
 * others. The objects in them are in groupware.ts.
 *
 * @module
 */
import type { Db } from "../database/database.ts";
import { Writer } from "../database/writer.ts";
import { collectionColumns, collectionOf } from "./rows.ts";
import { type Collection, type CollectionKind, GroupwareError, type Home } from "./types.ts";

/** Most collections of an account. */
const maxCollections = 500;
/** Most properties that clients may store for one collection or object, and most characters of one. */
const maxProperties = 200;

const homeOf = (kind: CollectionKind): Home =>
  kind === "addressbook" ? "addressbooks" : "calendars";

export class Collections {
  protected readonly db: Db;
  protected readonly writer: Writer;
  protected readonly now: () => number;

  readonly #listeners: Set<() => void>;

  protected constructor(db: Db, now: () => number) {
    this.db = db;
    this.writer = new Writer(db, () => {});
    this.#listeners = new Set();
    this.now = now;
  }

  /** Calls back soon after changes. @returns a function that ends that */
  listen(fn: () => void): () => void {
    this.#listeners.add(fn);
    return () => void this.#listeners.delete(fn);
  }

  #telling = false;

  /** In a transaction: the number of the next change. */
  protected nextModseq(): number {
    if (this.#listeners.size > 0 && !this.#telling) {
      this.#telling = true;
      // When the transaction has ended.
      setTimeout(() => {
        this.#telling = false;
        for (const fn of this.#listeners) fn();
      });
    }
    return this.db.get("UPDATE state SET modseq = modseq + 1 RETURNING modseq")![0];
  }

  get modseq(): number {
    return this.db.get("SELECT modseq FROM state")![0];
  }

  /** Identifies the database: tokens of another one are invalid here. */
  get epoch(): number {
    return this.db.get("SELECT epoch FROM state")![0];
  }

  // --- collections

  collections(home?: Home): Collection[] {
    return (home === undefined
      ? this.db.all(`SELECT ${collectionColumns} FROM collections ORDER BY id`)
      : this.db.all(
        `SELECT ${collectionColumns} FROM collections WHERE home = ? ORDER BY id`,
        home,
      )).map(collectionOf);
  }

  collection(home: Home, name: string): Collection | undefined {
    const r = this.db.get(
      `SELECT ${collectionColumns} FROM collections WHERE home = ? AND name = ?`,
      home,
      name,
    );
    return r && collectionOf(r);
  }

  collectionById(id: number): Collection | undefined {
    const r = this.db.get(`SELECT ${collectionColumns} FROM collections WHERE id = ?`, id);
    return r && collectionOf(r);
  }

  /** In a transaction. */
  protected insertCollection(
    kind: CollectionKind,
    name: string,
    components: readonly string[],
  ): Collection {
    const home = homeOf(kind);
    if (this.collection(home, name)) throw new GroupwareError("exists", `${name} is there already`);
    const [n] = this.db.get("SELECT count(*) FROM collections")!;
    if (n >= maxCollections) {
      throw new GroupwareError("full", `more than ${maxCollections} calendars and address books`);
    }
    const modseq = this.nextModseq();
    this.db.run(
      "INSERT INTO collections (kind, home, name, components, modseq, createseq, created, propseq) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      kind,
      home,
      name,
      components.join(","),
      modseq,
      modseq,
      this.now(),
      modseq,
    );
    return this.collection(home, name)!;
  }

  /** Creates a collection with properties. @throws GroupwareError "exists", "full" */
  createCollection(
    kind: CollectionKind,
    name: string,
    o: { components?: readonly string[]; properties?: ReadonlyMap<string, string> } = {},
  ): Promise<Collection> {
    return this.writer.write(() => {
      const c = this.insertCollection(kind, name, o.components ?? []);
      for (const [key, value] of o.properties ?? []) this.setProperty(c.id, 0, key, value);
      return c;
    });
  }

  /** Removes a collection with everything in it. @throws GroupwareError "missing", "kept" */
  removeCollection(id: number): Promise<void> {
    return this.writer.write(() => {
      const c = this.required(id);
      if (c.kind === "inbox" || c.kind === "outbox") {
        throw new GroupwareError("kept", "the collections of invitations can't be removed");
      }
      const modseq = this.nextModseq();
      this.db.run(
        "INSERT INTO gone (id, what, home, createseq, modseq) " +
          "SELECT id, 'object', ?, createseq, ? FROM objects WHERE collection_id = ?",
        c.home,
        modseq,
        id,
      );
      this.db.run(
        "INSERT INTO gone (id, what, home, createseq, modseq) VALUES (?, 'collection', ?, ?, ?)",
        id,
        c.home,
        c.createseq,
        modseq,
      );
      this.db.run("DELETE FROM collections WHERE id = ?", id);
    });
  }

  /** Renames a collection. @throws GroupwareError "missing", "exists", "kept" */
  renameCollection(id: number, name: string): Promise<void> {
    return this.writer.write(() => {
      const c = this.required(id);
      if (c.kind === "inbox" || c.kind === "outbox") {
        throw new GroupwareError("kept", "the collections of invitations can't be renamed");
      }
      if (this.collection(c.home, name)) {
        throw new GroupwareError("exists", `${name} is there already`);
      }
      this.db.run(
        "UPDATE collections SET name = ?1, modseq = ?2, propseq = ?2 WHERE id = ?3",
        name,
        this.nextModseq(),
        id,
      );
    });
  }

  /** @throws GroupwareError "missing" */
  protected required(id: number): Collection {
    const c = this.collectionById(id);
    if (c === undefined) throw new GroupwareError("missing", "the collection is gone");
    return c;
  }

  // --- properties

  /** Properties that clients store: their XML by {namespace}name. */
  properties(collectionId: number, objectId = 0): Map<string, string> {
    return new Map(
      this.db.all(
        "SELECT name, value FROM properties WHERE collection_id = ? AND object_id = ?",
        collectionId,
        objectId,
      ).map((r) => [r[0], r[1]]),
    );
  }

  /** In a transaction. @throws GroupwareError "full" */
  protected setProperty(
    collectionId: number,
    objectId: number,
    name: string,
    value: string | null,
  ): void {
    if (value === null) {
      this.db.run(
        "DELETE FROM properties WHERE collection_id = ? AND object_id = ? AND name = ?",
        collectionId,
        objectId,
        name,
      );
      return;
    }
    this.db.run(
      "INSERT OR REPLACE INTO properties (collection_id, object_id, name, value) VALUES (?, ?, ?, ?)",
      collectionId,
      objectId,
      name,
      value,
    );
    const [n] = this.db.get(
      "SELECT count(*) FROM properties WHERE collection_id = ? AND object_id = ?",
      collectionId,
      objectId,
    )!;
    if (n > maxProperties) {
      throw new GroupwareError("full", `more than ${maxProperties} properties`);
    }
  }

  /**
   * Sets properties, or removes those that are null, all or nothing; also the kinds of components, if given.
   */
  setProperties(
    collectionId: number,
    objectId: number,
    changes: readonly (readonly [string, string | null])[],
    components?: readonly string[],
  ): Promise<void> {
    return this.writer.write(() => {
      this.required(collectionId);
      for (const [name, value] of changes) this.setProperty(collectionId, objectId, name, value);
      const modseq = this.nextModseq();
      this.db.run(
        "UPDATE collections SET modseq = ?1, propseq = max(propseq, ?2) WHERE id = ?3",
        modseq,
        objectId === 0 ? modseq : 0,
        collectionId,
      );
      if (components !== undefined) {
        this.db.run(
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
    return this.db.all(
      "SELECT account, rights FROM grants WHERE collection_id = ? ORDER BY account",
      collectionId,
    ).map((r) => ({ account: r[0], rights: r[1] }));
  }

  /** What another account may do with a collection. */
  rightsOf(collectionId: number, account: string): "read" | "write" | undefined {
    return this.db.get(
      "SELECT rights FROM grants WHERE collection_id = ? AND account = ?",
      collectionId,
      account,
    )?.[0];
  }

  /** Sets who may do what, replacing all earlier grants. */
  setGrants(
    collectionId: number,
    grants: readonly { account: string; rights: "read" | "write" }[],
  ): Promise<void> {
    return this.writer.write(() => {
      this.required(collectionId);
      this.db.run("DELETE FROM grants WHERE collection_id = ?", collectionId);
      this.db.run(
        "UPDATE collections SET propseq = ? WHERE id = ?",
        this.nextModseq(),
        collectionId,
      );
      for (const g of grants) {
        this.db.run(
          "INSERT OR REPLACE INTO grants (collection_id, account, rights) VALUES (?, ?, ?)",
          collectionId,
          g.account,
          g.rights,
        );
      }
    });
  }

  /** Revokes all rights of an account, as its name may be used again. */
  forgetGrants(account: string): Promise<void> {
    return this.writer.write(() =>
      void this.db.run("DELETE FROM grants WHERE account = ?", account)
    );
  }
}
