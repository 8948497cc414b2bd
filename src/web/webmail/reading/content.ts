/** Reading the content of a message: its parts decoded, whole or as a stream. @module */
import { giveWay } from "../../../platform/turns.ts";
import type { FetchRow } from "../../../store/messages/row.ts";
import type { Log } from "../../../log/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import type { Message, MessageReader } from "../../../store/types.ts";
import { Want } from "../../../store/types.ts";
import { type HeaderField, splitHeader } from "../../../mail/header/header.ts";
import { decodeBody } from "../../../mail/structure/contents.ts";
import type { Part } from "../../../mail/structure/structure.ts";
import { unpackStructure } from "../../../mail/structure/packed.ts";
import { decodeTransferEncoding } from "../../../mail/transfer/transfer.ts";
import { decodeCharset } from "../../../mail/text/charset.ts";
import { uuencodedFiles } from "../../../mail/transfer/uuencode.ts";
import { HttpError } from "../../http/types.ts";
import { missing } from "../errors.ts";

/** Bytes of a header that are looked at. */
const maxHeader = 256 * 1024;
/** Bytes that a stream reads at a time. */
const pieceSize = 96 * 1024;

/** An open message. Close it. */
export interface MessageContent {
  message: Message;
  root: Part;
  /** Bytes that this server put before the message: only these are sure to be its own. */
  prefix: Uint8Array;
  reader: MessageReader;
  close(): void;
}

function openFile(account: Account, row: FetchRow): MessageReader {
  try {
    return account.openRow(row);
  } catch (err) {
    throw new HttpError(
      500,
      `the file of message ${row.id} can't be read; the server's administrator learns more from ` +
        '"mox verifydata"',
      {},
      { cause: err },
    );
  }
}

/** Opens a message. @throws HttpError 404 if it is gone, 500 if its file can't be read. */
export function openContent(account: Account, id: number): MessageContent {
  const message = account.message(id);
  if (message === undefined) throw missing("message");
  let content: MessageContent | undefined;
  account.fetch(message.mailboxId, [message.uid], Want.Content, (row) => {
    const reader = openFile(account, row);
    content = {
      message,
      root: unpackStructure(row.structure),
      prefix: row.prefix,
      reader,
      close: () => reader.close(),
    };
    return false;
  });
  if (content === undefined) throw missing("message");
  return content;
}

/** Runs with a message open. */
export async function withContent<T>(
  account: Account,
  id: number,
  fn: (content: MessageContent) => T | Promise<T>,
): Promise<T> {
  const c = openContent(account, id);
  try {
    return await fn(c);
  } finally {
    c.close();
  }
}

/** Fields of the message's own header. */
export function headerFields(content: MessageContent): HeaderField[] {
  return splitHeader(content.reader.read(0, Math.min(content.root.bodyOffset, maxHeader)));
}

/** A text part as text, at most so many bytes of it. */
export function partText(
  content: MessageContent,
  part: Part,
  maxBytes: number,
): { text: string; truncated: boolean } {
  const end = Math.min(part.endOffset, part.bodyOffset + maxBytes);
  const raw = content.reader.read(part.bodyOffset, end);
  const body = decodeBody(part, raw);
  // Files by uuencode are shown as what they are, not as text.
  const shown = part.subtype === "plain" ? uuencodedFiles(body).rest : body;
  return {
    text: decodeCharset(shown, part.params.charset, { html: part.subtype === "html" }).replaceAll(
      "\0",
      "\ufffd",
    ),
    truncated: end < part.endOffset,
  };
}

/** A part decoded, whole. */
export function partBytes(content: MessageContent, part: Part): Uint8Array {
  return decodeBody(part, content.reader.read(part.bodyOffset, part.endOffset));
}

/** Bytes of the message as they are, in pieces. */
export function* rawPieces(
  c: Pick<MessageContent, "reader">,
  from: number,
  to: number,
): Generator<Uint8Array> {
  for (let at = from; at < to; at += pieceSize) {
    yield c.reader.read(at, Math.min(to, at + pieceSize));
  }
}

/** A part decoded, in pieces. */
export function* partPieces(content: MessageContent, part: Part): Generator<Uint8Array> {
  const cut = part.encoding === "base64"
    ? base64Cut
    : part.encoding === "quoted-printable"
    ? qpCut
    : null;
  if (cut === null) {
    yield* rawPieces(content, part.bodyOffset, part.endOffset);
    return;
  }
  let rest: Uint8Array = new Uint8Array(0);
  for (const piece of rawPieces(content, part.bodyOffset, part.endOffset)) {
    const all = new Uint8Array(rest.length + piece.length);
    all.set(rest);
    all.set(piece, rest.length);
    const end = cut(all);
    const bytes = decodeTransferEncoding(all.subarray(0, end), part.encoding)!;
    rest = all.slice(end);
    if (bytes.length > 0) yield bytes;
  }
  if (rest.length > 0) yield decodeTransferEncoding(rest, part.encoding)!;
}

const isBase64 = (c: number) =>
  c >= 65 && c <= 90 || c >= 97 && c <= 122 || c >= 48 && c <= 57 || c === 43 || c === 47 ||
  c === 61;

/** Where base64 can be cut: after a whole group of four. */
function base64Cut(bytes: Uint8Array): number {
  let n = 0;
  for (let i = 0; i < bytes.length; i++) if (isBase64(bytes[i])) n++;
  let over = n % 4;
  let end = bytes.length;
  while (over > 0) if (isBase64(bytes[--end])) over--;
  return end;
}

/** Where quoted-printable can be cut: after a line, or before an escape that may not be whole. */
function qpCut(bytes: Uint8Array): number {
  const line = bytes.lastIndexOf(10);
  if (line >= 0) return line + 1;
  return bytes.length > 1000 ? Math.max(bytes.lastIndexOf(61), bytes.length - 3) : 0;
}

/** Pieces as the body of an answer, made as fast as they are read; an answer that breaks off is logged. */
export function pieceStream(
  pieces: Iterator<Uint8Array> | AsyncIterator<Uint8Array>,
  onEnd: () => void,
  log: Log,
): ReadableStream<Uint8Array> {
  let open = true;
  const finish = () => {
    if (!open) return;
    open = false;
    onEnd();
  };
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const r = await pieces.next();
        // Who reads fast gets one piece after the other: others have their turns between.
        await giveWay();
        if (r.done) {
          finish();
          controller.close();
        } else {
          controller.enqueue(r.value);
        }
      } catch (err) {
        log.error("answer breaks off", { err: err as Error });
        finish();
        controller.error(err);
      }
    },
    async cancel() {
      await pieces.return?.();
      finish();
    },
  }, { highWaterMark: 1 });
}
