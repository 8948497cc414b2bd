/**
 * Unpacking of attachments: gzip, zip (its first file), or uncompressed; never beyond a limit, so
 * that a small attachment can't use a lot of memory.
 *
 * @module
 */
import { gunzipSync, inflateRawSync } from "node:zlib";
import { ReportError } from "./errors.ts";

/** Bytes of an unpacked report. Reports of the largest senders have a few MB. */
export const maxReportSize = 20 * 1024 * 1024;

/**
 * The report in an attachment, however it is packed; recognised by its first bytes, as types and
 * names of attachments are often wrong.
 * @throws ReportError with compression or limit
 */
export function unpack(data: Uint8Array, maxSize = maxReportSize): Uint8Array {
  if (data[0] === 0x1f && data[1] === 0x8b) return gunzip(data, maxSize);
  if (data[0] === 0x50 && data[1] === 0x4b && data[2] === 3 && data[3] === 4) {
    return unzip(data, maxSize);
  }
  if (data.length > maxSize) throw new ReportError("limit", `report above ${maxSize} bytes`);
  return data;
}

function limited(unpackWith: (maxOutputLength: number) => Uint8Array, maxSize: number): Uint8Array {
  try {
    const out = unpackWith(maxSize);
    return new Uint8Array(out.buffer, out.byteOffset, out.length);
  } catch (err) {
    if ((err as { code?: string }).code === "ERR_BUFFER_TOO_LARGE") {
      throw new ReportError("limit", `report above ${maxSize} bytes when unpacked`);
    }
    throw new ReportError("compression", "attachment can't be unpacked", { cause: err });
  }
}

function gunzip(data: Uint8Array, maxSize: number): Uint8Array {
  try {
    return limited((maxOutputLength) => gunzipSync(data, { maxOutputLength }), maxSize);
  } catch (err) {
    if (!(err instanceof ReportError) || err.code === "limit") throw err;
    // Some reporters append a line end, or truncate it: the content of the first stream counts.
    const start = deflateStart(data);
    if (start === undefined) throw err;
    const content = data.subarray(start);
    return limited((maxOutputLength) => inflateRawSync(content, { maxOutputLength }), maxSize);
  }
}

/** Where the compressed data of a gzip stream begins (RFC 1952 §2.3); undefined if it isn't one. */
function deflateStart(data: Uint8Array): number | undefined {
  if (data[2] !== 8) return undefined;
  const flags = data[3];
  let at = 10;
  if (flags & 4) at += 2 + data[at] + (data[at + 1] << 8);
  for (const bit of [8, 16]) {
    if (!(flags & bit)) continue;
    const end = data.indexOf(0, at);
    if (end < 0) return undefined;
    at = end + 1;
  }
  if (flags & 2) at += 2;
  return at < data.length ? at : undefined;
}

/** Files of an archive examined as a possible report. */
const maxEntries = 100;

/** The first file of a zip archive with content, by its central directory (APPNOTE.TXT §4.3). */
function unzip(data: Uint8Array, maxSize: number): Uint8Array {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const bad = (what: string) => new ReportError("compression", `zip archive: ${what}`);
  // The end record is followed by a comment of at most 64 KB.
  let end = data.length - 22;
  const lowest = Math.max(0, end - 0xffff);
  while (end >= lowest && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < lowest || end < 0) throw bad("no end of central directory");
  const entries = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < entries; i++) {
    if (i >= maxEntries) throw new ReportError("limit", `zip archive of ${entries} files`);
    if (at + 46 > data.length || view.getUint32(at, true) !== 0x02014b50) {
      throw bad("broken central directory");
    }
    const flags = view.getUint16(at + 8, true), method = view.getUint16(at + 10, true);
    const packed = view.getUint32(at + 20, true), size = view.getUint32(at + 24, true);
    const local = view.getUint32(at + 42, true);
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
    if (size === 0) continue; // a folder
    if (flags & 1) throw bad("encrypted");
    if (size > maxSize) {
      throw new ReportError("limit", `report above ${maxSize} bytes when unpacked`);
    }
    if (local + 30 > data.length || view.getUint32(local, true) !== 0x04034b50) {
      throw bad("broken local header");
    }
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    if (start + packed > data.length) throw bad("cut off");
    const content = data.subarray(start, start + packed);
    if (method === 0) return content;
    if (method !== 8) throw bad(`compression method ${method}`);
    // The size in the directory is only the sender's claim: the limit is enforced again.
    return limited((maxOutputLength) => inflateRawSync(content, { maxOutputLength }), maxSize);
  }
  throw bad("no file in it");
}
