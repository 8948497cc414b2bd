/**
 * The protocol from a node to its standby: lines of JSON, some followed by bytes, and lines of JSON that answer
 * requests. Paths are relative to the data folder, or with `config` to the configuration folder, with "/".
 *
 * @module
 */

/** Bytes of a base that are compared and sent at a time. */
export const blockSize = 64 * 1024;
/** Bytes of a line. */
export const maxLine = 16 * 1024 * 1024;

/** A line from the node. Requests are answered in order. */
export type FeedOp =
  /** Asks for the names of the folders in a folder. */
  | { op: "folders"; path: string }
  /** Asks for name, size and time of the message files in a folder. */
  | { op: "names"; path: string }
  /** Asks how far the copy of a database goes. */
  | { op: "position"; path: string }
  /** Asks for the hashes of the blocks of a database's base. */
  | { op: "blocks"; path: string }
  /** A file; its bytes follow. */
  | { op: "file"; path: string; config?: true; size: number; mtime: number }
  /** Additions to a log; the bytes follow. At 0 it is a new log, with its header. */
  | { op: "append"; path: string; at: number; size: number }
  /**
   * A new base of `size` bytes: the blocks with these numbers follow, all others are unchanged; then `log`
   * bytes of a log.
   */
  | { op: "base"; path: string; size: number; blocks: number[]; log: number }
  | { op: "remove"; path: string }
  /** This folder is replaced by another or removed: the copy moves it aside. */
  | { op: "aside"; path: string }
  /** Everything committed up to a time (milliseconds) has been sent. Answered when it is on disk. */
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
