/** Flags that stand before the subcommand, and hold for all of them. @module */
import { type Level, setLevel } from "../log/mod.ts";

let level: Level | undefined;
let pedantic = false;

/** Sets the level of the log, also of a server that is started, whatever its mox.conf says. */
export function useLogLevel(given: Level): void {
  level = given;
  setLevel("", given);
}

/** Refuses violations of protocols, whatever mox.conf says. */
export function usePedantic(on: boolean): void {
  pedantic = on;
}

/** What was given. */
export function globalFlags(): { level: Level | undefined; pedantic: boolean } {
  return { level, pedantic };
}
