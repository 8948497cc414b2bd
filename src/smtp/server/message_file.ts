/**
 * The temporary file for an incoming message, with the facts needed to accept or refuse it. Small messages cost
 * one write; large ones are written while more arrives.
 *
 * @module
 */
import { join } from "node:path";
import { syncData } from "../../platform/durability.ts";
import { removeFile } from "../../platform/files.ts";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { giveWay } from "../../platform/turns.ts";
import type { MessageObserver } from "./backend.ts";
import { SmtpError } from "./errors.ts";
import { newTempFile } from "./spare_files.ts";

/** Written in one go. The header must fit, so that it can be examined in one piece. */
const blockSize = 256 * 1024;
/** Bytes examined at a time: they may be thousands of parts. */
const observed = 16 * 1024;
/** Room for the bytes that a caller puts before it calls room(). */
const spare = 64 * 1024;
/** Initial memory for a message; most need no more. */
const firstSize = 16 * 1024;

/** Bounds of a message. */
export interface MessageLimits {
  /** Bytes. */
  size: number;
  headerSize: number;
  headerFields: number;
  /** Received header fields: more means a mail loop (RFC 5321 §6.3). */
  hops: number;
}

/**
 * Removes the files that a crash left in the folder of temporary files: from incoming mail, APPEND, imports,
 * uploads. Nothing in it is useful to another process. Call it before the first listener starts.
 */
export async function removeLeftovers(dir: string): Promise<number> {
  let n = 0;
  for await (const entry of Deno.readDir(dir)) {
    if (!entry.isFile) continue;
    removeFile(join(dir, entry.name));
    n++;
  }
  return n;
}

const freeBlocks: Uint8Array[] = [];
const keepBlocks = 16;

/** Collects the bytes of one message. */
export class MessageFile {
  readonly #dir: string;
  readonly #limits: MessageLimits;
  readonly #observer: MessageObserver | undefined;
  #block: Uint8Array = new Uint8Array(firstSize);
  #used = 0;
  #writing: Promise<void> | undefined;
  #file: Deno.FsFile | undefined;
  #synced: Promise<void> = Promise.resolve();
  #path: string | undefined;
  #size = 0;
  #headerSize: number | undefined;
  #has8bit = false;
  #headerHas8bit = false;
  #refusal: SmtpError | undefined;

  constructor(
    dir: string,
    limits: MessageLimits,
    observer: MessageObserver | undefined,
  ) {
    this.#dir = dir;
    this.#limits = limits;
    this.#observer = observer;
  }

  /** Bytes put so far, including those after a refusal. */
  get size(): number {
    return this.#size;
  }

  /** Why the message can't be accepted; nothing is kept from then on. */
  get refusal(): SmtpError | undefined {
    return this.#refusal;
  }

  /** Path of the file; only after finish. */
  get path(): string {
    return this.#path!;
  }

  /** Bytes of the header including the empty line after it. */
  get headerSize(): number {
    return this.#headerSize ?? this.#size;
  }

  get observer(): MessageObserver | undefined {
    return this.#observer;
  }

  get has8bit(): boolean {
    return this.#has8bit;
  }

  get headerHas8bit(): boolean {
    return this.#headerHas8bit;
  }

  /** Refuses the message for another reason. */
  refuse(why: SmtpError): void {
    this.#refusal ??= why;
    this.#used = 0;
  }

  /** Takes bytes; call {@link room} at least every 64 KiB. */
  put(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#refusal !== undefined) return;
    if (this.#size > this.#limits.size) {
      this.refuse(new SmtpError(552, "3.4", `message larger than ${this.#limits.size} bytes`));
      return;
    }
    if (this.#used + bytes.length > this.#block.length) this.#grow(this.#used + bytes.length);
    this.#block.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #grow(need: number): void {
    const size = need <= 4 * firstSize ? 4 * firstSize : blockSize + spare;
    const bigger = size === blockSize + spare ? takeBlock() : new Uint8Array(size);
    bigger.set(this.#block.subarray(0, this.#used), 0);
    this.#block = bigger;
  }

  /** Makes room for at least 64 KiB more; waits while the disk is behind. */
  async room(): Promise<void> {
    if (this.#used < blockSize || this.#refusal !== undefined) return;
    await this.#look(this.#block.subarray(0, this.#used));
    if (this.#refusal !== undefined) return;
    await this.#written();
    if (this.#refusal !== undefined) return;
    const block = this.#block;
    this.#writing = this.#write(block, this.#used);
    // Errors surface where the promise is awaited.
    this.#writing.catch(() => {});
    this.#block = takeBlock();
    this.#used = 0;
  }

  /** Waits for the running write. If it failed, the rest of the message is read but not kept. */
  async #written(): Promise<void> {
    try {
      await this.#writing;
    } catch (e) {
      this.#failed(e);
    }
    this.#writing = undefined;
  }

  #failed(e: unknown): void {
    this.refuse(
      isStorageFull(e)
        ? new SmtpError(452, "3.1", "insufficient system storage", { cause: e })
        : new SmtpError(451, "3.0", "message could not be stored", { cause: e }),
    );
  }

  async #write(block: Uint8Array, length: number): Promise<void> {
    const file = this.#open();
    for (let at = 0; at < length;) at += await file.write(block.subarray(at, length));
    releaseBlock(block);
  }

  #open(): Deno.FsFile {
    if (this.#file === undefined) {
      const made = newTempFile(this.#dir);
      this.#file = made.file;
      this.#path = made.path;
    }
    return this.#file;
  }

  /** Examines the message's next bytes. Others are served in between. */
  async #look(bytes: Uint8Array): Promise<void> {
    if (this.#headerSize === undefined) {
      this.#lookAtHeader(bytes);
      if (this.#refusal !== undefined) return;
    }
    if (!this.#has8bit) this.#has8bit = hasHighBit(bytes);
    for (let at = 0; at < bytes.length; at += observed) {
      this.#observer?.push(bytes.subarray(at, at + observed));
      await giveWay();
    }
  }

  #lookAtHeader(bytes: Uint8Array): void {
    const { headerSize, headerFields, hops } = this.#limits;
    const tooLarge = () => new SmtpError(552, "3.4", `header larger than ${headerSize} bytes`);
    let fields = 0;
    let received = 0;
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(0x0a, at);
      if (at > headerSize || end < 0 && bytes.length > headerSize) return this.refuse(tooLarge());
      const empty = end === at || (end === at + 1 && bytes[at] === 0x0d);
      if (empty) break;
      if (bytes[at] !== 0x20 && bytes[at] !== 0x09) {
        fields++;
        if (isReceived(bytes, at)) received++;
      }
      if (end < 0) {
        at = bytes.length;
        break;
      }
      at = end + 1;
    }
    if (fields > headerFields) {
      return this.refuse(
        new SmtpError(552, "3.4", `header has more than ${headerFields} fields`),
      );
    }
    if (received > hops) {
      return this.refuse(
        new SmtpError(554, "4.6", `mail loop: message has more than ${hops} Received fields`),
      );
    }
    this.#headerHas8bit = hasHighBit(bytes.subarray(0, at));
    const crlf = bytes[at] === 0x0d ? 2 : at < bytes.length ? 1 : 0;
    this.#headerSize = at + crlf;
  }

  /** Resolves when the content is durable; only after finish. */
  get synced(): Promise<void> {
    return this.#synced;
  }

  /** Writes the rest and begins to make the content durable; `refusal` shows whether that succeeded. */
  async finish(): Promise<void> {
    const rest = this.#block.subarray(0, this.#used);
    await this.#look(rest);
    await this.#written();
    if (this.#refusal !== undefined) return;
    try {
      const file = this.#open();
      for (let at = 0; at < rest.length;) at += file.writeSync(rest.subarray(at));
      // Awaited by whoever promises durability; meanwhile the message is examined.
      this.#synced = syncData(file);
      this.#synced.catch(() => {});
    } catch (e) {
      return this.#failed(e);
    }
    this.#observer?.finish();
  }

  /** Closes and removes the file; the message is gone, or has another name by now. */
  async discard(): Promise<void> {
    await this.#writing?.catch(() => {});
    releaseBlock(this.#block);
    this.#block = new Uint8Array(0);
    this.#refusal ??= givenUp;
    if (this.#file === undefined) return;
    await this.#synced.catch(() => {});
    this.#file.close();
    this.#file = undefined;
    removeFile(this.#path!);
  }
}

/** The refusal of bytes after the file was discarded. */
const givenUp = new SmtpError(451, "3.0", "message was given up");

function takeBlock(): Uint8Array {
  return freeBlocks.pop() ?? new Uint8Array(blockSize + spare);
}

function releaseBlock(block: Uint8Array): void {
  if (block.length === blockSize + spare && freeBlocks.length < keepBlocks) freeBlocks.push(block);
}

const receivedName = new TextEncoder().encode("received:");

function isReceived(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < receivedName.length; i++) {
    if ((bytes[at + i] | 0x20) !== (receivedName[i] | 0x20)) return false;
  }
  return true;
}

/** True if a byte is above 127; four at a time where they are aligned. */
function hasHighBit(bytes: Uint8Array): boolean {
  let i = 0;
  while (i < bytes.length && (bytes.byteOffset + i) % 4 !== 0) if (bytes[i++] > 127) return true;
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset + i, (bytes.length - i) >> 2);
  for (let w = 0; w < words.length;) {
    let or = 0;
    const to = Math.min(words.length, w + 4096);
    while (w < to) or |= words[w++];
    if ((or & 0x80808080) !== 0) return true;
  }
  i += words.length * 4;
  while (i < bytes.length) if (bytes[i++] > 127) return true;
  return false;
}
