/** Colours of keywords ("labels"): derived from the name, or chosen. @module */
import { el } from "../lib/dom.ts";
import { safeText } from "../lib/scripts.ts";

/** Colours to choose from, by hue in degrees. */
export const labelHues: readonly (readonly [string, number])[] = [
  ["Red", 5],
  ["Orange", 30],
  ["Yellow", 50],
  ["Green", 135],
  ["Turquoise", 180],
  ["Blue", 215],
  ["Purple", 275],
  ["Pink", 330],
];

let chosen: Readonly<Record<string, number>> = {};

/** Sets the chosen colours. */
export function setLabelColors(colors: Readonly<Record<string, number>>): void {
  chosen = colors;
}

/** The hue of a keyword, in degrees. */
export function labelHue(keyword: string): number {
  if (Object.hasOwn(chosen, keyword)) return chosen[keyword];
  let hash = 0;
  for (const c of keyword) hash = (hash * 31 + c.codePointAt(0)!) % 9973;
  return labelHues[hash % labelHues.length][1];
}

/** A keyword in its colour. */
export function keywordLabel(keyword: string): HTMLElement {
  return el(
    "span",
    { class: "label keyword", style: `--hue:${labelHue(keyword)}` },
    safeText(keyword),
  );
}
