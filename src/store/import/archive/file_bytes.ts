/** The bytes of a file, in pieces. @module */

const pieceSize = 256 * 1024;

/**
 * Reads a file from start to end; each piece belongs to the caller.
 * @param size of the file if known, so that a small file gets no larger buffer
 */
export async function* fileBytes(path: string, size = pieceSize): AsyncGenerator<Uint8Array> {
  const file = await Deno.open(path);
  try {
    for (;;) {
      const piece = new Uint8Array(Math.min(pieceSize, size + 1));
      const n = await file.read(piece);
      if (n === null) return;
      yield piece.subarray(0, n);
    }
  } finally {
    file.close();
  }
}
