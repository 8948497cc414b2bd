/**
 * A message encrypted to a key: PGP/MIME (RFC 3156) or S/MIME (RFC 8551). The header stays, but for the fields that
 * describe the content, which go with it. So list, threads and answers work as before, and subject and people can be
 * read by whoever reads the disk.
 *
 * @module
 */
import { nextTurn } from "../platform/turns.ts";
import type { EncryptionKey } from "./keys.ts";
import { openpgpLibrary } from "./openpgp.ts";
import { envelope } from "./smime.ts";

/** A message to encrypt. */
export interface PlainMessage {
  /** Bytes. */
  size: number;
  /** Bytes of the header with its empty line. */
  headerSize: number;
  read(from: number, to: number): Uint8Array;
}

const pieceSize = 64 * 1024;
const encoder = new TextEncoder();

/** Splits a header into the fields that stay outside, and those of the content. */
export function splitContentFields(header: Uint8Array): { outer: Uint8Array; inner: Uint8Array } {
  const outer: Uint8Array[] = [], inner: Uint8Array[] = [];
  let target = outer;
  for (let at = 0; at < header.length;) {
    const end = header.indexOf(10, at);
    const line = header.subarray(at, end < 0 ? header.length : end + 1);
    at += line.length;
    if (line[0] === 10 || (line[0] === 13 && line[1] === 10)) break;
    if (line[0] !== 32 && line[0] !== 9) {
      const name = String.fromCharCode(...line.subarray(0, 14)).toLowerCase();
      target = name.startsWith("content-") ? inner : name.startsWith("mime-version:") ? [] : outer;
    }
    target.push(line);
  }
  return { outer: joinedLines(outer), inner: joinedLines(inner) };
}

function joinedLines(lines: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(lines.reduce((n, l) => n + l.length, 0));
  let at = 0;
  for (const l of lines) {
    all.set(l, at);
    at += l.length;
  }
  return all;
}

/**
 * Whether a message is already encrypted. S/MIME has one type for everything: only signed or compressed data is readable
 * by everybody (RFC 8551 §3.2.2).
 */
export function isEncryptedType(
  { type, subtype, params }: { type: string; subtype: string; params: Record<string, string> },
): boolean {
  if (type === "multipart") return subtype === "encrypted";
  if (type !== "application" || !/^(?:x-)?pkcs7-mime$/.test(subtype)) return false;
  return !/^(?:signed-data|certs-only|compressed-data)$/i.test(params["smime-type"] ?? "");
}

/**
 * The encrypted message, in pieces.
 * @param at when the key was valid, milliseconds since the epoch: a key that has expired since is still used, as mail would
 * be lost otherwise
 */
export async function* encrypted(
  message: PlainMessage,
  to: EncryptionKey,
  at: number,
): AsyncGenerator<Uint8Array> {
  const { outer, inner } = splitContentFields(message.read(0, message.headerSize));
  const head = inner.length === 0
    ? encoder.encode("Content-Type: text/plain\r\n\r\n")
    : joinedLines([inner, encoder.encode("\r\n")]);
  yield outer;
  if (outer.length > 0 && outer.at(-1) !== 10) yield encoder.encode("\r\n");
  if (to.kind === "pgp") yield* pgpMime(content(head, message), to, at);
  else {
    const size = head.length + (message.size - message.headerSize);
    yield* smime(content(head, message), size, to);
  }
}

async function* content(head: Uint8Array, message: PlainMessage): AsyncGenerator<Uint8Array> {
  yield head;
  for (let at = message.headerSize; at < message.size; at += pieceSize) {
    yield message.read(at, Math.min(message.size, at + pieceSize)).slice();
    await nextTurn();
  }
}

/** RFC 3156 §4. */
async function* pgpMime(
  inner: AsyncGenerator<Uint8Array>,
  to: EncryptionKey & { kind: "pgp" },
  at: number,
): AsyncGenerator<Uint8Array> {
  const boundary = `encrypted-${crypto.randomUUID()}`;
  yield encoder.encode(
    "MIME-Version: 1.0\r\n" +
      `Content-Type: multipart/encrypted; protocol="application/pgp-encrypted";\r\n boundary="${boundary}"\r\n` +
      `\r\n--${boundary}\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n` +
      `--${boundary}\r\nContent-Type: application/octet-stream; name="encrypted.asc"\r\n` +
      'Content-Disposition: inline; filename="encrypted.asc"\r\n\r\n',
  );
  const { createMessage, encrypt, enums } = await openpgpLibrary();
  const message = await createMessage({
    binary: ReadableStream.from(inner) as ReadableStream<Uint8Array<ArrayBuffer>>,
  });
  const armored = await encrypt({
    message,
    encryptionKeys: to.key,
    format: "armored",
    date: new Date(at),
    config: { preferredCompressionAlgorithm: enums.compression.uncompressed },
  });
  for await (const piece of armored as unknown as AsyncIterable<string>) {
    yield encoder.encode(piece.replace(/\r?\n/g, "\r\n"));
  }
  yield encoder.encode(`\r\n--${boundary}--\r\n`);
}

/** RFC 8551 §3.3. */
async function* smime(
  inner: AsyncGenerator<Uint8Array>,
  size: number,
  to: EncryptionKey & { kind: "smime" },
): AsyncGenerator<Uint8Array> {
  yield encoder.encode(
    "MIME-Version: 1.0\r\n" +
      'Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name="smime.p7m"\r\n' +
      'Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename="smime.p7m"\r\n\r\n',
  );
  let rest: Uint8Array = new Uint8Array(0);
  for await (const piece of envelope(to.certificate, inner, size)) {
    const all = joinedLines([rest, piece]);
    // Lines of 57 bytes, 76 characters.
    const whole = all.length - all.length % 57;
    if (whole > 0) yield encoder.encode(base64Lines(all.subarray(0, whole)));
    rest = all.slice(whole);
  }
  if (rest.length > 0) yield encoder.encode(base64Lines(rest));
}

function base64Lines(bytes: Uint8Array): string {
  return bytes.toBase64().replace(/.{1,76}/g, "$&\r\n");
}
