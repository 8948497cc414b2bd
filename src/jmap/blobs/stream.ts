/** A blob as a stream. @module */
import type { Blob } from "./types.ts";

/** Bytes read at a time. */
const piece = 256 * 1024;

/**
 * Bytes [from, to) of a blob, read on demand. A blob that ends earlier is damaged: an error.
 * @param done called at the end, also if the reader cancels
 */
export function blobStream(
  blob: Blob,
  from: number,
  to: number,
  done: () => void = () => {},
): ReadableStream<Uint8Array> {
  let at = from;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      try {
        const bytes = at < to ? blob.read(at, Math.min(to, at + piece)) : undefined;
        if (bytes !== undefined && bytes.length > 0) {
          at += bytes.length;
          controller.enqueue(bytes);
          return;
        }
        done();
        if (at < to) controller.error(new Error("file is damaged"));
        else controller.close();
      } catch (err) {
        done();
        controller.error(err);
      }
    },
    cancel: done,
  }, { highWaterMark: 0 });
}
