/** Tar archives, loaded by the first that is read or written. @module */
export { extract, pack } from "tar-stream";
