/** The folder of a node in tests: its mox.conf, and its key. */
import assert from "node:assert/strict";
import { moxIn } from "./instance.ts";

/**
 * Makes it, readable by the user that the server drops to.
 * @param moxConf text of mox.conf; its DataDir is `../data`
 * @param flags of `mox node key`
 */
export async function makeNodeFolder(
  prefix: string,
  moxConf: string,
  ...flags: string[]
): Promise<{ dir: string; key: string }> {
  const dir = await Deno.makeTempDir({ prefix });
  await Deno.chmod(dir, 0o755);
  await Deno.mkdir(`${dir}/config`);
  await Deno.writeTextFile(`${dir}/config/mox.conf`, moxConf);
  const made = await moxIn(dir, ["node", "key", ...flags, "-dir", `${dir}/data`]);
  assert.equal(made.code, 0, made.stderr);
  return { dir, key: made.stdout.trim() };
}
