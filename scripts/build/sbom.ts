/**
 * What the program is made of, as CycloneDX 1.6: each npm package that is in the bundle, with its checksum from
 * the lock file and its license, and the runtime.
 *
 * @module
 */
import { join } from "node:path";
import { root } from "./bundle.ts";
import { type NpmPackage, packagesIn } from "./packages.ts";
import { denoVersion } from "./runtimes.ts";
import config from "../../deno.json" with { type: "json" };

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
  const seen = new Map<string, NpmPackage>();
  for (const p of await packagesIn()) seen.set(`${p.name}@${p.version}`, p);
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
