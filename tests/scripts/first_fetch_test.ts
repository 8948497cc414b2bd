/** What a first start of localserve fetches: what the server imports, and nothing that tests or the build need. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deno, locked } from "../../scripts/build/bundle.ts";
import config from "../../deno.json" with { type: "json" };

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A module as the runtime describes it. */
interface Module {
  specifier: string;
  npmPackage?: string;
  /** Those that are imported for their types alone have no code. */
  dependencies?: { code?: { specifier: string } }[];
}

/** Names of the packages that a module and all that it imports need when they run. */
async function packagesOf(module: string): Promise<string[]> {
  const info = JSON.parse(await deno(["info", ...locked, "--json", module])) as {
    roots: string[];
    redirects: Record<string, string>;
    modules: Module[];
    // All of the lock file.
    npmPackages: Record<string, { name: string; dependencies: string[] }>;
  };
  const packages = new Set<string>();
  const modules = new Map(info.modules.map((m) => [m.specifier, m]));
  const reached = new Set(info.roots);
  for (const specifier of reached) {
    const m = modules.get(info.redirects[specifier] ?? specifier);
    if (m?.npmPackage !== undefined) packages.add(m.npmPackage);
    for (const { code } of m?.dependencies ?? []) if (code) reached.add(code.specifier);
  }
  for (const key of packages) info.npmPackages[key].dependencies.forEach((d) => packages.add(d));
  return [...packages].map((key) => info.npmPackages[key].name).sort();
}

Deno.test("the program's own packages are few, and none of the tests', the build's or the seldom needed ones", async () => {
  const names = await packagesOf(join(root, "main.ts"));
  assert.ok(names.includes("valibot"), names.join(" "));
  assert.ok(names.length <= 40, `${names.length} packages: ${names.join(" ")}`);
  const others = ["typescript", "playwright-core", "fast-check", "nodemailer", "imapflow"];
  others.push("acme-client", "openid-client", "ldapts", "tar-stream");
  assert.deepEqual(others.filter((o) => names.includes(o)), []);
});

Deno.test("deno.json makes a task fetch nothing before it begins, and each task names the lock file", () => {
  assert.equal(config.lock, false);
  assert.ok(!("imports" in config), "packages stand in scripts/imports.json");
  for (const [name, { command }] of Object.entries(config.tasks)) {
    for (const [part] of command.matchAll(/deno (?:run|check|cache|test)[^&]*/g)) {
      assert.match(part, /--lock=deno\.lock/, name);
    }
  }
});

Deno.test("modules that are loaded later import packages, and no sources", () => {
  const found: string[] = [];
  const look = (dir: string) => {
    for (const e of Deno.readDirSync(dir)) {
      const path = join(dir, e.name);
      if (e.isDirectory) look(path);
      else if (/_packages?\.ts$/.test(e.name)) found.push(path);
    }
  };
  look(join(root, "src"));
  assert.ok(found.length >= 5);
  for (const path of found) {
    const froms = [...Deno.readTextFileSync(path).matchAll(/from "([^"]+)"/g)].map((m) => m[1]);
    assert.ok(froms.length > 0, path);
    assert.deepEqual(froms.filter((f) => f.startsWith(".")), [], path);
  }
});
