/**
 * Answers with the same bytes for everyone: pages and scripts that are created once.
 *
 * A Response copies its bytes, and its reader gets all of them in one piece: clients that requested a page of
 * 200 KB and reset the request made the server grow by 100 MB and more in seconds (measured with HTTP/2), until the next
 * garbage collection. Here nothing is copied, and each piece is created when the one before has been written.
 *
 * @module
 */

/** Bytes written at a time. */
const pieceSize = 32 * 1024;

/** An answer with these bytes, which must not be changed any more. */
export function fixedResponse(
  bytes: Uint8Array<ArrayBuffer>,
  headers: Record<string, string>,
  status = 200,
): Response {
  let at = 0;
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(to) {
      if (at < bytes.length) to.enqueue(bytes.subarray(at, at += pieceSize));
      if (at >= bytes.length) to.close();
    },
  }, { highWaterMark: 0 });
  return new Response(body, {
    status,
    headers: { ...headers, "Content-Length": String(bytes.length) },
  });
}
