/**
 * Which user the server runs as: started as root it gives its files to the unprivileged user and becomes that
 * user permanently; started as an ordinary user it stays that one.
 *
 * @module
 */
import { type Config, folderOfNodes } from "../config/mod.ts";
import type { Log } from "../log/mod.ts";
import { freeSpace } from "../platform/files.ts";
import { baseName, joinPath, parentDir } from "../platform/paths.ts";
import { executablePath, isCompiled } from "../platform/process.ts";
import { loadRareModules } from "../platform/rare_modules.ts";
import { tarLibrary } from "../store/import/archive/tar.ts";
import { keepPasswordWorker } from "../store/logins/password.ts";
import { trySanitizeWorker } from "../web/webmail/html/worker.ts";
import {
  becomeOwner,
  currentUid,
  dropPrivileges,
  fixFile,
  fixPermissions,
  forgoForeignFunctions,
  isRoot,
  lookupUser,
  type User,
} from "../platform/users.ts";

/**
 * As root, becomes the owner of the data folder, so that files which a subcommand creates belong to the server.
 * @throws UserError
 */
export async function becomeDataOwner(dataDir: string): Promise<void> {
  if (!isRoot()) return;
  if (!isCompiled()) {
    await keepPasswordWorker();
    // The only one of them that a subcommand may use: archives can be imported without a server.
    await tarLibrary();
  }
  await becomeOwner(dataDir);
}

/** The server can't run the way it was started; the message says what to do. */
export class StartError extends Error {
  override name = "StartError";
}

/** Bytes of free disk space below which the server does not start: it could store nothing. */
const leastFreeSpace = 16 * 1024 * 1024;

/** Permissions of folders and of files, for configuration and data: accessible to the user only. */
const modes = [0o700, 0o600] as const;

/**
 * Looks up, still as root, the user that the server will become; undefined if it isn't started as root.
 * @throws UserError if there is no such user
 */
export async function serviceUser(config: Config): Promise<User | undefined> {
  return isRoot() ? await lookupUser(config.static.User) : undefined;
}

/**
 * Fixes owners and permissions, becomes the user, and checks that this user can use the files.
 * Without a user (not started as root) only the last.
 * @throws UserError, StartError
 */
export async function becomeUser(
  config: Config,
  user: User | undefined,
  log: Log,
): Promise<void> {
  if (user) {
    await makeDataDir(config, user);
    if (!config.static.NoFixPermissions) await fixAll(config, user, log);
    if (!isCompiled()) {
      await keepPasswordWorker();
      await loadRareModules();
    }
    await dropPrivileges(user);
    if (!isCompiled()) await lookForPackages(user, log);
    log.info("privileges dropped", { user: user.name, uid: user.uid, gid: user.gid });
  }
  await forgoForeignFunctions();
  await checkUsable(config);
}

/** From sources: checks that the user can read what Workers import later, while somebody still watches the log. */
async function lookForPackages(user: User, log: Log): Promise<void> {
  try {
    await trySanitizeWorker();
  } catch (err) {
    log.error(
      "the program's packages can't be read by the server's user: mail in HTML, among others, won't be shown. Run " +
        "the portable archive or the executable, whose files all can read; or put the runtime's cache where the " +
        "user can read it: DENO_DIR=/var/cache/deno deno task packages, and start with the same DENO_DIR",
      { user: user.name, err: err as Error },
    );
  }
}

/** Creates the data folder as root for the user, who may lack permission to write in its parent. */
async function makeDataDir(config: Config, user: User): Promise<void> {
  for (const dir of [folderOfNodes(config.dataDir), config.dataDir]) {
    if (dir === undefined) continue;
    const existed = await Deno.stat(dir).then(() => true, () => false);
    await Deno.mkdir(dir, { recursive: true, mode: modes[0] });
    if (!existed) await Deno.chown(dir, user.uid, user.gid);
  }
}

async function fixAll(config: Config, user: User, log: Log): Promise<void> {
  const changed = [
    ...await fixPermissions(config.dir, user, ...modes),
    ...await fixPermissions(config.dataDir, user, ...modes),
  ];
  const ofAll = folderOfNodes(config.dataDir);
  // Created by a subcommand run as root. Nobody else can have replaced it.
  if (ofAll !== undefined && (await Deno.lstat(ofAll)).uid === 0) {
    await Deno.chown(ofAll, user.uid, user.gid);
    changed.push(ofAll);
  }
  // The program, if it is next to the configuration as after quickstart: the user may run it, but not
  // change it.
  const program = executablePath();
  if (isCompiled() && parentDir(program) === parentDir(config.dir)) {
    if (await fixFile(program, { uid: 0, gid: user.gid }, 0o750)) changed.push(program);
  }
  if (changed.length === 0) return;
  log.info("fixed owner and permissions", {
    files: changed.length,
    first: changed[0],
    user: user.name,
  });
}

/** Checks that this process can read the configuration and write its data. */
async function checkUsable(config: Config): Promise<void> {
  const me = currentUid();
  const who = me === undefined ? "this user" : `the user with uid ${me}`;
  try {
    await Deno.readTextFile(config.dynamicPath);
  } catch (err) {
    throw new StartError(
      `${config.dynamicPath} can't be read by ${who}: its folder, and those above, must be open to that ` +
        `user ("chmod o+x" on ${parentDir(config.dir)} may do)`,
      { cause: err },
    );
  }
  const { dataDir } = config;
  try {
    await Deno.mkdir(dataDir, { recursive: true, mode: modes[0] });
    const info = await Deno.stat(dataDir);
    if (me !== undefined && info.uid !== null && info.uid !== me) {
      throw new StartError(
        `the data folder ${dataDir} belongs to uid ${info.uid}, but the server runs as uid ${me}: start it ` +
          `as that user, or as root to have owners fixed`,
      );
    }
    const probe = joinPath([dataDir, `.probe-${baseName(dataDir)}`]);
    await Deno.writeFile(probe, new Uint8Array(1), { mode: modes[1] });
    await Deno.remove(probe);
  } catch (err) {
    if (err instanceof StartError) throw err;
    throw new StartError(
      `${who} can't write in the data folder ${dataDir}: ${reason(err)}`,
      { cause: err },
    );
  }
  const free = await freeSpace(dataDir);
  if (free < leastFreeSpace) {
    throw new StartError(
      `the file system of ${dataDir} is full (${free} bytes left): make room before the start`,
    );
  }
}

function reason(err: unknown): string {
  if (err instanceof Deno.errors.PermissionDenied) {
    return "permission denied; correct its owner, or start as root to have owners fixed";
  }
  const { code } = err as { code?: string };
  if (code === "ENOSPC") return "the disk is full: make room before the start";
  if (code === "EROFS") return "the file system is read-only";
  return err instanceof Error ? err.message : String(err);
}
