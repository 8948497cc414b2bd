/** Flags before the subcommand, which apply to all of them. @module */
import { type Level, setLevel } from "../log/mod.ts";

let level: Level | undefined;
let pedantic = false;

/** Sets the log level, also of a started server, overriding its mox.conf. */
export function useLogLevel(given: Level): void {
  level = given;
  setLevel("", given);
}

/** Refuses protocol violations, overriding mox.conf. */
export function usePedantic(on: boolean): void {
  pedantic = on;
}

/** The given flags. */
export function globalFlags(): { level: Level | undefined; pedantic: boolean } {
  return { level, pedantic };
}
