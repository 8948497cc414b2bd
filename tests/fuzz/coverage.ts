/**
 * Which code of src/ has run, by V8's block coverage through the inspector: whether inputs reached something new.
 * A look costs some tens of milliseconds, so it is taken after many inputs, and those that were new are searched
 * among them.
 *
 * @module
 */
import { Session } from "node:inspector";

interface CoveredRange {
  startOffset: number;
  endOffset: number;
  count: number;
}
interface Taken {
  result: { url: string; functions: { ranges: CoveredRange[] }[] }[];
}

export class Coverage {
  readonly #session = new Session();
  /** By script and function: blocks that have not run yet; a function that is missing has not run at all. */
  readonly #open = new Map<string, Map<string, CoveredRange>>();
  /** Functions whose first run was noted. */
  readonly #seen = new Set<string>();
  readonly #scripts: RegExp;
  #blocks = 0;

  private constructor(scripts: RegExp) {
    this.#scripts = scripts;
  }

  /** Functions and blocks that have run. */
  get blocks(): number {
    return this.#blocks;
  }

  #post(method: string, params: Record<string, unknown> = {}): Promise<unknown> {
    return new Promise((resolve, reject) =>
      this.#session.post(
        method,
        params,
        (err: Error | null, result?: object) => err ? reject(err) : resolve(result),
      )
    );
  }

  /** @param scripts URLs of the scripts that count; timers of others may run at any time */
  static async start(scripts = /\/(?:src|webmail)\//): Promise<Coverage> {
    const c = new Coverage(scripts);
    c.#session.connect();
    await c.#post("Profiler.enable");
    await c.#post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    return c;
  }

  async stop(): Promise<void> {
    await this.#post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }

  /** What ran since the last look: how many blocks of it had never run before. With `note` they have now. */
  async look(note: boolean): Promise<number> {
    const { result } = await this.#post("Profiler.takePreciseCoverage") as Taken;
    let found = 0;
    for (const script of result) {
      if (!this.#scripts.test(script.url)) continue;
      for (const f of script.functions) {
        const [whole, ...inner] = f.ranges;
        if (whole.count === 0) continue;
        const key = `${script.url}:${whole.startOffset}`;
        const idle = inner.filter((r) => r.count === 0);
        let open = this.#open.get(key);
        if (open === undefined) {
          found++;
          if (note) this.#open.set(key, open = new Map());
        }
        for (const r of open?.values() ?? []) {
          const still = idle.some((i) =>
            i.startOffset <= r.startOffset && r.endOffset <= i.endOffset
          );
          if (still) continue;
          found++;
          if (note) open!.delete(`${r.startOffset}-${r.endOffset}`);
        }
        // Only at its first run: what has run since must not be opened again.
        if (note && open!.size === 0 && !this.#seen.has(key)) {
          for (const i of idle) open!.set(`${i.startOffset}-${i.endOffset}`, i);
          this.#seen.add(key);
        }
      }
    }
    if (note) this.#blocks += found;
    return found;
  }
}
