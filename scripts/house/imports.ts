/** Source files and what they import. @module */
import { join } from "node:path";

/** Files of TypeScript in a folder and those below it. */
export function* sources(dir: string): Generator<string> {
  for (const e of Deno.readDirSync(dir)) {
    const path = join(dir, e.name);
    if (e.isDirectory) yield* sources(path);
    else if (/\.tsx?$/.test(e.name)) yield path;
  }
}

/** What a file imports and exports from, as it is written there. */
export function imports(text: string): string[] {
  return [...text.matchAll(/^\s*(?:import|export)\b(?:[^;"'()]*?\bfrom)?\s*["']([^"']+)["']/gm)]
    .map((m) => m[1]);
}
