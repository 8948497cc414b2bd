/**
 * Entry point of the `mox` executable: hands the command line to `src/commands`.
 *
 * @module
 */
import { run } from "./src/commands/mod.ts";

if (import.meta.main) {
  // Workers and timers that are still there must not keep a finished command alive.
  Deno.exit(await run(Deno.args));
}
