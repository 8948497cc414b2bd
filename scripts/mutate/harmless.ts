/**
 * Bugs that change nothing that anybody could see, as `deno task mutate` found them.
 *
 * @module
 */

export interface Harmless {
  /** Below src. */
  file: string;
  /** Part of the line. */
  line: string;
  /** What stands there then; undefined for any change of the line. */
  becomes?: string;
  why: string;
}

export const harmless: readonly Harmless[] = [];
