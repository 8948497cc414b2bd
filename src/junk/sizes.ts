/**
 * The length and layout of a text, each as a step of a scale. Alone such a step means almost nothing, so it is
 * not counted like a word; but the learned weights use it together with other signs.
 *
 * @module
 */

/** Prefix of these signs. */
const sizeWord = "size:";

/** The scales, and their highest step. */
const scales = {
  length: 20,
  lines: 14,
  longest: 14,
  blank: 10,
  capitals: 10,
  foreign: 10,
} as const;

/** All size signs. */
export const sizeSigns: readonly string[] = Object.entries(scales).flatMap(([name, most]) =>
  Array.from({ length: most + 1 }, (_, step) => `${sizeWord}${name}${step}`)
);

function sign(name: keyof typeof scales, step: number): string {
  return `${sizeWord}${name}${Math.min(scales[name], Math.round(step))}`;
}

/** Measures texts given one after the other. Linear. */
export class Sizes {
  #length = 0;
  #lines = 0;
  #longest = 0;
  #blank = 0;
  #capitals = 0;
  #small = 0;
  #foreign = 0;

  /** Adds a text, with its HTML tags if it has any. */
  add(text: string): void {
    this.#length += text.length;
    let start = 0, seen = false;
    for (let i = 0; i <= text.length; i++) {
      const c = i < text.length ? text.charCodeAt(i) : 0x0a;
      if (c === 0x0a) {
        this.#lines++;
        if (!seen) this.#blank++;
        this.#longest = Math.max(this.#longest, i - start);
        start = i + 1;
        seen = false;
      } else if (c > 0x20) {
        seen = true;
        if (c >= 0x61 && c <= 0x7a) this.#small++;
        else if (c >= 0x41 && c <= 0x5a) this.#capitals++;
        else if (c > 0x7e) this.#foreign++;
      }
    }
  }

  /** One sign of each scale; none without a text. */
  signs(): string[] {
    if (this.#length === 0) return [];
    const log = (n: number) => Math.log2(n + 1);
    return [
      sign("length", log(this.#length)),
      sign("lines", log(this.#lines)),
      sign("longest", log(this.#longest)),
      sign("blank", 10 * this.#blank / this.#lines),
      sign("capitals", 20 * this.#capitals / (this.#small + 1)),
      sign("foreign", 10 * this.#foreign / this.#length),
    ];
  }
}
