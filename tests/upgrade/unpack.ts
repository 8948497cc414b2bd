/** Data folders of earlier versions, packed as JSON of their files. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

/** Those that are here, oldest first. */
export const packedFolders = [
  "data-1.json.gz",
  "data-2.json.gz",
  "data-3.json.gz",
  "data-4.json.gz",
  "data-5.json.gz",
  "data-6.json.gz",
  "data-7.json.gz",
];

const here = dirname(fileURLToPath(import.meta.url));

/** Makes `config` and `data` of a packed folder in a folder. */
export async function unpackTestData(name: string, dir: string): Promise<void> {
  const bytes = gunzipSync(await Deno.readFile(join(here, name)));
  const files: Record<string, string> = JSON.parse(new TextDecoder().decode(bytes));
  for (const [path, content] of Object.entries(files)) {
    const to = join(dir, path);
    if (path.endsWith("/")) {
      await Deno.mkdir(to, { recursive: true });
      continue;
    }
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.writeFile(to, Buffer.from(content, "base64"));
  }
}
