/** Looking for changes of domains.conf that were made by hand. @module */
import { Log } from "../log/mod.ts";
import { formatProblem } from "./load.ts";
import type { Problem } from "./sconf/sconf.ts";

const log = new Log("config");

/** What is watched. */
export interface Watched {
  /** Milliseconds between looks. */
  interval: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Path of domains.conf. */
  path: string;
  /** Reads it again; undefined if nothing changed. @throws ConfigError */
  reload: () => Promise<unknown>;
  /** What was passed over in it. */
  warnings: () => readonly Problem[];
  /** Differs where the file is another one. */
  stamp: () => Promise<string>;
}

/**
 * Milliseconds that an edited file has to have rested before it is read: who writes it in place empties it first, and
 * half of it may be a configuration too, in which accounts are missing.
 */
const restTime = 200;

/** Whether a file was not written to just now. A time to come says nothing, so such a file counts as rested. */
async function hasRested(path: string, now: number): Promise<boolean> {
  const age = now - ((await Deno.stat(path)).mtime?.getTime() ?? 0);
  return age < 0 || age >= restTime;
}

/**
 * Looks again and again; a file that is being written is left for the next look. A file with mistakes is logged, once,
 * and the configuration in use stays.
 * @returns function that ends it
 */
export function watchDynamic(
  { interval, now, path, reload, warnings, stamp }: Watched,
): () => void {
  let failed = "";
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      if (!await hasRested(path, now())) return;
      if (await reload()) {
        log.info("domains.conf reloaded");
        for (const w of warnings()) log.warn(formatProblem({ file: path, ...w }));
      }
      failed = "";
    } catch (err) {
      const current = await stamp().catch(() => "missing");
      if (current !== failed) {
        log.error("domains.conf changed but can't be used: the configuration in use stays", {
          err: err as Error,
        });
      }
      failed = current;
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(look, interval);
  Deno.unrefTimer(timer);
  return () => clearInterval(timer);
}
