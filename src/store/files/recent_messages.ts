/**
 * Recently added or read small message files, in memory: several programs of a user fetch the same new
 * messages, and opening a file costs more than the rest of the answer (the runtime checks the read permission
 * with a system call for each folder of the path).
 *
 * The content of an email's file never changes (see types.ts), so no entry becomes stale. The memory is bounded
 * over all accounts: files are read into chunks one after the other, and when all chunks are full the oldest
 * one is reused.
 *
 * @module
 */

/** Files up to this many bytes are kept. */
export const smallFile = 64 * 1024;
/** Bytes of a chunk. */
const chunkBytes = 1024 * 1024;
/** Most chunks. */
const maxChunks = 24;
/** The most that is kept in total: some five thousand text messages. */
export const maxKeptBytes = maxChunks * chunkBytes;
/** A chunk survives this many checks for unused ones: those of a minute (store/unused.ts). */
const keptLooks = 4;
/** Keeps the bookkeeping of tiny messages small compared with the chunks. */
const filesPerChunk = 1024;

interface Chunk {
  bytes: Uint8Array<ArrayBuffer>;
  used: number;
  /** Its files: ids and owners. */
  files: { emailId: number; owner: Map<number, KeptFile> }[];
  /** Readers that use it at the moment. */
  users: number;
  /** Checks for unused chunks since it was last written or read. */
  unused: number;
}

/** Oldest first; the last one is being filled. */
const chunks: Chunk[] = [];

/** Removes the files of a chunk from their owners. */
function forgetFiles(chunk: Chunk): void {
  for (const { emailId, owner } of chunk.files) {
    if (owner.get(emailId)?.chunk === chunk) owner.delete(emailId);
  }
}

/**
 * Frees the chunks in which nothing was read or kept during the last {@link keptLooks} calls; returns how many.
 */
export function giveUpUnused(): number {
  let n = 0;
  for (let i = 0; i < chunks.length;) {
    const chunk = chunks[i];
    if (chunk.users > 0 || chunk.unused++ < keptLooks) {
      i++;
      continue;
    }
    chunks.splice(i, 1);
    forgetFiles(chunk);
    // Freed now: an idle server runs no garbage collection.
    chunk.bytes.buffer.transfer(0);
    n++;
  }
  return n;
}

/** A chunk with room for a file of that size. */
function chunkFor(size: number): Chunk {
  const last = chunks[chunks.length - 1];
  if (
    last !== undefined && last.used + size <= chunkBytes && last.files.length < filesPerChunk
  ) return last;
  let bytes: Uint8Array<ArrayBuffer> | undefined;
  if (chunks.length === maxChunks) {
    const oldest = chunks.shift()!;
    forgetFiles(oldest);
    // Its readers keep it; another takes its place.
    if (oldest.users === 0) bytes = oldest.bytes;
  }
  const chunk = {
    bytes: bytes ?? new Uint8Array(chunkBytes),
    used: 0,
    files: [],
    users: 0,
    unused: 0,
  };
  chunks.push(chunk);
  return chunk;
}

/** A file in memory. While it is read, `hold` and `release` protect its bytes from being overwritten. */
export class KeptFile {
  readonly chunk: Chunk;
  readonly bytes: Uint8Array;

  constructor(chunk: Chunk, bytes: Uint8Array) {
    this.chunk = chunk;
    this.bytes = bytes;
  }

  hold(): void {
    this.chunk.users++;
    this.chunk.unused = 0;
  }
  release(): void {
    this.chunk.users--;
  }
}

/** The kept files of one account. */
export class RecentMessages {
  readonly #files = new Map<number, KeptFile>();

  get(emailId: number): KeptFile | undefined {
    return this.#files.get(emailId);
  }

  /** Keeps a file. @param read fills the buffer, and returns how many bytes it read */
  add(emailId: number, size: number, read: (buffer: Uint8Array) => number): KeptFile {
    const chunk = chunkFor(size);
    const from = chunk.used;
    const n = read(chunk.bytes.subarray(from, from + size));
    const file = new KeptFile(chunk, chunk.bytes.subarray(from, from + n));
    chunk.used += n;
    chunk.unused = 0;
    chunk.files.push({ emailId, owner: this.#files });
    this.#files.set(emailId, file);
    return file;
  }

  /** Its file is gone. */
  forget(emailId: number): void {
    this.#files.delete(emailId);
  }

  clear(): void {
    this.#files.clear();
  }
}
