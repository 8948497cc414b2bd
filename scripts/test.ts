/**
 * `deno task test`: the whole suite, in parallel, with a closing line `N passed, N failed`.
 *
 * Arguments are handed on to `deno test`, so `deno task test tests/imap` runs a part. Tests that need
 * programs which aren't installed are named at the end.
 *
 * @module
 */
import { locked } from "./build/bundle.ts";
import { missingPrograms } from "../tests/support/programs.ts";

/** Files at a time: one more than there are cores, as many a test waits for a program, a timer or a disk. */
const jobs = Deno.env.get("DENO_JOBS") ?? String(navigator.hardwareConcurrency + 1);

const paths = Deno.args.length > 0 ? Deno.args : ["tests"];
const command = new Deno.Command(Deno.execPath(), {
  args: [
    "test",
    ...locked,
    "--allow-all",
    "--no-check",
    "--parallel",
    ...paths,
  ],
  env: { DENO_JOBS: jobs },
  stdin: "null",
  stdout: "piped",
  stderr: "inherit",
});
const child = command.spawn();

let tail = "";
const decoder = new TextDecoder();
for await (const chunk of child.stdout) {
  await Deno.stdout.write(chunk);
  tail = (tail + decoder.decode(chunk, { stream: true })).slice(-4000);
}
const { code } = await child.status;

const skipped = missingPrograms();
if (skipped.length > 0) {
  console.log(`\nskipped, as these programs are not installed: ${skipped.join(", ")}`);
}
// deno-lint-ignore no-control-regex -- colours of the terminal
const plain = tail.replace(/\u001b\[[0-9;]*m/g, "");
const counts = [
  ...plain.matchAll(/\| (\d+) passed(?: \(\d+ steps?\))? \| (\d+) failed(?:.*?\| (\d+) ignored)?/g),
].at(-1);
const passed = counts ? Number(counts[1]) : 0;
const failed = counts ? Number(counts[2]) : 0;
const ignored = counts?.[3] ? `, ${counts[3]} skipped` : "";
console.log(
  `\n${passed} passed, ${Math.max(failed, code !== 0 && failed === 0 ? 1 : 0)} failed${ignored}`,
);
Deno.exit(code);
