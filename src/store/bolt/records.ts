/**
 * Records of bstore in a bbolt file, as the Go original stores them. Each type has a bucket, which holds a
 * bucket `types`, with the versions of its fields as JSON, and a bucket `records`. A record's key is its first
 * field. Its value is the version (a varint), a bit for each other field that isn't zero, and the values of
 * these fields in sequence, each encoded by its kind.
 *
 * So fields are read by the names that the file itself gives, whichever version of the original wrote it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import * as v from "valibot";
import { BoltBucket, BoltFile } from "./bolt.ts";

/** A field's value: numbers, texts, bytes, times in milliseconds, lists, and structs and maps as objects. */
export type FieldValue =
  | number
  | boolean
  | string
  | Uint8Array
  | null
  | FieldValue[]
  | { [name: string]: FieldValue };

/** A record: its fields by name. Fields that the file's version doesn't have are undefined. */
export class BoltRecord {
  readonly #fields: { [name: string]: FieldValue };

  constructor(fields: { [name: string]: FieldValue }) {
    this.#fields = fields;
  }

  /** A value of any kind. */
  value(name: string): FieldValue | undefined {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  /** A number, 0 if missing. Times are in milliseconds since the epoch, 0 for none. */
  number(name: string): number {
    const x = this.value(name);
    return typeof x === "number" ? x : 0;
  }

  /** A text, "" if missing. */
  text(name: string): string {
    const x = this.value(name);
    return typeof x === "string" ? x : "";
  }

  flag(name: string): boolean {
    return this.value(name) === true;
  }

  /** Bytes, empty if missing. */
  bytes(name: string): Uint8Array {
    const x = this.value(name);
    return x instanceof Uint8Array ? x : new Uint8Array(0);
  }

  list(name: string): FieldValue[] {
    const x = this.value(name);
    return Array.isArray(x) ? x : [];
  }

  /** The texts of a list. */
  texts(name: string): string[] {
    return this.list(name).filter((x) => typeof x === "string");
  }

  /** A struct or map, empty if missing. */
  record(name: string): BoltRecord {
    return recordOf(this.value(name));
  }

  /** The structs of a list. */
  records(name: string): BoltRecord[] {
    return this.list(name).map(recordOf);
  }

  /** The texts of a map. */
  textMap(name: string): Record<string, string> {
    const x = this.value(name);
    const out: Record<string, string> = {};
    if (typeof x !== "object" || x === null || Array.isArray(x) || x instanceof Uint8Array) {
      return out;
    }
    for (const [k, y] of Object.entries(x)) if (typeof y === "string") out[k] = y;
    return out;
  }
}

function recordOf(value: FieldValue | undefined): BoltRecord {
  const plain = typeof value === "object" && value !== null && !Array.isArray(value) &&
    !(value instanceof Uint8Array);
  return new BoltRecord(plain ? value : {});
}

interface FieldType {
  Kind: string;
  Ptr?: boolean;
  Fields?: { Name: string; Type: FieldType }[] | null;
  FieldsTypeSeq?: number;
  List?: FieldType | null;
  /** So named in version 1 of the format. */
  ListElem?: FieldType | null;
  ArrayLength?: number;
  MapKey?: FieldType | null;
  MapValue?: FieldType | null;
}

const typeSchema: v.GenericSchema<FieldType> = v.object({
  Kind: v.string(),
  Ptr: v.optional(v.boolean()),
  Fields: v.nullish(v.array(v.object({ Name: v.string(), Type: v.lazy(() => typeSchema) }))),
  FieldsTypeSeq: v.optional(v.number()),
  List: v.nullish(v.lazy(() => typeSchema)),
  ListElem: v.nullish(v.lazy(() => typeSchema)),
  ArrayLength: v.optional(v.number()),
  MapKey: v.nullish(v.lazy(() => typeSchema)),
  MapValue: v.nullish(v.lazy(() => typeSchema)),
});
const versionSchema = v.object({
  Version: v.number(),
  Fields: v.pipe(v.array(v.object({ Name: v.string(), Type: typeSchema })), v.minLength(1)),
});
type TypeVersion = v.InferOutput<typeof versionSchema>;

/** Levels of nested lists, maps and structs. */
const maxNesting = 30;

/** Puts struct fields that are defined elsewhere in the type where they are referred to. */
function resolveStructs(version: TypeVersion): void {
  const known = new Map<number, FieldType["Fields"]>();
  const each = (type: FieldType, fn: (type: FieldType) => void, depth = 0) => {
    if (depth > maxNesting) throw new Error("nested too deeply");
    fn(type);
    for (const f of type.Fields ?? []) each(f.Type, fn, depth + 1);
    for (const inner of [type.List, type.ListElem, type.MapKey, type.MapValue]) {
      if (inner) each(inner, fn, depth + 1);
    }
  };
  for (const f of version.Fields) {
    each(f.Type, (x) => {
      if ((x.FieldsTypeSeq ?? 0) > 0) known.set(x.FieldsTypeSeq!, x.Fields);
    });
  }
  for (const f of version.Fields) {
    each(f.Type, (type) => {
      if ((type.FieldsTypeSeq ?? 0) >= 0) return;
      const fields = known.get(-type.FieldsTypeSeq!);
      if (!fields) throw new Error("a struct without fields");
      type.Fields = fields;
      type.FieldsTypeSeq = 0;
    });
  }
}

/** The types of a file, and their records. */
export class RecordFile {
  readonly #file: BoltFile;

  private constructor(file: BoltFile) {
    this.#file = file;
  }

  /** @throws BoltError; errors of the file system */
  static open(path: string): RecordFile {
    return new RecordFile(BoltFile.open(path));
  }

  get path(): string {
    return this.#file.path;
  }

  /** Names of its types. */
  types(): string[] {
    const names: string[] = [];
    for (const { key, value } of this.#file.root().entries()) {
      if (value instanceof BoltBucket) names.push(key.toString());
    }
    return names;
  }

  /** The records of a type, in order of their keys; none if the file doesn't have the type. @throws BoltError */
  *records(type: string): Generator<BoltRecord> {
    const bucket = this.#file.root().bucket(type);
    const records = bucket?.bucket("records");
    if (!bucket || !records) return;
    const versions = this.#versions(type, bucket);
    for (const { key, value } of records.entries()) {
      if (value instanceof BoltBucket) throw this.#file.error(`${type} has a bucket for a record`);
      try {
        yield readRecord(versions, key, value);
      } catch (err) {
        if (!(err instanceof RecordError)) throw err;
        throw this.#file.error(
          `a record of ${type}, with the key ${key.toString("hex")}, is damaged: ${err.message}`,
        );
      }
    }
  }

  #versions(type: string, bucket: BoltBucket): Map<number, TypeVersion> {
    const versions = new Map<number, TypeVersion>();
    for (const { value } of bucket.bucket("types")?.entries() ?? []) {
      try {
        if (value instanceof BoltBucket) throw new Error("a bucket");
        const t = v.parse(versionSchema, JSON.parse(value.toString()));
        resolveStructs(t);
        versions.set(t.Version, t);
      } catch (err) {
        throw this.#file.error(`what ${type} is made of can't be read: ${(err as Error).message}`);
      }
    }
    return versions;
  }

  /** @throws BoltError if it was written to meanwhile */
  close(failed = false): void {
    this.#file.close(failed);
  }
}

class RecordError extends Error {}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(n: number): Buffer {
    if (n > this.left) throw new RecordError("it is cut off");
    const b = this.#bytes.subarray(this.#at, this.#at + n);
    this.#at += n;
    return b;
  }

  /** Unsigned, of up to 64 bits. */
  uvarint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.take(1)[0];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new RecordError("a number is too long");
  }

  /** A length or count that fits the remaining bytes. */
  length(): number {
    const n = this.uvarint();
    if (n > BigInt(this.left) * 8n) throw new RecordError("a length reaches out of it");
    return Number(n);
  }

  counted(): Buffer {
    return this.take(this.length());
  }

  /** Bits of fields that aren't zero. */
  bits(count: number): (i: number) => boolean {
    const map = this.take(Math.ceil(count / 8));
    return (i) => (map[i >> 3] & 128 >> (i & 7)) !== 0;
  }
}

function safe(n: bigint): number {
  const x = Number(n);
  if (!Number.isSafeInteger(x)) throw new RecordError("a number is too large");
  return x;
}

function readRecord(
  versions: ReadonlyMap<number, TypeVersion>,
  key: Buffer,
  bytes: Buffer,
): BoltRecord {
  const c = new Cursor(bytes);
  const version = safe(c.uvarint());
  const type = versions.get(version);
  if (!type) throw new RecordError(`its version ${version} is unknown`);
  const [first, ...others] = type.Fields;
  const fields: { [name: string]: FieldValue } = { [first.Name]: readKey(first.Type, key) };
  const isSet = c.bits(others.length);
  others.forEach((f, i) => {
    fields[f.Name] = isSet(i) ? readValue(f.Type, c, 0) : zero(f.Type);
  });
  if (c.left !== 0) throw new RecordError(`${c.left} bytes more than it should have`);
  return new BoltRecord(fields);
}

/** Bytes of integers as keys; `int` and `uint` have four. */
const widths: Record<string, number> = {
  int8: 1,
  int16: 2,
  int32: 4,
  int: 4,
  int64: 8,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint: 4,
  uint64: 8,
};

function readKey(type: FieldType, key: Buffer): FieldValue {
  if (type.Kind === "string") return key.toString();
  if (type.Kind === "bytes") return Uint8Array.from(key);
  if (type.Kind === "bool") return key[0] === 1;
  const width = widths[type.Kind];
  if (width === undefined || key.length !== width) {
    throw new RecordError("its key is of another kind");
  }
  let n = 0n;
  for (const byte of key) n = n << 8n | BigInt(byte);
  // Keys sort by bytes, so signed ones are shifted up by half of their range.
  if (type.Kind.startsWith("int")) n -= 1n << BigInt(width * 8 - 1);
  return safe(n);
}

/** The value of a field that is not in a record. */
function zero(type: FieldType): FieldValue {
  if (type.Ptr) return null;
  switch (type.Kind) {
    case "bool":
      return false;
    case "string":
      return "";
    case "bytes":
    case "binarymarshal":
      return new Uint8Array(0);
    case "slice":
    case "array":
      return [];
    case "map":
      return {};
    case "struct":
      return Object.fromEntries((type.Fields ?? []).map((f) => [f.Name, zero(f.Type)]));
    default:
      return 0;
  }
}

function readValue(type: FieldType, cursor: Cursor, depth: number): FieldValue {
  if (depth > maxNesting) throw new RecordError("nested too deeply");
  switch (type.Kind) {
    case "bytes":
    case "binarymarshal":
      return Uint8Array.from(cursor.counted());
    case "string":
      return cursor.counted().toString();
    case "bool":
      return type.Ptr ? cursor.take(1)[0] !== 0 : true;
    case "int":
    case "int8":
    case "int16":
    case "int32":
    case "int64": {
      const n = cursor.uvarint();
      return safe((n & 1n) === 0n ? n >> 1n : -(n >> 1n) - 1n);
    }
    case "uint":
    case "uint8":
    case "uint16":
    case "uint32":
    case "uint64":
      return safe(cursor.uvarint());
    case "float32":
    case "float64":
      return float(cursor.uvarint(), type.Kind === "float32");
    case "time":
      return time(cursor.counted());
    case "slice":
      return readList(innerOf(type), cursor, cursor.length(), depth);
    case "array":
      return readList(innerOf(type), cursor, type.ArrayLength ?? 0, depth);
    case "map":
      return readMap(type, cursor, depth);
    case "struct": {
      const fields = type.Fields ?? [];
      const isSet = cursor.bits(fields.length);
      return Object.fromEntries(
        fields.map((
          f,
          i,
        ) => [f.Name, isSet(i) ? readValue(f.Type, cursor, depth + 1) : zero(f.Type)]),
      );
    }
    default:
      throw new RecordError(`a field of the unknown kind ${JSON.stringify(type.Kind)}`);
  }
}

function innerOf(type: FieldType): FieldType {
  const inner = type.List ?? type.ListElem;
  if (!inner) throw new RecordError("a list of nothing");
  return inner;
}

function readList(inner: FieldType, cursor: Cursor, count: number, depth: number): FieldValue[] {
  if (count > cursor.left * 8) throw new RecordError("a list is longer than it can be");
  const isSet = cursor.bits(count);
  const list: FieldValue[] = [];
  for (let i = 0; i < count; i++) {
    list.push(isSet(i) ? readValue(inner, cursor, depth + 1) : zero(inner));
  }
  return list;
}

function readMap(type: FieldType, cursor: Cursor, depth: number): FieldValue {
  if (!type.MapKey || !type.MapValue) throw new RecordError("a map of nothing");
  const count = cursor.length();
  const isSet = cursor.bits(count);
  const entries: [string, FieldValue][] = [];
  for (let i = 0; i < count; i++) {
    const key = readValue(type.MapKey, cursor, depth + 1);
    entries.push([
      String(key),
      isSet(i) ? readValue(type.MapValue, cursor, depth + 1) : zero(type.MapValue),
    ]);
  }
  return Object.fromEntries(entries);
}

function float(bits: bigint, single: boolean): number {
  const b = new DataView(new ArrayBuffer(8));
  if (single) {
    b.setUint32(0, Number(bits & 0xffffffffn));
    return b.getFloat32(0);
  }
  b.setBigUint64(0, bits);
  return b.getFloat64(0);
}

/** Seconds from the year 1, where Go's times begin, to 1970. */
const yearOne = 62135596800n;

/** A time as Go packs it: version, seconds, nanoseconds, minutes from UTC. 0 for none. */
function time(buffer: Buffer): number {
  if (buffer.length < 15 || buffer[0] < 1 || buffer[0] > 2) {
    throw new RecordError("a time is damaged");
  }
  const seconds = buffer.readBigInt64BE(1);
  if (seconds === 0n) return 0;
  return safe((seconds - yearOne) * 1000n) + Math.floor(buffer.readInt32BE(9) / 1e6);
}
