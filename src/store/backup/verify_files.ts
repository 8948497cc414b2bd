/** Message files against the rows that name them. @module */
import { join } from "node:path";
import { fileName, files } from "./copy.ts";
import type { Say } from "./verify_rows.ts";

/**
 * Each row has a message file of the right size, and there are no other files except those that the next start
 * removes.
 */
export function messageFiles(
  dir: string,
  wanted: readonly [number, number][],
  erased: readonly number[],
  fix: boolean,
  tell: Say,
): void {
  const msg = join(dir, "msg");
  const here = new Set<string>();
  try {
    for (const name of files(msg)) here.add(name);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
  for (const id of erased) here.delete(fileName(id));
  for (const [id, size] of wanted) {
    const name = fileName(id);
    const path = join(msg, name);
    if (!here.delete(name)) {
      tell(`${path}: missing`);
      continue;
    }
    const real = Deno.statSync(path).size;
    if (real === size) continue;
    tell(
      `${path}: ${real < size ? "truncated" : "too large"}, ${real} bytes in place of ${size}; ` +
        `"mox fixmsgsize" accepts it as it is`,
    );
  }
  for (const name of here) {
    const path = join(msg, name);
    let fixed: string | undefined;
    if (fix) {
      // Kept elsewhere: it may be all that is left of a message.
      const aside = join(dir, "extra-files");
      Deno.mkdirSync(aside, { recursive: true, mode: 0o700 });
      const to = join(aside, name.replace("/", "-"));
      Deno.renameSync(path, to);
      fixed = `moved to ${to}`;
    }
    tell(`${path}: no row names this file`, fixed);
  }
}
