/**
 * Messages of dynamic updates (RFC 2136) signed with a shared key (TSIG, RFC 8945), as bytes.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { nameBytes, recordData, typeNumbers, u16, type ZoneRecord } from "./records.ts";

/** A key that the server and the name server share. */
export interface TsigKey {
  name: string;
  algorithm: "hmac-sha256" | "hmac-sha384" | "hmac-sha512";
  secret: Uint8Array;
}

/** The changes, in this order: removing first. */
export interface ZoneChange {
  remove: readonly ZoneRecord[];
  add: readonly ZoneRecord[];
}

/** Seconds by which clocks may differ (RFC 8945 §10). */
const fudge = 300;
const classIn = 1;
const classNone = 254;
const classAny = 255;
const typeSoa = 6;
const typeTsig = 250;

/** Names of response codes (RFC 1035 §4.1.1, RFC 2136 §2.2, RFC 8945 §5). */
const rcodes: Readonly<Record<number, string>> = {
  1: "FORMERR",
  2: "SERVFAIL",
  3: "NXDOMAIN",
  4: "NOTIMP",
  5: "REFUSED: the key may not change this",
  6: "YXDOMAIN",
  7: "YXRRSET",
  8: "NXRRSET",
  9: "NOTAUTH: it is not a server of the zone, or the key is wrong",
  10: "NOTZONE: a name is not in the zone",
  16: "BADSIG: the secrets of the key differ",
  17: "BADKEY: the server doesn't know the key",
  18: "BADTIME: the clocks differ by more than five minutes",
  22: "BADTRUNC",
};

/** The answer is a refusal, or can't be read or trusted. */
export class UpdateError extends Error {
  override name = "UpdateError";
}

const u32 = (n: number) => Buffer.concat([u16(n >>> 16), u16(n & 0xffff)]);
/** Seconds since the epoch in 48 bits. */
const time48 = (ms: number) => {
  const s = Math.floor(ms / 1000);
  return Buffer.concat([u16(Math.floor(s / 2 ** 32)), u32(s % 2 ** 32)]);
};

/** The update, and the data to check its answer with. */
export interface SignedUpdate {
  bytes: Buffer;
  id: number;
  mac: Buffer;
}

const macOf = (key: TsigKey, ...pieces: Uint8Array[]): Buffer => {
  const h = createHmac(key.algorithm.slice("hmac-".length), key.secret);
  for (const p of pieces) h.update(p);
  return h.digest();
};

/** The signed part of the TSIG record (RFC 8945 §4.3.3). */
function tsigVariables(key: TsigKey, time: Buffer, within: number, error: number, other: Buffer) {
  return Buffer.concat([
    nameBytes(key.name),
    u16(classAny),
    u32(0),
    nameBytes(key.algorithm),
    time,
    u16(within),
    u16(error),
    u16(other.length),
    other,
  ]);
}

/** An update of a zone. @param ttl in seconds, of the added records @throws RecordError */
export function encodeUpdate(
  o: { id: number; zone: string; change: ZoneChange; ttl: number; key: TsigKey; now: number },
): SignedUpdate {
  const record = (record: ZoneRecord, cls: number, ttl: number) => {
    const data = recordData(record);
    return Buffer.concat([
      nameBytes(record.name),
      u16(typeNumbers[record.type]),
      u16(cls),
      u32(ttl),
      u16(data.length),
      data,
    ]);
  };
  const updates = [
    // RFC 2136 §2.5.4: class NONE removes one record.
    ...o.change.remove.map((r) => record(r, classNone, 0)),
    ...o.change.add.map((r) => record(r, classIn, o.ttl)),
  ];
  const header = (additional: number) =>
    Buffer.concat([u16(o.id), u16(5 << 11), u16(1), u16(0), u16(updates.length), u16(additional)]);
  const rest = Buffer.concat([nameBytes(o.zone), u16(typeSoa), u16(classIn), ...updates]);
  const unsigned = Buffer.concat([header(0), rest]);
  const time = time48(o.now);
  const mac = macOf(
    o.key,
    unsigned,
    tsigVariables(o.key, time, fudge, 0, Buffer.alloc(0)),
  );
  const tsig = Buffer.concat([
    nameBytes(o.key.algorithm),
    time,
    u16(fudge),
    u16(mac.length),
    mac,
    u16(o.id),
    u16(0),
    u16(0),
  ]);
  const signature = Buffer.concat([
    nameBytes(o.key.name),
    u16(typeTsig),
    u16(classAny),
    u32(0),
    u16(tsig.length),
    tsig,
  ]);
  return { bytes: Buffer.concat([header(1), rest, signature]), id: o.id, mac };
}

/** A reader of a message; every step is checked. */
class Reader {
  at = 0;
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  take(n: number): Uint8Array {
    if (this.at + n > this.bytes.length) throw new UpdateError("the answer ends too early");
    return this.bytes.subarray(this.at, this.at += n);
  }
  u16(): number {
    const [a, b] = this.take(2);
    return a << 8 | b;
  }
  /** A name without compression, which is all that TSIG may have; a skipped name may end with a pointer. */
  name(): string {
    const labels: string[] = [];
    for (let total = 0;;) {
      const [length] = this.take(1);
      if (length === 0) return labels.join(".");
      if ((length & 0xc0) === 0xc0) {
        this.take(1);
        return `${labels.join(".")}…`;
      }
      total += length + 1;
      if (length > 63 || total > 255) throw new UpdateError("the answer has a name that is none");
      labels.push(new TextDecoder("latin1").decode(this.take(length)).toLowerCase());
    }
  }
}

/**
 * Checks that an answer belongs to the update, is signed by the key, and reports success.
 * @throws UpdateError
 */
export function checkAnswer(
  answer: Uint8Array,
  update: SignedUpdate,
  key: TsigKey,
  now: number,
): void {
  const r = new Reader(answer);
  const id = r.u16();
  const flags = r.u16();
  const [zones, prerequisites, updates, additional] = [r.u16(), r.u16(), r.u16(), r.u16()];
  if (id !== update.id || (flags & 0x8000) === 0 || (flags >> 11 & 15) !== 5) {
    throw new UpdateError("what came back is no answer to an update");
  }
  const rcode = flags & 15;
  const said = (code: number) => `the name server says ${rcodes[code] ?? `error ${code}`}`;
  for (let i = 0; i < zones; i++) {
    r.name();
    r.take(4);
  }
  const records = prerequisites + updates + additional;
  if (records > 100) throw new UpdateError("the answer has too many records");
  for (let i = 0; i < records; i++) {
    const start = r.at;
    const name = r.name();
    const type = r.u16();
    r.take(6);
    const length = r.u16();
    const data = new Reader(r.take(length));
    if (type !== typeTsig) continue;
    if (i !== records - 1) break;
    const algorithm = data.name();
    const time = Buffer.from(data.take(6));
    const within = data.u16();
    const mac = Buffer.from(data.take(data.u16()));
    data.u16();
    const error = data.u16();
    const other = Buffer.from(data.take(data.u16()));
    // RFC 8945 §5.3.2: these answers aren't signed.
    if (error === 16 || error === 17) throw new UpdateError(said(error));
    if (name !== key.name.toLowerCase() || algorithm !== key.algorithm) {
      throw new UpdateError("the answer is signed with another key");
    }
    const unsigned = Buffer.from(answer.subarray(0, start));
    unsigned.writeUInt16BE(additional - 1, 10);
    const right = macOf(
      key,
      u16(update.mac.length),
      update.mac,
      unsigned,
      tsigVariables(key, time, within, error, other),
    );
    if (mac.length !== right.length || !timingSafeEqual(mac, right)) {
      throw new UpdateError("the signature of the answer is wrong");
    }
    const when = time.readUIntBE(0, 6) * 1000;
    if (error === 0 && Math.abs(now - when) > within * 1000) {
      throw new UpdateError("the answer is too old, or the clocks differ");
    }
    if (error !== 0) throw new UpdateError(said(error));
    if (rcode !== 0) throw new UpdateError(said(rcode));
    return;
  }
  // An unsigned answer may come from anybody; a refusal is believed, as it promises nothing.
  if (rcode !== 0) throw new UpdateError(said(rcode));
  throw new UpdateError("the answer is not signed");
}
