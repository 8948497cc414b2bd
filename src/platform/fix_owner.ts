/**
 * Changing the owner of files as root, in a way that the current owner of the folders can't abuse to take over
 * other files: names are opened from their folder's descriptor, links are never followed, and changes apply to
 * what was opened and checked (openat(2), statx(2), fchown(2)). Linux only.
 *
 * @module
 */
import { joinPath } from "./paths.ts";

/** The desired ownership of a file. */
export interface Ownership {
  uid: number;
  gid: number;
  /** Modes of folders and of files. */
  dirMode: number;
  fileMode: number;
}

const symbols = {
  openat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fdopendir: { parameters: ["i32"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

type C = Deno.DynamicLibrary<typeof symbols>["symbols"];

const names = ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`, `ld-musl-${Deno.build.arch}.so.1`];

/**
 * O_RDONLY, O_NONBLOCK (otherwise opening a FIFO blocks), O_CLOEXEC; O_NOFOLLOW and O_DIRECTORY differ by
 * processor.
 */
const openFlags = 0o4000 | 0o2000000 | (Deno.build.arch === "aarch64" ? 0o100000 : 0o400000);
const atCwd = -100;
const emptyPath = 0x1000;
const basicStats = 0x7ff;
/** Offset of d_name in a struct dirent of 64-bit Linux. */
const direntName = 19;
/** Names checked before others get a turn on the event loop. */
const slice = 2000;

const encoder = new TextEncoder();
const cString = (text: string) => new Uint8Array([...encoder.encode(text), 0]);

interface Stat {
  links: number;
  uid: number;
  gid: number;
  mode: number;
}

function statOf(c: C, fd: number): Stat | undefined {
  // struct statx is the same on all processors.
  const buffer = new Uint8Array(256);
  if (c.statx(fd, cString(""), emptyPath, basicStats, buffer) !== 0) return undefined;
  const v = new DataView(buffer.buffer);
  return {
    links: v.getUint32(16, true),
    uid: v.getUint32(20, true),
    gid: v.getUint32(24, true),
    mode: v.getUint16(28, true),
  };
}

const isDir = (s: Stat) => (s.mode & 0o170000) === 0o040000;
const isFile = (s: Stat) => (s.mode & 0o170000) === 0o100000;

/** The name of an entry; undefined for one that isn't UTF-8, which the server never creates. */
function nameOf(entry: Deno.PointerObject): string | undefined {
  try {
    return new Deno.UnsafePointerView(entry).getCString(direntName);
  } catch {
    return undefined;
  }
}

/** Opens the C library for this; undefined if impossible or not permitted. */
function open(): Deno.DynamicLibrary<typeof symbols> | undefined {
  for (const name of names) {
    try {
      return Deno.dlopen(name, symbols);
    } catch {
      // Another C library, or none that may be called.
    }
  }
  return undefined;
}

/**
 * Gives a file, or a folder with all its contents, to an owner. Links, and anything that is neither file nor
 * folder, are left alone, and so are files with several names that don't belong to the owner already: one may
 * have been put there as a trap.
 * @returns paths that were changed; undefined if the C library is unavailable
 */
export async function fixOwnerBelow(path: string, to: Ownership): Promise<string[] | undefined> {
  const library = open();
  if (library === undefined) return undefined;
  const c = library.symbols;
  const changed: string[] = [];
  let count = 0;
  const fix = (fd: number, stat: Stat, at: string): void => {
    const mode = isDir(stat) ? to.dirMode : to.fileMode;
    const otherOwner = stat.uid !== to.uid || stat.gid !== to.gid;
    const otherMode = (stat.mode & 0o7777) !== mode;
    if (otherOwner && c.fchown(fd, to.uid, to.gid) !== 0) {
      throw new Error(`${at}: owner can't be set`);
    }
    if (otherMode && c.fchmod(fd, mode) !== 0) throw new Error(`${at}: mode can't be set`);
    if (otherOwner || otherMode) changed.push(at);
  };
  /** Takes over the descriptor of the entry at the path. */
  const visit = async (fd: number, at: string): Promise<void> => {
    const s = statOf(c, fd);
    const trap = s !== undefined && isFile(s) && s.links > 1 && s.uid !== to.uid;
    if (s === undefined || trap || !(isFile(s) || isDir(s))) return void c.close(fd);
    if (isFile(s)) {
      try {
        fix(fd, s, at);
      } finally {
        c.close(fd);
      }
      return;
    }
    const dir = c.fdopendir(fd);
    if (dir === null) {
      c.close(fd);
      throw new Error(`${at}: folder can't be read`);
    }
    try {
      fix(fd, s, at);
      for (let e = c.readdir(dir); e !== null; e = c.readdir(dir)) {
        const name = nameOf(e);
        if (name === undefined || name === "." || name === "..") continue;
        if (++count % slice === 0) await new Promise((resolve) => setTimeout(resolve, 0));
        const inner = c.openat(fd, cString(name), openFlags);
        // A link, a socket, or gone.
        if (inner >= 0) await visit(inner, joinPath([at, name]));
      }
    } finally {
      c.closedir(dir);
    }
  };
  try {
    const fd = c.openat(atCwd, cString(path), openFlags);
    if (fd >= 0) await visit(fd, path);
    return changed;
  } finally {
    library.close();
  }
}
