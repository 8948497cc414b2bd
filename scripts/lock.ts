/**
 * The second half of `deno task lock`: takes an optional peer out of deno.lock. The runtime gives a package its optional
 * peer where anything else here needs that package: valibot would bring typescript, which only the build needs, to
 * everybody who starts the program from its sources.
 *
 * @module
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Lock {
  specifiers: Record<string, string>;
  npm: Record<string, { dependencies?: string[]; optionalPeers?: string[] }>;
}

/** Peers that what has them does well without. */
const needless = ["typescript"];

const path = join(fileURLToPath(new URL("..", import.meta.url)), "deno.lock");
const lock = JSON.parse(await Deno.readTextFile(path)) as Lock;
for (const [key, entry] of Object.entries(lock.npm)) {
  const peer = needless.find((p) => entry.optionalPeers?.includes(p) && key.includes(`_${p}@`));
  if (peer === undefined) continue;
  const plain = key.slice(0, key.indexOf(`_${peer}@`));
  const dependencies = entry.dependencies?.filter((d) => d !== peer);
  delete entry.dependencies;
  delete lock.npm[key];
  lock.npm[plain] = dependencies?.length ? { ...entry, dependencies } : entry;
  const version = plain.slice(plain.lastIndexOf("@") + 1);
  const old = key.slice(plain.lastIndexOf("@") + 1);
  for (const [specifier, v] of Object.entries(lock.specifiers)) {
    if (v === old) lock.specifiers[specifier] = version;
  }
}
lock.npm = Object.fromEntries(Object.entries(lock.npm).sort(([a], [b]) => a < b ? -1 : 1));
await Deno.writeTextFile(path, `${JSON.stringify(lock, null, 2)}\n`);
