/** The flags of the runtime: one list, in all places where the program is started. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  narrowedFlags,
  runtimeAssignments,
  runtimeFlags,
} from "../../src/commands/runtime_flags.ts";
import config from "../../deno.json" with { type: "json" };

const root = fileURLToPath(new URL("../..", import.meta.url));

Deno.test("the tasks of deno.json start the program with the flags that are shipped", () => {
  const serve = narrowedFlags({ write: ["config", "data"] });
  assert.equal(
    config.tasks.serve.command,
    `${runtimeAssignments} deno run --lock=deno.lock --frozen ${serve.join(" ")} main.ts serve`,
  );
  assert.equal(
    config.tasks.localserve.command,
    `${runtimeAssignments} deno run --lock=deno.lock --frozen ${
      runtimeFlags.join(" ")
    } main.ts localserve`,
  );
});

Deno.test("images start it with the runtime's variables", () => {
  for (const file of ["Dockerfile", "Dockerfile.alpine"]) {
    assert.ok(
      Deno.readTextFileSync(join(root, file)).includes(`ENV ${runtimeAssignments}\n`),
      file,
    );
  }
});

Deno.test("no flag grants all of the system, of the environment, or programs", () => {
  for (const flag of runtimeFlags) {
    assert.doesNotMatch(
      flag,
      /^(?:-A|--allow-all|--allow-run|--allow-import|--allow-sys|--allow-env)$/,
    );
  }
});

function* files(dir: string): Generator<string> {
  for (const e of Deno.readDirSync(dir)) {
    const path = join(dir, e.name);
    if (e.isDirectory) yield* files(path);
    else if (/\.(?:ts|sh|yml|md)$/.test(e.name)) yield path;
  }
}

Deno.test("nothing starts the program with other flags: tests, scripts, docs and workflows", () => {
  const wrong: string[] = [];
  for (const folder of ["tests", "scripts", "docs", ".github", "src/commands"]) {
    for (const file of files(join(root, folder))) {
      const path = relative(root, file).replaceAll("\\", "/");
      if (["src/commands/runtime_flags.ts", "tests/scripts/flags_test.ts"].includes(path)) continue;
      const text = Deno.readTextFileSync(file);
      // Whoever names the program's main module takes the flags from the list.
      const starts = /(?<![a-z]\/)\bmain\.ts\b/.test(text) && /Deno\.Command|deno run/.test(text);
      const own = /--allow-(?!all scripts|all tests)[a-z]+|["' ]-A["' ]|--deny-|--v8-flags/.exec(
        text,
      );
      if (starts && own) wrong.push(`${path}: ${own[0]}`);
    }
  }
  assert.deepEqual(wrong, []);
});
