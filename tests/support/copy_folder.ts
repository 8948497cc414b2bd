/** A copy of a folder as it is at this moment, as a crash would leave it. */
import { join } from "node:path";

export async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const e of Deno.readDir(from)) {
    const [a, b] = [join(from, e.name), join(to, e.name)];
    if (e.isDirectory) await copyFolder(a, b);
    else if (e.isFile) await Deno.copyFile(a, b);
  }
}
