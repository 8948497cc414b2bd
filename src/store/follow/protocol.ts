/**
 * What goes from a node to its standby: lines of JSON, some with bytes behind them, and lines of JSON in answer to
 * those that ask. Paths are relative to the data folder, or with `config` to that of the configuration, with "/".
 *
 * @module
 */

/** Bytes of a base that are compared, and sent, at a time. */
export const blockSize = 64 * 1024;
/** Bytes of a line. */
export const maxLine = 16 * 1024 * 1024;

/** A line from the node. Those that ask are answered in their order. */
export type FeedOp =
  /** Asks for the names of the folders in one. */
  | { op: "folders"; path: string }
  /** Asks for name, size and time of the message files in a folder. */
  | { op: "names"; path: string }
  /** Asks how far the copy of a database goes. */
  | { op: "position"; path: string }
  /** Asks for the hashes of the blocks of a database's base. */
  | { op: "blocks"; path: string }
  /** A file; its bytes follow. */
  | { op: "file"; path: string; config?: true; size: number; mtime: number }
  /** What a log has got; bytes follow. At 0 it is a new log, with its header. */
  | { op: "append"; path: string; at: number; size: number }
  /**
   * A new base of so many bytes: the blocks with these numbers follow, all others are as they were; then so many
   * bytes of a log.
   */
  | { op: "base"; path: string; size: number; blocks: number[]; log: number }
  | { op: "remove"; path: string }
  /** Another folder comes in the place of this one, or none: it is put aside. */
  | { op: "aside"; path: string }
  /** All that was committed at a time (milliseconds) was sent. Answered when it is on disk. */
  | { op: "round"; at: number }
  /** The node has stopped, and nothing more comes. Answered. */
  | { op: "end" };

/** A message file of the copy: name, bytes, time of its last change in milliseconds. */
export type NamedFile = [name: string, size: number, mtime: number];

/** The answer to "position". */
export interface CopyPosition {
  generation: string;
  size: number;
  last?: { a: number; b: number };
}

/** A path that stays inside its folder. @throws Error for others */
export function insidePath(path: unknown): string {
  if (typeof path !== "string" || path.length > 4000) throw new Error("a path is expected");
  for (const part of path === "" ? [] : path.split("/")) {
    // deno-lint-ignore no-control-regex -- no name has them
    if (part === "" || part === "." || part === ".." || /[\\\x00-\x1f:]/.test(part)) {
      throw new Error(`no path of a copy: ${JSON.stringify(path)}`);
    }
  }
  return path;
}
