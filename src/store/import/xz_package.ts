/** The reader of xz, loaded by the first message that is packed with it. @module */
import xz from "xz-decompress";

export const { XzReadableStream } = xz;
