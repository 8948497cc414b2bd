/**
 * The licences of what is in the program, as text: its own, and those of each npm package in the bundles of the
 * server and the pages, from the package's files. Equal texts stand once, with all packages above them.
 *
 * @module
 */
import { join } from "node:path";
import type { NpmPackage } from "../build/packages.ts";

/** Where packages keep their licence, and what has to go with it. */
const licenseName = /^(licen[cs]e|copying|notice)([.-][\w.-]+)?$/i;

/** The text of a package's licence; what its package.json names where it has no file. */
async function licenseText(p: NpmPackage): Promise<string> {
  const names = [...Deno.readDirSync(p.localPath)].filter((e) => e.isFile).map((e) => e.name);
  const files = names.filter((n) => licenseName.test(n)).sort();
  const texts = await Promise.all(files.map((n) => Deno.readTextFile(join(p.localPath, n))));
  if (texts.length > 0) return texts.map(plain).join("\n\n");
  const json = JSON.parse(await Deno.readTextFile(join(p.localPath, "package.json"))) as {
    license?: string | { type?: string };
    author?: string | { name?: string };
  };
  const license = typeof json.license === "string" ? json.license : json.license?.type;
  if (license === undefined) throw new Error(`${p.name}@${p.version} names no licence`);
  const author = typeof json.author === "string" ? json.author : json.author?.name;
  return `${license}${author ? `\nby ${author}` : ""}`;
}

const plain = (text: string) =>
  text.replaceAll("\r", "").split("\n").map((l) => l.trimEnd()).join("\n").trim();

/** All of it. @param packages those that are in the program */
export async function licensesText(
  root: string,
  packages: readonly NpmPackage[],
): Promise<string> {
  const byText = new Map<string, string[]>();
  for (const p of packages) {
    const text = await licenseText(p);
    byText.set(text, [...byText.get(text) ?? [], `${p.name} ${p.version}`]);
  }
  const own = plain(await Deno.readTextFile(join(root, "LICENSE")));
  const line = "-".repeat(72);
  return [
    `mox for Deno\n\n${own}`,
    ...[...byText].map(([text, names]) => `${line}\n${names.join("\n")}\n\n${text}`),
  ].join("\n\n") + "\n";
}
