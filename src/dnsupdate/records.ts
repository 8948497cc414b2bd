/**
 * Records as they are written into a zone: from zone file text to the bytes of a message (RFC 1035 §3.3).
 * @module
 */
import { Buffer } from "node:buffer";
import { parseIp } from "../dns/ip.ts";

export type WrittenType = "A" | "AAAA" | "MX" | "TXT" | "CNAME" | "SRV" | "TLSA" | "CAA";

/** A record to add or to remove. */
export interface ZoneRecord {
  /** Absolute, in ASCII and lower case, without the final dot. */
  name: string;
  type: WrittenType;
  /** Data as in zone files, but the whole text of a TXT record, without quotes. */
  data: string;
}

/** A record that can't be written; the message says why. */
export class RecordError extends Error {
  override name = "RecordError";
}

/** Numbers of types (RFC 1035 §3.2.2, 3596, 2782, 6698, 8659). */
export const typeNumbers: Readonly<Record<WrittenType, number>> = {
  A: 1,
  CNAME: 5,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  TLSA: 52,
  CAA: 257,
};

/** A name in the form of messages, not compressed and in lower case (RFC 1035 §3.1). @throws RecordError */
export function nameBytes(name: string): Buffer {
  const labels = name.toLowerCase().replace(/\.$/, "").split(".").filter((l, _, all) =>
    all.length > 1 || l !== ""
  );
  const pieces: Buffer[] = [];
  for (const label of labels) {
    const bytes = Buffer.from(label, "latin1");
    if (bytes.length === 0 || bytes.length > 63 || !/^[\x21-\x7e]*$/.test(label)) {
      throw new RecordError(`${JSON.stringify(name)} can't be a name in the DNS`);
    }
    pieces.push(Buffer.of(bytes.length), bytes);
  }
  const all = Buffer.concat([...pieces, Buffer.of(0)]);
  if (all.length > 255) throw new RecordError(`${JSON.stringify(name)} is too long for a name`);
  return all;
}

export function u16(n: number): Buffer {
  return Buffer.of(n >> 8 & 255, n & 255);
}

function number(text: string, most: number, what: string): number {
  const n = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(n <= most)) throw new RecordError(`${JSON.stringify(text)} is no ${what}`);
  return n;
}

/** The text of a TXT record in strings of at most 255 bytes (RFC 1035 §3.3.14). */
function strings(text: string): Buffer {
  const bytes = Buffer.from(text);
  const pieces: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += 255) {
    const piece = bytes.subarray(at, at + 255);
    pieces.push(Buffer.of(piece.length), piece);
  }
  return Buffer.concat(pieces);
}

/** The bytes of a record's data. @throws RecordError */
export function recordData(r: Pick<ZoneRecord, "type" | "data">): Buffer {
  const words = r.data.split(/\s+/);
  switch (r.type) {
    case "A":
    case "AAAA": {
      const ip = parseIp(r.data);
      if (ip?.length !== (r.type === "A" ? 4 : 16)) {
        throw new RecordError(`${JSON.stringify(r.data)} is no address for a record ${r.type}`);
      }
      return Buffer.from(ip);
    }
    case "MX":
      return Buffer.concat([u16(number(words[0], 65535, "preference")), nameBytes(words[1] ?? "")]);
    case "CNAME":
      return nameBytes(r.data);
    case "SRV":
      return Buffer.concat([
        ...words.slice(0, 3).map((w) => u16(number(w, 65535, "number of an SRV record"))),
        nameBytes(words[3] ?? ""),
      ]);
    case "TLSA": {
      const hex = words.slice(3).join("");
      if (!/^(?:[0-9a-f]{2})+$/i.test(hex)) throw new RecordError("a TLSA record needs hex digits");
      return Buffer.concat([
        ...words.slice(0, 3).map((w) => Buffer.of(number(w, 255, "number of a TLSA record"))),
        Buffer.from(hex, "hex"),
      ]);
    }
    case "CAA": {
      const m = /^(\d{1,3})\s+([a-z0-9]+)\s+"?([^"]*)"?$/i.exec(r.data);
      if (!m) throw new RecordError(`${JSON.stringify(r.data)} is no CAA record`);
      const tag = Buffer.from(m[2]);
      return Buffer.concat([
        Buffer.of(number(m[1], 255, "flag"), tag.length),
        tag,
        Buffer.from(m[3]),
      ]);
    }
    case "TXT":
      return strings(r.data);
  }
}
