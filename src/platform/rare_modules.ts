/**
 * Modules that are loaded when they are first needed: large packages that most servers never use. What nobody
 * asks for is neither fetched when sources are started for the first time, nor held in memory.
 *
 * Such a module has nothing in it but what it takes from packages, and is named by its URL, which neither the
 * runtime follows when it starts nor the bundle, where it is a file of its own beside the program, as a Worker
 * is. So it must not import sources: a class would be there twice.
 *
 * @module
 */

const loaders: (() => Promise<unknown>)[] = [];

/** A function that loads a module, once; a load that failed is tried again when it is asked for again. */
export function rareModule<T>(url: URL): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  const load = () => {
    if (loaded === undefined) {
      loaded = import(url.href) as Promise<T>;
      loaded.catch(() => loaded = undefined);
    }
    return loaded;
  };
  loaders.push(load);
  return load;
}

/** Loads all of them: for a process that won't be able to read them any more. @throws what a load fails with */
export async function loadRareModules(): Promise<void> {
  await Promise.all(loaders.map((load) => load()));
}
