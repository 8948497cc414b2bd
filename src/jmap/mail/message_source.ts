/** A message to read: one of the account's, or one in a blob. @module */
import type { EmailId } from "../../store/ids.ts";
import { type Part, StructureParser } from "../../mail/structure/structure.ts";
import { unpackStructure } from "../../mail/structure/packed.ts";
import { transferStream } from "../../mail/transfer/stream.ts";
import type { Account } from "../../store/account/account.ts";
import type { MessageReader } from "../../store/types.ts";
import type { Blob } from "../blobs/types.ts";
import { turnTime } from "../core/limits.ts";

/** Bytes read at a time. */
const piece = 256 * 1024;
/** Most bytes of a header that are read. */
const maxHeader = 4 * 1024 * 1024;

export interface MessageSource {
  readonly root: Part;
  /** Prefix of the ids of its parts' blobs. */
  readonly blobId: string;
  read(from: number, to: number): Uint8Array;
  close(): void;
}

/** Gives others their turn when work has taken long enough. */
export class Turns {
  #since = performance.now();

  async next(): Promise<void> {
    if (performance.now() - this.#since < turnTime) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    this.#since = performance.now();
  }
}

/** A message of the account; its file is opened on the first read. */
export function storedMessage(
  account: Account,
  emailId: EmailId,
  structure: string,
): MessageSource {
  let reader: MessageReader | undefined;
  return {
    root: unpackStructure(structure),
    blobId: `B${emailId}`,
    read: (from, to) => (reader ??= account.openMessage(emailId)).read(from, to),
    close: () => reader?.close(),
  };
}

/** A message in a blob, which is closed with it. */
export async function blobMessage(blob: Blob, blobId: string): Promise<MessageSource> {
  const turns = new Turns();
  const parser = new StructureParser();
  for (let at = 0; at < blob.size; at += piece) {
    parser.write(blob.read(at, Math.min(blob.size, at + piece)));
    await turns.next();
  }
  return {
    root: parser.end().root,
    blobId,
    read: (from, to) => blob.read(from, to),
    close: () => blob.close(),
  };
}

/** The header of a part, as bytes. */
export function headerOf(source: MessageSource, part: Part): Uint8Array {
  return source.read(part.headerOffset, Math.min(part.bodyOffset, part.headerOffset + maxHeader));
}

/** A part's bytes without their transfer encoding, in pieces. */
export function* decodedPieces(m: Pick<MessageSource, "read">, part: Part): Generator<Uint8Array> {
  const decoder = transferStream(part.encoding);
  for (let at = part.bodyOffset; at < part.endOffset; at += piece) {
    yield decoder.push(m.read(at, Math.min(part.endOffset, at + piece)));
  }
  yield decoder.end();
}

/** True for encodings that leave the bytes unchanged. */
export function isIdentity(encoding: string): boolean {
  return encoding !== "base64" && encoding !== "quoted-printable";
}

/** Number of bytes of a part without its transfer encoding. */
export async function decodedSize(
  source: MessageSource,
  part: Part,
  turns: Turns,
): Promise<number> {
  if (isIdentity(part.encoding)) return part.endOffset - part.bodyOffset;
  let size = 0;
  for (const b of decodedPieces(source, part)) {
    size += b.length;
    await turns.next();
  }
  return size;
}
