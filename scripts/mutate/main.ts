/**
 * `deno task mutate folder [--sample=N] [--minutes=N] [--jobs=N] [--seconds=N] [--tests=PATHS]`: plants small bugs in
 * the files of a folder of src (or in one file), one after the other, runs the folder's own tests, and lists the bugs that
 * none of them catches.
 *
 * - `--sample=N` so many bugs, chosen by a hash: more of them include those of a smaller sample (default: all);
 * - `--minutes=N` ends after that time; the next run goes on (default: no end);
 * - `--jobs=N` bugs at a time (default: 2);
 * - `--seconds=N` test files that take longer are left out (default: 20);
 * - `--tests=PATHS` these tests alone, separated by commas, such as those that are just being written.
 *
 * docs/testing.md has a table of the last run.
 *
 * @module
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { harmless } from "./harmless.ts";
import { testsOf } from "./modules.ts";
import { type Bug, bugsIn } from "./plant.ts";
import { type Baseline, hashOf, Results } from "./results.ts";
import { Workspace } from "./workspace.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");

interface Planted extends Bug {
  path: string;
  source: string;
  key: string;
}

function* filesBelow(path: string): Generator<string> {
  if (Deno.statSync(path).isFile) {
    yield path;
    return;
  }
  for (const e of [...Deno.readDirSync(path)].sort((a, b) => a.name < b.name ? -1 : 1)) {
    const below = join(path, e.name);
    if (e.isDirectory) yield* filesBelow(below);
    else if (e.name.endsWith(".ts")) yield below;
  }
}

/** The bugs of a folder, in an order that is the same each time and has nothing to do with their places. */
function planted(folder: string): Planted[] {
  const all: Planted[] = [];
  for (const file of filesBelow(join(root, "src", folder))) {
    const source = Deno.readTextFileSync(file);
    const path = relative(root, file);
    const text = hashOf(source);
    for (const bug of bugsIn(file, source)) {
      const key = hashOf(path, text, `${bug.start}-${bug.end}`, bug.text);
      all.push({ ...bug, path, source, key });
    }
  }
  return all.sort((a, b) => a.key < b.key ? -1 : 1);
}

function withBug(b: Planted): string {
  return b.source.slice(0, b.start) + b.text + b.source.slice(b.end);
}

function shown(b: Planted): string {
  const short = (s: string) => s.replace(/\s+/g, " ").slice(0, 70);
  return `${b.path}:${b.line}  ${b.kind}: ${short(b.source.slice(b.start, b.end))}  =>  ${
    short(b.text)
  }`;
}

/** Lines around a bug's of which a test has to reach one: the report counts a line as missed if a part of it is. */
const near = 6;

/** The test files that reach a bug. */
function reaching(known: ReadonlyMap<string, Baseline>, b: Planted): string[] {
  return [...known].filter(([, base]) =>
    base.lines[b.path]?.some((l) => Math.abs(l - b.line) <= near)
  ).map(([file]) => file);
}

/** Why a survivor doesn't matter; undefined if that isn't known. */
function whyHarmless(b: Planted): string | undefined {
  const line = b.source.split("\n")[b.line - 1].trim();
  return harmless.find((h) =>
    b.path === `src/${h.file}` && line.includes(h.line) &&
    (h.becomes === undefined || h.becomes === b.text)
  )?.why;
}

/** What each test file reaches, and how long it takes without bugs. */
async function baselines(
  folder: string,
  results: Results,
  workspace: Workspace,
  seconds: number,
): Promise<Map<string, Baseline>> {
  const found = new Map<string, Baseline>();
  const sources = hashOf(
    ...[...filesBelow(join(root, "src", folder))].map((f) => Deno.readTextFileSync(f)),
  );
  for (const tests of values.tests?.split(",") ?? testsOf(folder)) {
    for (const path of filesBelow(join(root, tests))) {
      if (!path.endsWith("_test.ts")) continue;
      const file = relative(root, path);
      const hash = hashOf(Deno.readTextFileSync(path), sources);
      let b = results.baseline(file, hash);
      if (!b) {
        const { run, lines } = await workspace.coverage(file, folder);
        b = {
          hash,
          ms: Math.round(run.ms),
          lines: Object.fromEntries([...lines].map(([p, l]) => [p, [...l]])),
          unfit: run.passed ? "" : `fails without bugs: ${run.failed}`,
        };
        results.setBaseline(file, b);
      }
      if (b.unfit === "" && b.ms > seconds * 1000) {
        console.log(`${file} takes ${Math.round(b.ms / 1000)} s and is left out`);
      } else if (b.unfit !== "") console.log(`${file} is left out: it ${b.unfit}`);
      else found.set(file, b);
    }
  }
  return found;
}

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    sample: { type: "string" },
    minutes: { type: "string" },
    jobs: { type: "string", default: "2" },
    seconds: { type: "string", default: "20" },
    tests: { type: "string" },
  },
});
const folder = positionals[0]?.replace(/^src\//, "").replace(/\/$/, "");
if (!folder) {
  console.error("which folder of src? such as: deno task mutate delivery");
  Deno.exit(2);
}
const results = new Results(join(root, ".cache/mutate", `${folder.replaceAll("/", "-")}.json`));
const all = planted(folder);
const sample = all.slice(0, values.sample === undefined ? all.length : Number(values.sample));
const end = values.minutes === undefined ? Infinity : Date.now() + Number(values.minutes) * 60_000;
const workspaces = await Promise.all(
  Array.from({ length: Number(values.jobs) }, () => Workspace.make(root)),
);
let tried = 0;
try {
  const known = await baselines(folder, results, workspaces[0], Number(values.seconds));
  /** How often a test file caught something: those that do often are run first. */
  const caught = new Map<string, number>();
  const worth = (f: string) => ((caught.get(f) ?? 0) + 1) / known.get(f)!.ms;

  const attempt = async (b: Planted, workspace: Workspace): Promise<void> => {
    const files = reaching(known, b);
    const tests = hashOf(...files.map((f) => known.get(f)!.hash));
    if (results.result(b.key, tests)) return;
    tried++;
    workspace.write(b.path, withBug(b));
    try {
      for (const f of files.sort((x, y) => worth(y) - worth(x))) {
        const run = await workspace.test([f], 10_000 + 6 * known.get(f)!.ms);
        if (run.passed) continue;
        caught.set(f, (caught.get(f) ?? 0) + 1);
        const by = run.timedOut ? `${f}: takes too long` : `${f}: ${run.failed}`;
        results.setResult(b.key, { status: "caught", by, tests });
        return;
      }
      results.setResult(b.key, { status: "survived", by: files.length === 0 ? "" : "all", tests });
    } finally {
      workspace.write(b.path, b.source);
    }
  };
  const waiting = sample.values();
  await Promise.all(workspaces.map(async (workspace) => {
    for (const b of waiting) {
      if (Date.now() > end) return;
      await attempt(b, workspace);
    }
  }));

  const survivors: Planted[] = [];
  const named: string[] = [];
  let [done, killed, unreached] = [0, 0, 0];
  for (const b of sample) {
    const files = reaching(known, b);
    const r = results.result(b.key, hashOf(...files.map((f) => known.get(f)!.hash)));
    if (!r) continue;
    done++;
    if (r.status === "caught") killed++;
    else {
      const why = whyHarmless(b);
      if (why === undefined) survivors.push(b);
      else named.push(`${shown(b)}\n    harmless: ${why}`);
      if (why === undefined && files.length === 0) unreached++;
    }
  }
  survivors.sort((a, b) => a.path < b.path ? -1 : a.path > b.path ? 1 : a.line - b.line);
  for (const b of survivors) console.log(shown(b));
  for (const n of named) console.log(n);
  const counted = done - named.length;
  console.log(
    `\n${folder}: ${all.length} bugs can be planted; ${done} were (${tried} of them now): ` +
      `${killed} caught, ${survivors.length} survived (${unreached} in lines that no test reaches), ` +
      `${named.length} named harmless; ${
        (100 * killed / Math.max(1, counted)).toFixed(1)
      } % caught`,
  );
} finally {
  for (const w of workspaces) await w.remove();
}
