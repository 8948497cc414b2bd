/**
 * Fast reading of small files: through the C library, if it was opened at the start, with three system calls.
 * The runtime itself first checks each folder of the path (eight more system calls and three times the time for
 * a message), as the program has only limited read permissions.
 *
 * Only reading: the flags of open(2) are fixed here, and no other functions of the library are kept.
 *
 * @module
 */
import { openOptional } from "./libc.ts";

const symbols = {
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** O_RDONLY and O_CLOEXEC, the same on all machines that the program supports. */
const openFlags = 0x80000;
/** Most bytes of a path, with its final NUL. */
const maxPath = 4096;

let library: Deno.DynamicLibrary<typeof symbols> | undefined;
const path = new Uint8Array(maxPath);
const encoder = new TextEncoder();

/** Opens the library, while foreign functions are still allowed. If that fails, the runtime reads files. */
export function openFileReads(): void {
  library ??= openOptional(symbols);
}

/** Closes the library: for tests. */
export function closeFileReads(): void {
  library?.close();
  library = undefined;
}

/**
 * Fills the buffer from the start of a file; returns how many bytes were read.
 * @throws errors of files, as the runtime names them
 */
export function readFileStart(name: string, buffer: Uint8Array): number {
  return throughLibrary(name, buffer) ?? throughRuntime(name, buffer);
}

/** Undefined if it fails for any reason: the runtime then reports the error. */
function throughLibrary(name: string, buffer: Uint8Array): number | undefined {
  if (library === undefined || buffer.length === 0) return undefined;
  const { read, written } = encoder.encodeInto(name, path);
  if (read < name.length || written === maxPath || name.includes("\0")) return undefined;
  path[written] = 0;
  const c = library.symbols;
  const file = c.open(path, openFlags);
  if (file < 0) return undefined;
  try {
    let n = 0;
    while (n < buffer.length) {
      const part = n === 0 ? buffer : buffer.subarray(n);
      const got = Number(c.read(file, part as Uint8Array<ArrayBuffer>, BigInt(part.length)));
      if (got < 0) return undefined;
      if (got === 0) break;
      n += got;
    }
    return n;
  } finally {
    c.close(file);
  }
}

function throughRuntime(name: string, buffer: Uint8Array): number {
  const file = Deno.openSync(name, { read: true });
  try {
    let n = 0;
    while (n < buffer.length) {
      const got = file.readSync(n === 0 ? buffer : buffer.subarray(n));
      if (got === null || got === 0) break;
      n += got;
    }
    return n;
  } finally {
    file.close();
  }
}
