/** Logins whose password was right a moment ago: seen at once, and no longer than it is right. */
import assert from "node:assert/strict";
import { rightForProgram, verifyForProgram } from "../../src/store/logins/secrets.ts";
import { LoginsBusy } from "../../src/store/logins/password.ts";
import { withStore } from "./setup.ts";

Deno.test("a right password is known after it was checked once, until there is another or a second factor", () =>
  withStore(async ({ account }) => {
    const c = account.credentials;
    await c.setPassword("correct horse");
    assert.equal(rightForProgram(c.secrets(), "correct horse"), undefined, "not checked yet");
    const slow = await verifyForProgram(c.secrets(), "correct horse");
    assert.equal(slow.result, "ok");
    assert.deepEqual(rightForProgram(c.secrets(), "correct horse"), slow);
    assert.equal(rightForProgram(c.secrets(), "correct horsf"), undefined);
    assert.equal(rightForProgram(c.secrets(), ""), undefined);

    await c.setPassword("battery staple");
    assert.equal(rightForProgram(c.secrets(), "correct horse"), undefined);
    assert.equal(rightForProgram(c.secrets(), "battery staple"), undefined);
    assert.equal((await verifyForProgram(c.secrets(), "battery staple")).result, "ok");
    assert.equal(rightForProgram(c.secrets(), "battery staple")?.result, "ok");
    // With a second factor it opens no program.
    assert.equal(
      rightForProgram({ ...c.secrets(), secondFactor: true }, "battery staple"),
      undefined,
    );
  }));

Deno.test("an app password is right at once, until it is taken back", () =>
  withStore(async ({ account }) => {
    const c = account.credentials;
    const password = (await c.addAppPassword("phone"))!;
    const [{ id }] = c.appPasswords();
    assert.deepEqual(rightForProgram(c.secrets(), password), {
      result: "ok",
      credential: `app password ${id}`,
      appPassword: id,
    });
    await c.removeAppPassword(id);
    assert.equal(rightForProgram(c.secrets(), password), undefined);
  }));

Deno.test("a client that logs in on sixty connections at once is let in on each; one who guesses is told to come later, whoever has the name", () =>
  withStore(async ({ account }) => {
    const c = account.credentials;
    await c.setPassword("correct horse");
    const sixty = <T>(one: () => Promise<T>) => Promise.allSettled(Array.from({ length: 60 }, one));
    const right = await sixty(() => verifyForProgram(c.secrets(), "correct horse", "192.0.2.1"));
    assert.equal(
      right.filter((r) => r.status === "fulfilled" && r.value.result === "ok").length,
      60,
    );
    for (const passwordHash of [c.secrets().passwordHash, undefined]) {
      const secrets = { ...c.secrets(), passwordHash };
      const wrong = await sixty(() => verifyForProgram(secrets, "guess", "192.0.2.1"));
      // Two are computed, twenty wait.
      assert.equal(wrong.filter((r) => r.status === "fulfilled").length, 22);
      assert.ok(wrong.every((r) => r.status === "fulfilled" || r.reason instanceof LoginsBusy));
    }
  }));
