/** A folder of this system, read like an archive. @module */
import { join } from "node:path";
import { fileBytes } from "./file_bytes.ts";
import { type Archive, ArchiveError } from "./types.ts";

/** Levels of folders that are entered. */
const maxDepth = 50;

/** The files below a folder, in name order. Links are not followed. @throws file errors */
export function folderArchive(folder: string): Archive {
  async function* walk(below: string, depth: number): ReturnType<Archive["entries"]> {
    if (depth > maxDepth) throw new ArchiveError(`${below} is more than ${maxDepth} levels deep`);
    const list: Deno.DirEntry[] = [];
    for await (const e of Deno.readDir(join(folder, below))) list.push(e);
    list.sort((a, b) => a.name < b.name ? -1 : 1);
    for (const e of list) {
      const name = below === "" ? e.name : `${below}/${e.name}`;
      if (e.isDirectory) yield* walk(name, depth + 1);
      else if (e.isFile) {
        const path = join(folder, name);
        const { size, mtime } = await Deno.stat(path);
        yield {
          name,
          size,
          modified: mtime?.getTime() ?? Date.now(),
          pieces: () => fileBytes(path, size),
        };
      }
    }
  }
  return { entries: () => walk("", 0) };
}
