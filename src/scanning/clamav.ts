/** ClamAV's clamd through its socket: INSTREAM, one connection per message. @module */
import { joined } from "../platform/bytes.ts";
import { nextTurn } from "../platform/turns.ts";
import { emptyResult, ScanError, type ScanMessage, type ScanResult } from "./types.ts";

/** Bytes of a piece. */
const chunkSize = 64 * 1024;
/** Bytes of its answer. */
const maxAnswer = 4096;

/** clamd's answer for a message larger than its StreamMaxLength. */
export class TooLargeForScanner extends ScanError {
  constructor() {
    super("the message is larger than it takes (StreamMaxLength)");
  }
}

/**
 * Scans a message with clamd.
 * @throws ScanError, TooLargeForScanner, Deno.errors of the connection
 */
export async function askClamAv(
  conn: Pick<Deno.Conn, "read" | "write">,
  message: ScanMessage,
): Promise<ScanResult> {
  let sent = 0;
  try {
    await writeAll(conn, new TextEncoder().encode("zINSTREAM\0"));
    for (; sent < message.size; sent += chunkSize) {
      await writeAll(conn, chunk(message.read(sent, Math.min(message.size, sent + chunkSize))));
      await nextTurn();
    }
    await writeAll(conn, chunk(new Uint8Array(0)));
  } catch (cause) {
    // If the message is too large it answers and closes while data is still being sent.
    const text = await answer(conn).catch(() => "");
    if (text !== "") return verdict(text);
    throw new ScanError(
      `it closed the connection after ${sent} bytes; is its StreamMaxLength below MaxMessageSize?`,
      { cause },
    );
  }
  return verdict(await answer(conn));
}

async function writeAll(conn: Pick<Deno.Conn, "write">, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function chunk(bytes: Uint8Array): Uint8Array {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, bytes.length);
  return joined([head, bytes]);
}

async function answer(conn: Pick<Deno.Conn, "read">): Promise<string> {
  const buffer = new Uint8Array(maxAnswer);
  let size = 0;
  for (;;) {
    const n = await conn.read(buffer.subarray(size));
    // Older versions end their answer by closing.
    if (n === null) break;
    size += n;
    const piece = buffer.subarray(0, size);
    if (piece.includes(0) || piece.includes(10)) break;
    if (size === maxAnswer) throw new ScanError("its answer is too long");
  }
  if (size === 0) throw new ScanError("it closed the connection without an answer");
  return new TextDecoder().decode(buffer.subarray(0, size)).replace(/[\0\n].*$/s, "").trim();
}

/** Parses "stream: OK", "stream: NAME FOUND" and "... ERROR". */
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
