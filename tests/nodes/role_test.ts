/** The role of a data folder, and the terms of promotions. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  hasRole,
  nextTerm,
  readRole,
  type Role,
  roleFrom,
  writeRole,
} from "../../src/nodes/role.ts";
import { roleFile } from "../../src/store/backup/copy.ts";

Deno.test("a folder without a role serves; a role that was written is read; a damaged one is an error", async () => {
  const dir = await Deno.makeTempDir();
  try {
    assert.equal(await hasRole(dir), false);
    assert.deepEqual(await readRole(dir), {
      role: "serving",
      term: 0,
      armed: false,
      upToDate: 0,
    });
    assert.equal(await hasRole(dir), false, "reading writes nothing");
    const roles: Role[] = [
      { role: "standby", term: 3, armed: false, upToDate: 1_700_000_000_000 },
      { role: "fenced", term: 4, armed: true, upToDate: 0 },
      { role: "serving", term: 1e9, armed: true, upToDate: 0 },
    ];
    for (const role of roles) {
      await writeRole(dir, role);
      assert.equal(await hasRole(dir), true);
      assert.deepEqual(await readRole(dir), role);
      assert.deepEqual(roleFrom(JSON.parse(JSON.stringify(role))), role);
    }
    const path = join(dir, roleFile);
    if (Deno.build.os !== "windows") assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    for (
      const text of [
        "",
        "{",
        "null",
        "{}",
        '{"role":"serving"}',
        '{"role":"king","term":1}',
        '{"role":"serving","term":-1}',
        '{"role":"serving","term":1.5}',
        '{"role":"serving","term":1000000001}',
        '{"role":"serving","term":"1"}',
        '{"role":"serving","term":1,"armed":"yes"}',
      ]
    ) {
      await Deno.writeTextFile(path, text);
      await assert.rejects(readRole(dir), (err: Error) => err.message.includes(path), text);
    }
    await Deno.writeTextFile(path, '{"role":"fenced","term":1}');
    assert.deepEqual(await readRole(dir), { role: "fenced", term: 1, armed: false, upToDate: 0 });
    assert.throws(() => roleFrom({ role: "standby" }));
    await Deno.remove(path);
    await Deno.mkdir(path);
    await assert.rejects(readRole(dir), "a file that can't be read is not a folder without a role");
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("each term is higher than all before; both sides of a broken line never take the same", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 10, 11].map((known) => [nextTerm(known, "home"), nextTerm(known, "standby")]),
    [[2, 1], [2, 3], [4, 3], [4, 5], [12, 11], [12, 13]],
  );
});
