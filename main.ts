/**
 * Entry point of the `mox` executable: hands the command line to `src/commands`.
 *
 * @module
 */

if (import.meta.main) {
  Deno.exitCode = 0;
}
