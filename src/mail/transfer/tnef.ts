/**
 * Files in winmail.dat: the Transport Neutral Encapsulation Format (MS-OXTNEF), in which some servers pack all that
 * was attached to a message.
 *
 * Total and linear: what can't be made out is left out.
 *
 * @module
 */
import { decodeCharset } from "../text/charset.ts";
import type { PackedFile } from "./uuencode.ts";

const signature = 0x223e9f78;
/** Attributes of attachments (§2.1.3.3). */
const attachRendering = 0x00069002;
const attachTitle = 0x00018010;
const attachData = 0x0006800f;
const attachProperties = 0x00069005;
/** Properties of them. */
const longFileName = 0x3707;
const dataBinary = 0x3701;

/** Files, properties and values that are looked at. */
const maxFiles = 200;
const maxProperties = 2000;

/** The files in it; undefined if it is no TNEF. */
export function tnefFiles(bytes: Uint8Array): PackedFile[] | undefined {
  if (bytes.length < 6) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== signature) return undefined;
  const files: { title: string; long: string; content: Uint8Array }[] = [];
  for (let at = 6; at + 9 <= bytes.length;) {
    const id = view.getUint32(at + 1, true);
    const length = view.getUint32(at + 5, true);
    const from = at + 9;
    if (from + length > bytes.length) break;
    const data = bytes.subarray(from, from + length);
    at = from + length + 2;
    if (id === attachRendering) {
      if (files.length >= maxFiles) break;
      files.push({ title: "", long: "", content: new Uint8Array(0) });
    }
    const file = files[files.length - 1];
    if (!file) continue;
    if (id === attachTitle) file.title = text(data, undefined);
    else if (id === attachData) file.content = data;
    else if (id === attachProperties) {
      for (const p of properties(data)) {
        if (p.id === longFileName) {
          file.long = text(p.data, p.type === 0x1f ? "utf-16le" : undefined);
        } // Beside the object's class, which is 16 bytes.
        else if (p.id === dataBinary && file.content.length === 0) {
          file.content = p.type === 0x0d ? p.data.subarray(16) : p.data;
        }
      }
    }
  }
  return files.filter((f) => f.content.length > 0)
    .map((f, i) => ({ name: f.long || f.title || `attachment-${i + 1}`, content: f.content }));
}

function text(data: Uint8Array, charset: string | undefined): string {
  return decodeCharset(data.subarray(0, 1024), charset).replace(/\0[^]*$/, "").trim().slice(0, 255);
}

interface Property {
  id: number;
  type: number;
  data: Uint8Array;
}

/** Bytes of values of fixed size, by type (§2.1.3.4). */
const fixed: Record<number, number> = {
  0x01: 4,
  0x02: 4,
  0x03: 4,
  0x04: 4,
  0x05: 8,
  0x06: 8,
  0x07: 8,
  0x0a: 4,
  0x0b: 4,
  0x14: 8,
  0x40: 8,
  0x48: 16,
};

function* properties(bytes: Uint8Array): Generator<Property> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const has = (at: number, n: number) => at + n <= bytes.length;
  if (!has(0, 4)) return;
  const count = Math.min(maxProperties, view.getUint32(0, true));
  let at = 4;
  for (let i = 0; i < count; i++) {
    if (!has(at, 4)) return;
    const typed = view.getUint16(at, true);
    const id = view.getUint16(at + 2, true);
    at += 4;
    if (id >= 0x8000) {
      // A name: a class, and a number or a text.
      if (!has(at, 24)) return;
      const named = view.getUint32(at + 16, true);
      const n = view.getUint32(at + 20, true);
      at += 24;
      if (named === 1) at += padded(n);
    }
    const type = typed & 0xfff;
    const size = fixed[type];
    const several = (typed & 0x1000) !== 0;
    let values = 1;
    if (several || size === undefined) {
      if (!has(at, 4)) return;
      values = view.getUint32(at, true);
      at += 4;
    }
    for (let k = 0; k < values; k++) {
      let n = size;
      if (size === undefined) {
        if (!has(at, 4)) return;
        n = view.getUint32(at, true);
        at += 4;
      }
      if (!has(at, n)) return;
      if (k === 0) yield { id, type, data: bytes.subarray(at, at + n) };
      at += padded(n);
    }
  }
}

const padded = (n: number) => Math.ceil(n / 4) * 4;
