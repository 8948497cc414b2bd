/** Errors that nothing caught. */
import assert from "node:assert/strict";
import { runtimeFlags } from "../../src/commands/runtime_flags.ts";

Deno.test("an error that nothing caught is logged and counted, and the process goes on", async () => {
  const url = (p: string) => new URL(`../../src/${p}`, import.meta.url).href;
  const script = `
    import { EventEmitter } from "node:events";
    import { Log } from "${url("log/mod.ts")}";
    import { registry } from "${url("metrics/mod.ts")}";
    import { catchPanics } from "${url("serve/panics.ts")}";
    catchPanics(new Log("serve"));
    setTimeout(() => { throw new Error("in a timer"); }, 0);
    Promise.reject(new Error("in a promise"));
    queueMicrotask(() => { throw new Error("in a microtask"); });
    process.nextTick(() => { new EventEmitter().emit("error", new Error("in an emitter")); });
    for (;;) {
      const text = await registry.metrics();
      if (/mox_panic_total\\{pkg="serve"\\} 4/.test(text)) break;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    console.log("goes on");
    Deno.exit(0);
  `;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, `import process from "node:process";\n${script}`);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const out = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...runtimeFlags, "--no-check", "--config", config, file],
      signal: AbortSignal.timeout(20_000),
    }).output();
    const log = new TextDecoder().decode(out.stderr);
    assert.equal(new TextDecoder().decode(out.stdout), "goes on\n", log);
    for (const where of ["timer", "promise", "microtask", "emitter"]) {
      assert.match(log, new RegExp(`unhandled \\w+.*in an? ${where}`));
    }
  } finally {
    await Deno.remove(file);
  }
});
