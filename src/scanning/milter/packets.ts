/**
 * Packets of the milter protocol, version 6: four bytes of length, a letter, and data. Letters and bits of both sides
 * are those of libmilter's interface.
 *
 * @module
 */
import type { Connection } from "../../net/mod.ts";
import { joined } from "../../platform/bytes.ts";
import { ScanError } from "../types.ts";

/** The protocol version. */
export const milterVersion = 6;

/** Bytes of a body chunk, and the limit of our other packets. */
export const chunkSize = 65_535;
/** Bytes of a packet from a milter: a header field or a chunk of a body. */
const maxPacket = 1024 * 1024;

/** Actions of a milter (SMFIF_...). */
export const Action = {
  AddHeaders: 0x01,
  ChangeBody: 0x02,
  AddRecipient: 0x04,
  DeleteRecipient: 0x08,
  ChangeHeaders: 0x10,
  Quarantine: 0x20,
  ChangeFrom: 0x40,
  AddRecipientWithParameters: 0x80,
  SetMacroList: 0x100,
} as const;

/** Steps that a milter doesn't need, and its ways of answering (SMFIP_...). */
export const Step = {
  NoConnect: 0x01,
  NoHelo: 0x02,
  NoMail: 0x04,
  NoRcpt: 0x08,
  NoBody: 0x10,
  NoHeaders: 0x20,
  NoEndOfHeaders: 0x40,
  NoReplyHeader: 0x80,
  NoUnknown: 0x100,
  NoData: 0x200,
  Skip: 0x400,
  RefusedRecipients: 0x800,
  NoReplyConnect: 0x1000,
  NoReplyHelo: 0x2000,
  NoReplyMail: 0x4000,
  NoReplyRcpt: 0x8000,
  NoReplyData: 0x10000,
  NoReplyUnknown: 0x20000,
  NoReplyEndOfHeaders: 0x40000,
  NoReplyBody: 0x80000,
  LeadingSpace: 0x100000,
} as const;

/** A packet of a milter. */
export interface Packet {
  /** Its letter. */
  kind: string;
  data: Uint8Array;
}

/** Encodes one of our packets. */
export function packet(kind: string, ...data: Uint8Array[]): Uint8Array {
  const size = data.reduce((n, d) => n + d.length, 1);
  const head = new Uint8Array(5);
  new DataView(head.buffer).setUint32(0, size);
  head[4] = kind.charCodeAt(0);
  return joined([head, ...data]);
}

const encoder = new TextEncoder();

/** A text with its NUL. Cut at a NUL in the text. */
export function cString(text: string): Uint8Array {
  const nul = text.indexOf("\0");
  return encoder.encode(`${nul < 0 ? text : text.slice(0, nul)}\0`);
}

/** Numbers of 32 bits. */
export function uint32(...numbers: number[]): Uint8Array {
  const bytes = new Uint8Array(numbers.length * 4);
  const view = new DataView(bytes.buffer);
  numbers.forEach((n, i) => view.setUint32(i * 4, n));
  return bytes;
}

/** The texts in a packet's data, each followed by a NUL, which may be missing after the last. */
export function strings(data: Uint8Array): string[] {
  const found: string[] = [];
  const decoder = new TextDecoder();
  for (let at = 0; at < data.length;) {
    const end = data.indexOf(0, at);
    found.push(decoder.decode(data.subarray(at, end < 0 ? undefined : end)));
    at = end < 0 ? data.length : end + 1;
  }
  return found;
}

/** Reads packets of a milter. */
export class PacketReader {
  readonly #conn: Connection;

  constructor(conn: Connection) {
    this.#conn = conn;
  }

  /** The next packet. @throws ScanError for invalid lengths; ConnectionError */
  async next(): Promise<Packet> {
    const head = await this.#exactly(5);
    const size = new DataView(head.buffer).getUint32(0);
    if (size < 1 || size > maxPacket) {
      throw new ScanError(`it sent a packet of ${size} bytes, which none can have`);
    }
    return { kind: String.fromCharCode(head[4]), data: await this.#exactly(size - 1) };
  }

  async #exactly(n: number): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    for (let have = 0; have < n;) {
      // Memory is allocated as bytes arrive, not by the announced length.
      const piece = (await this.#conn.readSome(n - have)).slice();
      pieces.push(piece);
      have += piece.length;
    }
    return joined(pieces);
  }
}
