/**
 * All limits on one page, from the constants that hold them: those whose name begins with `max`, `usual` or `most`.
 * `deno task pages` writes docs/limits.md.
 *
 * @module
 */
import { join, relative } from "node:path";
import { sources } from "./imports.ts";

/** A limit, as the source has it. */
interface Limit {
  file: string;
  name: string;
  /** As it is written. */
  value: string;
  about: string;
}

const constant = /^(?:export )?const ((?:max|most|usual|least)[A-Z]\w*)(?:: number)? = ([^;\n]+);/;

/** Sums and products of numbers; undefined for anything else. */
function numberOf(text: string): number | undefined {
  if (!/^[\d_. *+()-]+$/.test(text)) return undefined;
  const terms = text.replaceAll("_", "").split("+").map((t) =>
    t.split("*").reduce((n, f) => n * Number(f.trim()), 1)
  );
  const sum = terms.reduce((a, b) => a + b, 0);
  return Number.isNaN(sum) ? undefined : sum;
}

/** A number as people read it: bytes and milliseconds by what the comment says of them. */
function shown(value: string, about: string): string {
  const n = numberOf(value);
  if (n === undefined) return `\`${value}\``;
  const plain = n.toLocaleString("en-US");
  if (/\b[Bb]ytes?\b/.test(about) && n >= 1024 && n % 1024 === 0) {
    return n % 1048576 === 0 ? `${n / 1048576} MiB` : `${(n / 1024).toLocaleString("en-US")} KiB`;
  }
  if (/[Mm]illiseconds/.test(about) && n >= 1000) {
    return n % 3_600_000 === 0
      ? `${n / 3_600_000} h`
      : n % 60_000 === 0
      ? `${n / 60_000} min`
      : `${n / 1000} s`;
  }
  return plain;
}

/** Limits of a file, with the comment above each; several in a row may have one comment. */
function limitsOf(file: string, text: string): Limit[] {
  const found: Limit[] = [];
  let about = "";
  let comment: string[] | undefined;
  for (const line of text.split("\n")) {
    if (comment === undefined && /^\/\*\*/.test(line)) comment = [];
    if (comment !== undefined) {
      comment.push(line.replace(/^\s*\/?\*+\/?/, "").replace(/\*\/\s*$/, "").trim());
      if (/\*\/\s*$/.test(line)) {
        about = comment.join(" ").replace(/\s+/g, " ").trim();
        comment = undefined;
      }
      continue;
    }
    const m = constant.exec(line);
    if (m) found.push({ file, name: m[1], value: m[2], about });
    else about = "";
  }
  return found;
}

/** All limits of the source, by file. @param root the folder of the project */
function limits(root: string): Limit[] {
  const src = join(root, "src");
  return [...sources(src)].map((f) => relative(src, f).replaceAll("\\", "/")).sort()
    .flatMap((f) => limitsOf(f, Deno.readTextFileSync(join(src, f))));
}

/** Text in which nothing is taken for Markdown. */
const plain = (text: string) => text.replaceAll(/[\\*_<>#|[\]]/g, "\\$&");

/** The page. @param root the folder of the project @throws Error for a limit that nothing is said about */
export function limitsPage(root: string): string {
  const byFolder = new Map<string, Limit[]>();
  const all = limits(root);
  const bare = all.filter((l) => l.about === "").map((l) => `src/${l.file}: ${l.name}`);
  if (bare.length > 0) {
    throw new Error(
      `limits need a comment that names what they bound, and its unit: ${bare.join(", ")}`,
    );
  }
  for (const l of all) {
    const folder = l.file.split("/").slice(0, -1).slice(0, 2).join("/");
    byFolder.set(folder, [...byFolder.get(folder) ?? [], l]);
  }
  return [
    "# Limits",
    "",
    "What bounds sizes, counts and times, by the folder of `src` that has it. Made from the program by `deno task pages`;",
    "limits that an administrator sets are in [configuration.md](configuration.md).",
    ...[...byFolder].sort(([a], [b]) => a < b ? -1 : 1).flatMap(([folder, all]) => [
      "",
      `## ${folder}`,
      "",
      ...all.map((limit) =>
        `- **${limit.name}** (\`${limit.file.slice(folder.length + 1)}\`): ${
          shown(limit.value, limit.about)
        }. ${plain(limit.about)}`
      ),
    ]),
    "",
  ].join("\n");
}
