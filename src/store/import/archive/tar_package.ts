/** Tar archives, loaded for the first one that is read or written. @module */
export { extract, pack } from "tar-stream";
