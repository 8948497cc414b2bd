/**
 * Files of a command that the server's process can't access: a command run as root passes them on in a folder of the
 * data folder that both can use.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { isRoot, ownLikeFolder } from "../platform/users.ts";
import { callControl, ControlError, type Json } from "../serve/control/control.ts";

/** The purpose of paths among a command's arguments. */
export interface PathArguments {
  /** Argument with a file or folder to read. */
  read?: string;
  /** Argument with a folder to write, which is created if missing. */
  write?: string;
}

/** A command's arguments with paths that the server can use. */
export interface HandedOver {
  args: { [name: string]: Json };
  /** Moves written files to their destination. */
  finish(): Promise<void>;
  /** Removes the server's temporary copies. Never throws. */
  clean(): Promise<void>;
}

/** The path itself, or its nearest parent folder, that exists. */
async function nearest(path: string): Promise<string> {
  for (let folder = path;; folder = dirname(folder)) {
    const info = await Deno.stat(folder).catch(() => undefined);
    if (info?.isDirectory || dirname(folder) === folder) return folder;
  }
}

/** Why the server can't read a path; "" if it can. @throws file errors if nobody can */
async function notReadable(dataDir: string, path: string): Promise<string> {
  const { dev, ino } = await Deno.stat(path);
  return await callControl(dataDir, "access", { path, dev, ino }) as string;
}

/** Why the server can't write in a folder; "" if it can. */
export async function notWritable(dataDir: string, path: string): Promise<string> {
  const folder = await nearest(path);
  const probe = `.mox-probe-${crypto.randomUUID()}`;
  try {
    (await Deno.open(join(folder, probe), { write: true, createNew: true, mode: 0o644 })).close();
  } catch {
    // The user of the command may not write there, but the server may be allowed to.
    return "";
  }
  try {
    return await callControl(dataDir, "access", { path: folder, probe }) as string;
  } finally {
    await Deno.remove(join(folder, probe)).catch(() => {});
  }
}

/** What to do if the server can't use a path. */
export function refusedPath(path: string, why: string, dataDir: string): ControlError {
  return new ControlError(
    `the server can't use ${path} (${why}): run the command as root, which hands files over, or name a ` +
      `path that the server's user may use and its systemd unit shows it, such as one in ${dataDir}`,
  );
}

/** Copies a file or folder, without links and special files. */
async function copyAll(from: string, to: string, each: (path: string) => void) {
  const info = await Deno.lstat(from);
  if (info.isDirectory) {
    await Deno.mkdir(to, { recursive: true, mode: 0o700 });
    each(to);
    for await (const e of Deno.readDir(from)) {
      await copyAll(join(from, e.name), join(to, e.name), each);
    }
  } else if (info.isFile) {
    if (await Deno.lstat(to).then(() => true, () => false)) {
      throw new ControlError(`${to} is there already`);
    }
    await Deno.copyFile(from, to);
    await Deno.chmod(to, 0o600);
    if (info.mtime) await Deno.utime(to, info.atime ?? info.mtime, info.mtime);
    each(to);
  }
}

/**
 * Checks whether the server can use the paths, and passes them on if it can't and this is root.
 * @throws ControlError with what to do if it can't be done
 */
export async function handOver(
  dataDir: string,
  args: { [name: string]: Json },
  paths: PathArguments,
): Promise<HandedOver> {
  const folder = join(dataDir, "tmp", `handed-${crypto.randomUUID()}`);
  const changed = { ...args };
  let target: string | undefined;
  const begin = async () => {
    await Deno.mkdir(folder, { mode: 0o700 });
    ownLikeFolder(folder);
  };
  if (paths.read !== undefined) {
    const path = String(args[paths.read]);
    // If even this user can't read it, the server's error is good enough.
    const why = await notReadable(dataDir, path).catch(() => "");
    if (why !== "" && !isRoot()) throw refusedPath(path, why, dataDir);
    if (why !== "") {
      await begin();
      const to = join(folder, basename(path));
      await copyAll(await Deno.realPath(path), to, ownLikeFolder);
      changed[paths.read] = to;
    }
  }
  if (paths.write !== undefined) {
    const path = String(args[paths.write]);
    const why = await notWritable(dataDir, path);
    if (why !== "" && !isRoot()) throw refusedPath(path, why, dataDir);
    if (why !== "") {
      await begin();
      target = path;
      changed[paths.write] = join(folder, basename(path));
    }
  }
  const written = target === undefined ? undefined : String(changed[paths.write!]);
  return {
    args: changed,
    async finish() {
      if (target !== undefined) await copyAll(written!, target, () => {});
    },
    async clean() {
      await Deno.remove(folder, { recursive: true }).catch(() => {});
    },
  };
}
