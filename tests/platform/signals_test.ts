import assert from "node:assert/strict";
import { isWindows } from "../../src/platform/os.ts";
import { onShutdown } from "../../src/platform/signals.ts";

Deno.test({
  name: "a signal to end calls the handler each time until it stops listening",
  ignore: isWindows,
  fn: async () => {
    const seen: string[] = [];
    let told = () => {};
    const stop = onShutdown((signal) => {
      seen.push(signal);
      told();
    });
    // A listener alone does not keep the event loop running.
    const keep = setInterval(() => {}, 1000);
    for (const signal of ["SIGTERM", "SIGTERM"] as const) {
      const got = new Promise<void>((resolve) => told = resolve);
      Deno.kill(Deno.pid, signal);
      await got;
    }
    stop();
    clearInterval(keep);
    assert.deepEqual(seen, ["SIGTERM", "SIGTERM"]);
  },
});
