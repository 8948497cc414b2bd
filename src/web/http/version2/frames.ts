/**
 * Frame boundaries of HTTP/2 (RFC 9113 §4.1), to let a connection through in measured pieces.
 * The runtime reads and checks the frames' contents.
 *
 * @module
 */

import { HeaderMeter } from "./header_meter.ts";

/** Types of frames (RFC 9113 §6). */
export const frameTypes = { data: 0, headers: 1, continuation: 9 } as const;

const endStream = 0x1;
const endHeaders = 0x4;
const padded = 0x8;
const withPriority = 0x20;
const priorityLength = 5;
/** "PRI * HTTP/2.0", an empty line, "SM", an empty line (RFC 9113 §3.4). */
const prefaceLength = 24;
const headerLength = 9;
/** Frames in a piece: each may cost the runtime as much as a whole request. */
const framesInPiece = 32;
/** A data frame with fewer bytes counts as useless. */
const smallData = 64;

/** Bytes of a decompressed header list: the limit of requests, plus the meter's uncertainty. */
const maxUnpacked = 160 * 1024;

/** A frame's kind for the connection; "header" is a header list that becomes too large. */
export type FrameUse = "stream" | "control" | "data" | "header";

/** Tracks frames in the bytes of a client. */
export class FrameReader {
  readonly #onFrame: (use: FrameUse) => boolean;
  /** Bytes still to come that are not part of a frame header. */
  #skip = prefaceLength;
  readonly #header = new Uint8Array(headerLength);
  #inHeader = 0;
  #newest = 0;
  #openHeaders = false;
  #openFrame: number | undefined;
  readonly #meter = new HeaderMeter(maxUnpacked);
  /** For the open frame: whether its padding length comes next; bytes before the header list; bytes of padding. */
  #padComes = false;
  #before = 0;
  #padding = 0;

  /** @param onFrame called for each frame once its header is read; returning false stops it. */
  constructor(onFrame: (use: FrameUse) => boolean) {
    this.#onFrame = onFrame;
  }

  /** A header list has started and not ended. */
  get inHeaders(): boolean {
    return this.#openHeaders || this.#openFrame === frameTypes.headers ||
      this.#openFrame === frameTypes.continuation || this.#inHeader > 0;
  }

  /** How many of these bytes may go to the runtime in one turn; undefined if `onFrame` returned false. */
  take(bytes: Uint8Array): number | undefined {
    let at = 0;
    let frames = 0;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const n = Math.min(this.#skip, bytes.length - at);
        if (this.#inList && !this.#list(bytes.subarray(at, at + n))) {
          this.#onFrame("header");
          return undefined;
        }
        this.#skip -= n;
        at += n;
        if (this.#skip === 0) this.#openFrame = undefined;
        continue;
      }
      if (this.#inHeader === 0 && frames === framesInPiece) return at;
      this.#header[this.#inHeader++] = bytes[at++];
      if (this.#inHeader < headerLength) continue;
      this.#inHeader = 0;
      frames++;
      if (!this.#onFrame(this.#begin())) return undefined;
    }
    return at;
  }

  get #inList(): boolean {
    return this.#openFrame === frameTypes.headers || this.#openFrame === frameTypes.continuation;
  }

  /** Bytes of a frame with a part of a header list. False if that becomes too large. */
  #list(bytes: Uint8Array): boolean {
    let from = 0;
    if (this.#padComes) {
      this.#padComes = false;
      this.#padding = bytes[from++];
    }
    const before = Math.min(this.#before, bytes.length - from);
    this.#before -= before;
    from += before;
    // Padding is at the frame's end.
    const left = this.#skip - from - this.#padding;
    return left <= 0 || this.#meter.take(bytes.subarray(from, Math.min(bytes.length, from + left)));
  }

  #begin(): FrameUse {
    const h = this.#header;
    const length = h[0] << 16 | h[1] << 8 | h[2];
    const [type, flags] = [h[3], h[4]];
    const id = (h[5] & 0x7f) * 2 ** 24 + (h[6] << 16 | h[7] << 8 | h[8]);
    this.#skip = length;
    this.#openFrame = length > 0 ? type : undefined;
    if (type === frameTypes.data) {
      return length < smallData && (flags & endStream) === 0 ? "control" : "data";
    }
    if (type === frameTypes.headers || type === frameTypes.continuation) {
      const whole = type === frameTypes.headers;
      if (whole) this.#meter.begin();
      this.#openHeaders = (flags & endHeaders) === 0;
      this.#padComes = whole && (flags & padded) !== 0;
      this.#before = whole && (flags & withPriority) !== 0 ? priorityLength : 0;
      this.#padding = 0;
    }
    if (type !== frameTypes.headers || id <= this.#newest) return "control";
    this.#newest = id;
    return "stream";
  }
}
