/**
 * Which errors come from storage: the disk, the file system, or SQLite on top of them. A protocol answers
 * them as a passing trouble of the server, not as a fault of the request or of the program.
 *
 * @module
 */

/** Codes of SQLite that tell of its files: IOERR, CORRUPT, FULL, CANTOPEN, READONLY. */
const sqliteCodes = new Set([10, 11, 13, 14, 8]);

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
function* causes(err: unknown): Generator<{ code?: unknown; errcode?: unknown; name?: unknown }> {
  for (let e = err, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    yield e as { code?: unknown; errcode?: unknown; name?: unknown };
  }
}

/** True if there is no room left, or none for this user. */
export function isStorageFull(err: unknown): boolean {
  for (const e of causes(err)) {
    if (e.code === "ENOSPC" || e.code === "EDQUOT" || e.code === "EFBIG") return true;
    // SQLITE_FULL; the extended codes have the primary one in the low byte.
    if (e.code === "ERR_SQLITE_ERROR" && (Number(e.errcode) & 0xff) === 13) return true;
  }
  return false;
}

/** True if reading or writing storage failed. */
export function isStorageError(err: unknown): boolean {
  for (const e of causes(err)) {
    if (e.name === "DurabilityError" || fileCodes.has(String(e.code))) return true;
    if (e.code === "ERR_SQLITE_ERROR" && sqliteCodes.has(Number(e.errcode) & 0xff)) return true;
  }
  return false;
}
