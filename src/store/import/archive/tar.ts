/** Reading tar archives, with or without gzip. @module */
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { rareModule } from "../../../platform/rare_modules.ts";
import { fileBytes } from "./file_bytes.ts";
import { type Archive, ArchiveError, checkedName, Meter } from "./types.ts";

/** The library. */
export const tarLibrary = rareModule<typeof import("./tar_package.ts")>(
  new URL("./tar_package.ts", import.meta.url),
);

function damaged(err: unknown): ArchiveError {
  if (err instanceof ArchiveError) return err;
  const why = err instanceof Error ? err.message : String(err);
  return new ArchiveError(`the tar archive is damaged: ${why}`, { cause: err });
}

/** A tar archive in a file. */
export function tarArchive(path: string, gzip: boolean): Archive {
  return {
    async *entries() {
      const meter = new Meter();
      const { size: packed } = await Deno.stat(path);
      const tar = await tarLibrary();
      const source = Readable.from(fileBytes(path));
      const extract = tar.extract();
      const gunzip = gzip ? createGunzip() : undefined;
      source.on("error", (e) => (gunzip ?? extract).destroy(e));
      gunzip?.on("error", (e) => extract.destroy(e));
      (gunzip ? source.pipe(gunzip) : source).pipe(extract);
      let total = 0;
      let ended = false;
      try {
        for await (const e of extract) {
          meter.entry();
          const { header } = e;
          const name = checkedName(header.name);
          if (header.type === "symlink" || header.type === "link") {
            throw new ArchiveError(`${JSON.stringify(name)} is a link: it is refused`);
          }
          if (header.type !== "file" && header.type !== "contiguous-file") {
            e.resume();
            continue;
          }
          let read = false;
          yield {
            name,
            size: header.size,
            modified: header.mtime?.getTime() ?? Date.now(),
            async *pieces() {
              read = true;
              try {
                for await (const piece of e) {
                  total += (piece as Uint8Array).length;
                  // The compressed size of a single file isn't known.
                  meter.bytes((piece as Uint8Array).length, name, total, packed);
                  yield piece as Uint8Array;
                }
              } catch (err) {
                throw damaged(err);
              }
            },
          };
          if (!read) e.resume();
        }
        ended = true;
      } catch (err) {
        throw damaged(err);
      } finally {
        source.destroy();
        gunzip?.destroy();
        if (!ended) extract.destroy();
      }
    },
  };
}
