/** Messages changed by scanners, in new files. @module */
import { createTemp, readRange, removeFile, writeAll } from "../platform/files.ts";
import { nextTurn } from "../platform/turns.ts";
import type { BodySink } from "./milter/changes.ts";
import { changedHeader, readHeader } from "./raw_header.ts";
import { type HeaderChange, ScanError, type ScanMessage } from "./types.ts";

/** The prefix of all messages in transit: after a crash, the next start removes them. */
const prefix = "smtp-scanned-";
const pieceSize = 64 * 1024;

/** A message in its own file. */
export interface RewrittenMessage extends ScanMessage {
  path: string;
  /** Closes and removes the file. */
  remove(): void;
}

/** A replacement body from a scanner. */
export class NewBody implements BodySink {
  size = 0;
  private constructor(
    readonly path: string,
    readonly file: Deno.FsFile,
    readonly maxBytes: number,
  ) {}

  static async create(dir: string, maxBytes: number): Promise<NewBody> {
    const { path, file } = await createTemp(dir, prefix);
    return new NewBody(path, file, maxBytes);
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.size += bytes.length;
    if (this.size > this.maxBytes) {
      throw new ScanError(`its new body is larger than ${this.maxBytes} bytes`);
    }
    await writeAll(this.file, bytes);
  }

  remove(): void {
    this.file.close();
    removeFile(this.path);
  }
}

/** Writes the message with the changes applied. @throws file errors */
export async function rewrite(
  dir: string,
  message: ScanMessage,
  changes: readonly HeaderChange[],
  body: NewBody | undefined,
): Promise<RewrittenMessage> {
  const header = changedHeader(readHeader(message), changes);
  const { path, file } = await createTemp(dir, prefix);
  try {
    await writeAll(file, header);
    const from = body ? 0 : message.headerSize;
    const to = body ? body.size : message.size;
    for (let at = from; at < to; at += pieceSize) {
      const end = Math.min(to, at + pieceSize);
      await writeAll(file, body ? readRange(body.file, at, end) : message.read(at, end));
      await nextTurn();
    }
    // Of any size, as it may be delivered.
    await file.sync();
    return {
      path,
      size: header.length + (to - from),
      headerSize: header.length,
      read: (a, b) => readRange(file, a, b),
      remove() {
        file.close();
        removeFile(path);
      },
    };
  } catch (err) {
    file.close();
    removeFile(path);
    throw err;
  }
}
