/** The xz reader, loaded for the first message packed with it. @module */
import xz from "xz-decompress";

export const { XzReadableStream } = xz;
