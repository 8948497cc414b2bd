/**
 * What is known of planted bugs so far, kept in `.cache/mutate`, so that a run can be ended at any time and gone on
 * with. A bug that was caught stays so while its file is the same; one that survived is tried again when a test has
 * changed.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";

/** What became of a bug. */
export interface Result {
  status: "caught" | "survived";
  /** The test that caught it; "" for one that no test reaches or that took too long. */
  by: string;
  /** Of the tests that it survived. */
  tests: string;
}

/** A test file as it is without bugs. */
export interface Baseline {
  hash: string;
  ms: number;
  /** Lines it reaches, by path. */
  lines: Record<string, number[]>;
  /** Why it isn't used. */
  unfit: string;
}

interface Stored {
  results: Record<string, Result>;
  baselines: Record<string, Baseline>;
}

export function hashOf(...texts: string[]): string {
  const h = createHash("sha256");
  for (const t of texts) h.update(t).update("\0");
  return h.digest("hex").slice(0, 16);
}

export class Results {
  readonly #path: string;
  readonly #stored: Stored;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#stored = JSON.parse(Deno.readTextFileSync(path));
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
      this.#stored = { results: {}, baselines: {} };
    }
  }

  baseline(file: string, hash: string): Baseline | undefined {
    const b = this.#stored.baselines[file];
    return b?.hash === hash ? b : undefined;
  }

  setBaseline(file: string, baseline: Baseline): void {
    this.#stored.baselines[file] = baseline;
    this.#save();
  }

  result(key: string, tests: string): Result | undefined {
    const r = this.#stored.results[key];
    return r?.status === "caught" || r?.tests === tests ? r : undefined;
  }

  setResult(key: string, result: Result): void {
    this.#stored.results[key] = result;
    this.#save();
  }

  #save(): void {
    Deno.mkdirSync(dirname(this.#path), { recursive: true });
    Deno.writeTextFileSync(`${this.#path}.new`, JSON.stringify(this.#stored));
    Deno.renameSync(`${this.#path}.new`, this.#path);
  }
}
