/** The control socket: commands that come early wait, others are told why they can't run. */
import assert from "node:assert/strict";
import { Log, setLevel } from "../../src/log/mod.ts";
import { callControl, ControlError, ControlServer } from "../../src/serve/control/control.ts";

setLevel("control", "error");

async function withControl(fn: (dir: string, control: ControlServer) => Promise<void>) {
  const dir = await Deno.makeTempDir();
  const control = new ControlServer(dir, new Log("control"));
  await control.start();
  try {
    await fn(dir, control);
  } finally {
    await control.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a command that comes while the server starts is answered when it has started", () =>
  withControl(async (dir, control) => {
    const answer = callControl(dir, "hello", "you");
    // The connection is taken before the handlers are there.
    const early = await Promise.race([answer, new Promise((r) => setTimeout(r, 50, "waits"))]);
    assert.equal(early, "waits");
    control.serve(new Map([["hello", (who) => `hello ${who}`]]));
    assert.equal(await answer, "hello you");
    await assert.rejects(callControl(dir, "other"), /no command other/);
  }));

Deno.test("a command that waits for a server that is stopped does not wait for ever", () =>
  withControl(async (dir, control) => {
    const refused = assert.rejects(callControl(dir, "hello"), ControlError);
    await control.stop();
    await refused;
    await control.start();
  }));

Deno.test("where another command has the data folder, that is said", () =>
  withControl(async (dir, control) => {
    control.refuse('"mox import" is using the data folder');
    await assert.rejects(callControl(dir, "backup"), /"mox import" is using/);
  }));
