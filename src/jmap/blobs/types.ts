/** Reading binary data. @module */

/** Bytes that can be read piece by piece. Close it. */
export interface Blob {
  size: number;
  /** Bytes [from, to); fewer if it is damaged. */
  read(from: number, to: number): Uint8Array;
  close(): void;
}
