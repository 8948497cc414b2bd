/**
 * Users of a Unix system: looking them up, becoming one permanently, and giving files to one.
 *
 * @module
 */
import { fixOwnerBelow } from "./fix_owner.ts";
import { openFileReads } from "./file_reads.ts";
import { openHeap } from "./heap.ts";
import { type CLibrary, openCLibrary } from "./libc.ts";
import { isLinux, isWindows } from "./os.ts";
import { joinPath, parentDir } from "./paths.ts";

/** The user to run as. */
export interface User {
  name: string;
  uid: number;
  gid: number;
  /** All groups, including the primary one. */
  groups: number[];
}

/** Why privileges could not be dropped or a user was not found; the message says what to do. */
export class UserError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UserError";
  }
}

/** The highest number of a user or group; the one above it means "none". */
const maxId = 0xffff_fffe;

function parseId(text: string): number | undefined {
  if (!/^[0-9]{1,10}$/.test(text)) return undefined;
  const n = Number(text);
  return n <= maxId ? n : undefined;
}

/** Finds a user by name in the texts of passwd(5) and group(5). */
export function findUser(name: string, passwd: string, group: string): User | undefined {
  for (const line of passwd.split("\n")) {
    const f = line.split(":");
    if (f.length < 7 || f[0] !== name) continue;
    const uid = parseId(f[2]);
    const gid = parseId(f[3]);
    if (uid === undefined || gid === undefined) return undefined;
    const groups = new Set([gid]);
    for (const g of group.split("\n")) {
      const gf = g.split(":");
      const id = gf.length >= 4 ? parseId(gf[2]) : undefined;
      if (id !== undefined && gf[3].split(",").includes(name)) groups.add(id);
    }
    return { name, uid, gid, groups: [...groups] };
  }
  return undefined;
}

/**
 * The user with a name, or with a numeric uid, which is then also the gid.
 * @throws UserError if there is none, or it is root.
 */
export async function lookupUser(name: string): Promise<User> {
  const read = (path: string) => Deno.readTextFile(path).catch(() => "");
  let user = findUser(name, await read("/etc/passwd"), await read("/etc/group"));
  if (!user) {
    const id = parseId(name);
    if (id === undefined) {
      throw new UserError(
        `there is no user ${JSON.stringify(name)}: make it with "useradd --system mox", or name ` +
          `another one (or a numeric uid) as User in mox.conf`,
      );
    }
    user = { name, uid: id, gid: id, groups: [id] };
  }
  if (user.uid === 0) {
    throw new UserError(`User ${JSON.stringify(name)} is root: name an unprivileged user`);
  }
  return user;
}

/** True if this process runs as root. */
export function isRoot(): boolean {
  return !isWindows && Deno.uid() === 0;
}

/** Numeric id of the user that this process runs as; undefined on Windows. */
export function currentUid(): number | undefined {
  return Deno.uid() ?? undefined;
}

/** Numeric id of the group that this process runs as; undefined on Windows. */
export function currentGid(): number | undefined {
  return Deno.gid() ?? undefined;
}

/** Ids, groups and effective capabilities in the text of a /proc/…/status file. */
export interface TaskStatus {
  uids: number[];
  gids: number[];
  groups: number[];
  /** Permitted and effective capabilities, as bits. */
  permitted: bigint;
  effective: bigint;
}

/** Reads the fields above from proc(5) status text; missing ones are empty or 0. */
export function parseTaskStatus(text: string): TaskStatus {
  const field = (name: string): string =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, "m").exec(text)?.[1].trim() ?? "";
  const numbers = (s: string) => s === "" ? [] : s.split(/\s+/).map(Number);
  const bits = (s: string) => /^[0-9a-f]{1,16}$/.test(s) ? BigInt(`0x${s}`) : 0n;
  return {
    uids: numbers(field("Uid")),
    gids: numbers(field("Gid")),
    groups: numbers(field("Groups")),
    permitted: bits(field("CapPrm")),
    effective: bits(field("CapEff")),
  };
}

/** Bit of CAP_NET_BIND_SERVICE in capabilities(7). */
const capNetBindService = 1n << 10n;

/**
 * Whether this process may listen on ports below 1024: root, a process with CAP_NET_BIND_SERVICE, any process
 * on Windows and current macOS, which have no such rule. Undefined if unknown (the runtime allows reading /proc
 * only with all permissions): then listening will show.
 */
export async function mayBindLowPorts(): Promise<boolean | undefined> {
  if (!isLinux || Deno.uid() === 0) return true;
  try {
    const status = parseTaskStatus(await Deno.readTextFile("/proc/self/status"));
    if ((status.effective & capNetBindService) !== 0n) return true;
    const first = await Deno.readTextFile("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    // Some container engines lower it; 25 is the lowest port of a mail server.
    return Number(first.trim()) <= 25;
  } catch {
    return undefined;
  }
}

/**
 * Becomes a user permanently, on all threads, before anything from the network is handled: groups first, as
 * only root may set them. Then checks that no thread kept any privilege and that root can't be regained. The
 * permission for foreign functions, which this needs, is given up.
 * @throws UserError if anything is not as required; the process should then end.
 */
export async function dropPrivileges(user: User): Promise<void> {
  if (!isLinux) throw new UserError("privileges can be dropped on Linux only");
  if (user.uid === 0 || user.gid === 0) throw new UserError("can't drop privileges to root");
  let library: CLibrary;
  try {
    library = openCLibrary();
  } catch (err) {
    throw new UserError(
      "dropping root's groups needs the C library: allow it with --allow-ffi, or start the server " +
        "as an ordinary user with the capability CAP_NET_BIND_SERVICE",
      { cause: err },
    );
  }
  try {
    if (!library.setGroups(user.groups)) {
      throw new UserError("setting groups failed: was the server started as root?");
    }
    // While still permitted: if a kernel or container refuses, nothing changes.
    library.forgoPrivileges();
    // Through the library too: the runtime's own calls need full system permission.
    if (!library.setGid(user.gid)) throw new UserError(`becoming group ${user.gid} failed`);
    if (!library.setUid(user.uid)) throw new UserError(`becoming uid ${user.uid} failed`);
    verifyDropped(user, library);
  } catch (err) {
    if (err instanceof UserError) throw err;
    throw new UserError(
      `becoming user ${user.name} (uid ${user.uid}): ${
        err instanceof Error ? err.message : String(err)
      }`,
      { cause: err },
    );
  } finally {
    library.close();
    await forgoForeignFunctions();
  }
}

/**
 * Gives up the permission for foreign functions, which nothing needs once the server runs as its user. The
 * functions that read message files and trim the heap are opened before.
 */
export async function forgoForeignFunctions(): Promise<void> {
  openFileReads();
  openHeap();
  await Deno.permissions.revoke({ name: "ffi" });
}

/** Checks each thread. Through the library: the runtime allows reading /proc only with all permissions. */
function verifyDropped(user: User, library: CLibrary): void {
  const tasks = library.listDir("/proc/self/task");
  if (tasks.length === 0) throw new UserError("the threads can't be listed: is /proc mounted?");
  for (const task of tasks) {
    const text = library.readFile(`/proc/self/task/${task}/status`);
    // A thread may have ended meanwhile.
    if (text === undefined) continue;
    const problem = statusProblem(parseTaskStatus(text), user);
    if (problem) throw new UserError(`thread ${task} still has ${problem}`);
  }
  if (!library.setUid(0)) return;
  throw new UserError("root could be had back after dropping privileges");
}

/** The privilege that a thread wrongly kept after becoming the user; undefined if all is well. */
export function statusProblem(status: TaskStatus, user: User): string | undefined {
  if (status.uids.length !== 4 || status.uids.some((id) => id !== user.uid)) {
    return `user ids ${status.uids.join(" ")}`;
  }
  if (status.gids.length !== 4 || status.gids.some((id) => id !== user.gid)) {
    return `group ids ${status.gids.join(" ")}`;
  }
  const foreign = status.groups.filter((g) => !user.groups.includes(g));
  if (foreign.length > 0) return `groups ${foreign.join(" ")}`;
  if (status.permitted !== 0n || status.effective !== 0n) {
    return `capabilities ${status.permitted.toString(16)}`;
  }
  return undefined;
}

/** Names checked before others get a turn on the event loop. */
const fixSlice = 2000;

/**
 * Gives a file, or a folder with all it holds, to a user and removes all rights of others: folders `dirMode`,
 * files `fileMode`. Symbolic links are neither followed nor changed.
 * @returns paths that were changed.
 */
export async function fixPermissions(
  path: string,
  owner: { uid: number; gid: number },
  dirMode = 0o770,
  fileMode = 0o660,
): Promise<string[]> {
  const changed: string[] = [];
  if (isWindows) return changed;
  // As root through descriptors: the folders' owner could replace a file by a link meanwhile.
  const done = isLinux && isRoot()
    ? await fixOwnerBelow(path, { uid: owner.uid, gid: owner.gid, dirMode, fileMode })
    : undefined;
  if (done !== undefined) return done;
  // Synchronously, in slices: a data folder may hold millions of messages, and a thread for each is slow.
  const waiting = [path];
  for (let n = 1; waiting.length > 0; n++) {
    const p = waiting.pop()!;
    const info = Deno.lstatSync(p);
    if (info.isSymlink || (!info.isDirectory && !info.isFile)) continue;
    // A file with several links may be a trap laid by the folder's owner: it is left alone unless it is already
    // correct (message files are hard links, and are created with these rights).
    if (info.isFile && (info.nlink ?? 1) > 1 && info.uid !== owner.uid) continue;
    if (fix(p, info, owner, info.isDirectory ? dirMode : fileMode)) changed.push(p);
    if (info.isDirectory) {
      for (const entry of Deno.readDirSync(p)) waiting.push(joinPath([p, entry.name]));
    }
    if (n % fixSlice === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return changed;
}

/** Gives one file an owner and a mode. @returns whether they differed. */
export async function fixFile(
  path: string,
  owner: { uid: number; gid: number },
  mode: number,
): Promise<boolean> {
  const info = await Deno.lstat(path);
  return !isWindows && info.isFile && fix(path, info, owner, mode);
}

function fix(
  path: string,
  info: Deno.FileInfo,
  owner: { uid: number; gid: number },
  mode: number,
): boolean {
  const otherOwner = info.uid !== owner.uid || info.gid !== owner.gid;
  const otherMode = ((info.mode ?? mode) & 0o7777) !== mode;
  if (otherOwner) Deno.chownSync(path, owner.uid, owner.gid);
  if (otherMode) Deno.chmodSync(path, mode);
  return otherOwner || otherMode;
}

/**
 * Gives a new file or folder the owner of the folder it is in, if this is root: so that files created by an
 * administrator belong to the server's user.
 */
export function ownLikeFolder(path: string): void {
  if (!isRoot()) return;
  const folder = Deno.statSync(parentDir(path));
  if (folder.uid === null || folder.gid === null) return;
  Deno.chownSync(path, folder.uid, folder.gid);
}

/**
 * As root, permanently becomes the owner of a folder (see {@link dropPrivileges}), so that files created from
 * here on are the owner's. Does nothing for another user, or if the folder is root's or missing.
 */
export async function becomeOwner(folder: string): Promise<void> {
  if (!isLinux || !isRoot()) return;
  let info: Deno.FileInfo;
  try {
    info = await Deno.stat(folder);
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return;
    throw err;
  }
  const { uid, gid } = info;
  if (!uid || !gid) return;
  await dropPrivileges({ name: String(uid), uid, gid, groups: [gid] });
}
