/**
 * Scripts of the administrator: files in the folder `sieve` next to the configuration.
 *
 * `before.sieve` and `after.sieve` run before and after the scripts of all accounts, those in `domains/NAME/`
 * for addresses of one domain; scripts in `global/` can be included by all (RFC 6609).
 *
 * @module
 */
import { join } from "node:path";
import type { Log } from "../../log/mod.ts";
import {
  compileSieve,
  isScriptName,
  problemText,
  scriptText,
  type SieveProblem,
  type SieveScript,
  SieveSyntaxError,
} from "../../sieve/mod.ts";
import { isSafeName } from "../../platform/paths.ts";

/** Milliseconds between checks for changed files. */
const interval = 2_000;
/** Most compiled scripts kept. */
const maxKept = 1000;

interface Kept {
  looked: number;
  /** Modification time of the file; 0 for none. */
  mtime: number;
  size: number;
  script: SieveScript | SieveProblem[] | undefined;
}

export class SiteScripts {
  readonly #dir: string;
  readonly #log: Log;
  readonly #kept = new Map<string, Kept>();

  /** @param dir the folder `sieve` */
  constructor(dir: string, log: Log) {
    this.#dir = dir;
    this.#log = log;
  }

  /**
   * Scripts that run before, or after, the account's for an address of a domain. Invalid ones are logged and
   * skipped.
   */
  around(which: "before" | "after", domain: string): SieveScript[] {
    const own = [join("domains", domain.toLowerCase(), `${which}.sieve`)];
    const server = [`${which}.sieve`];
    const paths = which === "before" ? [...server, ...own] : [...own, ...server];
    return paths.flatMap((path) => {
      if (path.startsWith("domains") && !isSafeName(domain.toLowerCase())) return [];
      const found = this.#read(path);
      return found === undefined || Array.isArray(found) ? [] : [found];
    });
  }

  /** A script in `global/`. */
  global(name: string): SieveScript | SieveProblem[] | undefined {
    if (!isScriptName(name) || !isSafeName(name)) return undefined;
    return this.#read(join("global", `${name}.sieve`));
  }

  #read(path: string): Kept["script"] {
    const now = performance.now();
    const kept = this.#kept.get(path);
    if (kept && now - kept.looked < interval) return kept.script;
    const stat = statOf(join(this.#dir, path));
    const [mtime, size] = [stat?.mtime?.getTime() ?? 0, stat?.size ?? 0];
    if (kept && kept.mtime === mtime && kept.size === size) {
      kept.looked = now;
      return kept.script;
    }
    const script = stat ? this.#compile(path) : undefined;
    if (this.#kept.size >= maxKept) this.#kept.delete(this.#kept.keys().next().value!);
    this.#kept.set(path, { looked: now, mtime, size, script });
    return script;
  }

  #compile(path: string): Kept["script"] {
    const file = join(this.#dir, path);
    try {
      return compileSieve(scriptText(Deno.readFileSync(file), path), { name: path });
    } catch (err) {
      if (!(err instanceof SieveSyntaxError)) {
        this.#log.error("reading a Sieve script", { path: file, err: err as Error });
        return undefined;
      }
      for (const p of err.problems) {
        this.#log.error("Sieve script has an error, and is not run", { at: problemText(p, file) });
      }
      return [...err.problems];
    }
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    const stat = Deno.statSync(path);
    return stat.isFile ? stat : undefined;
  } catch {
    // The file doesn't exist, the usual case, or can't be read.
    return undefined;
  }
}
