/**
 * Which errors come from storage: the disk, the file system, or SQLite on top of them. A protocol answers them
 * as a temporary failure of the server, not as an error in the request or the program.
 *
 * @module
 */

/**
 * SQLite errors about its files: code and text. The runtime's `exec` gives only the text, which is SQLite's own
 * and fixed.
 */
const sqliteErrors = new Map([
  [8, "attempt to write a readonly database"],
  [10, "disk I/O error"],
  [11, "database disk image is malformed"],
  [13, "database or disk is full"],
  [14, "unable to open database file"],
  [26, "file is not a database"],
]);

type Found = Error & { code?: unknown; errcode?: unknown };

/** The primary SQLite code of an error; undefined if it is none of the above. */
function sqliteCode(found: Found): number | undefined {
  if (found.code !== "ERR_SQLITE_ERROR") return undefined;
  for (const [code, text] of sqliteErrors) {
    // Extended codes have the primary one in the low byte.
    if (
      found.errcode === undefined ? found.message === text : (Number(found.errcode) & 0xff) === code
    ) {
      return code;
    }
  }
  return undefined;
}

const fileCodes = new Set([
  "ENOSPC",
  "EDQUOT",
  "EFBIG",
  "EIO",
  "EMFILE",
  "ENFILE",
  "EROFS",
  "ESTALE",
  "ETIMEDOUT",
  "EACCES",
  "EPERM",
]);

/** The error and its causes, to a bounded depth. */
function* causes(err: unknown): Generator<Found> {
  for (let e = err, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    yield e;
  }
}

/** True if there is no space left, or none for this user. */
export function isStorageFull(err: unknown): boolean {
  for (const e of causes(err)) {
    if (e.code === "ENOSPC" || e.code === "EDQUOT" || e.code === "EFBIG") return true;
    if (sqliteCode(e) === 13) return true;
  }
  return false;
}

/** True if a database file is damaged, or is not a database. */
export function isDatabaseDamaged(err: unknown): boolean {
  for (const e of causes(err)) {
    const code = sqliteCode(e);
    if (code === 11 || code === 26) return true;
  }
  return false;
}

/** True if reading or writing storage failed. */
export function isStorageError(err: unknown): boolean {
  for (const e of causes(err)) {
    if (e.name === "DurabilityError" || fileCodes.has(String(e.code))) return true;
    if (sqliteCode(e) !== undefined) return true;
  }
  return false;
}
