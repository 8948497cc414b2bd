/**
 * What I-JSON forbids and JSON.parse accepts (RFC 7493 §2.1, §2.3): lone surrogates, and members of one object
 * with the same name, of which readers choose different ones.
 *
 * @module
 */

/** An escape of a surrogate: without any, a text that was UTF-8 has no lone ones. */
const surrogate = /\\u[dD][89a-fA-F]/;

/** Up to this many names, comparing one by one is faster. */
const namesInArray = 12;

/** Index of the quote that ends the string that begins at `start`. */
function closingQuote(text: string, start: number): number {
  for (let end = start;;) {
    end = text.indexOf('"', end + 1);
    let slashes = 0;
    while (text.charCodeAt(end - 1 - slashes) === 92) slashes++;
    if (slashes % 2 === 0) return end;
  }
}

/** Why a JSON text isn't I-JSON; undefined if it is. One pass over the text. */
export function notIJson(text: string): string | undefined {
  const escapes = surrogate.test(text);
  /** Member names of the open objects, in arrays while there are few of them; null for an open array. */
  const open: (string[] | Set<string> | null)[] = [];
  let isName = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 34) {
      const start = i;
      i = closingQuote(text, start);
      if (!isName && !escapes) continue;
      const raw = text.slice(start + 1, i);
      const value = raw.includes("\\") ? JSON.parse(text.slice(start, i + 1)) as string : raw;
      if (!value.isWellFormed()) return "a string has half of a character";
      if (!isName) continue;
      isName = false;
      const names = open[open.length - 1]!;
      if (Array.isArray(names) ? names.includes(value) : names.has(value)) {
        return `an object has ${JSON.stringify(value.slice(0, 200))} twice`;
      }
      if (!Array.isArray(names)) names.add(value);
      else if (names.push(value) > namesInArray) open[open.length - 1] = new Set(names);
    } else if (c === 123) {
      open.push([]);
      isName = true;
    } else if (c === 91) {
      open.push(null);
      isName = false;
    } else if (c === 125 || c === 93) {
      open.pop();
      isName = false;
    } else if (c === 44) isName = open[open.length - 1] !== null;
  }
  return undefined;
}
