/**
 * Words that mix scripts, as in addresses made to look like others: the letters of the second script are underlined.
 *
 * Scripts are approximated by Unicode blocks, which is good enough to notice something odd.
 *
 * @module
 */
import { el } from "./dom.ts";
import { t } from "./text.ts";

/** Ranges that count as one script; elsewhere each block of 128 counts as one. */
const scripts: readonly (readonly [number, number, string])[] = [
  [0x41, 0x5a, "latin"],
  [0x61, 0x7a, "latin"],
  [0xaa, 0xaa, "latin"],
  [0xba, 0xba, "latin"],
  [0xc0, 0x24f, "latin"],
  [0x1e00, 0x1eff, "latin"],
  [0x370, 0x3ff, "greek"],
  [0x1f00, 0x1fff, "greek"],
  [0x400, 0x52f, "cyrillic"],
  [0x1c80, 0x1c8f, "cyrillic"],
  [0x2de0, 0x2dff, "cyrillic"],
  [0x590, 0x5ff, "hebrew"],
  [0x600, 0x77f, "arabic"],
  [0x8a0, 0x8ff, "arabic"],
  [0xfb50, 0xfdff, "arabic"],
  [0xfe70, 0xfeff, "arabic"],
  [0x900, 0xdff, "indic"],
  [0x3040, 0x30ff, "east asian"],
  [0x3100, 0x312f, "east asian"],
  [0x3400, 0x9fff, "east asian"],
  [0xac00, 0xd7af, "east asian"],
  [0xf900, 0xfaff, "east asian"],
  [0x20000, 0x3ffff, "east asian"],
];

const letter = /\p{L}/u;

/** The script of a letter; undefined for other characters. */
function scriptOf(char: string): string | undefined {
  const c = char.codePointAt(0)!;
  if (c < 0x41 || !letter.test(char)) return undefined;
  for (const [from, to, name] of scripts) if (c >= from && c <= to) return name;
  return `block ${c >> 7}`;
}

/** Runs of a text; `odd` ones are in a different script from the letters before them in the word. */
export function scriptRuns(text: string): { text: string; odd: boolean }[] {
  const runs: { text: string; odd: boolean }[] = [];
  let word: string | undefined;
  for (const char of text) {
    const s = scriptOf(char);
    // Digits, dots and hyphens continue a word; spaces and brackets end it.
    if (s === undefined && /[\s,;:()<>"[\]{}|/\\]/.test(char)) word = undefined;
    const odd = s !== undefined && word !== undefined && s !== word;
    if (s !== undefined && word === undefined) word = s;
    const last = runs.at(-1);
    if (last !== undefined && last.odd === odd) last.text += char;
    else runs.push({ text: char, odd });
  }
  return runs;
}

// deno-lint-ignore no-control-regex -- texts of ASCII can't change their script
const ascii = /^[\x00-\x7f]*$/;

/** The text as nodes, with changes of script marked. */
export function safeText(text: string): (string | HTMLElement)[] {
  if (ascii.test(text)) return [text];
  return scriptRuns(text).map((r) =>
    r.odd
      ? el("span", {
        class: "script-switch",
        title: t(
          "These letters are of another script than the rest of the word. It may be made to look like something else.",
        ),
      }, r.text)
      : r.text
  );
}
