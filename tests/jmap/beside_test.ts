/** Beside mail: quota (RFC 9425), blobs (RFC 9404), and the way from IMAP (RFC 9698). */
import assert from "node:assert/strict";
import { mail } from "./messages.ts";
import { type Json, password, withJmap } from "./world.ts";

Deno.test("RFC 9425: the quota of an account", () =>
  withJmap(async ({ ann, bob }) => {
    const { list, state } = await ann.call("Quota/get", {});
    assert.deepEqual(
      list.map((q: Json) => [q.id, q.resourceType, q.used, q.hardLimit, q.scope, q.types]),
      [
        ["size", "octets", 0, 1_000_000, "account", ["Email"]],
      ],
    );
    const { size } = await ann.import(mail({}));
    const c = await ann.call("Quota/changes", { sinceState: state });
    assert.deepEqual([c.updated, c.updatedProperties], [["size"], ["used"]]);
    assert.equal((await ann.call("Quota/get", { ids: ["size", "x"] })).list[0].used, size);
    assert.deepEqual((await ann.call("Quota/query", { filter: { resourceType: "octets" } })).ids, [
      "size",
    ]);
    assert.deepEqual(
      (await ann.call("Quota/query", { filter: { resourceType: "count" } })).ids,
      [],
    );
    const q = await ann.call("Quota/queryChanges", { sinceQueryState: state });
    assert.deepEqual([q.removed, q.added], [["size"], [{ id: "size", index: 0 }]]);
    const over = await ann.upload(mail({ body: "x".repeat(1_100_000) }));
    const { inbox } = await ann.roles();
    const r = await ann.call("Email/import", {
      emails: { e: { blobId: over, mailboxIds: { [inbox]: true } } },
    });
    assert.equal(r.notCreated.e.type, "overQuota");
    assert.deepEqual((await bob.call("Quota/get", {})).list, []);
    assert.equal(
      (await ann.fails("Quota/changes", { sinceState: "x" })).type,
      "cannotCalculateChanges",
    );
  }, { account: "\t\tQuotaMessageSize: 1000000\n" }));

Deno.test("RFC 9425: quotas of messages and mailboxes, each with its own changes", () =>
  withJmap(async ({ ann }) => {
    const { list, state } = await ann.call("Quota/get", {});
    assert.deepEqual(
      list.map((q: Json) => [q.id, q.resourceType, q.used, q.hardLimit, q.types]),
      [
        ["messages", "count", 0, 1, ["Email"]],
        ["mailboxes", "count", 6, 7, ["Mailbox"]],
      ],
    );
    await ann.import(mail({}));
    const c = await ann.call("Quota/changes", { sinceState: state });
    assert.deepEqual([c.created, c.updated, c.updatedProperties], [[], ["messages"], ["used"]]);
    const q = await ann.call("Quota/queryChanges", { sinceQueryState: state });
    assert.deepEqual([q.removed, q.added], [["messages"], [{ id: "messages", index: 0 }]]);
    const blobId = await ann.upload(mail({}));
    const { inbox } = await ann.roles();
    const r = await ann.call("Email/import", {
      emails: { e: { blobId, mailboxIds: { [inbox]: true } } },
    });
    assert.equal(r.notCreated.e.type, "overQuota");
    const m = await ann.call("Mailbox/set", { create: { a: { name: "a" }, b: { name: "b" } } });
    assert.deepEqual([Object.keys(m.created), m.notCreated.b.type], [["a"], "overQuota"]);
  }, { account: "\t\tQuotaMessages: 1\n\t\tQuotaMailboxes: 7\n" }));

Deno.test("RFC 9404: blobs of pieces, their bytes and digests, and what they are part of", () =>
  withJmap(async ({ ann }) => {
    const r = await ann.call("Blob/upload", {
      create: {
        a: {
          data: [{ "data:asText": "The quick " }, { "data:asBase64": "YnJvd24gZm94" }],
          type: "text/plain",
        },
        b: { data: [{ blobId: "#a", offset: 4, length: 5 }, { "data:asText": "!" }] },
        none: { data: [{}] },
        two: { data: [{ "data:asText": "x", blobId: "#a" }] },
        base64: { data: [{ "data:asBase64": "!!" }] },
        range: { data: [{ blobId: "#a", offset: 4, length: 500 }] },
        lost: { data: [{ blobId: "Unope" }] },
        many: { data: Array(65).fill({ "data:asText": "x" }) },
      },
    });
    assert.deepEqual([r.created.a.size, r.created.a.type, r.created.b.size], [19, "text/plain", 6]);
    assert.deepEqual(
      Object.entries(r.notCreated).map(([k, e]: [string, Json]) => [k, e.type]),
      [
        ["none", "invalidProperties"],
        ["two", "invalidProperties"],
        ["base64", "invalidProperties"],
        ["range", "invalidProperties"],
        ["lost", "blobNotFound"],
        ["many", "tooLarge"],
      ],
    );
    const [a, b] = [r.created.a.id, r.created.b.id];
    const got = await ann.call("Blob/get", { ids: [a, b, "x"] });
    assert.deepEqual(got.list, [
      { id: a, "data:asText": "The quick brown fox", size: 19 },
      { id: b, "data:asText": "quick!", size: 6 },
    ]);
    assert.deepEqual(got.notFound, ["x"]);
    const part = await ann.call("Blob/get", {
      ids: [a],
      offset: 4,
      length: 9,
      properties: ["data:asText", "data:asBase64", "digest:sha", "digest:sha-256", "size"],
    });
    const [piece] = part.list;
    assert.deepEqual(
      [piece["data:asText"], piece["data:asBase64"], piece.size],
      ["quick bro", "cXVpY2sgYnJv", 19],
    );
    assert.equal(Uint8Array.fromBase64(piece["digest:sha"]).length, 20);
    const hash = new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode("quick bro")),
    );
    assert.equal(piece["digest:sha-256"], hash.toBase64());
    const cut = await ann.call("Blob/get", { ids: [b], offset: 4, length: 9 });
    assert.deepEqual(cut.list, [{ id: b, isTruncated: true, size: 6, "data:asText": "k!" }]);
    const binary = await ann.call("Blob/get", {
      ids: [await ann.upload(new Uint8Array([255, 1]))],
    });
    assert.deepEqual([binary.list[0].isEncodingProblem, binary.list[0]["data:asBase64"]], [
      true,
      "/wE=",
    ]);
    const e = await ann.import(mail({}));
    const found = await ann.call("Blob/lookup", {
      ids: [e.blobId, a, "x"],
      typeNames: ["Email", "Thread"],
    });
    assert.deepEqual(found.list[0].matchedIds, { Email: [e.id], Thread: [e.threadId] });
    assert.deepEqual(found.list[1].matchedIds, { Email: [], Thread: [] });
    assert.deepEqual(found.notFound, ["x"]);
    assert.equal(
      (await ann.fails("Blob/lookup", { ids: [], typeNames: ["Nope"] })).type,
      "unknownDataType",
    );
    assert.equal(
      (await ann.fails("Blob/get", { ids: [], properties: ["digest:md4"] })).type,
      "invalidArguments",
    );
  }));

/** What a server says to commands, one after the other. */
async function imapAnswers(port: number, commands: string[]): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  let text = "";
  const buffer = new Uint8Array(65536);
  const until = async (end: RegExp) => {
    while (!end.test(text)) {
      const n = await conn.read(buffer);
      if (n === null) return;
      text += new TextDecoder().decode(buffer.subarray(0, n));
    }
  };
  await until(/^\* OK .*\r\n/);
  for (const [i, c] of commands.entries()) {
    await conn.write(new TextEncoder().encode(`a${i} ${c}\r\n`));
    await until(new RegExp(`^a${i} .*\\r\\n`, "m"));
  }
  return text;
}

Deno.test("RFC 9698: IMAP leads to JMAP, where emails, threads and mailboxes have the same ids", () =>
  withJmap(async ({ ann, ports }) => {
    const e = await ann.import(mail({}));
    const answers = await imapAnswers(ports.imap, [
      `LOGIN ann@mox.example "${password}"`,
      "CAPABILITY",
      "GETJMAPACCESS",
      "SELECT Inbox",
      "FETCH 1 (EMAILID THREADID)",
      "LOGOUT",
    ]);
    const url = `http://mail.mox.example:${ports.http}/.well-known/jmap`;
    assert.ok(answers.includes(`* JMAPACCESS "${url}"\r\n`), answers);
    assert.match(answers, /^\* CAPABILITY .*\bJMAPACCESS\b/m);
    assert.ok(answers.includes(`MAILBOXID (${(await ann.roles()).inbox})`));
    assert.ok(
      answers.includes(`EMAILID (${e.id})`) && answers.includes(`THREADID (${e.threadId})`),
    );
  }));
