/**
 * `deno run -A scripts/smoke.ts PROGRAM [ARGUMENT ...]`: whether a built program works: a session of localserve,
 * and on Linux, as root, an administrator's first hour. Prints a line for each step with what came back.
 *
 * @module
 */
import { join } from "node:path";
import { firstHour, hindrance } from "./smoke/first_hour.ts";
import { smokeLocalserve } from "./smoke/localserve.ts";

if (Deno.args.length === 0) {
  console.error("usage: smoke.ts PROGRAM [ARGUMENT ...]");
  Deno.exit(2);
}
const program = [await Deno.realPath(Deno.args[0]), ...Deno.args.slice(1)];
const dir = await Deno.makeTempDir({ prefix: "mox-smoke-" });
await Deno.chmod(dir, 0o755).catch(() => {});
let steps = 0;
const done = (step: string, cameBack: string) => {
  console.log(`${String(++steps).padStart(2)}. ${step}: ${cameBack}`);
};
try {
  const local = join(dir, "localserve");
  await Deno.mkdir(local);
  await smokeLocalserve(program, local, 14_000);
  done("localserve", "a mail in, a mail out by submission, both read by IMAP, stopped");
  const why = hindrance();
  if (why !== undefined) console.log(`the first hour of a server is left out: ${why}`);
  else {
    const hour = join(dir, "hour");
    await Deno.mkdir(hour);
    await firstHour({ program, dir: hour, done });
  }
  console.log("it works");
} catch (err) {
  console.error(err instanceof Error ? err.message : err);
  Deno.exitCode = 1;
} finally {
  await Deno.remove(dir, { recursive: true });
}
