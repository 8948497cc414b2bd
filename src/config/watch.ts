/** Watching for manual changes of domains.conf. @module */
import { Log } from "../log/mod.ts";
import { formatProblem } from "./load.ts";
import type { Problem } from "./sconf/sconf.ts";

const log = new Log("config");

/** What is watched. */
export interface Watched {
  /** Milliseconds between checks. */
  interval: number;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Path of domains.conf. */
  path: string;
  /** Reads it again; undefined if nothing changed. @throws ConfigError */
  reload: () => Promise<unknown>;
  /** Its warnings. */
  warnings: () => readonly Problem[];
  /** Changes when the file does. */
  stamp: () => Promise<string>;
}

/**
 * Milliseconds that an edited file must be unchanged before it is read: an editor that writes in place empties
 * it first, and half of it may be a valid configuration with missing accounts.
 */
const restTime = 200;

/**
 * Whether a file has not just been written to. A time in the future says nothing, so such a file counts as
 * unchanged.
 */
async function hasRested(path: string, now: number): Promise<boolean> {
  const age = now - ((await Deno.stat(path)).mtime?.getTime() ?? 0);
  return age < 0 || age >= restTime;
}

/**
 * Checks repeatedly; a file being written waits for the next check. A file with mistakes is logged once, and
 * the configuration in use stays.
 * @returns a function that stops it
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
