/** The shape of the source tree: imports point downwards, only the platform layer asks for the OS. */
import assert from "node:assert/strict";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { imports, sources } from "../scripts/house/imports.ts";
import { levels } from "../scripts/house/levels.ts";
import { methods as jmapMethods } from "../src/jmap/table.ts";
import { commands } from "../src/imap/server/table.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const src = join(root, "src");

function levelOf(path: string): { folder: string; level: number } | undefined {
  for (const [level, folders] of levels.entries()) {
    for (const folder of folders) {
      if (path.startsWith(`${folder}/`)) return { folder, level };
    }
  }
  return undefined;
}

Deno.test("every folder of src has its level, and every level its folders", () => {
  for (const folder of levels.flat()) {
    assert.ok(Deno.statSync(join(src, folder)).isDirectory, `src/${folder}`);
  }
  for (const file of sources(src)) {
    const path = relative(src, file).replaceAll("\\", "/");
    assert.ok(levelOf(path), `src/${path}: its folder has no level in this test`);
  }
});

Deno.test("the files and folders that docs/architecture.md names are there", () => {
  const text = Deno.readTextFileSync(join(root, "docs/architecture.md"));
  const paths = [...text.matchAll(/`((?:src|webmail|tests)\/[\w./]+)`/g)].map((m) => m[1]);
  assert.ok(paths.length > 40, `${paths.length} paths`);
  for (const path of paths) Deno.statSync(join(root, path));
});

Deno.test("files that comments name are there", () => {
  const folders = ["src", "webmail", "scripts", "tests"].map((f) => join(root, f));
  const files = folders.flatMap((f) => [...sources(f)]);
  const names = new Set(files.map((f) => basename(f)));
  const wrong: string[] = [];
  for (const file of files) {
    for (const [line] of Deno.readTextFileSync(file).matchAll(/^\s*(?:\/\*\*|\*|\/\/).*/gm)) {
      for (const [, name] of line.matchAll(/(?<![\w./-])(?:[\w-]+\/)*([a-z][\w-]*\.tsx?)\b/g)) {
        if (!names.has(name)) wrong.push(`${relative(root, file)}: ${name}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("imports point downwards", () => {
  const wrong: string[] = [];
  for (const file of sources(src)) {
    const path = relative(src, file).replaceAll("\\", "/");
    const from = levelOf(path)!;
    for (const spec of imports(Deno.readTextFileSync(file))) {
      if (!spec.startsWith(".")) continue;
      const target = relative(src, join(dirname(file), spec)).replaceAll("\\", "/");
      if (target.startsWith("../")) {
        if (!/^\.\.\/(webmail|deno\.json|LICENSE)/.test(target)) {
          wrong.push(`src/${path} -> ${target}`);
        }
        continue;
      }
      const to = levelOf(target);
      if (!to || to.level > from.level || (to.level === from.level && to.folder !== from.folder)) {
        wrong.push(`src/${path} -> src/${target}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

/** The files of a folder and what each imports of the tree, by paths from the root. */
function importGraph(folders: readonly string[]): Map<string, string[]> {
  const graph = new Map<string, string[]>();
  for (const folder of folders) {
    for (const file of sources(join(root, folder))) {
      const targets = imports(Deno.readTextFileSync(file)).filter((spec) => spec.startsWith("."));
      graph.set(relative(root, file), targets.map((t) => relative(root, join(dirname(file), t))));
    }
  }
  return graph;
}

/** A path that leads back to where it starts, for each file that a walk finds to be on one. */
function circles(graph: ReadonlyMap<string, string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      found.push([...path.slice(at), file].join(" -> "));
      return;
    }
    if (done.has(file)) return;
    path.push(file);
    for (const target of graph.get(file) ?? []) walk(target);
    path.pop();
    done.add(file);
  };
  for (const file of graph.keys()) walk(file);
  return found;
}

Deno.test("no rooms import each other in a circle", () => {
  // A folder and those within it are one room's: its own files are types below them, or assembly above.
  const within = (a: string, b: string) => `${a}/`.startsWith(`${b}/`);
  const arrows = new Map<string, Map<string, string>>();
  for (const file of sources(src)) {
    const from = relative(src, dirname(file)).replaceAll("\\", "/");
    for (const spec of imports(Deno.readTextFileSync(file))) {
      if (!spec.startsWith(".")) continue;
      const target = relative(src, join(dirname(file), spec)).replaceAll("\\", "/");
      const to = dirname(target);
      if (target.startsWith("../") || within(from, to) || within(to, from)) continue;
      let out = arrows.get(from);
      if (!out) arrows.set(from, out = new Map());
      out.set(to, `${relative(src, file)} -> ${target}`);
    }
  }
  /** The way from one room to another, as imports. */
  const way = (from: string, to: string): string[] | undefined => {
    const seen = new Set([from]);
    const open: { room: string; path: string[] }[] = [{ room: from, path: [] }];
    for (let next = open.shift(); next; next = open.shift()) {
      for (const [room, why] of arrows.get(next.room) ?? []) {
        const path = [...next.path, why];
        if (room === to) return path;
        if (!seen.has(room)) {
          seen.add(room);
          open.push({ room, path });
        }
      }
    }
    return undefined;
  };
  for (const room of arrows.keys()) {
    assert.equal(way(room, room)?.join("\n"), undefined, `${room} comes back to itself`);
  }
});

Deno.test("no files import each other in a circle, not even for types", () => {
  const graph = importGraph(["src", "webmail", "scripts", "tests/support"]);
  assert.ok(graph.size > 500, "the files were found");
  assert.deepEqual(circles(graph), []);
  assert.deepEqual(circles(new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b"]]])), ["b -> c -> b"]);
});

Deno.test("only the platform layer asks which operating system it runs on", () => {
  const asks =
    /\bDeno\.(build|uid|gid|osRelease)\b|\bprocess\.(platform|setuid|setgid|getuid)\b|from "node:os"/;
  const wrong: string[] = [];
  for (const file of sources(src)) {
    const path = relative(src, file).replaceAll("\\", "/");
    if (path.startsWith("platform/")) continue;
    const text = Deno.readTextFileSync(file);
    if (asks.test(text) || imports(text).some((i) => /\/platform\/(?:os|libc)\.ts$/.test(i))) {
      wrong.push(path);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("connections to other servers by TLS and HTTPS go by src/net alone", () => {
  const own =
    /from "node:https"|\brootCertificates\b|\bfetch\(\s*(?:["'`]|new URL|url\b)|\bDeno\.(?:connectTls|startTls)\b|import \{[^}]*\b(?:connect|request)\b[^}]*\} from "node:(?:tls|http)"/;
  const wrong: string[] = [];
  for (const file of sources(src)) {
    const path = relative(src, file).replaceAll("\\", "/");
    const found = path.startsWith("net/") ? null : own.exec(Deno.readTextFileSync(file));
    if (found) wrong.push(`${path}: ${found[0]}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("random input of tests begins where tests/support says", () => {
  const tests = join(src, "../tests");
  const own = /from "fast-check"|\bMath\.random\(\)/;
  const wrong: string[] = [];
  for (const file of sources(tests)) {
    const path = relative(tests, file).replaceAll("\\", "/");
    if (!path.endsWith("_test.ts") || path === "architecture_test.ts") continue;
    const found = own.exec(Deno.readTextFileSync(file));
    if (found) wrong.push(`${path}: ${found[0]}`);
  }
  assert.deepEqual(wrong, []);
});

Deno.test("every IMAP command is in a file of its name", async () => {
  const dir = join(src, "imap/server/commands");
  const files = new Set<string>();
  for (const c of commands) {
    const name = c.name.replace(/^UID /, "").toLowerCase();
    // EXAMINE is SELECT without the right to change anything.
    const file = `${name === "examine" ? "select" : name}.ts`;
    files.add(file);
    const url = new URL(`../src/imap/server/commands/${file}`, import.meta.url);
    assert.ok(Object.values(await import(url.href)).includes(c), `${file} has ${c.name}`);
  }
  assert.deepEqual([...Deno.readDirSync(dir)].map((e) => e.name).sort(), [...files].sort());
});

Deno.test("every JMAP method is in a file of its name", () => {
  const dir = join(src, "jmap/methods");
  const files = new Set([...sources(dir)].map((f) => relative(dir, f).replaceAll("\\", "/")));
  for (const m of jmapMethods) {
    const file = `${
      m.name.replace(/[A-Z]+(?![a-z])|[A-Z]/g, (c) => `_${c.toLowerCase()}`).slice(1)
    }.ts`;
    assert.ok(files.delete(file), `${file} has ${m.name}`);
  }
  assert.deepEqual([...files], []);
});
