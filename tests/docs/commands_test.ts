/** README and docs: the commands, tasks, pages and pictures that they name are there. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { commands } from "../../src/commands/mod.ts";
import settings from "../../deno.json" with { type: "json" };

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const pages = [
  "README.md",
  ...[...Deno.readDirSync(join(root, "docs"))].map((e) => `docs/${e.name}`),
]
  .filter((p) => p.endsWith(".md")).sort();

/** Code of a page: spans, and lines of blocks for a shell. */
function* code(text: string): Generator<string> {
  const blocks = /^ *```(\w*)\n([\s\S]*?)^ *```$/gm;
  for (const [, language, body] of text.matchAll(blocks)) {
    if (language !== "sh" && language !== "") continue;
    for (const line of body.replaceAll(/\\\n\s*/g, " ").split("\n")) {
      yield line.replace(/\s+#.*$/, "");
    }
  }
  for (const [, span] of text.replaceAll(blocks, "").matchAll(/`([^`\n]+)`/g)) yield span;
}

/** Words of the program's command lines in a piece of code, without its name. */
function* commandLines(piece: string): Generator<string[]> {
  for (const part of piece.split(/\s*(?:\||&&|;|\$\()\s*/)) {
    const m = /^(?:\$ |# )?(?:sudo (?:-\S+ (?:mox )?)?)?(?:\.\/|\S*\/)?mox ([a-z][\s\S]*)$/.exec(
      part.trim(),
    );
    if (m) yield m[1].split(/\s+/);
  }
}

Deno.test("each command and flag that the documentation names is one", () => {
  const wrong: string[] = [];
  let seen = 0;
  for (const page of pages) {
    // Marks that stand for themselves are no code's.
    const text = Deno.readTextFileSync(join(root, page)).replaceAll("\\`", "'");
    for (const piece of code(text)) {
      for (const words of commandLines(piece)) {
        seen++;
        // The name is the longest that fits; a group alone, such as `mox queue`, prints its commands.
        const open = words.indexOf("…");
        if (
          open > 0 && commands.some((c) => c.name.startsWith(`${words.slice(0, open).join(" ")} `))
        ) {
          continue;
        }
        const prefixes = words.map((_, i) => words.slice(0, i + 1).join(" ")).reverse();
        const named = prefixes.map((name) => commands.find((c) => c.name === name))
          .find((c) => c !== undefined);
        const group = named === undefined &&
          commands.some((c) => c.name.startsWith(`${words.join(" ")} `));
        if (group || words[0] === "help") continue;
        if (named === undefined) {
          wrong.push(`${page}: mox ${words.join(" ")}: no such command`);
          continue;
        }
        const own = `${named.usage}\n${named.help}`;
        for (const word of words.slice(named.name.split(" ").length)) {
          const flag = /^--?([a-z][\w-]*)/i.exec(word)?.[1];
          if (flag === undefined) continue;
          if (!new RegExp(`(^|[^\\w-])--?${flag}(?![\\w-])`).test(own)) {
            wrong.push(`${page}: mox ${named.name} -${flag}: its help has no such flag`);
          }
        }
      }
    }
  }
  assert.ok(seen > 60, `${seen} command lines`);
  assert.deepEqual(wrong, []);
});

Deno.test("each task that the documentation names is one of deno.json", () => {
  const tasks = Object.keys(settings.tasks);
  for (const page of pages) {
    const text = Deno.readTextFileSync(join(root, page));
    for (const [, name] of text.matchAll(/\bdeno(?:@[\d.]+)? task ([a-z][\w-]*)/g)) {
      assert.ok(tasks.includes(name), `${page}: deno task ${name}`);
    }
  }
});

Deno.test("each page, picture and heading that the documentation links to is there", () => {
  const wrong: string[] = [];
  const anchor = (heading: string) =>
    heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").trim().replaceAll(" ", "-");
  for (const page of pages) {
    const text = Deno.readTextFileSync(join(root, page));
    for (const [, link] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue;
      const [path, id] = link.split("#");
      const target = path === "" ? join(root, page) : join(root, dirname(page), path);
      let content: string | undefined;
      try {
        if (!Deno.statSync(target).isDirectory) content = Deno.readTextFileSync(target);
      } catch {
        wrong.push(`${page}: ${link}`);
        continue;
      }
      if (id === undefined || content === undefined) continue;
      const ids = [...content.matchAll(/^#+ (.+)$/gm)].map(([, h]) => anchor(h));
      if (!ids.includes(id)) wrong.push(`${page}: ${link}: no such heading`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("files of the project that the documentation names are there", () => {
  const missing: string[] = [];
  let seen = 0;
  for (const page of pages) {
    const text = Deno.readTextFileSync(join(root, page));
    for (const [, path] of text.matchAll(/`((?:src|webmail|tests|scripts|docs)\/[\w./-]+)`/g)) {
      seen++;
      try {
        Deno.statSync(join(root, path));
      } catch {
        missing.push(`${page}: ${path}`);
      }
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(seen > 100, `${seen} files`);
});

Deno.test("README names each package that is used", () => {
  const text = Deno.readTextFileSync(join(root, "README.md"));
  const [table] = /^\| package [\s\S]*?\n\n/m.exec(text)!;
  const named = table.split("\n").slice(2).flatMap((line) =>
    line.split("|")[1]?.split(",").map((name) => name.trim()) ?? []
  );
  const { imports } = JSON.parse(Deno.readTextFileSync(join(root, "scripts/imports.json")));
  const used = Object.keys(imports).filter((name) => !name.endsWith("/"));
  assert.deepEqual(named.filter((n) => n !== "").sort(), used.sort());
});
