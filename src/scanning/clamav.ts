/** ClamAV's clamd by its socket: INSTREAM, one connection for a message. @module */
import { type Connection, ConnectionError } from "../net/mod.ts";
import { joined } from "../platform/bytes.ts";
import { nextTurn } from "../platform/turns.ts";
import { emptyResult, ScanError, type ScanMessage, type ScanResult } from "./types.ts";

/** Bytes of a piece. */
const chunkSize = 64 * 1024;
/** Bytes of its answer. */
const maxAnswer = 4096;

/** What clamd says of a message larger than its StreamMaxLength. */
export class TooLargeForScanner extends ScanError {
  constructor() {
    super("the message is larger than it takes (StreamMaxLength)");
  }
}

/** Asks clamd about a message. @throws ScanError, TooLargeForScanner, ConnectionError */
export async function askClamAv(conn: Connection, m: ScanMessage): Promise<ScanResult> {
  conn.write("zINSTREAM\0");
  try {
    for (let at = 0; at < m.size && conn.buffered === 0; at += chunkSize) {
      writeChunk(conn, m.read(at, Math.min(m.size, at + chunkSize)));
      await conn.flush();
      await nextTurn();
    }
    writeChunk(conn, new Uint8Array(0));
    await conn.flush();
  } catch (err) {
    // It closes when there is too much, its answer before that.
    if (!(err instanceof ConnectionError)) throw err;
    return verdict(
      await answer(conn).catch(() => {
        throw err;
      }),
    );
  }
  return verdict(await answer(conn));
}

function writeChunk(conn: Connection, bytes: Uint8Array): void {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, bytes.length);
  conn.write(head);
  conn.write(bytes);
}

async function answer(conn: Connection): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    let piece: Uint8Array;
    try {
      piece = (await conn.readSome(maxAnswer)).slice();
    } catch (err) {
      // Older ones end their answer by closing.
      if (size > 0 && conn.ended) break;
      throw err;
    }
    pieces.push(piece);
    size += piece.length;
    if (piece.includes(0) || piece.includes(10)) break;
    if (size > maxAnswer) throw new ScanError("its answer is too long");
  }
  return new TextDecoder().decode(joined(pieces)).replace(/[\0\n].*$/s, "").trim();
}

/** Reads "stream: OK", "stream: NAME FOUND" and "... ERROR". */
export function verdict(text: string): ScanResult {
  const result = emptyResult();
  if (/^(?:stream|instream\([^)]*\)): OK$/.test(text)) {
    return { ...result, virus: "", text: "no virus found" };
  }
  const found = /^(?:stream|instream\([^)]*\)): (.+) FOUND$/.exec(text);
  if (found) {
    const name = found[1].replace(/[^!-~]/g, "?").slice(0, 100);
    return { ...result, virus: name, text: `virus ${name}` };
  }
  if (/size limit exceeded/i.test(text)) throw new TooLargeForScanner();
  throw new ScanError(`it answered ${JSON.stringify(text.slice(0, 200))}`);
}
