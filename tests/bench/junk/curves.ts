/**
 * `deno run -A tests/bench/junk/curves.ts FIGURES FOLDER`: draws the figures that the bench kept (`--figures`) as two
 * pictures: filters that have learned much, and those that have just begun.
 *
 * @module
 */
import { join } from "node:path";
import { type Curve, plot } from "../plot.ts";
import { readFigures } from "./figures.ts";

/** Pictures, and the splits that are in them. */
const pictures: readonly (readonly [file: string, title: string, splits: readonly string[]])[] = [
  ["junk-curves.svg", "Junk filters: spam that they miss, at so many false alarms", [
    "random half",
    "first half in time",
  ]],
  ["junk-curves-young.svg", "Junk filters that have just begun: spam that they miss", [
    "100 trained",
    "500 trained",
  ]],
];

/** Names of splits that are too long for a picture. */
const short: Readonly<Record<string, string>> = { "first half in time": "by time" };

/** Percent that stands for none: the axis has no zero. */
const least = 0.05;

const [from, to] = Deno.args;
if (from === undefined || to === undefined) {
  console.error("which file of figures, and which folder for the pictures?");
  Deno.exit(2);
}
const figures = readFigures(from);
for (const [file, title, splits] of pictures) {
  const curves: Curve[] = splits.flatMap((split) =>
    Object.entries(figures[split] ?? {}).map(([filter, points]): Curve => ({
      name: `${filter}, ${short[split] ?? split}`,
      points: points.map(([x, y]) => [x, Math.max(least, y)]),
    }))
  );
  if (curves.length === 0) continue;
  const x = "good messages taken for spam, %";
  Deno.writeTextFileSync(join(to, file), plot(title, x, "%", curves));
}
