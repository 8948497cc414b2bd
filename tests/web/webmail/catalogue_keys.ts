/** The texts that the webmail's code has translated: its own English ones. */

/** A string literal, or several with + between them. */
const literal = String.raw`"(?:[^"\\\n]|\\.)*"`;
const literals = String.raw`${literal}(?:\s*\+\s*${literal})*`;
const calls = new RegExp(String.raw`(?<![\w.$])t\(\s*(${literals})`, "g");
const counts = new RegExp(String.raw`(?<![\w.$])countText\(\s*[^"]*?,\s*(${literal})\s*\)`, "g");

const value = (source: string): string =>
  [...source.matchAll(new RegExp(literal, "g"))].map(([s]) => JSON.parse(s)).join("");

/** Keys of catalogues in a source file. */
export function keysIn(source: string): string[] {
  const texts = [...source.matchAll(calls)].map((m) => value(m[1]));
  const plurals = [...source.matchAll(counts)].map((m) => {
    const word = value(m[1]);
    return `{0} ${word}|{0} ${word}s`;
  });
  return [...texts, ...plurals];
}

/** All source files of the page, with what it uses of `lib`. */
export async function* pageSources(root: URL): AsyncGenerator<{ path: string; source: string }> {
  for await (const e of Deno.readDir(root)) {
    const url = new URL(e.isDirectory ? `${e.name}/` : e.name, root);
    if (e.isDirectory) yield* pageSources(url);
    else if (e.name.endsWith(".ts")) {
      yield { path: url.pathname, source: await Deno.readTextFile(url) };
    }
  }
}

/** Every key that the webmail and the account page have. */
export async function allKeys(): Promise<string[]> {
  const keys = new Set<string>();
  for (const folder of ["mail", "lib", "account"]) {
    const root = new URL(`../../../webmail/${folder}/`, import.meta.url);
    for await (const { source } of pageSources(root)) for (const k of keysIn(source)) keys.add(k);
  }
  return [...keys].sort();
}
