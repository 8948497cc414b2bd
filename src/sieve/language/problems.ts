/**
 * Problems of a script with their positions.
 *
 * @module
 */

/** A fault of a script. Lines and columns (in characters) count from 1. */
export interface SieveProblem {
  line: number;
  column: number;
  message: string;
}

/** Most faults listed for one script; more help nobody. */
const maxProblems = 100;

/** Collects the faults of a script. Positions are given as offsets into its text. */
export class Problems {
  readonly #text: string;
  #lineStarts: number[] | undefined;
  readonly errors: SieveProblem[] = [];
  readonly warnings: SieveProblem[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  /** Line and column of an offset. */
  place(offset: number): { line: number; column: number } {
    if (!this.#lineStarts) {
      this.#lineStarts = [0];
      for (let at = this.#text.indexOf("\n"); at >= 0; at = this.#text.indexOf("\n", at + 1)) {
        this.#lineStarts.push(at + 1);
      }
    }
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#lineStarts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    let column = 1;
    for (let at = this.#lineStarts[low]; at < offset; at++) {
      // The second half of a character beyond U+FFFF doesn't count.
      const c = this.#text.charCodeAt(at);
      if (c < 0xdc00 || c > 0xdfff) column++;
    }
    return { line: low + 1, column };
  }

  /** Notes an error; one per position. */
  error(offset: number, message: string): void {
    this.#note(this.errors, offset, message);
  }

  warn(offset: number, message: string): void {
    this.#note(this.warnings, offset, message);
  }

  #note(list: SieveProblem[], offset: number, message: string): void {
    if (list.length >= maxProblems) return;
    const place = this.place(offset);
    const same = list.some((p) =>
      p.line === place.line && p.column === place.column && p.message === message
    );
    if (!same) list.push({ ...place, message });
  }

  get full(): boolean {
    return this.errors.length >= maxProblems;
  }
}

/** Errors in order of position. */
export function byPlace(list: readonly SieveProblem[]): SieveProblem[] {
  return [...list].sort((a, b) => a.line - b.line || a.column - b.column);
}

/** `name:line:column: message`, as compilers write it. */
export function problemText(problem: SieveProblem, name = ""): string {
  return `${name === "" ? "" : `${name}:`}${problem.line}:${problem.column}: ${problem.message}`;
}
