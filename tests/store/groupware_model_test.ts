/**
 * Address books and calendars: random operations beside a model in maps and sets, and clients that know nothing but the
 * changes that they were told of.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fc } from "../support/fast_check.ts";
import { Groupware } from "../../src/store/groupware/groupware.ts";
import {
  type Condition,
  GroupwareError,
  type Home,
  type NewObject,
  type ObjectRow,
} from "../../src/store/groupware/types.ts";

const start = Date.UTC(2026, 0, 1);

interface Stored {
  id: number;
  uid: string;
  text: string;
  scheduleTag: string;
  created: number;
  modified: number;
}

interface Box {
  kind: string;
  home: Home;
  objects: Map<string, Stored>;
  properties: Map<string, string>;
  grants: Map<string, string>;
}

const homes: Home[] = ["calendars", "addressbooks"];
const names = ["a", "b", "c", "d"];
const uids = ["u1", "u2", "u3", ""];

function newObject(name: string, uid: string, text: string, scheduleTag?: string): NewObject {
  return {
    name,
    content: new TextEncoder().encode(text),
    index: {
      uid,
      component: text.length % 2 === 0 ? "VEVENT" : "VTODO",
      first: start,
      last: null,
      recurring: text.length % 3 === 0,
      summary: `about ${text}`,
      emails: uid === "" ? [] : [`${uid}@x.example`, "y@x.example"],
      search: text,
    },
    scheduleTag,
  };
}

/** A client of sync-collection (RFC 6578), so many changes at a time. */
class DavClient {
  readonly #collection: number;
  readonly #limit: number;
  #token = 0;
  readonly #etags = new Map<string, string>();

  constructor(collection: number, limit: number) {
    this.#collection = collection;
    this.#limit = limit;
  }

  sync(g: Groupware, upTo = Infinity): void {
    for (let n = 0; n < upTo; n++) {
      const r = g.changesSince(this.#collection, this.#token, this.#limit);
      assert.ok(r.changed.length + r.gone.length <= this.#limit, "no more than was asked for");
      for (const name of r.gone) this.#etags.delete(name);
      for (const o of r.changed) {
        assert.ok(!r.gone.includes(o.name), `${o.name} changed and went`);
        this.#etags.set(o.name, `${o.id} ${o.etag}`);
      }
      assert.ok(r.modseq > this.#token || !r.more, "it comes forward");
      this.#token = r.modseq;
      if (!r.more) break;
    }
    if (upTo === Infinity) {
      const there = g.objects(this.#collection).map((o) => [o.name, `${o.id} ${o.etag}`]);
      assert.deepEqual([...this.#etags].sort(), there.sort(), "objects of a client that syncs");
    }
  }
}

/** A client of JMAP's changes of a home: objects and collections by their numbers. */
class JmapClient {
  readonly #home: Home;
  readonly #what: "object" | "collection";
  #state: number;
  readonly #known = new Map<number, string>();

  constructor(g: Groupware, home: Home, what: "object" | "collection") {
    this.#home = home;
    this.#what = what;
    this.#state = g.stateOf(home, what);
    for (const [id, text] of this.#there(g)) this.#known.set(id, text);
  }

  #there(g: Groupware): [number, string][] {
    const shown = g.collections(this.#home).filter((c) =>
      c.kind !== "inbox" && c.kind !== "outbox"
    );
    return this.#what === "object"
      ? shown.flatMap((c) =>
        g.objects(c.id).map((o): [number, string] => [o.id, `${c.id} ${o.name} ${o.etag}`])
      )
      : shown.map((c) => [
        c.id,
        JSON.stringify([c.name, [...g.properties(c.id)], g.grants(c.id)]),
      ]);
  }

  follow(g: Groupware): void {
    const events = g.eventsSince(this.#home, this.#what, this.#state)!;
    const now = new Map(this.#there(g));
    assert.equal(new Set(events.map((e) => e.id)).size, events.length, "each is told once");
    for (const { kind, id, modseq } of events) {
      assert.ok(modseq > this.#state, "what is told is new");
      assert.equal(this.#known.has(id), kind !== "created", `${this.#what} ${id} ${kind}`);
      if (kind === "destroyed") this.#known.delete(id);
      else this.#known.set(id, now.get(id)!);
    }
    const state = g.stateOf(this.#home, this.#what);
    assert.ok(state >= this.#state, "the state never falls");
    this.#state = state;
    assert.deepEqual([...this.#known].sort(), [...now].sort(), `${this.#what}s of ${this.#home}`);
  }
}

class World {
  readonly g: Groupware;
  now = start;
  readonly boxes = new Map<number, Box>();
  readonly jmap: JmapClient[] = [];
  readonly dav = new Map<number, DavClient[]>();
  #n: readonly number[] = [];
  #at = 0;
  #count = 0;
  #steps = 0;

  constructor(g: Groupware) {
    this.g = g;
    for (const c of g.collections()) this.#added(c.id, c.kind, c.home);
    for (const home of homes) {
      this.jmap.push(new JmapClient(g, home, "object"), new JmapClient(g, home, "collection"));
    }
  }

  #added(id: number, kind: string, home: Home): void {
    this.boxes.set(id, {
      kind,
      home,
      objects: new Map(),
      properties: new Map(),
      grants: new Map(),
    });
    this.dav.set(id, [new DavClient(id, 1000), new DavClient(id, 1), new DavClient(id, 2)]);
  }

  begin(n: readonly number[]): void {
    this.#steps++;
    this.#n = n;
    this.#at = 0;
    this.now += 1000;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#n[this.#at++ % this.#n.length] % list.length];
  }

  async #refused(kind: GroupwareError["kind"], p: Promise<unknown>): Promise<void> {
    await assert.rejects(p, (err) => err instanceof GroupwareError && err.kind === kind);
  }

  #condition(o: Stored | undefined): { condition: Condition; fails: boolean } {
    const etag = (s: Stored) =>
      [...this.boxes].flatMap(([id, b]) =>
        [...b.objects].filter(([, x]) => x === s).map(([name]) => this.g.object(id, name)!.etag)
      )[0];
    const list: { condition: Condition; fails: boolean }[] = [
      { condition: {}, fails: false },
      { condition: {}, fails: false },
      { condition: { ifMatch: "*" }, fails: o === undefined },
      { condition: { ifMatch: ["x"] }, fails: true },
      { condition: { ifNoneMatch: "*" }, fails: o !== undefined },
      { condition: { ifNoneMatch: ["x"] }, fails: false },
      { condition: { ifScheduleTag: "t1" }, fails: o?.scheduleTag !== "t1" },
    ];
    if (o !== undefined) {
      list.push({ condition: { ifMatch: ["x", etag(o)] }, fails: false });
      list.push({ condition: { ifNoneMatch: ["x", etag(o)] }, fails: true });
    }
    return this.#pick(list);
  }

  /** Those that clients put objects into. */
  get #shown(): [number, Box][] {
    return [...this.boxes].filter(([, b]) => b.kind !== "inbox" && b.kind !== "outbox");
  }

  async put(): Promise<void> {
    if (this.#shown.length === 0) return;
    const [id, box] = this.#pick(this.#shown);
    const [name, uid] = [this.#pick(names), this.#pick(uids)];
    const before = box.objects.get(name);
    const { condition, fails } = this.#condition(before);
    const text = `text ${this.#count++ % 7}`;
    const tag = this.#pick([undefined, "t1", "t2"]);
    const put = this.g.put(id, newObject(name, uid, text, tag), condition);
    const other = [...box.objects].find(([n, o]) => n !== name && o.uid === uid && uid !== "");
    if (fails) return await this.#refused("condition", put);
    if (other !== undefined) {
      return await assert.rejects(put, { kind: "uidConflict", other: other[0] });
    }
    if (before !== undefined && before.uid !== uid) return await this.#refused("uidChanged", put);
    const { row, created } = await put;
    assert.equal(created, before === undefined);
    box.objects.set(name, {
      id: row.id,
      uid,
      text,
      scheduleTag: tag ?? "",
      created: before?.created ?? this.now,
      modified: this.now,
    });
    if (before !== undefined) assert.equal(row.id, before.id, "a changed object keeps its number");
  }

  async remove(): Promise<void> {
    if (this.#shown.length === 0) return;
    const [id, box] = this.#pick(this.#shown);
    const name = this.#pick(names);
    const before = box.objects.get(name);
    const { condition, fails } = this.#condition(before);
    const removed = this.g.remove(id, name, condition);
    if (fails) return await this.#refused("condition", removed);
    if (before === undefined) return await this.#refused("missing", removed);
    assert.equal((await removed).id, before.id);
    assert.deepEqual(this.g.properties(id, before.id), new Map(), "its properties go with it");
    box.objects.delete(name);
  }

  async move(): Promise<void> {
    // Clients move within a home: what is an event is no card.
    const home = this.#pick(homes);
    const boxes = this.#shown.filter(([, b]) => b.home === home);
    if (boxes.length === 0) return;
    const [id, box] = this.#pick(boxes);
    const [toId, to] = this.#pick(boxes);
    const [name, toName] = [this.#pick(names), this.#pick(names)];
    const overwrite = this.#pick([true, true, false]);
    const row = this.g.object(id, name);
    const o = box.objects.get(name);
    assert.equal(row?.id, o?.id);
    if (row === undefined || o === undefined) return;
    const there = to.objects.get(toName);
    const other = [...to.objects].find(([n, x]) =>
      x !== o && x !== there && x.uid === o.uid && o.uid !== "" && n !== toName
    );
    const moved = this.g.move(row, toId, toName, { overwrite });
    if (there !== undefined && !overwrite) return await this.#refused("condition", moved);
    if (other !== undefined) {
      return await assert.rejects(moved, { kind: "uidConflict", other: other[0] });
    }
    const made = await moved;
    assert.equal(made.row.id, o.id, "it keeps its number");
    assert.equal(made.created, there === undefined);
    box.objects.delete(name);
    to.objects.set(toName, { ...o, modified: this.now });
  }

  async putAll(): Promise<void> {
    if (this.#shown.length === 0) return;
    const [id, box] = this.#pick(this.#shown);
    const list = [newObject("x1", "v1", "one"), newObject("x2", this.#pick(["v2", "u1"]), "two")];
    const conflict = [...box.objects].some(([n, o]) => n !== "x2" && o.uid === list[1].index.uid);
    const changed = box.objects.has("x2") && box.objects.get("x2")!.uid !== list[1].index.uid;
    const clash = [...box.objects].some(([n, o]) => n !== "x1" && o.uid === "v1") ||
      box.objects.has("x1") && box.objects.get("x1")!.uid !== "v1";
    const put = this.g.putAll(id, list);
    if (conflict || changed || clash) return await assert.rejects(put, GroupwareError);
    await put;
    for (const { name, index: { uid } } of list) {
      const row = this.g.object(id, name)!;
      box.objects.set(name, {
        id: row.id,
        uid,
        text: name === "x1" ? "one" : "two",
        scheduleTag: "",
        created: box.objects.get(name)?.created ?? this.now,
        modified: this.now,
      });
    }
  }

  async create(): Promise<void> {
    const kind = this.#pick(["calendar", "addressbook"] as const);
    const home = kind === "calendar" ? "calendars" : "addressbooks";
    const name = this.#pick(["default", "work", "home"]);
    const properties = new Map([["{x}p", "v"]]);
    const exists = this.g.collection(home, name) !== undefined;
    const made = this.g.createCollection(kind, name, {
      components: ["VEVENT", "VTODO"],
      properties,
    });
    if (exists) return await this.#refused("exists", made);
    const c = await made;
    assert.deepEqual([c.kind, c.home, c.name, c.components, c.created], [
      kind,
      home,
      name,
      ["VEVENT", "VTODO"],
      this.now,
    ]);
    this.#added(c.id, kind, home);
    this.boxes.get(c.id)!.properties = properties;
  }

  async removeCollection(): Promise<void> {
    const [id, box] = this.#pick([...this.boxes]);
    const removed = this.g.removeCollection(id);
    if (box.kind === "inbox" || box.kind === "outbox") return await this.#refused("kept", removed);
    await removed;
    this.boxes.delete(id);
    this.dav.delete(id);
    await this.#refused("missing", this.g.removeCollection(id));
    await this.#refused("missing", this.g.put(id, newObject("a", "u", "x")));
    await this.#refused("missing", this.g.setGrants(id, []));
    await this.#refused("missing", this.g.setProperties(id, 0, []));
  }

  async rename(): Promise<void> {
    const [id, box] = this.#pick([...this.boxes]);
    const name = this.#pick(["default", "work", "home", "other"]);
    const exists = this.g.collection(box.home, name) !== undefined;
    const renamed = this.g.renameCollection(id, name);
    if (box.kind === "inbox" || box.kind === "outbox") return await this.#refused("kept", renamed);
    if (exists) return await this.#refused("exists", renamed);
    await renamed;
    assert.equal(this.g.collection(box.home, name)!.id, id);
  }

  async properties(): Promise<void> {
    const [id, box] = this.#pick([...this.boxes]);
    const [name, value] = [this.#pick(["{x}p", "{x}q"]), this.#pick(["v", "w", null])];
    await this.g.setProperties(id, 0, [[name, value]], ["VEVENT"]);
    if (value === null) box.properties.delete(name);
    else box.properties.set(name, value);
    assert.deepEqual(this.g.collectionById(id)!.components, ["VEVENT"]);
    // Those of an object are its own.
    const [first] = box.objects.values();
    if (first === undefined) return;
    await this.g.setProperties(id, first.id, [["{x}of", "object"]]);
    assert.deepEqual(this.g.properties(id, first.id), new Map([["{x}of", "object"]]));
  }

  async grants(): Promise<void> {
    const [id, box] = this.#pick([...this.boxes]);
    const list = this.#pick<[string, "read" | "write"][]>([
      [],
      [["bob", "read"]],
      [["ann", "write"], ["bob", "write"]],
    ]);
    await this.g.setGrants(id, list.map(([account, rights]) => ({ account, rights })));
    box.grants = new Map(list);
  }

  check(): void {
    const { g } = this;
    assert.deepEqual(
      g.collections().map((c) => c.id),
      [...this.boxes.keys()].sort((a, b) => a - b),
    );
    for (const home of homes) {
      for (const c of g.collections(home)) assert.equal(this.boxes.get(c.id)!.home, home);
    }
    for (const [id, box] of this.boxes) {
      const want = [...box.objects].sort(([a], [b]) => a < b ? -1 : 1);
      const rows = g.objects(id);
      const shown = (r: ObjectRow) => [
        r.name,
        {
          id: r.id,
          uid: r.uid,
          text: new TextDecoder().decode(g.content(r.id)),
          scheduleTag: r.scheduleTag,
          created: r.created,
          modified: r.modified,
        },
      ];
      assert.deepEqual(rows.map(shown), want);
      for (const r of rows) {
        const { text, uid } = box.objects.get(r.name)!;
        const { index } = newObject(r.name, uid, text);
        for (const [key, value] of Object.entries(index)) {
          assert.deepEqual(r[key as keyof ObjectRow], value, key);
        }
        assert.equal(r.size, text.length);
        assert.equal(r.collectionId, id);
        assert.deepEqual(g.objectById(r.id), r);
        assert.deepEqual(g.object(id, r.name), r);
        if (r.uid !== "") assert.equal(g.objectByUid(id, r.uid)!.id, r.id);
        assert.ok(r.modseq >= r.createseq && r.modseq <= g.collectionById(id)!.modseq);
      }
      assert.equal(g.count(id), want.length);
      assert.deepEqual(
        g.objects(id, "a", 2).map((r) => r.name),
        want.map(([n]) => n).filter((n) => n > "a").slice(0, 2),
      );
      assert.deepEqual(g.properties(id), box.properties);
      assert.deepEqual(
        g.grants(id),
        [...box.grants].sort().map(([account, rights]) => ({ account, rights })),
      );
      for (const account of ["ann", "bob"]) {
        assert.equal(g.rightsOf(id, account), box.grants.get(account));
      }
    }
    for (const uid of ["u1", "u2"]) {
      assert.deepEqual(
        g.eventsByUid(uid).map((r) => r.id),
        [...this.boxes.values()].filter((b) => b.kind === "calendar")
          .flatMap((b) => [...b.objects.values()]).filter((o) => o.uid === uid).map((o) => o.id)
          .sort((a, b) => a - b),
      );
    }
    for (const c of this.jmap) c.follow(g);
    for (const [all, one, two] of this.dav.values()) {
      all.sync(g);
      // In between one page is asked for, whatever is left.
      one.sync(g, this.#steps % 7 === 0 ? Infinity : 1);
      if (this.#steps % 4 === 0) two.sync(g);
    }
  }
}

const kinds = [
  ...["put", "put", "put", "put", "remove", "remove", "move", "move", "move", "putAll"],
  ...["create", "removeCollection", "rename", "properties", "grants"],
] as const;

Deno.test("calendars and address books are what the model says, after any operations", async () => {
  const step = fc.record({
    kind: fc.nat(kinds.length - 1),
    n: fc.array(fc.nat(1023), { minLength: 7, maxLength: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 60 }), async (steps) => {
      const dir = await Deno.makeTempDir({ dir: shm });
      let w: World | undefined;
      const g = await Groupware.open(dir, () => w?.now ?? start);
      try {
        w = new World(g);
        for (const [i, s] of steps.entries()) {
          const kind = kinds[s.kind] as "put";
          w.begin(s.n);
          await w[kind]();
          try {
            w.check();
          } catch (err) {
            if (err instanceof Error) err.message = `after step ${i}, ${kind}: ${err.message}`;
            throw err;
          }
        }
      } finally {
        await g.close();
        await Deno.remove(dir, { recursive: true });
      }
    }),
    { numRuns: 12, endOnFailure: true },
  );
});

/** Memory in place of a disk, where there is some: nothing here is about what is on disk. */
const shm = await Deno.stat("/dev/shm").then(() => "/dev/shm", () => undefined);

/** Runs with a new database. */
async function withGroupware(fn: (g: Groupware) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ dir: shm });
  const g = await Groupware.open(dir);
  try {
    await fn(g);
  } finally {
    await g.close();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a new account has a calendar, an address book, and the collections of invitations", async () => {
  await withGroupware(async (g) => {
    assert.deepEqual(g.collections().map((c) => `${c.kind} ${c.home}/${c.name}`), [
      "calendar calendars/default",
      "inbox calendars/inbox",
      "outbox calendars/outbox",
      "addressbook addressbooks/default",
    ]);
    assert.equal(g.modseq, 5);
    assert.ok(g.epoch > 1e12);
    await Promise.resolve();
  });
});

Deno.test("objects that may have to do with a span", async () => {
  await withGroupware(async (g) => {
    const id = g.collection("calendars", "default")!.id;
    const day = 86_400_000;
    const add = (name: string, first: number | null, last: number | null, recurring = false) => {
      const o = newObject(name, name, name);
      return g.put(id, { ...o, index: { ...o.index, first, last, recurring } });
    };
    await add("short", 0, 10);
    await add("moment", 100, null);
    await add("long", -100 * day, 50);
    await add("old", -100 * day, -99 * day);
    await add("weekly", -50 * day, 20, true);
    await add("for ever", -50 * day, null, true);
    await add("later", 1000, null, true);
    await add("no time", null, null);
    const rows: [from: number, to: number, wanted: string][] = [
      [0, 10, "for ever, long, no time, short, weekly"],
      [10, 20, "for ever, long, no time, short, weekly"],
      [11, 20, "for ever, long, no time, weekly"],
      [-5, -1, "for ever, long, no time, weekly"],
      [-5, 0, "for ever, long, no time, short, weekly"],
      [21, 99, "for ever, long, no time"],
      [50, 50, "for ever, long, no time"],
      [51, 100, "for ever, moment, no time"],
      [101, 999, "for ever, no time"],
      [101, 1000, "for ever, later, no time"],
      [-99 * day, -98 * day, "long, no time, old"],
      [-99 * day + 1, -98 * day, "long, no time"],
      [-Infinity, Infinity, "for ever, later, long, moment, no time, old, short, weekly"],
    ];
    for (const [from, to, wanted] of rows) {
      const found = g.objectsBetween(id, from, to).map((o) => o.name).sort().join(", ");
      assert.equal(found, wanted, `${from} to ${to}`);
    }
  });
});

Deno.test("searching: all words, by name, no more than asked for", async () => {
  await withGroupware(async (g) => {
    const id = g.collection("addressbooks", "default")!.id;
    const { id: other } = await g.createCollection("addressbook", "other");
    for (const [where, name] of [[id, "Zoe x"], [id, "ann x"], [id, "Bob y"], [other, "Carl x"]]) {
      const o = newObject(String(name), String(name), String(name).toLowerCase());
      await g.put(Number(where), { ...o, index: { ...o.index, summary: String(name) } });
    }
    const find = (ids: number[], words: string[], limit = 10) =>
      g.find(ids, words, limit).map((o) => o.summary).join(", ");
    assert.equal(find([id], []), "ann x, Bob y, Zoe x");
    assert.equal(find([id, other], ["x"]), "ann x, Zoe x, Carl x");
    assert.equal(find([id, other], ["x"], 1), "ann x");
    assert.equal(find([id], ["x", "an"]), "ann x");
    assert.equal(find([id], ["x", "y"]), "");
    assert.equal(find([], ["x"]), "");
  });
});

Deno.test("bounds: collections, properties; tokens of what was never", async () => {
  await withGroupware(async (g) => {
    for (let n = 4; n < 500; n++) await g.createCollection("calendar", `c${n}`);
    await assert.rejects(g.createCollection("calendar", "one more"), {
      kind: "full",
      message: "more than 500 calendars and address books",
    });
    const { id } = g.collections()[0];
    const list = Array.from({ length: 200 }, (_, n): [string, string] => [`{x}${n}`, "v"]);
    await g.setProperties(id, 0, list);
    await g.setProperties(id, 0, [["{x}0", "w"]]);
    await assert.rejects(g.setProperties(id, 0, [["{x}more", "v"], ["{x}0", "z"]]), {
      kind: "full",
      message: "more than 200 properties",
    });
    assert.equal(g.properties(id).get("{x}0"), "w", "all of a change or nothing");
    await g.setProperties(id, 7, list);
    assert.equal(g.properties(id, 7).size, 200, "each has its own");
    assert.throws(() => g.changesSince(id, g.modseq + 1, 10), { kind: "tokenTooOld" });
    assert.equal(g.eventsSince("calendars", "object", g.modseq + 1), undefined);
    assert.deepEqual(g.changesSince(id, g.modseq, 10), {
      changed: [],
      gone: [],
      modseq: g.modseq,
      more: false,
    });
  });
});

Deno.test("a page that is just full has no more behind it", async () => {
  await withGroupware(async (g) => {
    const id = g.collections()[0].id;
    const since = g.modseq;
    await g.put(id, newObject("a", "1", "x"));
    await g.put(id, newObject("b", "2", "x"));
    await g.remove(id, "a");
    await g.put(id, newObject("c", "3", "x"));
    const page = (from: number, limit: number) => {
      const r = g.changesSince(id, from, limit);
      return [r.changed.map((o) => o.name).join(), r.gone.join(), r.more, r.modseq - since];
    };
    assert.deepEqual(page(since, 3), ["b,c", "a", false, 4]);
    assert.deepEqual(page(since, 2), ["b", "a", true, 3]);
    assert.deepEqual(page(since + 3, 2), ["c", "", false, 4]);
    assert.deepEqual(page(since + 2, 1), ["", "a", true, 3]);
    // The first time nothing is told of what went.
    assert.deepEqual(page(0, 9), ["b,c", "", false, 4]);
  });
});

Deno.test("more than 100,000 objects that went are forgotten, and tokens from before are refused", async () => {
  const dir = await Deno.makeTempDir({ dir: shm });
  try {
    let g = await Groupware.open(dir);
    const id = g.collection("calendars", "default")!.id;
    await g.put(id, newObject("a", "1", "x"));
    await g.put(id, newObject("b", "2", "x"));
    await g.close();
    const db = new DatabaseSync(join(dir, "groupware.db"));
    const numbers =
      "WITH RECURSIVE n(i) AS (SELECT 1001 UNION ALL SELECT i + 1 FROM n WHERE i < 101010) ";
    db.exec(`${numbers} INSERT INTO tombstones SELECT ${id}, 'gone' || i, i FROM n`);
    db.exec(`${numbers} INSERT INTO gone SELECT i, 'object', 'calendars', 1, i FROM n`);
    db.exec("UPDATE state SET modseq = 101998");
    db.close();
    g = await Groupware.open(dir);
    try {
      await g.remove(id, "a");
      assert.equal(
        g.changesSince(id, 1001, 10).more,
        true,
        "it is looked at each thousand changes",
      );
      await g.remove(id, "b");
      assert.equal(g.modseq, 102_000);
      // 100,012 went; of them 100,000 are kept: the twelve oldest aren't.
      const oldest = 1012;
      assert.throws(() => g.changesSince(id, oldest - 1, 10), {
        kind: "tokenTooOld",
        message: "the changes since then are not known any more",
      });
      assert.deepEqual(g.changesSince(id, oldest, 1).gone, ["gone1013"]);
      assert.equal(g.eventsSince("calendars", "object", oldest - 1), undefined);
      assert.equal(g.eventsSince("calendars", "object", oldest)!.length, 100_000);
      assert.equal(g.changesSince(id, 0, 10).more, false, "all is read anew");
    } finally {
      await g.close();
    }
    const after = new DatabaseSync(join(dir, "groupware.db"));
    for (const table of ["gone", "tombstones"]) {
      const { n } = after.prepare(`SELECT count(*) AS n FROM ${table}`).get()!;
      assert.equal(n, 100_000, table);
    }
    after.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("rights of an account that is removed are taken back everywhere", async () => {
  await withGroupware(async (g) => {
    const [a, , , b] = g.collections();
    for (const c of [a, b]) {
      await g.setGrants(c.id, [{ account: "ann", rights: "write" }, {
        account: "bob",
        rights: "read",
      }]);
    }
    await g.forgetGrants("ann");
    for (const c of [a, b]) assert.deepEqual(g.grants(c.id), [{ account: "bob", rights: "read" }]);
    assert.equal(g.rightsOf(a.id, "ann"), undefined);
  });
});

Deno.test("who listens is told of changes soon, once for many, and no more after that", async () => {
  await withGroupware(async (g) => {
    const id = g.collections()[0].id;
    let told = 0;
    let heard = Promise.withResolvers<void>();
    const end = g.listen(() => {
      told++;
      heard.resolve();
    });
    await g.putAll(id, [newObject("a", "1", "x"), newObject("b", "2", "x")]);
    await heard.promise;
    assert.equal(told, 1);
    heard = Promise.withResolvers();
    await g.remove(id, "a");
    await heard.promise;
    assert.equal(told, 2);
    end();
    const other = Promise.withResolvers<void>();
    g.listen(() => other.resolve());
    await g.remove(id, "b");
    await other.promise;
    assert.equal(told, 2);
  });
});

Deno.test("moving with a change: checked against what was read, and all or nothing", async () => {
  await withGroupware(async (g) => {
    const from = g.collections()[0].id;
    const { id: to } = await g.createCollection("calendar", "other");
    const { row } = await g.put(from, newObject("a", "u1", "one"));
    await g.setProperties(from, row.id, [["{x}p", "v"]]);
    await g.put(from, newObject("a", "u1", "two"));
    const changed = newObject("ignored", "u1", "three", "t9");
    await assert.rejects(g.move(row, to, "b", { overwrite: false, changed }), {
      kind: "condition",
    });
    assert.equal(g.count(to), 0);
    const now = g.object(from, "a")!;
    const moved = await g.move(now, to, "b", { overwrite: false, changed });
    assert.deepEqual([moved.row.name, moved.row.scheduleTag, moved.created], ["b", "t9", true]);
    assert.equal(new TextDecoder().decode(g.content(moved.row.id)), "three");
    assert.deepEqual(g.properties(to, row.id), new Map([["{x}p", "v"]]), "its properties go along");
    await assert.rejects(g.move({ ...now, id: 999 }, to, "c", { overwrite: true }), {
      kind: "missing",
    });
    await assert.rejects(g.move(moved.row, 999, "c", { overwrite: true }), { kind: "missing" });
    // Over another one, which is gone then for those who know it by its number.
    const state = g.stateOf("calendars", "object");
    const { row: other } = await g.put(from, newObject("z", "u2", "x"));
    const since = g.stateOf("calendars", "object");
    await g.move(moved.row, from, "z", { overwrite: true });
    assert.deepEqual(
      g.eventsSince("calendars", "object", since)!.map((e) => `${e.id} ${e.kind}`).sort(),
      [`${row.id} updated`, `${other.id} destroyed`].sort(),
    );
    assert.deepEqual(
      g.eventsSince("calendars", "object", state)!.map((e) => `${e.id} ${e.kind}`),
      [`${row.id} updated`],
      "what came and went since is not told",
    );
  });
});

Deno.test("invitations that come and go are no objects of a client that follows a home", async () => {
  await withGroupware(async (g) => {
    const inbox = g.collection("calendars", "inbox")!.id;
    const since = g.modseq;
    const state = g.stateOf("calendars", "object");
    await g.put(inbox, newObject("i", "1", "x"));
    await g.remove(inbox, "i");
    assert.deepEqual(g.eventsSince("calendars", "object", since), []);
    assert.equal(g.stateOf("calendars", "object"), state);
    assert.deepEqual(
      g.changesSince(inbox, since, 9).gone,
      ["i"],
      "for one of that collection they are",
    );
  });
});

Deno.test("what goes changes the state of its own home and kind alone", async () => {
  await withGroupware(async (g) => {
    const book = g.collection("addressbooks", "default")!.id;
    const { id: other } = await g.createCollection("calendar", "other");
    const states = () =>
      (["calendars", "addressbooks"] as const).flatMap((home) =>
        (["object", "collection"] as const).map((what) => g.stateOf(home, what))
      );
    await g.put(book, newObject("a", "1", "x"));
    const before = states();
    await g.remove(book, "a");
    assert.deepEqual(states(), before.with(2, g.modseq));
    const between = states();
    await g.removeCollection(other);
    assert.deepEqual(states(), between.with(1, g.modseq));
  });
});

Deno.test("events of some collections, and of one kind of objects", async () => {
  await withGroupware(async (g) => {
    const first = g.collections()[0].id;
    const { id: second } = await g.createCollection("calendar", "other");
    const since = g.modseq;
    await g.put(first, newObject("a", "1", "even"));
    await g.put(first, newObject("b", "2", "odd"));
    await g.put(second, newObject("c", "3", "even"));
    const names = (seen?: (id: number) => boolean, component?: string) =>
      g.eventsSince("calendars", "object", since, seen, component)!.map((e) =>
        g.objectById(e.id)!.name
      ).sort().join();
    assert.equal(names(), "a,b,c");
    assert.equal(names((id) => id === second), "c");
    assert.equal(names(undefined, "VEVENT"), "a,c");
    assert.equal(names((id) => id === first, "VTODO"), "b");
    assert.deepEqual(g.eventsSince("addressbooks", "object", since), []);
  });
});
