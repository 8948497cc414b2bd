/**
 * The names in a TLS ClientHello (RFC 8446 §4.1.2), before the handshake. Never fails: any bytes give an
 * answer.
 *
 * @module
 */

export interface ClientHello {
  /** RFC 6066 §3, in lower case; "" without one. */
  serverName: string;
  /** Protocols offered (RFC 7301). */
  alpn: string[];
  sessionId: Uint8Array;
  ciphers: number[];
  /** From the supported_versions extension; empty for clients older than TLS 1.3. */
  versions: number[];
  /** Signature algorithms. */
  signatures: number[];
  keyShares: { group: number; key: Uint8Array }[];
}

/** Bytes within which a ClientHello must be complete. */
const maxBytes = 16 * 1024;

class Reader {
  at = 0;
  readonly bytes: Uint8Array;
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
  get left(): number {
    return this.bytes.length - this.at;
  }
  /** Reads a number of the given size in bytes. @throws RangeError at the end */
  number(bytes: number): number {
    let n = 0;
    for (const b of this.take(bytes).bytes) n = n * 256 + b;
    return n;
  }
  take(length: number): Reader {
    if (length > this.left) throw new RangeError("short");
    const r = new Reader(this.bytes.subarray(this.at, this.at + length));
    this.at += length;
    return r;
  }
  /** Reads data preceded by a length of `lengthBytes` bytes. */
  vector(lengthBytes: number): Reader {
    return this.take(this.number(lengthBytes));
  }
  text(): string {
    return String.fromCharCode(...this.bytes);
  }
}

/**
 * Reads a ClientHello, and its bytes without records, from the bytes of its records: "more" if it isn't
 * complete yet, undefined if it is something else.
 */
export function readClientHello(
  bytes: Uint8Array,
): { hello: ClientHello; message: Uint8Array } | "more" | undefined {
  const hello: number[] = [];
  const records = new Reader(bytes);
  try {
    for (;;) {
      if (records.left > 0 && bytes[records.at] !== 22) return undefined;
      records.take(3);
      const record = records.vector(2);
      if (record.bytes.length === 0) return undefined;
      hello.push(...record.bytes);
      if (hello[0] !== 1) return undefined;
      if (hello.length >= 4) {
        const length = hello[1] * 65536 + hello[2] * 256 + hello[3];
        if (length > maxBytes) return undefined;
        if (hello.length >= 4 + length) {
          const message = Uint8Array.from(hello.slice(0, 4 + length));
          const parsed = parse(new Reader(message.subarray(4)));
          return parsed && { hello: parsed, message };
        }
      }
    }
  } catch (err) {
    if (!(err instanceof RangeError)) throw err;
    return bytes.length > maxBytes ? undefined : "more";
  }
}

function parse(reader: Reader): ClientHello | undefined {
  const hello: ClientHello = {
    serverName: "",
    alpn: [],
    sessionId: new Uint8Array(0),
    ciphers: [],
    versions: [],
    signatures: [],
    keyShares: [],
  };
  const numbers = (from: Reader): number[] => {
    const list: number[] = [];
    while (from.left > 0) list.push(from.number(2));
    return list;
  };
  try {
    // Version and random.
    reader.take(34);
    hello.sessionId = reader.vector(1).bytes;
    hello.ciphers = numbers(reader.vector(2));
    // Compression methods.
    reader.vector(1);
    if (reader.left === 0) return hello;
    const extensions = reader.vector(2);
    while (extensions.left > 0) {
      const type = extensions.number(2);
      const data = extensions.vector(2);
      if (type === 0) {
        const names = data.vector(2);
        while (names.left > 0) {
          const kind = names.number(1);
          const name = names.vector(2);
          if (kind === 0) hello.serverName = name.text().toLowerCase();
        }
      } else if (type === 13) {
        hello.signatures = numbers(data.vector(2));
      } else if (type === 16) {
        const protocols = data.vector(2);
        while (protocols.left > 0) hello.alpn.push(protocols.vector(1).text());
      } else if (type === 43) {
        hello.versions = numbers(data.vector(1));
      } else if (type === 51) {
        const shares = data.vector(2);
        while (shares.left > 0) {
          hello.keyShares.push({ group: shares.number(2), key: shares.vector(2).bytes });
        }
      }
    }
    return hello;
  } catch (err) {
    if (!(err instanceof RangeError)) throw err;
    return undefined;
  }
}
