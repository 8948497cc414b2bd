/**
 * Modules loaded on first use: large packages that most servers never use. Unused ones are neither fetched at
 * the first start from sources nor held in memory.
 *
 * Such a module only re-exports packages, and is referenced by its URL, which neither the runtime nor the
 * bundler follows at the start; in the bundle it is a separate file, like a Worker. So it must not import
 * sources: a class would exist twice.
 *
 * @module
 */

const loaders: (() => Promise<unknown>)[] = [];

/** Returns a function that loads a module once; a failed load is retried by the next call. */
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

/**
 * Loads all of them: for a process that won't be able to read them later. @throws the error of a failed load
 */
export async function loadRareModules(): Promise<void> {
  await Promise.all(loaders.map((load) => load()));
}
