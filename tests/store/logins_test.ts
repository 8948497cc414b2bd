/** Keys of client certificates, the administrator's second factor, and passwords of programs, by themselves. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { appPasswordHash, newAppPassword } from "../../src/store/logins/app_passwords.ts";
import { adminFactorFile, FactorFile } from "../../src/store/logins/factor_file.ts";
import { TlsKeys } from "../../src/store/logins/tls_keys.ts";
import { matchingStep, newTotpKey, totpCode } from "../../src/store/logins/totp.ts";
import { TestCa } from "../support/test_ca.ts";

async function withDir(fn: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const ca = new TestCa();
const der = (pem: string) => Uint8Array.from(new X509Certificate(pem).raw);
const ec = () => generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
const ann = { login: "ann@x.example", account: "ann" };

Deno.test("a certificate's key logs in, whichever certificate is around it, until it is removed", () =>
  withDir(async (dir) => {
    let keys = await TlsKeys.open(dir);
    try {
      assert.equal(keys.any, false);
      const key = ec();
      const pem = ca.issue(key, ["laptop"]);
      assert.equal(keys.loginOf(der(pem)), undefined);
      const added = await keys.add(ann, pem, "", 5);
      assert.deepEqual(added, {
        fingerprint: added.fingerprint,
        login: "ann@x.example",
        name: "laptop",
        type: "ecdsa-p256",
        added: 5,
      });
      assert.equal(keys.any, true);
      await keys.close();
      keys = await TlsKeys.open(dir);
      const found = { ...ann, fingerprint: added.fingerprint };
      assert.deepEqual(keys.loginOf(der(pem)), found);
      assert.deepEqual(keys.loginOf(der(ca.issue(key, ["renewed"], 10))), found, "renewed");
      assert.equal(keys.loginOf(der(ca.issue(ec(), ["laptop"]))), undefined, "another key");
      assert.equal(keys.loginOf(new Uint8Array([1, 2, 3])), undefined, "no certificate");
      assert.deepEqual(der(keys.certificate(added.fingerprint)!), der(pem));
      assert.equal(keys.certificate("x"), undefined);
      // The same key once more, for whomever.
      await assert.rejects(
        keys.add({ login: "bob@x.example", account: "bob" }, ca.issue(key, ["b"])),
        {
          name: "TlsKeyError",
          message: `the key ${added.fingerprint} is there already`,
        },
      );
      assert.deepEqual(keys.loginOf(der(pem)), found);
      const bob = await keys.add(
        { login: "bob@x.example", account: "bob" },
        der(ca.issue(ec(), [""])),
        "",
        1,
      );
      assert.equal(bob.name, "unnamed");
      const second = await keys.add(ann, ca.issue(ec(), ["x"]), "y".repeat(101), 3);
      assert.equal(second.name.length, 100);
      assert.deepEqual(keys.list().map((k) => k.added), [3, 5, 1], "by login and time");
      assert.deepEqual(keys.list("ann@x.example").map((k) => k.added), [3, 5]);
      let told = 0;
      keys.onRemoved = () => told++;
      assert.equal(await keys.remove(added.fingerprint), true);
      assert.equal(await keys.remove(added.fingerprint), false);
      assert.equal(told, 1);
      assert.equal(keys.loginOf(der(pem)), undefined);
      assert.equal(keys.any, true);
    } finally {
      await keys.close();
    }
  }));

Deno.test("keys that can't be used: short ones, no certificates, more than a hundred of one login", () =>
  withDir(async (dir) => {
    const keys = await TlsKeys.open(dir);
    try {
      const rsa = (modulusLength: number): KeyObject =>
        generateKeyPairSync("rsa", { modulusLength }).publicKey;
      await assert.rejects(keys.add(ann, ca.issue(rsa(1024), ["x"])), {
        name: "TlsKeyError",
        message: "a key of 1024 bits is too short: 2048 at least",
      });
      assert.equal((await keys.add(ann, ca.issue(rsa(2048), ["x"]))).type, "rsa2048");
      const ed = generateKeyPairSync("ed25519").publicKey;
      assert.equal((await keys.add(ann, ca.issue(ed, ["x"]))).type, "ed25519");
      for (
        const bad of ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
      ) {
        await assert.rejects(keys.add(ann, bad), { message: "not a certificate in PEM form" });
      }
      for (let n = 2; n < 100; n++) await keys.add(ann, ca.issue(ec(), ["x"]));
      await assert.rejects(keys.add(ann, ca.issue(ec(), ["x"])), {
        message: "ann@x.example has 100 keys already: remove one first",
      });
      await keys.add({ login: "bob@x.example", account: "bob" }, ca.issue(ec(), ["x"]));
    } finally {
      await keys.close();
    }
  }));

Deno.test("the administrator's second factor: each code and each recovery code is good once", () =>
  withDir(async (dir) => {
    const path = join(dir, adminFactorFile);
    const factor = new FactorFile(dir);
    assert.deepEqual(await factor.state(), { on: false, recoveryCodes: 0 });
    assert.equal(await factor.check("", 0), true, "without it none is asked for");
    const key = newTotpKey();
    const now = Date.UTC(2026, 0, 1);
    const codeAt = (t: number) => totpCode(key, Math.floor(t / 30_000));
    const first = codeAt(now);
    const wrong = first === "000000" ? "000001" : "000000";
    assert.equal(await factor.enable(key, "", now), undefined);
    if (matchingStep(key, wrong, now, 0) === undefined) {
      assert.equal(await factor.enable(key, wrong, now), undefined);
    }
    assert.deepEqual(await factor.state(), { on: false, recoveryCodes: 0 });
    const codes = (await factor.enable(key, first, now))!;
    assert.equal(codes.length, 10);
    assert.equal(new Set(codes).size, 10);
    assert.ok(codes.every((c) => /^[a-z2-9]{10}$/.test(c)), codes.join());
    assert.ok(!(await Deno.readTextFile(path)).includes(codes[0]), "kept as hashes");
    assert.deepEqual(await factor.state(), { on: true, recoveryCodes: 10 });
    assert.equal(await factor.check(first, now), false, "the code that turned it on is spent");
    // The next one, by two at once.
    const later = now + 60_000;
    const second = codeAt(later);
    const spaced = `${second.slice(0, 3)} ${second.slice(3)}`;
    assert.deepEqual(
      (await Promise.all([factor.check(spaced, later), factor.check(second, later)])).sort(),
      [false, true],
    );
    assert.deepEqual(
      (await Promise.all([
        factor.check(codes[3].toUpperCase(), later),
        factor.check(codes[3], later),
      ])).sort(),
      [false, true],
    );
    // Another that reads the same file knows what was spent.
    const other = new FactorFile(dir);
    assert.deepEqual(await other.state(), { on: true, recoveryCodes: 9 });
    assert.equal(await other.check(codes[3], later), false);
    assert.equal(await other.check(second, later), false);
    assert.equal(await other.check("", later), false);
    assert.equal(await other.check(codes[4], later), true);
    await other.disable();
    assert.deepEqual(await factor.state(), { on: false, recoveryCodes: 0 });
    // A file that is damaged lets nobody in.
    for (
      const text of [
        "",
        "{",
        "null",
        '{"key":1,"used":1,"recovery":[]}',
        '{"key":"x","used":1.5,"recovery":[]}',
        '{"key":"x","used":1}',
      ]
    ) {
      await Deno.writeTextFile(path, text);
      const message = `${path} is damaged; remove it to go without second factor`;
      await assert.rejects(factor.check(codes[5], later), { message });
      await assert.rejects(factor.state(), { message });
    }
  }));

Deno.test("passwords of programs: twenty letters and digits that nobody takes for another", () => {
  const many = Array.from({ length: 200 }, newAppPassword);
  assert.equal(new Set(many).size, 200);
  assert.ok(many.every((p) => /^[a-km-np-z2-9]{20}$/.test(p)), many[0]);
  const letters = new Set(many.join(""));
  assert.equal(letters.size, 32, "all of them occur");
  assert.equal(appPasswordHash(many[0]), appPasswordHash(many[0]));
  assert.notEqual(appPasswordHash(many[0]), appPasswordHash(many[1]));
});
