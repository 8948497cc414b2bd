/** Inputs that once reached something new, kept beside the tests: one file for each target. @module */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = join(dirname(fileURLToPath(import.meta.url)), "corpus");
/** Inputs of one target that are kept, and bytes of one. */
const maxInputs = 150;
const maxBytes = 2000;

const path = (name: string) => join(folder, `${name.replaceAll(" ", "-")}.json`);

/** The kept inputs of a target. */
export function readCorpus(name: string): Uint8Array[] {
  let text: string;
  try {
    text = Deno.readTextFileSync(path(name));
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return [];
    throw err;
  }
  return (JSON.parse(text) as string[]).map((s) => Uint8Array.from(s, (c) => c.charCodeAt(0)));
}

/** Adds inputs to those that are kept; short ones first, as they say most. Returns how many there are now. */
export function addToCorpus(name: string, inputs: readonly Uint8Array[]): number {
  const all = new Set(
    [...readCorpus(name), ...inputs].filter((b) => b.length <= maxBytes)
      .sort((a, b) => a.length - b.length)
      .map((b) => String.fromCharCode(...b)),
  );
  const kept = [...all].slice(0, maxInputs);
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeTextFileSync(path(name), `${JSON.stringify(kept, undefined, 1)}\n`);
  return kept.length;
}
