/**
 * What the program is made of, as CycloneDX 1.6: each npm package that is in the bundle, with its checksum from
 * the lock file and its license, and the runtime.
 *
 * @module
 */
import { join } from "node:path";
import { deno, laterModules, locked, root } from "./bundle.ts";
import { denoVersion } from "./runtimes.ts";
import config from "../../deno.json" with { type: "json" };

/** A package as the runtime describes it. */
export interface NpmPackage {
  name: string;
  version: string;
  localPath: string;
  /** Keys of packages. */
  dependencies: readonly string[];
}

/** A module as the runtime describes it. */
interface Module {
  specifier: string;
  npmPackage?: string;
  /** Those that are imported for their types alone have no code. */
  dependencies?: { code?: { specifier: string } }[];
}

/** Packages that modules and all that they import need when they run, by `name@version`. */
export async function neededPackages(
  modules: readonly string[],
): Promise<Map<string, NpmPackage>> {
  const found = new Map<string, NpmPackage>();
  for (const module of modules) {
    const info = JSON.parse(await deno(["info", ...locked, "--json", module])) as {
      roots: string[];
      redirects: Record<string, string>;
      modules: Module[];
      // All of the lock file.
      npmPackages: Record<string, NpmPackage>;
    };
    const seen = new Set<string>();
    const add = (key: string) => {
      if (seen.has(key)) return;
      seen.add(key);
      const p = info.npmPackages[key];
      found.set(`${p.name}@${p.version}`, p);
      p.dependencies.forEach(add);
    };
    const modules = new Map(info.modules.map((m) => [m.specifier, m]));
    const reached = new Set(info.roots);
    for (const specifier of reached) {
      const m = modules.get(info.redirects[specifier] ?? specifier);
      if (m?.npmPackage !== undefined) add(m.npmPackage);
      for (const { code } of m?.dependencies ?? []) if (code) reached.add(code.specifier);
    }
  }
  return found;
}

/** SHA-512 of packages, hex, by `name@version`. */
async function lockedHashes(): Promise<Map<string, string>> {
  const lock = JSON.parse(await Deno.readTextFile(join(root, "deno.lock"))) as {
    npm: Record<string, { integrity?: string }>;
  };
  return new Map(
    Object.entries(lock.npm).flatMap(([key, { integrity }]) => {
      const base64 = /^sha512-(.+)$/.exec(integrity ?? "")?.[1];
      // Peers follow a second "_" in the key.
      return base64 ? [[key.replace(/_.*$/, ""), Uint8Array.fromBase64(base64).toHex()]] : [];
    }),
  );
}

async function licenseOf(p: NpmPackage): Promise<string | undefined> {
  try {
    const text = await Deno.readTextFile(join(p.localPath, "package.json"));
    const { license } = JSON.parse(text) as { license?: string | { type?: string } };
    return typeof license === "string" ? license : license?.type;
  } catch {
    return undefined;
  }
}

function purl(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/** The document, as text. */
export async function sbom(): Promise<string> {
  const hashes = await lockedHashes();
  const modules = [join(root, "main.ts"), ...laterModules()];
  // Licenses are read from the packages themselves.
  await deno(["cache", ...locked, ...modules]);
  const seen = await neededPackages(modules);
  const components: unknown[] = [{
    "type": "application",
    "bom-ref": purl("deno", denoVersion),
    "name": "deno",
    "version": denoVersion,
    "purl": purl("deno", denoVersion),
    "licenses": [{ license: { id: "MIT" } }],
  }];
  for (const [key, p] of [...seen].sort(([a], [b]) => a < b ? -1 : 1)) {
    const [group, name] = p.name.startsWith("@") ? p.name.split("/") : [undefined, p.name];
    const license = await licenseOf(p);
    const hash = hashes.get(key);
    components.push({
      "type": "library",
      "bom-ref": purl(p.name, p.version),
      ...(group ? { group } : {}),
      name,
      "version": p.version,
      "purl": purl(p.name, p.version),
      ...(license
        ? {
          licenses: [
            /\s|\(/.test(license) ? { expression: license } : { license: { id: license } },
          ],
        }
        : {}),
      ...(hash ? { hashes: [{ alg: "SHA-512", content: hash }] } : {}),
    });
  }
  const own = `pkg:generic/mox-deno@${config.version}`;
  return JSON.stringify(
    {
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      version: 1,
      metadata: {
        component: {
          "type": "application",
          "bom-ref": own,
          "name": "mox-deno",
          "version": config.version,
          "licenses": [{ license: { id: config.license } }],
        },
      },
      components,
      dependencies: [{
        ref: own,
        dependsOn: [...seen.values()].map((p) => purl(p.name, p.version)),
      }],
    },
    null,
    2,
  ) + "\n";
}
