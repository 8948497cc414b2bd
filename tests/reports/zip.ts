/** Makes zip archives, good and bad ones. */
import { deflateRawSync } from "node:zlib";

/** An archive of files; a claimed size replaces the true one in the headers. */
export function zip(
  files: [name: string, content: Uint8Array][],
  opts: { claimedSize?: number; stored?: boolean; comment?: string } = {},
): Uint8Array {
  const chunks: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const encoded = new TextEncoder().encode(name);
    const data = opts.stored ? content : new Uint8Array(deflateRawSync(content));
    const size = content.length === 0 ? 0 : opts.claimedSize ?? content.length;
    const header = (signature: number, central: boolean) => {
      const h = new DataView(new ArrayBuffer(central ? 46 : 30));
      h.setUint32(0, signature, true);
      const at = central ? 6 : 4;
      h.setUint16(at, 20, true);
      h.setUint16(at + 4, opts.stored ? 0 : 8, true);
      h.setUint32(at + 14, data.length, true);
      h.setUint32(at + 18, size, true);
      h.setUint16(at + 22, encoded.length, true);
      if (central) h.setUint32(42, offset, true);
      return new Uint8Array(h.buffer);
    };
    directory.push(header(0x02014b50, true), encoded);
    const parts = [header(0x04034b50, false), encoded, data];
    chunks.push(...parts);
    for (const p of parts) offset += p.length;
  }
  const comment = new TextEncoder().encode(opts.comment ?? "");
  const end = new DataView(new ArrayBuffer(22));
  end.setUint32(0, 0x06054b50, true);
  end.setUint16(8, files.length, true);
  end.setUint16(10, files.length, true);
  end.setUint32(12, directory.reduce((n, d) => n + d.length, 0), true);
  end.setUint32(16, offset, true);
  end.setUint16(20, comment.length, true);
  const all = [...chunks, ...directory, new Uint8Array(end.buffer), comment];
  const out = new Uint8Array(all.reduce((n, c) => n + c.length, 0));
  let at = 0;
  for (const c of all) {
    out.set(c, at);
    at += c.length;
  }
  return out;
}
