/** Changes to users' messages that can't be sent unchanged, made before signing. @module */
import type { Config } from "../../config/mod.ts";
import { outgoingMessage } from "../../mail/outgoing/outgoing.ts";
import { type ParsedMessage, StructureParser } from "../../mail/structure/structure.ts";
import { readRange, removeFile, writeTempFile } from "../../platform/files.ts";
import { isOwnResult } from "../../senderauth/mod.ts";

/** A message to send. */
export interface Leaving {
  file: string;
  fileSize: number;
  smtputf8: boolean;
  binary?: boolean;
  /** Existing UTF-8 in header fields may stay; `smtputf8` if not given. */
  utf8Allowed?: boolean;
  /** The structure of the file, if known. */
  parsed?: ParsedMessage;
}

/** The properties that differ in a changed message. */
export interface Changed {
  message: {
    file: string;
    fileSize: number;
    smtputf8: boolean;
    has8bit: boolean;
    parsed: ParsedMessage;
  };
  /** Removes the new file. */
  remove(): void;
}

/** Bytes of a file read at a time. */
const pieceBytes = 64 * 1024;

/**
 * The message in a form that may be sent, in a new file: without Bcc and the like, in lines that SMTP can carry, without
 * authentication results that claim to be ours. Undefined if nothing has to be changed.
 */
export async function asItMayLeave(
  config: Config,
  leaving: Leaving,
): Promise<Changed | undefined> {
  const file = await Deno.open(leaving.file, { read: true });
  try {
    const read = (from: number, to: number) => readRange(file, from, to);
    const parsed = leaving.parsed ?? await parseFile(read, leaving.fileSize);
    const names = ownNames(config);
    const pieces = outgoingMessage(parsed, read, {
      utf8: leaving.utf8Allowed ?? leaving.smtputf8,
      binary: leaving.binary,
      drop: (name, value) =>
        name === "authentication-results" && names.some((id) => isOwnResult(value, id)),
    });
    return pieces && await written(pieces, config.dataPath("tmp"));
  } finally {
    file.close();
  }
}

/** Names under which this server writes results. */
function ownNames(config: Config): string[] {
  const names = new Set([config.static.Hostname]);
  for (const l of config.static.Listeners.values()) if (l.Hostname) names.add(l.Hostname);
  return [...names];
}

async function written(pieces: Iterable<Uint8Array>, dir: string): Promise<Changed> {
  const parser = new StructureParser();
  let has8bit = false;
  const looked = function* () {
    for (const p of pieces) {
      has8bit ||= p.some((b) => b >= 128);
      parser.write(p);
      yield p;
    }
  };
  const { path, size } = await writeTempFile(dir, "leaving-", looked());
  const parsed = parser.end();
  return {
    message: { file: path, fileSize: size, smtputf8: parsed.utf8Headers, has8bit, parsed },
    remove: () => removeFile(path),
  };
}

async function parseFile(
  read: (from: number, to: number) => Uint8Array,
  size: number,
): Promise<ParsedMessage> {
  const parser = new StructureParser();
  for (let at = 0; at < size; at += pieceBytes) {
    parser.write(read(at, Math.min(size, at + pieceBytes)));
    // Others are served between the pieces of a large message.
    if (at > 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return parser.end();
}
