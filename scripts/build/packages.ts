/**
 * The npm packages that are in a bundle: by the paths that the bundler writes above each module, as the graph of
 * imports has more, such as types and what only tests use.
 *
 * @module
 */
import { join, relative } from "node:path";
import { bundling, deno, laterModules, locked, root } from "./bundle.ts";

/** A package, and where its files are. */
export interface NpmPackage {
  name: string;
  version: string;
  localPath: string;
}

/** The path of a module of a package, in a comment of its own. */
const moduleComment =
  /^\s*\/\/ .*[\\/]npm[\\/][\w.-]+[\\/]((?:@[^\\/]+[\\/])?[^\\/]+[\\/][^\\/]+)[\\/]/gm;

/** Scripts of the pages. */
const pageScripts = ["mail", "later", "editor", "account", "admin", "caught", "worker"]
  .map((name) => `webmail/${name}/main.ts`);

/** Packages of the server, of what it loads later and of the pages, by name and version. */
export async function packagesIn(): Promise<NpmPackage[]> {
  const server = ["main.ts", ...laterModules().map((path) => relative(root, path))];
  const entries = [
    ...server.map((module) => ({ module, platform: "deno" })),
    ...pageScripts.map((module) => ({ module, platform: "browser" })),
  ];
  const known = new Map<string, NpmPackage>();
  const found = new Set<string>();
  for (const { module, platform } of entries) {
    const [info, code] = await Promise.all([
      deno(["info", ...locked, "--json", join(root, module)]),
      deno([...bundling, "--platform", platform, module]),
    ]);
    const { npmPackages } = JSON.parse(info) as { npmPackages: Record<string, NpmPackage> };
    for (const p of Object.values(npmPackages)) known.set(`${p.name}/${p.version}`, p);
    for (const [, key] of code.matchAll(moduleComment)) found.add(key.replaceAll("\\", "/"));
  }
  return [...found].sort().map((key) => {
    const p = known.get(key);
    if (p === undefined) throw new Error(`${key} is in the bundle, but not among its packages`);
    return p;
  });
}
