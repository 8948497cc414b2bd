/**
 * `deno task hook`: from now on `git commit` in this checkout runs `deno task check` first. `git commit --no-verify`
 * goes without it.
 *
 * @module
 */
import { join } from "node:path";

const asked = new Deno.Command("git", { args: ["rev-parse", "--git-path", "hooks"] }).outputSync();
if (!asked.success) {
  console.error("this folder is no git checkout");
  Deno.exit(1);
}
const folder = new TextDecoder().decode(asked.stdout).trim();
Deno.mkdirSync(folder, { recursive: true });
const path = join(folder, "pre-commit");
try {
  Deno.writeTextFileSync(path, "#!/bin/sh\nexec deno task check\n", {
    createNew: true,
    mode: 0o755,
  });
} catch (err) {
  if (!(err instanceof Deno.errors.AlreadyExists)) throw err;
  console.error(`${path} is there already; nothing was changed`);
  Deno.exit(1);
}
console.log(`${path} runs "deno task check" before each commit`);
