/** Writes bbolt files with bstore records, for the tests of the reader: in whole, in order, nothing more. */
import { Buffer } from "node:buffer";

const pageSize = 4096;

/** A field: name, kind, and for lists and structs what is in them. */
export interface Field {
  Name: string;
  Type: { Kind: string; Ptr?: boolean; List?: Field["Type"]; Fields?: Field[] };
}

/** A type with its records: the key first, then a value for each further field or undefined for zero. */
export interface TypeData {
  name: string;
  fields: Field[];
  /** Other versions of the fields, by number; `fields` is the newest, with the next number. */
  older?: Field[][];
  records: Iterable<{ version?: number; values: unknown[] }>;
}

function uvarint(n: bigint): number[] {
  const out: number[] = [];
  for (; n >= 128n; n >>= 7n) out.push(Number(n & 127n) | 128);
  return [...out, Number(n)];
}

function encode(type: Field["Type"], v: unknown): Uint8Array {
  switch (type.Kind) {
    case "string":
    case "bytes": {
      const b = typeof v === "string" ? Buffer.from(v) : Buffer.from(v as Uint8Array);
      return Buffer.concat([Buffer.from(uvarint(BigInt(b.length))), b]);
    }
    case "bool":
      return type.Ptr ? Buffer.from([v ? 1 : 0]) : Buffer.alloc(0);
    case "time": {
      const ms = v as number;
      const b = Buffer.alloc(15);
      b[0] = 1;
      b.writeBigInt64BE(BigInt(Math.floor(ms / 1000)) + 62135596800n, 1);
      b.writeInt32BE((ms % 1000) * 1e6, 9);
      b.writeInt16BE(-1, 13);
      return Buffer.concat([Buffer.from([15]), b]);
    }
    case "slice": {
      const list = v as unknown[];
      const map = Buffer.alloc(Math.ceil(list.length / 8));
      list.forEach((_, i) => map[i >> 3] |= 128 >> (i & 7));
      return Buffer.concat([
        Buffer.from(uvarint(BigInt(list.length))),
        map,
        ...list.map((x) => encode(type.List!, x)),
      ]);
    }
    case "struct": {
      const fields = type.Fields ?? [];
      const map = Buffer.alloc(Math.ceil(fields.length / 8));
      const values = v as Record<string, unknown>;
      const parts: Uint8Array[] = [];
      fields.forEach((f, i) => {
        // False has no bytes, as it is zero.
        if (values[f.Name] === undefined || (values[f.Name] === false && !f.Type.Ptr)) return;
        map[i >> 3] |= 128 >> (i & 7);
        parts.push(encode(f.Type, values[f.Name]));
      });
      return Buffer.concat([map, ...parts]);
    }
    default: {
      const n = BigInt(v as number);
      const unsigned = type.Kind.startsWith("uint");
      return Buffer.from(uvarint(unsigned ? n : n < 0n ? (-n << 1n) - 1n : n << 1n));
    }
  }
}

function encodeKey(type: Field["Type"], v: unknown): Buffer {
  if (type.Kind === "string") return Buffer.from(v as string);
  const b = Buffer.alloc(type.Kind === "int64" ? 8 : 4);
  if (b.length === 8) b.writeBigUInt64BE(BigInt(v as number) + (1n << 63n));
  else b.writeUInt32BE((v as number) + (type.Kind === "int" ? 2 ** 31 : 0));
  return b;
}

function record(fields: Field[], version: number, values: unknown[]): Buffer {
  const rest = fields.slice(1);
  const map = Buffer.alloc(Math.ceil(rest.length / 8));
  const parts: Uint8Array[] = [];
  rest.forEach((f, i) => {
    const v = values[i + 1];
    if (v === undefined) return;
    map[i >> 3] |= 128 >> (i & 7);
    parts.push(encode(f.Type, v));
  });
  return Buffer.concat([Buffer.from(uvarint(BigInt(version))), map, ...parts]);
}

/** Pages of a file that is being written. */
export class BoltWriter {
  readonly #file: Deno.FsFile;
  #next = 3;

  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  #put(id: number, bytes: Uint8Array): void {
    this.#file.seekSync(id * pageSize, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }

  #page(kind: number, count: number, body: Buffer): number {
    const id = this.#next;
    const pages = Math.ceil((16 + body.length) / pageSize);
    this.#next += pages;
    const b = Buffer.alloc(pages * pageSize);
    b.writeBigUInt64LE(BigInt(id), 0);
    b.writeUInt16LE(kind, 8);
    b.writeUInt16LE(count, 10);
    b.writeUInt32LE(pages - 1, 12);
    body.copy(b, 16);
    this.#put(id, b);
    return id;
  }

  /** A tree of the entries, which are in order; the page of its root. */
  tree(entries: Iterable<{ key: Buffer; value: Buffer; bucket?: boolean }>): number {
    let level: { key: Buffer; page: number }[] = [];
    let leaf: { key: Buffer; value: Buffer; bucket?: boolean }[] = [];
    let size = 16;
    const flush = () => {
      const head = Buffer.alloc(leaf.length * 16);
      let at = head.length;
      leaf.forEach((e, i) => {
        head.writeUInt32LE(e.bucket ? 1 : 0, i * 16);
        head.writeUInt32LE(at - i * 16, i * 16 + 4);
        head.writeUInt32LE(e.key.length, i * 16 + 8);
        head.writeUInt32LE(e.value.length, i * 16 + 12);
        at += e.key.length + e.value.length;
      });
      const body = Buffer.concat([head, ...leaf.flatMap((e) => [e.key, e.value])]);
      level.push({ key: leaf[0]?.key ?? Buffer.alloc(0), page: this.#page(2, leaf.length, body) });
      leaf = [];
      size = 16;
    };
    for (const e of entries) {
      const more = 16 + e.key.length + e.value.length;
      if (leaf.length > 0 && size + more > pageSize) flush();
      leaf.push(e);
      size += more;
    }
    if (leaf.length > 0 || level.length === 0) flush();
    while (level.length > 1) {
      const up: typeof level = [];
      for (let i = 0; i < level.length; i += 100) {
        const part = level.slice(i, i + 100);
        const head = Buffer.alloc(part.length * 16);
        let at = head.length;
        part.forEach((e, j) => {
          head.writeUInt32LE(at - j * 16, j * 16);
          head.writeUInt32LE(e.key.length, j * 16 + 4);
          head.writeBigUInt64LE(BigInt(e.page), j * 16 + 8);
          at += e.key.length;
        });
        up.push({
          key: part[0].key,
          page: this.#page(1, part.length, Buffer.concat([head, ...part.map((e) => e.key)])),
        });
      }
      level = up;
    }
    return level[0].page;
  }

  /** The entry of a bucket whose tree is there. */
  bucket(name: string, page: number): { key: Buffer; value: Buffer; bucket: true } {
    const value = Buffer.alloc(16);
    value.writeBigUInt64LE(BigInt(page), 0);
    return { key: Buffer.from(name), value, bucket: true };
  }

  type(t: TypeData): { key: Buffer; value: Buffer; bucket: true } {
    const versions = [...t.older ?? [], t.fields];
    const newest = versions.length;
    function* rows() {
      for (const r of t.records) {
        const version = r.version ?? newest;
        const fields = versions[version - 1];
        yield {
          key: encodeKey(fields[0].Type, r.values[0]),
          value: record(fields, version, r.values),
        };
      }
    }
    const records = this.bucket("records", this.tree(rows()));
    const types = this.bucket(
      "types",
      this.tree(versions.map((Fields, i) => ({
        key: encodeKey({ Kind: "uint32" }, i + 1),
        value: Buffer.from(JSON.stringify({ Version: i + 1, OndiskVersion: 2, Fields })),
      }))),
    );
    return this.bucket(t.name, this.tree([records, types]));
  }

  /** Writes the metas and closes the file. Types come in order of their names. */
  finish(types: { key: Buffer; value: Buffer; bucket: true }[]): void {
    const root = this.tree(types);
    // An empty freelist.
    const free = Buffer.alloc(pageSize);
    free.writeBigUInt64LE(2n, 0);
    free.writeUInt16LE(16, 8);
    this.#put(2, free);
    for (const [i, tx] of [[0, 6n], [1, 7n]] as const) {
      const b = Buffer.alloc(pageSize);
      b.writeBigUInt64LE(BigInt(i), 0);
      b.writeUInt16LE(4, 8);
      const m = b.subarray(16);
      m.writeUInt32LE(0xed0cdaed, 0);
      m.writeUInt32LE(2, 4);
      m.writeUInt32LE(pageSize, 8);
      m.writeBigUInt64LE(BigInt(root), 16);
      m.writeBigUInt64LE(2n, 32);
      m.writeBigUInt64LE(BigInt(this.#next), 40);
      m.writeBigUInt64LE(tx, 48);
      let h = 0xcbf29ce484222325n;
      for (const x of m.subarray(0, 56)) {
        h = ((h ^ BigInt(x)) * 0x100000001b3n) & 0xffffffffffffffffn;
      }
      m.writeBigUInt64LE(h, 56);
      this.#put(i, b);
    }
    this.#file.close();
  }
}

/** Writes a file of types. */
export function writeBolt(path: string, types: TypeData[]): void {
  const w = new BoltWriter(path);
  const sorted = [...types].sort((a, b) => a.name < b.name ? -1 : 1);
  w.finish(sorted.map((t) => w.type(t)));
}
