/**
 * Giving files an owner as root, so that whoever owns the folders meanwhile can't have other files given away: names
 * are opened from their folder's descriptor, links aren't followed at any place of the path, and what is changed is
 * what was opened and looked at (openat(2), statx(2), fchown(2)). Linux.
 *
 * @module
 */
import { joinPath } from "./paths.ts";

/** What a file is to be. */
export interface Ownership {
  uid: number;
  gid: number;
  /** Of folders and of files. */
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

/** O_RDONLY, O_NONBLOCK (a FIFO is waited for otherwise), O_CLOEXEC; O_NOFOLLOW and O_DIRECTORY differ by processor. */
const openFlags = 0o4000 | 0o2000000 | (Deno.build.arch === "aarch64" ? 0o100000 : 0o400000);
const atCwd = -100;
const emptyPath = 0x1000;
const basicStats = 0x7ff;
/** Where d_name starts in a struct dirent of 64-bit Linux. */
const direntName = 19;
/** Names looked at before others get a turn on the event loop. */
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

/** The name of an entry; undefined for one that isn't UTF-8, which is none of the server's. */
function nameOf(entry: Deno.PointerObject): string | undefined {
  try {
    return new Deno.UnsafePointerView(entry).getCString(direntName);
  } catch {
    return undefined;
  }
}

/** Opens the C library for it; undefined where that isn't possible, or not permitted. */
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
 * Gives a file, or a folder with all it holds, to an owner. Links, and what is neither file nor folder, are left alone,
 * as are files with other names that aren't the owner's already: one may have been put there as a trap.
 * @returns paths that were changed; undefined where the C library can't be asked
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
  /** Takes over the descriptor of what is at the path. */
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
