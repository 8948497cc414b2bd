/** Reads the archives that the webmail writes: not compressed, sizes in the directory at the end. */
import assert from "node:assert/strict";
import { crc32 } from "node:zlib";

/** Files by name, in their order. */
export function unzipSync(zip: Uint8Array): Record<string, Uint8Array> {
  const view = new DataView(zip.buffer, zip.byteOffset);
  const end = zip.length - 22;
  assert.equal(view.getUint32(end, true), 0x06054b50);
  const files: Record<string, Uint8Array> = {};
  let at = view.getUint32(end + 16, true);
  for (let n = view.getUint16(end + 10, true); n > 0; n--) {
    assert.equal(view.getUint32(at, true), 0x02014b50);
    const crc = view.getUint32(at + 16, true);
    const size = view.getUint32(at + 20, true);
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(zip.subarray(at + 46, at + 46 + nameLength));
    const local = view.getUint32(at + 42, true);
    assert.equal(view.getUint32(local, true), 0x04034b50);
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    files[name] = zip.slice(start, start + size);
    assert.equal(crc32(files[name]), crc);
    at += 46 + nameLength + view.getUint16(at + 30, true);
  }
  return files;
}
