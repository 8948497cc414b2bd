/** RFC 9610 (JMAP for Contacts) §1 and §2 clause by clause, over HTTP: address books. */
import assert from "node:assert/strict";
import type { Client, Json } from "../world.ts";
import { clauses, done, guest, made, refusal } from "./clauses.ts";

const book = async (c: Client): Promise<string> =>
  (await c.call("AddressBook/get")).list.find((b: Json) => b.isDefault).id;

async function card(c: Client, o: Json = {}): Promise<string> {
  const addressBookIds = { [await book(c)]: true };
  return made(await c.call("ContactCard/set", { create: { e: { addressBookIds, ...o } } })).id;
}
const named = (given: string, surname: string) => ({
  name: { components: [{ kind: "given", value: given }, { kind: "surname", value: surname }] },
});

clauses("RFC 9610 §1 and §2: capability and address books", async (clause, w) => {
  const { ann, bob } = w;
  const bobAtAnn = guest(bob, "ann");
  const create = (o: Json) => ann.call("AddressBook/set", { create: { e: o } });

  await clause(
    "§1.4.1 the capability is an empty object of the session, and has its values for the account",
    async () => {
      const s = (await ann.raw("session")).json;
      assert.deepEqual(s.capabilities["urn:ietf:params:jmap:contacts"], {});
      const of = s.accounts.ann.accountCapabilities["urn:ietf:params:jmap:contacts"];
      assert.ok(of.maxAddressBooksPerCard === null || of.maxAddressBooksPerCard >= 1);
      assert.equal(of.mayCreateAddressBook, true);
      assert.equal(s.primaryAccounts["urn:ietf:params:jmap:contacts"], "ann");
    },
  );
  await clause("§2 a name must be neither empty nor above 255 octets", async () => {
    assert.deepEqual(refusal(await create({ name: "" })).properties, ["name"]);
    assert.deepEqual(refusal(await create({ name: "é".repeat(128) })).properties, ["name"]);
    const { id } = made(await create({ name: "é".repeat(127) }));
    const got = (await ann.call("AddressBook/get", { ids: [id] })).list[0];
    assert.equal(got.name, "é".repeat(127));
    done(await ann.call("AddressBook/set", { destroy: [id] }));
    assert.deepEqual(refusal(await create({})).properties, ["name"]);
  });
  await clause("§2 a sortOrder is an integer below 2^31; usually 0", async () => {
    for (const sortOrder of [-1, 1.5, 2 ** 31, "1"]) {
      assert.deepEqual(refusal(await create({ name: "x", sortOrder })).properties, ["sortOrder"]);
    }
    const b = made(await create({ name: "orders", sortOrder: 2 ** 31 - 1 }));
    const got =
      (await ann.call("AddressBook/get", { ids: [b.id], properties: ["sortOrder"] })).list[0];
    assert.equal(got.sortOrder, 2 ** 31 - 1);
    const plain = made(await create({ name: "plain" }));
    assert.deepEqual(
      [plain.sortOrder, plain.isSubscribed, plain.description, plain.isDefault, plain.shareWith],
      [0, true, null, false, null],
    );
  });
  await clause("§2 id, isDefault and myRights are the server's", async () => {
    for (const o of [{ id: "A1" }, { isDefault: true }, { myRights: {} }, { nosuch: 1 }]) {
      assert.deepEqual(refusal(await create({ name: "x", ...o })).properties, Object.keys(o));
    }
    const id = await book(ann);
    for (const [k, x] of [["isDefault", false], ["id", "A77"], ["myRights/mayDelete", false]]) {
      const r = await ann.call("AddressBook/set", { update: { [id]: { [k as string]: x } } });
      assert.equal(refusal(r, "notUpdated").type, "invalidProperties", JSON.stringify(r));
    }
    // What it is already may be said.
    done(await ann.call("AddressBook/set", { update: { [id]: { isDefault: true, id } } }));
  });
  await clause("§2 exactly one is the default", async () => {
    const { list } = await ann.call("AddressBook/get");
    assert.equal(list.filter((b: Json) => b.isDefault).length, 1);
  });
  await clause(
    "§2.3 onSuccessSetIsDefault: both are reported; what isn't there is ignored without an error",
    async () => {
      const was = await book(ann);
      const { id } = made(await create({ name: "Other" }));
      const r = await ann.call("AddressBook/set", { onSuccessSetIsDefault: id });
      assert.deepEqual(r.updated, { [id]: { isDefault: true }, [was]: { isDefault: false } });
      assert.notEqual(r.oldState, r.newState);
      assert.equal(await book(ann), id);
      const none = await ann.call("AddressBook/set", { onSuccessSetIsDefault: "A99999" });
      assert.equal(none.updated, null);
      const unknown = await ann.call("AddressBook/set", { onSuccessSetIsDefault: "#nothing" });
      assert.equal(unknown.updated, null);
      // Something failed: it stays.
      const failed = await ann.call("AddressBook/set", {
        destroy: ["A99999"],
        onSuccessSetIsDefault: was,
      });
      assert.equal(failed.notDestroyed.A99999.type, "notFound");
      assert.equal(await book(ann), id);
      const created = await ann.call("AddressBook/set", {
        create: { n: { name: "New" } },
        onSuccessSetIsDefault: "#n",
      });
      assert.equal(created.created.n.isDefault, true);
      assert.deepEqual(created.updated, { [id]: { isDefault: false } });
      done(await ann.call("AddressBook/set", { onSuccessSetIsDefault: was }));
    },
  );
  await clause("§2.3 one with cards is destroyed only with onDestroyRemoveContents", async () => {
    const { id } = made(await create({ name: "Full" }));
    const k = await card(ann, { addressBookIds: { [id]: true }, ...named("In", "It") });
    const r = await ann.call("AddressBook/set", { destroy: [id] });
    assert.equal(refusal(r, "notDestroyed").type, "addressBookHasContents");
    const { state } = await ann.call("ContactCard/get", { ids: [] });
    done(await ann.call("AddressBook/set", { destroy: [id], onDestroyRemoveContents: true }));
    assert.deepEqual((await ann.call("ContactCard/get", { ids: [k] })).notFound, [k]);
    assert.deepEqual((await ann.call("ContactCard/changes", { sinceState: state })).destroyed, [k]);
  });
  await clause(
    "§2 shareWith: ids of principals, not the owner's; rights as a whole and by pointer",
    async () => {
      const { id } = made(await create({ name: "Shared" }));
      const set = (patch: Json) => ann.call("AddressBook/set", { update: { [id]: patch } });
      assert.equal(
        refusal(await set({ shareWith: { ann: { mayRead: true } } }), "notUpdated").type,
        "invalidProperties",
      );
      assert.equal(
        refusal(await set({ shareWith: { nobody: { mayRead: true } } }), "notUpdated").type,
        "invalidProperties",
      );
      assert.equal(
        refusal(await set({ shareWith: { bob: { mayFly: true } } }), "notUpdated").type,
        "invalidProperties",
      );
      done(await set({ shareWith: { bob: { mayRead: true } } }));
      const get = async () => (await ann.call("AddressBook/get", { ids: [id] })).list[0].shareWith;
      assert.deepEqual(await get(), {
        bob: { mayRead: true, mayWrite: false, mayShare: false, mayDelete: false },
      });
      done(await set({ "shareWith/bob/mayWrite": true }));
      assert.equal((await get()).bob.mayWrite, true);
      const theirs = (await bobAtAnn.call("AddressBook/get", { ids: [id] })).list[0];
      assert.deepEqual(theirs.myRights, {
        mayRead: true,
        mayWrite: true,
        mayShare: false,
        mayDelete: false,
      });
      assert.equal(theirs.isDefault, false);
      // §2: in shared accounts one isn't subscribed until one asks.
      assert.equal(theirs.isSubscribed, false);
      for (
        const patch of [{ shareWith: { bob: { mayRead: true } } }, { description: "x" }, {
          name: "x",
        }]
      ) {
        const r = await bobAtAnn.call("AddressBook/set", { update: { [id]: patch } });
        assert.equal(refusal(r, "notUpdated").type, "forbidden", JSON.stringify(r));
      }
      assert.equal(
        refusal(await bobAtAnn.call("AddressBook/set", { destroy: [id] }), "notDestroyed").type,
        "forbidden",
      );
      assert.equal(
        refusal(await bobAtAnn.call("AddressBook/set", { create: { e: { name: "x" } } })).type,
        "forbidden",
      );
      // A subscription is each user's own.
      const state = (await ann.call("AddressBook/get", { ids: [] })).state;
      done(
        await bobAtAnn.call("AddressBook/set", {
          update: { [id]: { isSubscribed: true, sortOrder: 7 } },
        }),
      );
      const after = (await bobAtAnn.call("AddressBook/get", { ids: [id] })).list[0];
      assert.deepEqual([after.isSubscribed, after.sortOrder], [true, 7]);
      assert.equal((await ann.call("AddressBook/get", { ids: [id] })).list[0].sortOrder, 0);
      assert.equal((await ann.call("AddressBook/get", { ids: [] })).state, state);
      done(await set({ "shareWith/bob": null }));
      assert.equal(await get(), null);
      assert.deepEqual((await bobAtAnn.call("AddressBook/get", { ids: [id] })).notFound, [id]);
    },
  );
  await clause("§2.1, §2.2 get of all and of some; changes", async () => {
    const all = await ann.call("AddressBook/get", { ids: null });
    const some = await ann.call("AddressBook/get", { ids: [all.list[0].id, "A9999", "x y"] });
    assert.deepEqual([some.list.length, some.notFound], [1, ["A9999", "x y"]]);
    assert.equal(
      (await ann.fails("AddressBook/get", { properties: ["nosuch"] })).type,
      "invalidArguments",
    );
    const { id } = made(await create({ name: "C" }));
    done(await ann.call("AddressBook/set", { update: { [all.list[0].id]: { description: "d" } } }));
    const c = await ann.call("AddressBook/changes", { sinceState: all.state });
    assert.deepEqual([c.created, c.updated, c.destroyed], [[id], [all.list[0].id], []]);
    assert.equal(
      (await ann.fails("AddressBook/changes", { sinceState: "nonsense" })).type,
      "cannotCalculateChanges",
    );
    assert.equal(
      (await ann.fails("AddressBook/set", { ifInState: all.state })).type,
      "stateMismatch",
    );
  });
});
