/** The types of archives. @module */

/** A file in an archive. */
export interface ArchiveEntry {
  /** With "/" between levels, as in the archive; checked to stay inside it. */
  name: string;
  /** Bytes; undefined if known only at the end. */
  size: number | undefined;
  /** Milliseconds. */
  modified: number;
  /** The content, readable once, before the next entry is requested. */
  pieces(): AsyncIterable<Uint8Array>;
}

/** An archive that can be read again from its start. */
export interface Archive {
  /** Files, in their order; folders are left out. @throws ArchiveError, also while pieces are read */
  entries(): AsyncGenerator<ArchiveEntry>;
}

/** An archive that can't be used; the text says why, and names the file in it. */
export class ArchiveError extends Error {
  override name = "ArchiveError";
}

/** Limits against archives made to fill disks. */
export const limits = {
  /** Total bytes of all files. */
  content: 200e9,
  /** Files. */
  entries: 3_000_000,
  /** Factor by which a file may grow, beyond the first megabyte. */
  ratio: 1000,
  /** Characters of a name. */
  name: 4000,
};

/** The name in a form that stays below the folder. @throws ArchiveError */
export function checkedName(name: string): string {
  const clean = name.replaceAll("\\", "/").replace(/^(?:\.\/)+/, "");
  const quoted = JSON.stringify(name.slice(0, 200));
  if (clean.length > limits.name) throw new ArchiveError(`a name in it is too long: ${quoted}`);
  if (clean.startsWith("/") || /^[A-Za-z]:/.test(clean)) {
    throw new ArchiveError(`${quoted} is no name below the archive: it is refused`);
  }
  if (clean.split("/").includes("..")) {
    throw new ArchiveError(`${quoted} leads out of the archive: it is refused`);
  }
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(clean)) {
    throw new ArchiveError(`${quoted} has a control character: it is refused`);
  }
  return clean;
}

/** Counts the unpacked data of an archive. */
export class Meter {
  #entries = 0;
  #content = 0;

  entry(): void {
    if (++this.#entries > limits.entries) throw new ArchiveError("too many files in it");
  }

  /** Counts bytes of a file, with its packed size. */
  bytes(count: number, name: string, soFar: number, packed: number): void {
    this.#content += count;
    if (this.#content > limits.content) {
      throw new ArchiveError(`what is in it is larger than ${limits.content} bytes`);
    }
    if (soFar > 1e6 && soFar > packed * limits.ratio) {
      throw new ArchiveError(`${JSON.stringify(name)} is packed more tightly than mail can be`);
    }
  }
}
