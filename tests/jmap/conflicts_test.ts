/** Objects of one /set that are in each other's way, and requests that are JSON but not I-JSON. */
import assert from "node:assert/strict";
import { ConflictError, runWithConflicts, type Step } from "../../src/jmap/core/conflicts.ts";
import { notIJson } from "../../src/jmap/core/i_json.ts";
import { type Json, withJmap } from "./world.ts";

Deno.test("RFC 8620 §5.3: only the state after a /set must be valid: names and roles change hands", () =>
  withJmap(async ({ ann }) => {
    const set = (args: Json) => ann.call("Mailbox/set", args);
    /** Paths by id, and roles. */
    const tree = async (...ids: string[]) => {
      const { list } = await ann.call("Mailbox/get", {});
      const byId = new Map<string, Json>(list.map((m: Json) => [m.id, m]));
      const path = (m: Json): string =>
        m.parentId === null ? m.name : `${path(byId.get(m.parentId))}/${m.name}`;
      return ids.map((id) => `${path(byId.get(id))} ${byId.get(id).role ?? "-"}`);
    };
    const count = async () => (await ann.call("Mailbox/query", {})).ids.length;
    const made = await set({ create: { a: { name: "A" }, b: { name: "B" }, c: { name: "C" } } });
    const [a, b, c] = ["a", "b", "c"].map((k) => made.created[k].id);
    const mailboxes = await count();

    let r = await set({ update: { [a]: { name: "B" }, [b]: { name: "A" } } });
    assert.deepEqual([r.updated, r.notUpdated], [{ [a]: null, [b]: null }, null]);
    assert.deepEqual(await tree(a, b, c), ["B -", "A -", "C -"]);
    // A chain against the order, and a circle of three.
    r = await set({ update: { [a]: { name: "A" }, [b]: { name: "C" }, [c]: { name: "D" } } });
    assert.equal(r.notUpdated, null);
    r = await set({ update: { [a]: { name: "C" }, [b]: { name: "D" }, [c]: { name: "A" } } });
    assert.equal(r.notUpdated, null);
    assert.deepEqual(await tree(a, b, c), ["C -", "D -", "A -"]);
    // One gets a name of its own, another is put below it: under its new name.
    r = await set({ update: { [a]: { name: "X" }, [b]: { parentId: a } } });
    assert.equal(r.notUpdated, null);
    assert.deepEqual(await tree(a, b), ["X -", "X/D -"]);
    // What was below comes up, and the other one below it.
    r = await set({ update: { [a]: { parentId: b }, [b]: { parentId: null } } });
    assert.equal(r.notUpdated, null);
    assert.deepEqual(await tree(a, b), ["D/X -", "D -"]);
    assert.equal(await count(), mailboxes);

    // Roles.
    const { archive, junk } = await ann.roles();
    r = await set({ update: { [a]: { role: "archive" }, [archive]: { role: null } } });
    assert.equal(r.notUpdated, null);
    r = await set({ update: { [a]: { role: "junk" }, [junk]: { role: "archive" } } });
    assert.equal(r.notUpdated, null);
    assert.deepEqual(await tree(a, junk, archive), ["D/X junk", "Junk archive", "Archive -"]);

    // One that is destroyed makes room for a new one.
    r = await set({ create: { n: { name: "A", sortOrder: 3 } }, destroy: [c] });
    assert.deepEqual([r.notCreated, r.destroyed], [null, [c]]);
    const n = r.created.n.id;
    // Null stands for the default; a creation id of the same call for its id.
    r = await set({
      create: { k: { name: "K" } },
      update: { [n]: { sortOrder: null }, "#k": { name: "L" } },
    });
    assert.deepEqual(Object.keys(r.updated).sort(), [n, r.created.k.id].sort());
    const { list } = await ann.call("Mailbox/get", { ids: [n], properties: ["sortOrder"] });
    assert.equal(list[0].sortOrder, 0);

    // What stays in the way is named, and nothing else is changed for it.
    r = await set({ update: { [a]: { name: "L", parentId: null }, [n]: { name: "Inbox" } } });
    assert.deepEqual(
      [r.updated, r.notUpdated[a].type, r.notUpdated[n].type],
      [null, "alreadyExists", "alreadyExists"],
    );
    assert.deepEqual(await tree(a, n), ["D/X junk", "A -"]);
  }));

Deno.test("those that wait for each other in a circle are exchanged together, others are not of it", async () => {
  const names = new Map([["a", "A"], ["b", "B"], ["c", "C"], ["d", "D"]]);
  const failed: string[] = [];
  const rename = (objectId: string, name: string): Step => ({
    objectId,
    run() {
      const holder = [...names].find(([id, n]) => n === name && id !== objectId)?.[0];
      if (holder !== undefined) throw new ConflictError("alreadyExists", "", { holder });
      names.set(objectId, name);
      return Promise.resolve();
    },
    fail: () => failed.push(objectId),
  });
  const circles: string[][] = [];
  const steps = [rename("d", "A"), rename("a", "B"), rename("b", "C"), rename("c", "A")];
  await runWithConflicts(steps, (err) => err as ConflictError, (circle) => {
    circles.push(circle.map((w) => w.objectId));
    // Each gets the name of the next one.
    const next = circle.map((w) => names.get(w.err.holder!)!);
    circle.forEach((w, i) => names.set(w.objectId, next[i]));
    return Promise.resolve(() => Promise.resolve());
  });
  assert.equal(circles.length, 1);
  assert.deepEqual([...circles[0]].sort(), ["a", "b", "c"]);
  const at = circles[0].indexOf("a");
  assert.deepEqual([...circles[0].slice(at), ...circles[0].slice(0, at)], ["a", "b", "c"]);
  assert.deepEqual([...names], [["a", "B"], ["b", "C"], ["c", "A"], ["d", "D"]]);
  assert.deepEqual(failed, ["d"]);
});

Deno.test("RFC 8620 §5.3: pointers below what isn't there, or into an array", () =>
  withJmap(async ({ ann }) => {
    const e = await ann.import("From: a@b.example\nSubject: s\n\nx\n");
    const rows: [Json, string | null][] = [
      [{ "from/0/email": "x@y.example" }, "invalidPatch"],
      [{ "/keywords": {} }, "invalidPatch"],
      [{ "nope/x": 1 }, "invalidPatch"],
      [{ "bodyValues/1": {} }, "invalidProperties"],
      [{ "keywords/a~1b": true, "keywords/c~0d": true }, null],
      [{ subject: "s", size: e.size }, null],
    ];
    for (const [patch, type] of rows) {
      const r = await ann.call("Email/set", { update: { [e.id]: patch } });
      assert.equal(r.notUpdated?.[e.id].type ?? null, type, JSON.stringify(patch));
    }
    assert.deepEqual((await ann.email(e.id, ["keywords"])).keywords, { "a/b": true, "c~d": true });
    const v = await ann.call("VacationResponse/set", { destroy: ["singleton", "x"] });
    assert.deepEqual(
      [v.notDestroyed.singleton.type, v.notDestroyed.x.type],
      ["singleton", "notFound"],
    );
    // RFC 8620 §6.1: errors of files are problem documents too.
    const refused = await ann.raw("upload/bob/", { method: "POST", body: "x" });
    assert.equal(refused.status, 404);
    assert.equal(refused.headers.get("content-type"), "application/problem+json");
    assert.equal(refused.json.status, 404);
  }));

Deno.test("RFC 8620 §3.6.1: what is JSON but not I-JSON is notJSON", () =>
  withJmap(async ({ ann }) => {
    const body = (args: string) =>
      `{"using":["urn:ietf:params:jmap:core"],"methodCalls":[["Core/echo",${args},"0"]]}`;
    for (
      const args of ['{"a":1,"a":1}', '{"a":{"b":1,"\\u0062":2}}', '["\\ud800"]', '{"a":"\\udc00"}']
    ) {
      const r = await ann.post(body(args.startsWith("[") ? `{"x":${args}}` : args));
      assert.equal(r.status, 400, args);
      assert.equal(r.json.type, "urn:ietf:params:jmap:error:notJSON");
    }
    const good = '{"a":{"a":"a\\\\"},"b":[{"a":1},{"a":2},"a","a"],"c":"\\ud83d\\ude00\\"","d":{}}';
    const r = await ann.post(body(good));
    assert.deepEqual(r.json.methodResponses[0][1], JSON.parse(good));
  }));

Deno.test("names that an object has twice are found, few and many, wherever the object ends", () => {
  const many = (n: number) => Array.from({ length: n }, (_, i) => `"k${i}":[{}]`).join(",");
  assert.equal(notIJson(`{${many(100)}}`), undefined);
  for (const n of [1, 11, 12, 13, 14, 100]) {
    assert.match(notIJson(`[{${many(n)},"k0":{}}]`)!, /"k0" twice/);
    assert.match(notIJson(`[{${many(n)},"k${n - 1}":1}]`)!, /twice/);
  }
  assert.match(notIJson('{"a":{"x":1},"b":[1,[2]],"a":2}')!, /"a" twice/);
  assert.equal(notIJson('"a"'), undefined);
  assert.equal(notIJson('[{"a":"\\\\"},{"a":"\\""}]'), undefined);
});
