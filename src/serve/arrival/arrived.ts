/**
 * A message that has arrived by SMTP: parsed on the way in, described once for all its recipients, and
 * stripped of authentication results that claim to be this server's.
 *
 * @module
 */
import { StructureParser } from "../../mail/structure/structure.ts";
import type { ParsedMessage, Part } from "../../mail/structure/structure.ts";
import { createTemp, readRange, removeFile, writeAll } from "../../platform/files.ts";
import { type HeaderRange, type MessageSource, stripForgedResults } from "../../senderauth/mod.ts";
import type { IncomingMessage, MessageObserver } from "../../smtp/server/mod.ts";
import { describe, type EmailDescription } from "../../store/messages/describe.ts";

/** Parses while the message arrives, so that nothing has to be read twice. */
export class ParsingObserver implements MessageObserver {
  readonly #parser = new StructureParser();
  #parsed: ParsedMessage | undefined;
  push(bytes: Uint8Array): void {
    this.#parser.write(bytes);
  }
  finish(): void {}
  /** The structure, once everything has been pushed. */
  get parsed(): ParsedMessage {
    return this.#parsed ??= this.#parser.end();
  }
}

/** A message ready to be judged and delivered. */
export interface Arrived {
  /** The file to deliver. */
  file: string;
  size: number;
  /** As NewMessage.fileSynced. */
  synced: Promise<void> | undefined;
  root: Part;
  description: EmailDescription;
  /** The header as it came in, its empty line included. */
  header: Uint8Array;
  /** The whole message as it came in. */
  source: MessageSource;
  /** Bytes of the file to deliver. */
  read(from: number, to: number): Uint8Array;
  /** Closes, and removes the files made from it; the received file belongs to the server. */
  close(): void;
}

/** Fields in which a sender may forge statements of this server. */
const claims = new Set(["authentication-results", "received-spf"]);

/**
 * Opens a message that has arrived.
 * @param authservIds names under which this server writes its results
 * @throws file errors
 */
export async function openArrived(
  message: IncomingMessage,
  authservIds: readonly string[],
  tempDir: string,
): Promise<Arrived> {
  const original = Deno.openSync(message.file, { read: true });
  let rewritten: Rewritten | undefined;
  try {
    const { root } = (message.observer as ParsingObserver).parsed;
    const header = readRange(original, 0, message.headerSize);
    let file = message.file;
    let reading = original;
    let parsedRoot = root;
    let description = await describe(
      { root, size: message.size },
      (a, b) => readRange(original, a, b),
    );
    if (description.fields.some((f) => claims.has(f.name))) {
      const forged = authservIds.flatMap((id) => stripForgedResults(header, id));
      if (forged.length > 0) {
        rewritten = await withoutRanges(original, message.size, merged(forged), tempDir);
        file = rewritten.path;
        const opened = reading = rewritten.file;
        parsedRoot = rewritten.parsed.root;
        description = await describe(rewritten.parsed, (a, b) => readRange(opened, a, b));
      }
    }
    return {
      file,
      size: rewritten?.parsed.size ?? message.size,
      synced: rewritten ? undefined : message.synced,
      root: parsedRoot,
      description,
      header,
      source: {
        size: message.size,
        read: (offset, length) => Promise.resolve(readRange(original, offset, offset + length)),
      },
      read: (from, to) => readRange(reading, from, to),
      close() {
        original.close();
        rewritten?.remove();
      },
    };
  } catch (err) {
    original.close();
    rewritten?.remove();
    throw err;
  }
}

/** Ascending, each range once. */
function merged(ranges: HeaderRange[]): HeaderRange[] {
  const byStart = new Map(ranges.map((r) => [r.start, r]));
  return [...byStart.values()].sort((a, b) => a.start - b.start);
}

interface Rewritten {
  path: string;
  file: Deno.FsFile;
  parsed: ParsedMessage;
  remove(): void;
}

/** Copies a file without some ranges of it. */
async function withoutRanges(
  original: Deno.FsFile,
  size: number,
  ranges: readonly HeaderRange[],
  tempDir: string,
): Promise<Rewritten> {
  // The prefix of all messages in transit: after a crash, the next start removes them.
  const { path, file } = await createTemp(tempDir, "smtp-stripped-");
  const remove = () => {
    file.close();
    removeFile(path);
  };
  try {
    const parser = new StructureParser();
    const copy = async (from: number, to: number) => {
      for (let at = from; at < to;) {
        const piece = readRange(original, at, Math.min(to, at + 64 * 1024));
        if (piece.length === 0) break;
        parser.write(piece);
        await writeAll(file, piece);
        at += piece.length;
      }
    };
    let at = 0;
    for (const r of ranges) {
      await copy(at, r.start);
      at = r.end;
    }
    await copy(at, size);
    return { path, file, parsed: parser.end(), remove };
  } catch (err) {
    remove();
    throw err;
  }
}
