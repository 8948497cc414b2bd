/** Folders of removed accounts that sessions still had open go when the sessions have ended. @module */
import { finishRemovals } from "../admin/mod.ts";
import type { Config } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import type { Accounts } from "../store/accounts.ts";

/** Milliseconds between looks. */
const interval = 60_000;

/** Looks now, for what the last process left, and from time to time. @returns function that ends it */
export function watchRemovals(config: Config, accounts: Accounts, log: Log): () => void {
  let running: Promise<unknown> | undefined;
  const look = () => {
    running ??= finishRemovals(config, accounts, log)
      .catch((err) => log.error("looking for removed accounts", { err: err as Error }))
      .finally(() => running = undefined);
  };
  look();
  const timer = setInterval(look, interval);
  Deno.unrefTimer(timer as unknown as number);
  return () => clearInterval(timer);
}
