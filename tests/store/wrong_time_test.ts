/** Wrong passwords take the same time whatever they are compared with. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { bcrypt } from "hash-wasm";
import { keepTimes } from "../../src/store/logins/kept_times.ts";
import { parsePasswordHash } from "../../src/store/logins/password_hash.ts";
import { verifyPassword } from "../../src/store/logins/secrets.ts";
import { costOf, WrongTime } from "../../src/store/logins/wrong_time.ts";
import { stopPasswordWorker } from "../../src/store/logins/password.ts";

Deno.test("no wrong password is answered before the dearest hash that was seen, and three seconds at most", () => {
  const t = new WrongTime();
  t.own(40);
  assert.equal(t.least, 0, "nothing was moved here");
  t.foreign("$2a$12", 900);
  t.foreign("$2a$12", 300);
  t.foreign("sha", 1);
  // With what our own takes, a quarter more, in steps of 50.
  assert.equal(t.least, 450);
  t.foreign("$2a$16", 9000);
  assert.equal(t.least, 3000);
});

Deno.test("times are kept over restarts, until they are measured anew", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const path = join(dir, "passwordtimes.json");
    const first = new WrongTime();
    keepTimes(first, dir);
    assert.equal(first.least, 0);
    first.foreign("$2a$12", 300);
    const kept = await Deno.readTextFile(path);
    assert.deepEqual(JSON.parse(kept), { "$2a$12": 300 });
    // What differs little isn't written.
    first.foreign("$2a$12", 290);
    assert.equal(await Deno.readTextFile(path), kept);
    first.foreign("$2a$12", 200);
    assert.deepEqual(JSON.parse(await Deno.readTextFile(path)), { "$2a$12": 200 });

    const second = new WrongTime();
    keepTimes(second, dir);
    assert.equal(second.least, 250, "before anybody tried");
    assert.equal(second.knows("$2a$12"), false);
    // On a slower machine.
    second.foreign("$2a$12", 1000);
    assert.deepEqual([second.least, second.knows("$2a$12")], [1250, true]);

    for (const damaged of ["{", "[]", '{"$2a$12":-1}', '{"$2a$12":"x"}']) {
      await Deno.writeTextFile(path, damaged);
      const third = new WrongTime();
      keepTimes(third, dir);
      assert.equal(third.least, 0, damaged);
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("what a hash costs tells nothing else of it", () => {
  const salt = "abcdefghijklmnopqrstuu";
  const digest = "0123456789012345678901234567890";
  const cost = (text: string) => costOf(parsePasswordHash(text)!);
  assert.equal(cost(`{BLF-CRYPT}$2y$12$${salt}${digest}`), "$2a$12");
  assert.equal(cost("{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="), "sha");
  assert.equal(cost(`$argon2id$v=19$m=65536,t=3,p=4$${salt}$${digest}`), "argon2 m=65536,t=3,p=4");
  const crypt = "x".repeat(86);
  assert.equal(cost(`$6$rounds=9000$salt$${crypt}`), "shaCrypt 9000");
});

Deno.test("after a wrong try at a hash from elsewhere, one at a name that nobody has takes as long", async () => {
  const hash = await bcrypt({
    password: "right",
    salt: new Uint8Array(16),
    costFactor: 13,
    outputType: "encoded",
  });
  try {
    assert.equal(await verifyPassword(hash, "wrong"), false);
    const began = performance.now();
    assert.equal(await verifyPassword(undefined, "wrong"), false);
    const took = performance.now() - began;
    // 8,192 rounds of bcrypt take no machine less.
    assert.ok(took >= 150, `${took} ms`);
    assert.equal(await verifyPassword(hash, "right"), true);
  } finally {
    stopPasswordWorker();
  }
});
