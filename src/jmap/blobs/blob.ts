/** Binary data by its id (RFC 8620 §6): what was uploaded, messages, and parts of them. @module */
import type { Access } from "../core/method.ts";
import type { JmapServices } from "../services.ts";

/** Bytes that can be read piece by piece. Close it. */
export interface Blob {
  size: number;
  /** Bytes [from, to). */
  read(from: number, to: number): Uint8Array;
  close(): void;
}

function uploaded(path: string, size: number): Blob {
  const file = Deno.openSync(path);
  return {
    size,
    read(from, to) {
      const out = new Uint8Array(Math.max(0, Math.min(to, size) - from));
      file.seekSync(from, Deno.SeekMode.Start);
      let n = 0;
      while (n < out.length) {
        const r = file.readSync(out.subarray(n));
        if (r === null) break;
        n += r;
      }
      return out.subarray(0, n);
    },
    close: () => file.close(),
  };
}

/** Opens what a blob id stands for in an account; undefined if there is no such thing for this user. */
export function openBlob(s: JmapServices, a: Access, id: string): Blob | undefined {
  const upload = s.uploads.get(a.account.name, id);
  return upload && uploaded(upload.path, upload.size);
}
