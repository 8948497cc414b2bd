/** Files that a page uploads, kept until the message is sent or a day has passed. @module */
import { giveBack } from "../../../platform/bytes.ts";
import { createTemp, removeFile } from "../../../platform/files.ts";
import { HttpError } from "../../http/mod.ts";

/** Milliseconds that an upload is kept. */
const lifetime = 24 * 3600_000;
/** Files of one account. */
const maxFiles = 500;

export interface UploadedFile {
  id: string;
  account: string;
  path: string;
  size: number;
  filename: string;
  /** type/subtype, checked. */
  type: string;
  until: number;
}

const token = /^[a-z0-9!#$&^_.+-]{1,60}$/;

/** A content type that a part may have: what is no plain file becomes one. */
export function fileType(type: string): string {
  const plain = type.split(";", 1)[0].trim().toLowerCase();
  const [a, b, ...more] = plain.split("/");
  if (more.length > 0 || !token.test(a) || !token.test(b ?? "")) return "application/octet-stream";
  return a === "multipart" || a === "message" ? "application/octet-stream" : plain;
}

export class Uploads {
  readonly #dir: string;
  readonly #maxSize: number;
  readonly #files = new Map<string, UploadedFile>();

  /** @param maxSize bytes of a file; those of an account may have four times that together. */
  constructor(dir: string, maxSize: number) {
    this.#dir = dir;
    this.#maxSize = maxSize;
  }

  /** Takes a file as it comes in. @throws HttpError */
  async add(
    account: string,
    file: { filename: string; type: string; body: ReadableStream<Uint8Array> },
  ): Promise<UploadedFile> {
    this.#expire();
    const own = [...this.#files.values()].filter((f) => f.account === account);
    const room = 4 * this.#maxSize - own.reduce((n, f) => n + f.size, 0);
    if (own.length >= maxFiles || room <= 0) {
      throw new HttpError(413, "too many files are uploaded: send or discard other drafts first");
    }
    const { path, file: out } = await createTemp(this.#dir, "upload-");
    let size = 0;
    try {
      try {
        for await (const chunk of file.body) {
          size += chunk.length;
          if (size > Math.min(room, this.#maxSize)) {
            throw new HttpError(413, `the file is too large, the limit is ${this.#maxSize} bytes`);
          }
          for (let at = 0; at < chunk.length;) at += await out.write(chunk.subarray(at));
          giveBack(chunk);
        }
      } finally {
        out.close();
      }
    } catch (err) {
      removeFile(path);
      throw err;
    }
    const upload = {
      id: crypto.randomUUID(),
      account,
      path,
      size,
      filename: file.filename,
      type: fileType(file.type),
      until: Date.now() + lifetime,
    };
    this.#files.set(upload.id, upload);
    return upload;
  }

  /** An upload of the account. @throws HttpError 404 */
  get(account: string, id: string): UploadedFile {
    const f = this.#files.get(id);
    if (f === undefined || f.account !== account) {
      throw new HttpError(404, "an attached file is gone: attach it again");
    }
    return f;
  }

  remove(account: string, id: string): void {
    const f = this.#files.get(id);
    if (f?.account === account) this.#drop(f);
  }

  #drop(file: UploadedFile): void {
    this.#files.delete(file.id);
    removeFile(file.path);
  }

  #expire(): void {
    const now = Date.now();
    for (const f of this.#files.values()) if (f.until < now) this.#drop(f);
  }

  /** Removes all files. */
  close(): void {
    for (const f of this.#files.values()) this.#drop(f);
  }
}
