/** A node's key: made once, kept readable for the server alone, and what is signed with it. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { keyHash, openNodeKey, signAsNode, signedByNode } from "../../src/nodes/key.ts";

async function inFolder(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a key is made at the first start, and is the same at each later one", async () => {
  await inFolder(async (dir) => {
    const made = await openNodeKey(dir);
    assert.equal(made.path, join(dir, "node.pem"));
    assert.match(made.hash, /^[A-Za-z0-9+/]{43}=$/);
    assert.equal(made.hash, keyHash(made.cert));
    if (Deno.build.os !== "windows") {
      assert.equal((await Deno.stat(made.path)).mode! & 0o777, 0o600);
    }
    const { validFrom, validTo } = new X509Certificate(made.cert);
    const years = (Date.parse(validTo) - Date.parse(validFrom)) / (365 * 86_400_000);
    assert.ok(years >= 99, `valid for ${years} years`);
    assert.deepEqual(await openNodeKey(dir), made);
    const standby = await openNodeKey(dir, "standby.pem");
    assert.notEqual(standby.hash, made.hash);
    assert.equal(standby.path, join(dir, "standby.pem"));
    // The hash is that of the key: another certificate for it has the same.
    const der = new X509Certificate(made.cert).raw;
    assert.equal(keyHash(der), made.hash);
  });
});

Deno.test("a key file with something else in it is an error that names it, and stays as it is", async () => {
  await inFolder(async (dir) => {
    const { key, cert } = await openNodeKey(dir, "good.pem");
    for (
      const [n, text] of ["", "nonsense\n", key, cert, cert + key, `nonsense\n${cert}`].entries()
    ) {
      const path = join(dir, `bad${n}.pem`);
      await Deno.writeTextFile(path, text);
      await assert.rejects(openNodeKey(dir, `bad${n}.pem`), (err: Error) => {
        assert.ok(err.message.startsWith(`${path}: `), err.message);
        assert.match(err.message, /domains\.conf/);
        return true;
      }, `file ${n}`);
      assert.equal(await Deno.readTextFile(path), text);
    }
    await Deno.mkdir(join(dir, "folder.pem"));
    await assert.rejects(openNodeKey(dir, "folder.pem"));
  });
});

Deno.test("a signature counts for its text, its key and the hash of that key alone", async () => {
  await inFolder(async (dir) => {
    const [one, two] = await Promise.all(["one", "two"].map((n) => openNodeKey(dir, n)));
    const signature = signAsNode(one, "version 7 Grüße");
    const checked = (over: Partial<Record<"hash" | "cert" | "text" | "signature", string>>) => {
      const c = { hash: one.hash, cert: one.cert, text: "version 7 Grüße", signature, ...over };
      return signedByNode(c.hash, c.cert, c.text, c.signature);
    };
    assert.equal(checked({}), true);
    assert.equal(checked({ text: "version 8 Grüße" }), false);
    assert.equal(checked({ hash: two.hash }), false);
    assert.equal(checked({ cert: two.cert }), false);
    assert.equal(checked({ hash: two.hash, cert: two.cert }), false);
    assert.equal(checked({ signature: signAsNode(two, "version 7 Grüße") }), false);
    for (const odd of ["", "%%%", "AAAA"]) assert.equal(checked({ signature: odd }), false, odd);
    for (const odd of ["", "no certificate"]) assert.equal(checked({ cert: odd }), false, odd);
  });
});
