/**
 * What is offered for Windows, made on any system, in `dist`. Flags are those of build-all.ts.
 *
 * @module
 */
import { buildFor, optionsOf } from "./build-all.ts";

await buildFor(optionsOf(["windows-x64", ...Deno.args]));
