/**
 * Which errors come from storage: the disk, the file system, or SQLite on top of them. A protocol answers
 * them as a passing trouble of the server, not as a fault of the request or of the program.
 *
 * @module
 */

/**
 * Errors of SQLite that tell of its files: code and text. The runtime's `exec` gives the text alone, which
 * is SQLite's own and fixed.
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

/** The primary code of SQLite that an error is about; undefined if it is about none of the above. */
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

/** The error and what caused it, to a bounded depth. */
function* causes(err: unknown): Generator<Found> {
  for (let e = err, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    yield e;
  }
}

/** True if there is no room left, or none for this user. */
export function isStorageFull(err: unknown): boolean {
  for (const e of causes(err)) {
    if (e.code === "ENOSPC" || e.code === "EDQUOT" || e.code === "EFBIG") return true;
    if (sqliteCode(e) === 13) return true;
  }
  return false;
}

/** True if a database's file is damaged, or is no database. */
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
