/** Looking for changes of domains.conf that were made by hand. @module */
import { Log } from "../log/mod.ts";
import { formatProblem } from "./load.ts";
import type { Problem } from "./sconf/sconf.ts";

const log = new Log("config");

/** What is watched. */
export interface Watched {
  /** Milliseconds between looks. */
  interval: number;
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
 * Looks again and again. A file with mistakes is logged, once, and the configuration in use stays.
 * @returns function that ends it
 */
export function watchDynamic({ interval, path, reload, warnings, stamp }: Watched): () => void {
  let failed = "";
  let busy = false;
  const look = async () => {
    if (busy) return;
    busy = true;
    try {
      if (await reload()) {
        log.info("domains.conf reloaded");
        for (const w of warnings()) log.warn(formatProblem({ file: path, ...w }));
      }
      failed = "";
    } catch (err) {
      const now = await stamp().catch(() => "missing");
      if (now !== failed) {
        log.error("domains.conf changed but can't be used: the configuration in use stays", {
          err: err as Error,
        });
      }
      failed = now;
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(look, interval);
  Deno.unrefTimer(timer);
  return () => clearInterval(timer);
}
