/** SieveScript (RFC 9661): get, set, query, validate. */
import assert from "node:assert/strict";
import { type Client, withJmap } from "./world.ts";

const script = `require "fileinto"; if header :contains "subject" "x" { fileinto "X"; }`;

function sieve(c: Client): Client {
  c.using = [
    "urn:ietf:params:jmap:core",
    "urn:ietf:params:jmap:sieve",
    "urn:ietf:params:jmap:blob",
  ];
  return c;
}

Deno.test("scripts are made, activated, changed, found and removed", () =>
  withJmap(async ({ ann, server }) => {
    const session = (await ann.raw("session")).json;
    const capability =
      session.accounts[ann.accountId].accountCapabilities["urn:ietf:params:jmap:sieve"];
    assert.ok(capability.maxSizeScriptName >= 512);
    assert.ok(capability.sieveExtensions.includes("fileinto"));
    assert.match(session.capabilities["urn:ietf:params:jmap:sieve"].implementation, /^mox/);
    const c = sieve(ann);
    c.using = c.using.slice(0, 2);
    const blobId = await c.upload(script, "application/sieve");
    const made = await c.call("SieveScript/set", {
      create: { a: { name: "one", blobId }, b: { blobId } },
      onSuccessActivateScript: "#a",
    });
    assert.equal(made.notCreated, null);
    assert.equal(made.created.a.isActive, true);
    assert.ok(made.created.b.name.length > 0);
    const one = made.created.a.id;
    const { list, state } = await c.call("SieveScript/get", {});
    assert.equal(state, made.newState);
    assert.deepEqual(list.map((s: { isActive: boolean }) => s.isActive).sort(), [false, true]);
    const stored = list.find((s: { id: string }) => s.id === one);
    const got = await c.raw(
      `download/${c.accountId}/${stored.blobId}/x.sieve?accept=application/sieve`,
    );
    assert.equal(got.text, script);
    assert.equal(server.sieve!.scripts.active("ann"), "one");
    // A name is there once; the active one stays.
    const again = await c.call("SieveScript/set", {
      create: { x: { name: "one", blobId } },
      destroy: [one],
      onSuccessDeactivateScript: true,
    });
    assert.deepEqual(again.notCreated.x.type, "alreadyExists");
    assert.equal(again.notCreated.x.existingId, one);
    assert.equal(again.notDestroyed[one].type, "sieveIsActive");
    assert.equal(server.sieve!.scripts.active("ann"), "one");
    const other = await c.upload("discard;", "application/sieve");
    const changed = await c.call("SieveScript/set", {
      update: { [one]: { name: "first", blobId: other } },
      onSuccessDeactivateScript: true,
    });
    assert.equal(changed.updated[one].isActive, false);
    assert.equal(server.sieve!.scripts.get("ann", "first"), "discard;");
    assert.deepEqual((await c.call("SieveScript/query", { filter: { name: "FIRST" } })).ids, [one]);
    assert.deepEqual((await c.call("SieveScript/query", { filter: { isActive: true } })).ids, []);
    assert.deepEqual((await c.call("SieveScript/set", { destroy: [one] })).destroyed, [one]);
    assert.deepEqual((await c.call("SieveScript/get", { ids: [one] })).notFound, [one]);
  }));

Deno.test("what is wrong is told, and stored nowhere", () =>
  withJmap(async ({ ann, bob }) => {
    const c = sieve(ann);
    c.using = c.using.slice(0, 2);
    const bad = await c.upload("keep;\r\nnosuch;", "application/sieve");
    const checked = await c.call("SieveScript/validate", { blobId: bad });
    assert.deepEqual(checked.error, {
      type: "invalidSieve",
      description: "2:1: there is no command nosuch",
    });
    assert.equal(
      (await c.call("SieveScript/validate", { blobId: await c.upload("keep;") })).error,
      null,
    );
    const missing = "U00000000000000000000000000000000";
    assert.equal(
      (await c.call("SieveScript/validate", { blobId: missing })).error.type,
      "blobNotFound",
    );
    const set = await c.call("SieveScript/set", {
      create: {
        a: { name: "x", blobId: bad },
        b: { name: "", blobId: await c.upload("keep;") },
        c: { name: "y", blobId: missing },
        d: { name: "z", blobId: bad, isActive: true },
      },
    });
    assert.deepEqual(Object.values(set.notCreated).map((e) => (e as { type: string }).type), [
      "invalidSieve",
      "invalidProperties",
      "blobNotFound",
      "invalidProperties",
    ]);
    assert.deepEqual((await c.call("SieveScript/get", {})).list, []);
    // Scripts of others can't be seen.
    const other = sieve(bob);
    other.using = other.using.slice(0, 2);
    const r = await other.post({
      using: other.using,
      methodCalls: [["SieveScript/get", { accountId: ann.accountId }, "0"]],
    });
    assert.equal(r.json.methodResponses[0][0], "error");
  }));
