/** The topics of the public suite jmap-test-suite (RFC 8620 and 8621), each asked in our own words: core, binary. */
import assert from "node:assert/strict";
import type { Json } from "../world.ts";
import { clauses, done } from "./clauses.ts";

const core = "urn:ietf:params:jmap:core";

clauses("jmap-test-suite: core and binary", async (clause, { ann, bob, origin }) => {
  const post = (body: unknown, type = "application/json") =>
    ann.raw("api", {
      method: "POST",
      headers: { "content-type": type },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  const s = (await ann.raw("session")).json;

  await clause("core/session-*: capabilities, accounts, primaries, urls, state", () => {
    const c = s.capabilities[core];
    for (
      const k of [
        "maxSizeUpload",
        "maxConcurrentUpload",
        "maxSizeRequest",
        "maxConcurrentRequests",
        "maxCallsInRequest",
        "maxObjectsInGet",
        "maxObjectsInSet",
      ]
    ) assert.ok(Number.isInteger(c[k]) && c[k] > 0, k);
    assert.ok(Array.isArray(c.collationAlgorithms));
    const { name, isPersonal, isReadOnly, accountCapabilities } = s.accounts.ann;
    assert.deepEqual([typeof name, isPersonal, isReadOnly], ["string", true, false]);
    const mail = accountCapabilities["urn:ietf:params:jmap:mail"];
    assert.deepEqual(
      [
        typeof mail.maxSizeMailboxName,
        typeof mail.maxSizeAttachmentsPerEmail,
        Array.isArray(mail.emailQuerySortOptions),
        typeof mail.mayCreateTopLevelMailbox,
      ],
      ["number", "number", true, "boolean"],
    );
    assert.equal(s.primaryAccounts["urn:ietf:params:jmap:mail"], "ann");
    assert.ok(s.username !== "" && s.state !== "");
    for (const u of [s.apiUrl, s.downloadUrl, s.uploadUrl, s.eventSourceUrl]) {
      assert.ok(u.startsWith(origin), u);
    }
    for (const v of ["accountId", "blobId", "name", "type"]) {
      assert.ok(s.downloadUrl.includes(`{${v}}`));
    }
    assert.ok(s.uploadUrl.includes("{accountId}"));
    for (const v of ["types", "closeafter", "ping"]) assert.ok(s.eventSourceUrl.includes(`{${v}}`));
  });
  await clause("core/echo-*", async () => {
    for (
      const args of [{}, { hello: "world", n: 42 }, {
        a: [1, "two", false, null],
        o: { deep: { x: "y" } },
      }]
    ) {
      const r = await post({ using: [core], methodCalls: [["Core/echo", args, "c"]] });
      assert.deepEqual(r.json.methodResponses, [["Core/echo", args, "c"]]);
      assert.equal(typeof r.json.sessionState, "string");
    }
  });
  await clause("core/error-*: of requests", async () => {
    const echo = [["Core/echo", {}, "c"]];
    const rows: [unknown, string | undefined, string][] = [
      ["this is not json", undefined, "notJSON"],
      [{ foo: "bar" }, undefined, "notRequest"],
      [{ using: [core, "urn:fake:none"], methodCalls: echo }, undefined, "unknownCapability"],
      [{ using: [core], methodCalls: "no" }, undefined, "notRequest"],
      [{ using: [core], methodCalls: [["Core/echo", {}]] }, undefined, "notRequest"],
      [{ using: [core], methodCalls: echo }, "text/plain", "notJSON"],
    ];
    for (const [body, type, error] of rows) {
      const r = await post(body, type);
      assert.equal(r.status, 400, JSON.stringify(body));
      assert.equal(r.json.type, `urn:ietf:params:jmap:error:${error}`);
      assert.match(r.headers.get("content-type") ?? "", /application\/problem\+json/);
    }
    const none = await post({ using: [], methodCalls: echo });
    assert.deepEqual([none.json.methodResponses[0][0], none.json.methodResponses[0][1].type], [
      "error",
      "unknownMethod",
    ]);
  });
  await clause("core/error-*: of methods", async () => {
    const using = [core, "urn:ietf:params:jmap:mail"];
    const one = async (name: string, args: Json) =>
      (await post({ using, methodCalls: [[name, args, "c"]] })).json.methodResponses[0];
    for (
      const [name, args, type] of [
        ["Fake/none", {}, "unknownMethod"],
        ["Mailbox/get", {}, "invalidArguments"],
        ["Mailbox/get", { accountId: "none-xyz" }, "accountNotFound"],
        ["Mailbox/get", { accountId: "ann", ids: "no" }, "invalidArguments"],
        ["Mailbox/set", { accountId: "ann", ifInState: "no", update: {} }, "stateMismatch"],
        ["Email/query", { accountId: "ann", filter: "no" }, "invalidArguments"],
        ["Email/query", { accountId: "ann", filter: { hasKeyword: 7 } }, "invalidArguments"],
        ["Email/changes", { accountId: "ann", sinceState: "no" }, "cannotCalculateChanges"],
        ["Email/query", { accountId: "ann", anchor: "none" }, "anchorNotFound"],
      ] as [string, Json, string][]
    ) {
      const r = await one(name, args);
      assert.deepEqual(
        [r[0], r[1].type, r[2]],
        ["error", type, "c"],
        JSON.stringify([name, args, r]),
      );
    }
    const r = await post({
      using,
      methodCalls: [["Mailbox/get", { accountId: "ann", ids: [] }, "1"], ["Core/echo", {}, "2"], [
        "Fake/x",
        {},
        "3",
      ]],
    });
    assert.deepEqual(r.json.methodResponses.map((x: Json) => [x[0], x[2]]), [["Mailbox/get", "1"], [
      "Core/echo",
      "2",
    ], ["error", "3"]]);
  });
  await clause("core/result-ref-*", async () => {
    const ref = (resultOf: string, name: string, path: string) => ({ resultOf, name, path });
    const r = await ann.calls([
      ["Mailbox/get", { ids: null }, "a"],
      ["Mailbox/get", { "#ids": ref("a", "Mailbox/get", "/list/*/id") }, "b"],
      ["Mailbox/changes", { "#sinceState": ref("a", "Mailbox/get", "/state") }, "c"],
      ["Email/query", { limit: 1 }, "d"],
      ["Email/get", { "#ids": ref("d", "Email/query", "/ids"), properties: ["subject"] }, "e"],
      ["Email/get", { "#ids": ref("none", "Email/query", "/ids") }, "f"],
      ["Email/get", { "#ids": ref("d", "Mailbox/get", "/ids") }, "g"],
      ["Mailbox/set", { create: { x: { name: "Ref" } } }, "h"],
      [
        "Mailbox/get",
        { "#ids": ref("h", "Mailbox/set", "/created/x/id"), properties: ["name"] },
        "i",
      ],
    ]);
    assert.equal(r[1][1].list.length, r[0][1].list.length);
    assert.deepEqual([r[2][0], r[2][1].oldState], ["Mailbox/changes", r[0][1].state]);
    assert.equal(r[4][0], "Email/get");
    for (const i of [5, 6]) {
      assert.deepEqual([r[i][0], r[i][1].type], ["error", "invalidResultReference"]);
    }
    // An id is no list of ids.
    assert.deepEqual([r[8][0], r[8][1].type], ["error", "invalidArguments"]);
  });
  await clause("binary/upload-*, download-*", async () => {
    const bytes = Uint8Array.from({ length: 100 * 1024 }, (_, i) => i & 0xff);
    const up = await ann.raw("upload/ann/", {
      method: "POST",
      headers: { "content-type": "text/html" },
      body: bytes as BodyInit,
    });
    assert.deepEqual([up.json.accountId, up.json.type, up.json.size], [
      "ann",
      "text/html",
      bytes.length,
    ]);
    assert.match(up.json.blobId, /^[A-Za-z0-9_-]{1,255}$/);
    const url = s.downloadUrl.replace("{accountId}", "ann").replace("{blobId}", up.json.blobId)
      .replace("{name}", encodeURIComponent("a b.bin")).replace(
        "{type}",
        encodeURIComponent("application/octet-stream"),
      );
    const r = await fetch(url, { headers: { authorization: ann.authorization } });
    assert.equal(r.status, 200);
    assert.match(r.headers.get("content-type")!, /application\/octet-stream/);
    assert.deepEqual(new Uint8Array(await r.arrayBuffer()), bytes);
    assert.equal((await ann.raw("download/ann/nonexistent-blob/x?accept=text/plain")).status, 404);
    const e = await ann.import("Subject: x\r\n\r\nbody\r\n");
    assert.match(
      (await ann.raw(`download/ann/${e.blobId}/e.eml?accept=message/rfc822`)).text,
      /Subject: x/,
    );
  });
  await clause("binary/blob-copy-*", async () => {
    const cal = (await ann.call("Calendar/get")).list[0].id;
    done(
      await ann.call("Calendar/set", {
        update: { [cal]: { shareWith: { bob: { mayReadItems: true } } } },
      }),
    );
    const blobId = await bob.upload("x", "text/plain");
    const r = await bob.call("Blob/copy", {
      fromAccountId: "bob",
      accountId: "ann",
      blobIds: [blobId, "none"],
    });
    assert.equal(typeof r.copied[blobId], "string");
    assert.equal(r.notCopied.none.type, "notFound");
    assert.equal(
      (await bob.fails("Blob/copy", { fromAccountId: "none", accountId: "bob", blobIds: [] })).type,
      "fromAccountNotFound",
    );
  });
});
