/**
 * Files uploaded by clients (RFC 8620 §6.1): kept for a day, under `uploads/<account>` in the data folder, so
 * that an upload answered with 201 still exists after a restart. Each is visible only to its uploader: file
 * names of uploads by users other than the account's owner end with "-" and the name of the uploader's account.
 * Limits are per uploader, so that guests can't use up the owner's room.
 *
 * @module
 */
import { join } from "node:path";
import { giveBack } from "../../platform/bytes.ts";
import { ensureDir, removeFile, syncDir } from "../../platform/files.ts";

/** Milliseconds that a file is kept, and the least time when room is needed. */
const keepTime = 24 * 3600_000;
const minKeepTime = 3600_000;
/** Most files of an uploader in an account. */
const maxFiles = 2000;
/** Milliseconds between checks for old files. */
const sweepTime = 600_000;

/** An uploaded file. */
export interface Upload {
  id: string;
  /** Account of the uploader. */
  by: string;
  path: string;
  size: number;
  /** Milliseconds since the epoch. */
  uploaded: number;
}

/** An uploader has reached the limit in an account for now. */
export class UploadLimitError extends Error {
  override name = "UploadLimitError";
}

/** Form of the ids of uploads. */
export const uploadIdForm = /^U[0-9a-f]{32}$/;
/** Names of the files; an incomplete one is the id with ".part". */
const fileForm = /^(U[0-9a-f]{32})(?:-(.+))?$/;

export class Uploads {
  readonly #dir: string;
  /** Total bytes of an uploader's files in an account. */
  readonly #maxBytes: number;
  readonly #accounts = new Map<string, Map<string, Upload>>();
  /** Bytes of incomplete files, by account and uploader. */
  readonly #growing = new Map<string, number>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param maxSize most bytes of one upload */
  constructor(dataDir: string, maxSize: number) {
    this.#dir = join(dataDir, "uploads");
    this.#maxBytes = Math.max(4 * maxSize, 500_000_000);
    this.#timer = setInterval(() => this.#sweep(), sweepTime);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #files(account: string): Map<string, Upload> {
    const known = this.#accounts.get(account);
    if (known) return known;
    const found = new Map<string, Upload>();
    try {
      for (const e of Deno.readDirSync(join(this.#dir, account))) {
        const path = join(this.#dir, account, e.name);
        const [, id, by = account] = fileForm.exec(e.name) ?? [];
        if (id === undefined) {
          // A crash left an incomplete upload.
          removeFile(path);
          continue;
        }
        const { size, mtime } = Deno.statSync(path);
        found.set(id, { id, by, path, size, uploaded: mtime?.getTime() ?? 0 });
      }
    } catch (err) {
      if (!(err instanceof Deno.errors.NotFound)) throw err;
    }
    this.#accounts.set(account, found);
    return found;
  }

  /** A file uploaded by a user; undefined if there is none, or no longer. */
  get(account: string, user: string, id: string): Upload | undefined {
    if (!uploadIdForm.test(id)) return undefined;
    const u = this.#files(account).get(id);
    return u?.by === user && u.uploaded + keepTime > Date.now() ? u : undefined;
  }

  /**
   * Stores a file of a user; durable when it resolves. The memory of the stream's pieces is given back.
   * @throws UploadLimitError, HttpError of the stream, errors of the file system
   */
  async add(
    account: string,
    user: string,
    stream: ReadableStream<Uint8Array>,
  ): Promise<Upload> {
    const files = this.#files(account);
    this.#makeRoom(files, user);
    const id = `U${crypto.randomUUID().replaceAll("-", "")}`;
    const dir = join(this.#dir, account);
    await ensureDir(dir, 0o700);
    const path = join(dir, user === account ? id : `${id}-${user}`);
    const begun = join(dir, `${id}.part`);
    let size = 0;
    try {
      const file = await Deno.open(begun, { write: true, createNew: true, mode: 0o600 });
      try {
        for await (const chunk of stream) {
          size += chunk.length;
          this.#grow(account, user, chunk.length);
          if (this.#used(account, user) > this.#maxBytes) {
            throw new UploadLimitError("the files that you uploaded take too much room");
          }
          for (let n = 0; n < chunk.length;) n += await file.write(chunk.subarray(n));
          giveBack(chunk);
        }
        await file.syncData();
      } finally {
        file.close();
      }
      await Deno.rename(begun, path);
      await syncDir(dir);
    } catch (err) {
      removeFile(begun);
      throw err;
    } finally {
      this.#grow(account, user, -size);
    }
    const upload = { id, by: user, path, size, uploaded: Date.now() };
    files.set(id, upload);
    return upload;
  }

  #grow(account: string, user: string, bytes: number): void {
    const key = `${account}/${user}`;
    const growing = (this.#growing.get(key) ?? 0) + bytes;
    if (growing === 0) this.#growing.delete(key);
    else this.#growing.set(key, growing);
  }

  /** Bytes of a user's files in an account, including incomplete ones. */
  #used(account: string, user: string): number {
    let used = this.#growing.get(`${account}/${user}`) ?? 0;
    for (const u of this.#files(account).values()) if (u.by === user) used += u.size;
    return used;
  }

  /** Removes a user's oldest files if there are too many, once their least time is over. */
  #makeRoom(files: Map<string, Upload>, user: string): void {
    const own = [...files.values()].filter((u) => u.by === user);
    const old = own.filter((u) => u.uploaded + minKeepTime < Date.now())
      .sort((a, b) => a.uploaded - b.uploaded);
    let bytes = own.reduce((n, u) => n + u.size, 0);
    let count = own.length;
    for (const u of old) {
      if (count < maxFiles && bytes < this.#maxBytes / 2) return;
      this.#remove(files, u);
      bytes -= u.size;
      count--;
    }
    if (count >= maxFiles) {
      throw new UploadLimitError(`you have uploaded ${maxFiles} files in an hour`);
    }
  }

  #remove(files: Map<string, Upload>, upload: Upload): void {
    files.delete(upload.id);
    removeFile(upload.path);
  }

  #names(): string[] {
    try {
      return [...Deno.readDirSync(this.#dir)].filter((e) => e.isDirectory).map((e) => e.name);
    } catch {
      // Nothing has been uploaded yet.
      return [];
    }
  }

  /** Removes the files of accounts that no longer exist. */
  forgetOthers(exists: (account: string) => boolean): void {
    for (const account of this.#names()) {
      if (exists(account)) continue;
      this.#accounts.delete(account);
      Deno.removeSync(join(this.#dir, account), { recursive: true });
    }
  }

  #sweep(): void {
    for (const account of this.#names()) {
      const files = this.#files(account);
      for (const u of [...files.values()]) {
        if (u.uploaded + keepTime <= Date.now()) this.#remove(files, u);
      }
    }
  }
}
