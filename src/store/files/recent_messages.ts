/**
 * Small message files that came or were read lately, in memory: several programs of a person fetch the same new
 * messages, and opening a file costs more than all else of answering with it (a permission of the runtime to
 * read is checked with a system call for each folder of the path).
 *
 * What an email's file holds never changes (see types.ts), so nothing has to be kept up to date. The memory is
 * bounded over all accounts: files are read into chunks one after the other, and when all chunks are
 * full the oldest one is used again.
 *
 * @module
 */

/** Files up to so many bytes are kept. */
export const smallFile = 64 * 1024;
/** Bytes of a chunk. */
const chunkBytes = 1024 * 1024;
/** Chunks that there are at most. */
const maxChunks = 24;
/** Together: the most that is kept, some five thousand messages of text. */
export const maxKeptBytes = maxChunks * chunkBytes;
/** Looks for unused chunks that one outlives: those of a minute (store/unused.ts). */
const keptLooks = 4;
/** So that the bookkeeping of tiny messages stays small beside the chunks. */
const filesPerChunk = 1024;

interface Chunk {
  bytes: Uint8Array<ArrayBuffer>;
  used: number;
  /** What is in it: ids, and whose they are. */
  files: { emailId: number; owner: Map<number, KeptFile> }[];
  /** Readers that look at it now. */
  users: number;
  /** Looks for unused ones since it was written or read last. */
  unused: number;
}

/** Oldest first; the last one is being filled. */
const chunks: Chunk[] = [];

/** Takes from their owners what is in a chunk. */
function forgetFiles(chunk: Chunk): void {
  for (const { emailId, owner } of chunk.files) {
    if (owner.get(emailId)?.chunk === chunk) owner.delete(emailId);
  }
}

/** Gives up the chunks of which nothing was read or kept in the last {@link keptLooks} calls; how many. */
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
    // At once: a server that has nothing to do collects no garbage.
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
    // Whoever still reads it keeps it; another takes its place.
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

/** A file in memory. While it is read, `hold` and `release` keep its bytes from being written over. */
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

  /** Keeps a file. @param read fills the buffer, and returns how many bytes there were */
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
