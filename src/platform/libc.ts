/**
 * The few functions of the C library for which the runtime has no call (or none with a narrow permission): used
 * when the program starts, and when a server started as root becomes another user. They need the permission for
 * foreign functions; changing users works only on Linux.
 *
 * @module
 */

import { isLinux } from "./os.ts";

/** The functions, while the library is open. */
export interface CLibrary {
  /** Sets the supplementary groups of all threads (the bare system call would change one thread). */
  setGroups(groups: number[]): boolean;
  /** Sets real, effective and saved group id of all threads. Only for root. */
  setGid(gid: number): boolean;
  /** Sets real, effective and saved user id of all threads, only for root. */
  setUid(uid: number): boolean;
  /**
   * For the calling thread, and threads that it starts from then on: programs that it runs gain no rights from
   * their files (no_new_privs), and no capability can be regained. False if the kernel refuses a part. Call it
   * while still root.
   */
  forgoPrivileges(): boolean;
  /** Names in a folder. @throws Error if it can't be read. */
  listDir(path: string): string[];
  /** First 64 KiB of a file; undefined if it can't be opened. */
  readFile(path: string): string | undefined;
  close(): void;
}

/** Names under which glibc and musl are loaded. */
const libraryNames = [
  "libc.so.6",
  `libc.musl-${Deno.build.arch}.so.1`,
  `ld-musl-${Deno.build.arch}.so.1`,
];

/** Opens optional functions of the library; undefined if impossible. Linux only. */
export function openOptional<S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.DynamicLibrary<S> | undefined {
  if (!isLinux) return undefined;
  for (const name of libraryNames) {
    try {
      return Deno.dlopen(name, symbols);
    } catch {
      // Another C library, or no permission.
    }
  }
  return undefined;
}

const symbols = {
  setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  setgid: { parameters: ["u32"], result: "i32" },
  setuid: { parameters: ["u32"], result: "i32" },
  prctl: { parameters: ["i32", "usize", "usize", "usize", "usize"], result: "i32" },
  opendir: { parameters: ["buffer"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Offset of d_name in a struct dirent of 64-bit Linux: after d_ino, d_off, d_reclen and d_type. */
const direntName = 19;

/** Sets the mask of rights that new files and folders don't get (umask(2)), also on macOS. @throws as dlopen */
export function setFileMask(mask: number): void {
  const symbols = { umask: { parameters: ["u32"], result: "u32" } } as const;
  let failure: unknown;
  for (const name of [...libraryNames, "libSystem.B.dylib"]) {
    let library;
    try {
      library = Deno.dlopen(name, symbols);
    } catch (err) {
      failure ??= err;
      continue;
    }
    library.symbols.umask(mask);
    library.close();
    return;
  }
  throw failure;
}

function openLibrary(): Deno.DynamicLibrary<typeof symbols> {
  let failure: unknown;
  for (const name of libraryNames) {
    try {
      return Deno.dlopen(name, symbols);
    } catch (err) {
      failure ??= err;
    }
  }
  throw failure;
}

function cString(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array([...new TextEncoder().encode(text), 0]);
}

/** Opens the C library. @throws Deno.errors.NotCapable without the permission for it. */
export function openCLibrary(): CLibrary {
  const library = openLibrary();
  const c = library.symbols;
  return {
    setGroups: (groups) => c.setgroups(BigInt(groups.length), new Uint32Array(groups)) === 0,
    setGid: (gid) => c.setgid(gid) === 0,
    setUid: (uid) => c.setuid(uid) === 0,
    forgoPrivileges() {
      const prctl = (option: number, value: number) =>
        c.prctl(option, BigInt(value), 0n, 0n, 0n) === 0;
      // PR_CAPBSET_READ is 1 for each remaining capability, and fails after the last one.
      let all = true;
      for (let cap = 0; cap < 64; cap++) {
        const there = c.prctl(23, BigInt(cap), 0n, 0n, 0n);
        if (there < 0) break;
        if (there === 1 && !prctl(24, cap)) all = false;
      }
      return prctl(38, 1) && all;
    },
    listDir(path) {
      const dir = c.opendir(cString(path));
      if (dir === null) throw new Error(`${path} can't be read`);
      const names: string[] = [];
      for (let entry = c.readdir(dir); entry !== null; entry = c.readdir(dir)) {
        names.push(new Deno.UnsafePointerView(entry).getCString(direntName));
      }
      c.closedir(dir);
      return names.filter((name) => name !== "." && name !== "..");
    },
    readFile(path) {
      const readOnly = 0;
      const fd = c.open(cString(path), readOnly);
      if (fd < 0) return undefined;
      const buffer = new Uint8Array(65536);
      const n = Number(c.read(fd, buffer, BigInt(buffer.length)));
      c.close(fd);
      return n < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, n));
    },
    close: () => library.close(),
  };
}
