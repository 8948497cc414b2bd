/**
 * Converting paths between their two forms: with `/`, as in configuration files, archives and databases, and
 * the operating system's form. Mailbox names are not paths: they always have `/` and never come here.
 *
 * Each function takes the flavour as its last argument, so that both can be tried on any machine.
 *
 * @module
 */
import { posix, win32 } from "node:path";
import { hostFlavour, type PathFlavour } from "./os.ts";

export type { PathFlavour } from "./os.ts";

/** A name or path that must not reach the file system. */
export class PathError extends Error {
  /** The text that was refused. */
  readonly path: string;
  constructor(path: string, why: string) {
    super(`${JSON.stringify(path)} ${why}`);
    this.name = "PathError";
    this.path = path;
  }
}

function of(flavour: PathFlavour): typeof posix {
  return flavour === "windows" ? win32 : posix;
}

/** A path with `/` in the form of the operating system. Names are not checked. */
export function toOsPath(path: string, flavour: PathFlavour = hostFlavour): string {
  return flavour === "windows" ? path.replaceAll("/", "\\") : path;
}

/** A path of the operating system with `/` as separator. */
export function fromOsPath(path: string, flavour: PathFlavour = hostFlavour): string {
  return flavour === "windows" ? path.replaceAll("\\", "/") : path;
}

/**
 * The path of a file URL, in the operating system's form.
 * @throws PathError if it is not a file URL, or hides a separator behind an escape.
 */
export function fromFileUrl(url: string | URL, flavour: PathFlavour = hostFlavour): string {
  const u = new URL(url);
  if (u.protocol !== "file:" || /%2f|%5c/i.test(u.pathname)) {
    throw new PathError(u.href, "is not the URL of a file");
  }
  const path = decodeURIComponent(u.pathname);
  if (flavour === "posix") return path;
  if (u.host !== "") return toOsPath(`//${u.host}${path}`, flavour);
  return toOsPath(path.replace(/^\/(?=[a-zA-Z]:)/, ""), flavour);
}

/** Joins trusted parts (each may hold `/`) to a normalised path. */
export function joinPath(parts: string[], flavour: PathFlavour = hostFlavour): string {
  return of(flavour).join(...parts.map((p) => toOsPath(p, flavour)));
}

/** The folder that contains a path. */
export function parentDir(path: string, flavour: PathFlavour = hostFlavour): string {
  return of(flavour).dirname(path);
}

/** Last name of a path. */
export function baseName(path: string, flavour: PathFlavour = hostFlavour): string {
  return of(flavour).basename(path);
}

/** True if the path does not depend on the working folder (or, on Windows, on the current drive). */
export function isAbsolutePath(path: string, flavour: PathFlavour = hostFlavour): boolean {
  // On Windows a path like `\x` depends on the current drive; only `C:\x` and `\\server\share` don't.
  if (flavour === "windows") return /^(?:[a-zA-Z]:[\\/]|[\\/]{2})/.test(path);
  return posix.isAbsolute(path);
}

/** A path from a configuration file (either separator on Windows), relative to a base folder. */
export function resolveFrom(
  base: string,
  path: string,
  flavour: PathFlavour = hostFlavour,
): string {
  return isAbsolutePath(path, flavour)
    ? of(flavour).normalize(toOsPath(path, flavour))
    : joinPath([base, path], flavour);
}

/** Device names that Windows reserves in each folder, with any extension. */
const windowsDevices =
  /^(?:con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:\.|$)/i;

/**
 * True if the text may be the name of one file or folder: not empty, `.` or `..`, without separators and
 * control characters, at most 255 bytes. Names that Windows doesn't allow are refused on all systems (drive and
 * stream colons, wildcards, device names, a dot or space at the end), so that a data folder can move between
 * systems.
 */
export function isSafeName(name: string): boolean {
  if (name === "" || name === "." || name === "..") return false;
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u001f\u007f/\\:*?"<>|]/.test(name)) return false;
  if (/[. ]$/.test(name) || windowsDevices.test(name)) return false;
  return new TextEncoder().encode(name).length <= 255;
}

/** True if a path with `/` stays below the folder it is joined to: all its names are safe. */
export function isSafeRelative(path: string): boolean {
  return path.split("/").every(isSafeName);
}

/**
 * The path of a file or folder in a data folder.
 * @param names may come from outside (an account's name): each must be safe.
 * @throws PathError if one is not.
 */
export function dataPath(dir: string, ...names: string[]): string {
  for (const name of names) {
    if (!isSafeName(name)) throw new PathError(name, "can't be the name of a file");
  }
  return joinPath([dir, ...names]);
}

/**
 * The path of a file in a folder, from a `/` path in an archive or a request.
 * @throws PathError if it would leave the folder.
 */
export function safeJoin(
  dir: string,
  path: string,
  flavour: PathFlavour = hostFlavour,
): string {
  if (!isSafeRelative(path)) throw new PathError(path, "is not a path below the folder");
  return joinPath([dir, path], flavour);
}

/** The separator between the name of a Maildir file and its flags; names can't have ":" on Windows. */
export function maildirSeparator(flavour: PathFlavour = hostFlavour): string {
  return flavour === "windows" ? ";" : ":";
}
