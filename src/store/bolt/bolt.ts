/**
 * Reading bbolt files, the format in which the Go original keeps its data: a B+tree of pages, with buckets
 * within buckets. Nothing is ever written, and nothing is trusted: each page's number, kind and bounds are
 * checked, and a tree can neither be deeper nor have more pages than the file.
 *
 * A file is pages of the same size (the page size of the machine that made it, mostly 4096 bytes). A page
 * begins with its number (8 bytes), its kind (2), its number of elements (2), and the number of further pages
 * that belong to it (4), all little-endian. Pages 0 and 1 are metas; the one with a valid checksum and the
 * higher transaction is used; it names the page of the root bucket. Elements of a leaf have 16 bytes: whether
 * the value is a bucket, the offset of the key from the element, and the lengths of key and value. Those of a
 * branch: offset and length of the key, and a page. The value of a bucket is the page of its own root and a
 * counter (16 bytes); if that page is 0, its only page follows in the value.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** A file that can't be read; the message names the file and what is wrong where. */
export class BoltError extends Error {
  override name = "BoltError";
}

const pageHeader = 16;
const kindBranch = 1, kindLeaf = 2, kindMeta = 4;
const magic = 0xed0cdaed;
/** Largest page size; bbolt's are the operating system's. */
const maxPageSize = 65536;
/** Levels of a tree: 2^40 elements have fewer. */
const maxDepth = 40;
/**
 * Largest page including its further pages: bbolt's values are at most 2 GB, those of the original far smaller.
 */
const maxLeaf = 256 * 1024 * 1024;

interface Meta {
  pageSize: number;
  root: number;
  /** Number of pages of the file that are in use. */
  highWater: number;
  transaction: bigint;
}

/** An element of a bucket. The bytes are valid until the next one is read: copy what you keep. */
export interface BoltEntry {
  key: Buffer;
  /** A value, or a bucket. */
  value: Buffer | BoltBucket;
}

/** True if a file begins like a bbolt file. @throws errors of the file system, except for a missing file */
export function isBoltFile(path: string): boolean {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true });
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return false;
    throw err;
  }
  try {
    const head = Buffer.alloc(pageHeader + 4);
    return readFully(file, head, 0) === head.length && head.readUInt32LE(pageHeader) === magic;
  } finally {
    file.close();
  }
}

function readFully(file: Deno.FsFile, into: Uint8Array, offset: number): number {
  file.seekSync(offset, Deno.SeekMode.Start);
  let n = 0;
  while (n < into.length) {
    const got = file.readSync(into.subarray(n));
    if (got === null || got === 0) break;
    n += got;
  }
  return n;
}

/** 64-bit FNV-1a, the checksum of the metas. */
function fnv64(bytes: Uint8Array): bigint {
  let h = 0xcbf29ce484222325n;
  for (const b of bytes) h = ((h ^ BigInt(b)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return h;
}

/** A file as it was when opened. */
export class BoltFile {
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #meta: Meta;
  readonly #size: number;

  private constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.#file = file;
    this.#size = file.statSync().size;
    this.#meta = this.#readMeta();
  }

  /** @throws BoltError if it is not such a file, is damaged, or is in use; errors of the file system */
  static open(path: string): BoltFile {
    const file = Deno.openSync(path, { read: true });
    try {
      // bbolt holds a lock of the whole file while a program has it open.
      if (!file.tryLockSync(false)) {
        throw new BoltError(`${path}: is in use: stop the server that it belongs to first`);
      }
      return new BoltFile(path, file);
    } catch (err) {
      file.close();
      throw err;
    }
  }

  /** An error that names the file. */
  error(what: string): BoltError {
    return new BoltError(`${this.path}: ${what}`);
  }

  #readMeta(): Meta {
    const first = this.#metaAt(0);
    const sizes = first ? [first.pageSize] : [4096, 8192, 16384, 65536];
    let best = first;
    for (const size of sizes) {
      const second = this.#metaAt(size);
      if (!second || second.pageSize !== size) continue;
      if (!best || second.transaction > best.transaction) best = second;
      break;
    }
    if (!best) throw this.error("is not a bbolt database, or both its meta pages are damaged");
    if (best.highWater * best.pageSize > this.#size) {
      throw this.error(
        `is cut off: it has ${this.#size} bytes, of ${best.highWater * best.pageSize}`,
      );
    }
    return best;
  }

  #metaAt(offset: number): Meta | undefined {
    const b = Buffer.alloc(pageHeader + 64);
    if (readFully(this.#file, b, offset) !== b.length) return undefined;
    if ((b.readUInt16LE(8) & kindMeta) === 0) return undefined;
    const m = b.subarray(pageHeader);
    if (m.readUInt32LE(0) !== magic || m.readUInt32LE(4) !== 2) return undefined;
    if (fnv64(m.subarray(0, 56)) !== m.readBigUInt64LE(56)) return undefined;
    const pageSize = m.readUInt32LE(8);
    if (pageSize < 512 || pageSize > maxPageSize || (pageSize & (pageSize - 1)) !== 0) {
      return undefined;
    }
    const pages = Number(m.readBigUInt64LE(40));
    return {
      pageSize,
      root: Number(m.readBigUInt64LE(16)),
      highWater: pages,
      transaction: m.readBigUInt64LE(48),
    };
  }

  /** The bucket that holds all others. */
  root(): BoltBucket {
    return new BoltBucket(this, this.#meta.root, undefined);
  }

  /** Number of pages of the file: no tree has more. */
  get pages(): number {
    return this.#meta.highWater;
  }

  /** A page with its further pages, checked. */
  page(id: number): Page {
    const { pageSize, highWater } = this.#meta;
    if (!Number.isSafeInteger(id) || id < 2 || id >= highWater) {
      throw this.error(`page ${id} is named, but the file has ${highWater}`);
    }
    let bytes = Buffer.alloc(pageSize);
    this.#fill(bytes, id);
    if (bytes.readBigUInt64LE(0) !== BigInt(id)) {
      throw this.error(`page ${id} is damaged: it says that it is another one`);
    }
    const more = bytes.readUInt32LE(12);
    if (more > 0) {
      const size = (more + 1) * pageSize;
      if (size > maxLeaf || id + more >= highWater) {
        throw this.error(`page ${id} is damaged: ${more} pages more than there can be`);
      }
      bytes = Buffer.alloc(size);
      this.#fill(bytes, id);
    }
    return new Page(this, `page ${id}`, bytes);
  }

  #fill(bytes: Buffer, id: number): void {
    if (readFully(this.#file, bytes, id * this.#meta.pageSize) !== bytes.length) {
      throw this.error(`page ${id} is cut off`);
    }
  }

  /**
   * Closes it. @throws BoltError if it was written to meanwhile, as then what was read is useless (not after an
   * error: pass `failed`)
   */
  close(failed = false): void {
    try {
      if (failed) return;
      const now = this.#readMeta();
      if (now.transaction !== this.#meta.transaction) {
        throw this.error(
          "was written to while it was read: stop the server that it belongs to first",
        );
      }
    } finally {
      this.#file.close();
    }
  }
}

/** A leaf or branch, with its elements. */
class Page {
  readonly leaf: boolean;
  readonly count: number;
  readonly #file: BoltFile;
  readonly #name: string;
  readonly #bytes: Buffer;

  constructor(file: BoltFile, name: string, bytes: Buffer) {
    this.#file = file;
    this.#name = name;
    this.#bytes = bytes;
    if (bytes.length < pageHeader) throw this.#error("too short");
    const kind = bytes.readUInt16LE(8);
    if (kind !== kindLeaf && kind !== kindBranch) throw this.#error(`of unknown kind ${kind}`);
    this.leaf = kind === kindLeaf;
    this.count = bytes.readUInt16LE(10);
    if (pageHeader + this.count * 16 > bytes.length) throw this.#error("has too many elements");
    if (!this.leaf && this.count === 0) throw this.#error("a branch without elements");
  }

  #error(what: string): BoltError {
    return this.#file.error(`${this.#name} is damaged: ${what}`);
  }

  #slice(from: number, length: number): Buffer {
    const end = from + length;
    if (from < pageHeader + this.count * 16 || end > this.#bytes.length) {
      throw this.#error("an element reaches out of it");
    }
    return this.#bytes.subarray(from, end);
  }

  /** An element of a leaf; `flags` 1 is a bucket. */
  element(i: number): { flags: number; key: Buffer; value: Buffer } {
    const at = pageHeader + i * 16;
    const b = this.#bytes;
    const flags = b.readUInt32LE(at);
    const from = at + b.readUInt32LE(at + 4);
    const keyLength = b.readUInt32LE(at + 8);
    const key = this.#slice(from, keyLength);
    return { flags, key, value: this.#slice(from + keyLength, b.readUInt32LE(at + 12)) };
  }

  /** The page that an element of a branch points to. */
  child(i: number): number {
    const at = pageHeader + i * 16;
    this.#slice(at + this.#bytes.readUInt32LE(at), this.#bytes.readUInt32LE(at + 4));
    return Number(this.#bytes.readBigUInt64LE(at + 8));
  }
}

/** Keys and values in order of the keys. */
export class BoltBucket {
  readonly #file: BoltFile;
  readonly #root: number;
  readonly #inline: Buffer | undefined;

  constructor(file: BoltFile, root: number, inline: Buffer | undefined) {
    this.#file = file;
    this.#root = root;
    this.#inline = inline;
  }

  /** All elements, in order. @throws BoltError */
  *entries(): Generator<BoltEntry> {
    const file = this.#file;
    let visited = 0;
    let before: Buffer | undefined;
    const stack: { page: Page; next: number }[] = [];
    const push = (page: Page) => {
      if (++visited > file.pages || stack.length >= maxDepth) {
        throw file.error("is damaged: its pages lead back to one another");
      }
      stack.push({ page, next: 0 });
    };
    push(
      this.#inline !== undefined
        ? new Page(file, "a page within a value", this.#inline)
        : file.page(this.#root),
    );
    while (stack.length > 0) {
      const top = stack[stack.length - 1];
      if (top.next >= top.page.count) {
        stack.pop();
        continue;
      }
      const i = top.next++;
      if (!top.page.leaf) {
        push(file.page(top.page.child(i)));
        continue;
      }
      const { flags, key, value } = top.page.element(i);
      if (before !== undefined && Buffer.compare(before, key) >= 0) {
        throw file.error("is damaged: keys are out of order");
      }
      before = Buffer.from(key);
      yield { key, value: (flags & 1) === 0 ? value : this.#bucket(value) };
    }
  }

  #bucket(value: Buffer): BoltBucket {
    if (value.length < 16) throw this.#file.error("is damaged: a bucket without a root");
    const root = Number(value.readBigUInt64LE(0));
    return new BoltBucket(this.#file, root, root === 0 ? value.subarray(16) : undefined);
  }

  /** The bucket of a name; undefined if there is none. */
  bucket(name: string): BoltBucket | undefined {
    for (const { key, value } of this.entries()) {
      if (value instanceof BoltBucket && key.toString() === name) return value;
    }
    return undefined;
  }
}
