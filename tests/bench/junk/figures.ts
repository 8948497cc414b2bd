/** The measured figures of junk filters, kept in a file of JSON from one run of the bench to the next. @module */

/** Percent of good mail taken for spam, and percent of spam missed then. */
export type Points = [falseAlarms: number, missed: number][];

/** By split, then by filter. */
export type Figures = Record<string, Record<string, Points>>;

/** What the file has; nothing if there is none. */
export function readFigures(file: string): Figures {
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return {};
    throw err;
  }
}

/** Puts the figures of a filter into the file, in place of those it has of the same split and filter. */
export function keepFigures(file: string, split: string, filter: string, points: Points): void {
  const all = readFigures(file);
  const rounded = points.map(([x, y]): [number, number] => [
    Number(x.toFixed(3)),
    Number(y.toFixed(2)),
  ]);
  all[split] = { ...all[split], [filter]: rounded };
  Deno.writeTextFileSync(file, `${JSON.stringify(all, null, 2)}\n`);
}
