/**
 * Message files: `msg/<shard>/<email id>` in an account's folder, and reading them.
 *
 * @module
 */
import { join } from "node:path";
import { readFileStart } from "../../platform/file_reads.ts";
import { ensureDir, linkOrCopy, OpenFolder, removeFile, syncDir } from "../../platform/files.ts";
import { type KeptFile, RecentMessages, smallFile } from "./recent_messages.ts";
import { type MessageReader, StoreError } from "../types.ts";

/** Files per folder; more would make some file systems slow. */
const filesPerShard = 8192;

/** The message files of one account. */
export class MessageFiles {
  readonly dir: string;
  readonly #madeShards = new Map<number, Promise<void>>();
  /** The folder that new files go to. */
  #newest: { shard: number; folder: OpenFolder; users: number } | undefined;
  readonly #recent = new RecentMessages();
  readonly #open = new Map<number, number>();
  readonly #removeWhenClosed = new Set<number>();

  /** @param dir the account's `msg` folder. */
  constructor(dir: string) {
    this.dir = dir;
  }

  path(emailId: number): string {
    return join(this.dir, String(Math.floor(emailId / filesPerShard)), String(emailId));
  }

  /** Creates the folder of a shard, once. */
  #make(shard: number): Promise<void> {
    let made = this.#madeShards.get(shard);
    if (!made) {
      made = ensureDir(join(this.dir, String(shard)), 0o700).then(() => syncDir(this.dir));
      made.catch(() => this.#madeShards.delete(shard));
      this.#madeShards.set(shard, made);
    }
    return made;
  }

  /**
   * Puts a file in place, by hard link or copy, and makes its name durable. The caller makes the source's
   * content durable. On failure no file is left.
   * @throws Deno.errors.AlreadyExists if the id's name is taken; errors of files.
   */
  async add(emailId: number, source: string): Promise<void> {
    const shard = Math.floor(emailId / filesPerShard);
    await this.#make(shard);
    await linkOrCopy(source, this.path(emailId));
    try {
      await this.#syncShard(shard);
    } catch (err) {
      removeFile(this.path(emailId));
      throw err;
    }
  }

  async #syncShard(shard: number): Promise<void> {
    const dir = join(this.dir, String(shard));
    let newest = this.#newest;
    if (newest?.shard !== shard) {
      if (newest && (newest.shard > shard || newest.users > 0)) return await syncDir(dir);
      newest?.folder.close();
      newest = this.#newest = { shard, folder: new OpenFolder(dir), users: 0 };
    }
    newest.users++;
    try {
      await newest.folder.sync();
    } finally {
      newest.users--;
    }
  }

  /** Closes the folder that is kept open; nothing may be added afterwards. */
  close(): void {
    this.#recent.clear();
    this.#newest?.folder.close();
    this.#newest = undefined;
  }

  /** Removes a file, once nobody has it open (Windows can't remove it before). */
  remove(emailId: number): void {
    this.#recent.forget(emailId);
    if (this.#open.has(emailId)) {
      this.#removeWhenClosed.add(emailId);
      return;
    }
    removeFile(this.path(emailId));
  }

  /**
   * Opens an email for reading by offset, with its prefix in front. If the file is shorter than its row says,
   * the rest can be read.
   * @throws errors of files
   */
  open(emailId: number, prefix: Uint8Array, size: number): MessageReader {
    const length = size - prefix.length;
    if (length <= smallFile) {
      const kept = this.#recent.get(emailId);
      // A file that was too short, or its row, may have been repaired since.
      const file = kept?.bytes.length === length
        ? kept
        : this.#recent.add(emailId, length, (buffer) => readFileStart(this.path(emailId), buffer));
      return new MemoryReader(file, prefix, prefix.length + file.bytes.length);
    }
    const file = Deno.openSync(this.path(emailId), { read: true });
    size = prefix.length + Math.min(length, file.statSync().size);
    this.#open.set(emailId, (this.#open.get(emailId) ?? 0) + 1);
    return new FileReader(file, prefix, size, () => {
      const n = this.#open.get(emailId)! - 1;
      if (n > 0) {
        this.#open.set(emailId, n);
        return;
      }
      this.#open.delete(emailId);
      if (this.#removeWhenClosed.delete(emailId)) removeFile(this.path(emailId));
    });
  }

  /** Keeps the content of a new file in memory if it is small: waiting clients will read it now. */
  keep(emailId: number, content: Uint8Array): void {
    if (content.length > smallFile) return;
    this.#recent.add(emailId, content.length, (buffer) => {
      buffer.set(content);
      return content.length;
    });
  }

  /** Ids of the files in the shard of the given id, and in the one before it. */
  recent(emailId: number): number[] {
    const last = Math.floor(emailId / filesPerShard);
    const ids: number[] = [];
    for (const shard of [last - 1, last]) {
      if (shard < 0) continue;
      try {
        for (const e of Deno.readDirSync(join(this.dir, String(shard)))) {
          const id = Number(e.name);
          if (e.isFile && Number.isSafeInteger(id)) ids.push(id);
        }
      } catch (err) {
        if (!(err instanceof Deno.errors.NotFound)) throw err;
      }
    }
    return ids;
  }
}

/** Bytes of a message between two offsets, as far as they exist. */
function readRange(reader: Omit<MessageReader, "read">, from: number, to: number): Uint8Array {
  to = Math.min(to, reader.size);
  if (from >= to) return new Uint8Array(0);
  const buffer = new Uint8Array(to - from);
  const n = reader.readInto(buffer, from);
  return n === buffer.length ? buffer : buffer.subarray(0, n);
}

/** A small message, whose file is in memory. */
class MemoryReader implements MessageReader {
  readonly size: number;
  readonly #file: KeptFile;
  readonly #prefix: Uint8Array;
  #closed = false;

  constructor(file: KeptFile, prefix: Uint8Array, size: number) {
    this.#file = file;
    this.#prefix = prefix;
    this.size = size;
    file.hold();
  }

  readInto(buffer: Uint8Array, offset: number): number {
    if (this.#closed) throw new StoreError("closed", "message reader is closed");
    let n = 0;
    const prefix = this.#prefix;
    if (offset < prefix.length) {
      const part = prefix.subarray(offset, offset + buffer.length);
      buffer.set(part);
      n = part.length;
      if (n === buffer.length) return n;
    }
    const at = offset + n - prefix.length;
    const { bytes } = this.#file;
    const part = at === 0 && bytes.length <= buffer.length - n
      ? bytes
      : bytes.subarray(at, at + buffer.length - n);
    buffer.set(part, n);
    return n + part.length;
  }

  read(from: number, to: number): Uint8Array {
    return readRange(this, from, to);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.release();
  }
}

class FileReader implements MessageReader {
  readonly size: number;
  readonly #file: Deno.FsFile;
  readonly #prefix: Uint8Array;
  readonly #onClose: () => void;
  #position = 0;
  #closed = false;

  constructor(file: Deno.FsFile, prefix: Uint8Array, size: number, onClose: () => void) {
    this.#file = file;
    this.#prefix = prefix;
    this.size = size;
    this.#onClose = onClose;
  }

  readInto(buffer: Uint8Array, offset: number): number {
    if (this.#closed) throw new StoreError("closed", "message reader is closed");
    let n = 0;
    if (offset < this.#prefix.length) {
      const part = this.#prefix.subarray(offset, offset + buffer.length);
      buffer.set(part);
      n = part.length;
    }
    while (n < buffer.length) {
      const at = offset + n - this.#prefix.length;
      if (at !== this.#position) {
        this.#file.seekSync(at, Deno.SeekMode.Start);
        this.#position = at;
      }
      const got = this.#file.readSync(n === 0 ? buffer : buffer.subarray(n));
      if (got === null || got === 0) break;
      this.#position += got;
      n += got;
      if (offset + n >= this.size) break;
    }
    return n;
  }

  read(from: number, to: number): Uint8Array {
    return readRange(this, from, to);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
    this.#onClose();
  }
}
