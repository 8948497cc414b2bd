/**
 * The process and the machine it runs on: names, folders, memory, the end.
 *
 * @module
 */
import { isLinux, isWindows } from "./os.ts";
import { setFileMask } from "./libc.ts";
import { fromFileUrl, joinPath } from "./paths.ts";

/** The command line after the program's name. */
export function processArgs(): string[] {
  return [...Deno.args];
}

/** Id of this process. */
export function processId(): number {
  return Deno.pid;
}

/** An environment variable. Without the permission to read it, it counts as not set. */
export function environment(name: string): string | undefined {
  try {
    const value = Deno.env.get(name);
    return value === "" ? undefined : value;
  } catch (err) {
    if (err instanceof Deno.errors.NotCapable) return undefined;
    throw err;
  }
}

/** The machine's name, often without its domain; "localhost" if unknown. */
export function machineName(): string {
  try {
    return Deno.hostname() || "localhost";
  } catch {
    return "localhost";
  }
}

/**
 * Folder for a user's configuration of programs: `%AppData%` on Windows, `~/Library/Application Support` on
 * macOS, `$XDG_CONFIG_HOME` or `~/.config` elsewhere; the working folder if none of these is known.
 */
export function userConfigDir(): string {
  if (isWindows) return environment("APPDATA") ?? ".";
  const home = environment("HOME");
  if (Deno.build.os === "darwin") {
    return home ? joinPath([home, "Library/Application Support"]) : ".";
  }
  const xdg = environment("XDG_CONFIG_HOME");
  // By the XDG base directory specification, relative values are ignored.
  if (xdg?.startsWith("/")) return xdg;
  return home ? joinPath([home, ".config"]) : ".";
}

/** Folder for temporary files. It may be on another file system than the data. */
export function temporaryDir(): string {
  if (isWindows) return environment("TEMP") ?? environment("TMP") ?? "C:\\Windows\\Temp";
  return environment("TMPDIR") ?? "/tmp";
}

/** Memory in bytes: of the process, of JavaScript values, and of memory outside of them. */
export function memoryUse(): { resident: number; heap: number; external: number } {
  const m = Deno.memoryUsage();
  return { resident: m.rss, heap: m.heapUsed, external: m.external };
}

/** Bytes of memory that this process can count on: its control group's limit or the machine's; undefined if unknown. */
export function memoryLimit(): number | undefined {
  const read = (path: string, pattern: RegExp): number | undefined => {
    try {
      const n = Number(pattern.exec(Deno.readTextFileSync(path))?.[1] ?? "");
      return n > 0 ? n : undefined;
    } catch {
      return undefined;
    }
  };
  const machine = read("/proc/meminfo", /^MemTotal:\s+(\d+) kB/m);
  const group = read("/sys/fs/cgroup/memory.max", /^(\d+)$/m);
  const both = [group, machine === undefined ? undefined : machine * 1024]
    .filter((n) => n !== undefined);
  return both.length === 0 ? undefined : Math.min(...both);
}

/**
 * Files and sockets that this process may have open at a time; undefined if unknown. It is read once, at the
 * start: after giving up root, a process may not read this any more.
 */
export function openFilesLimit(): number | undefined {
  return filesLimit;
}

const filesLimit = askFilesLimit();

function askFilesLimit(): number | undefined {
  try {
    const limits = Deno.readTextFileSync("/proc/self/limits");
    const n = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
    return n > 0 ? n : undefined;
  } catch {
    return undefined;
  }
}

/** Path of the executable: the program itself when compiled, otherwise Deno. */
export function executablePath(): string {
  return Deno.execPath();
}

/** True if this is an executable made by `deno compile`. */
export function isCompiled(): boolean {
  return (Deno.build as { standalone?: boolean }).standalone === true;
}

/** Name of the script that starts the program from a portable archive. */
export const portableLauncher: string = isWindows ? "mox.cmd" : "mox";

/** Path of the program's main module, when it runs from its sources. */
export function mainModulePath(): string {
  return fromFileUrl(Deno.mainModule);
}

/**
 * Makes new files and folders of the process accessible only to their owner, whatever the shell's umask:
 * including databases, which are created without a mode. The runtime's own call needs a permission that can't
 * be granted narrowly, so the C library is used. If neither may be called, the folders protect the files, as
 * nobody else may enter them.
 */
export function restrictNewFiles(): void {
  if (isWindows) return;
  const mask = 0o077;
  try {
    setFileMask(mask);
  } catch {
    try {
      Deno.umask(mask);
    } catch (err) {
      if (!(err instanceof Deno.errors.NotCapable)) throw err;
    }
  }
}

/** True where systemd may start services, and where a server started as root becomes another user. */
export const hasServiceUnits: boolean = isLinux;

/** Ends the process immediately. */
export function exitProcess(code: number): never {
  Deno.exit(code);
}

/** Sets the exit code for when the process ends by itself. */
export function setExitCode(code: number): void {
  Deno.exitCode = code;
}
