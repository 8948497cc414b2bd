/**
 * What the program may do: the one list of the runtime's flags, for the executable, the portable archives, the
 * unit, the tasks of deno.json, the tests and the bench. A flag that a new part needs is added here, and in
 * deno.json, where a test compares it.
 *
 * Which files and addresses the program may touch is up to its configuration, and so to the operating system
 * (see the systemd unit): `read` and `write` can't be narrower in what is shipped to everyone. They can where
 * the folders are known: {@link narrowedFlags}.
 *
 * @module
 */
import { joinPath, parentDir } from "../platform/paths.ts";

/** Environment variables that are read. Others, which libraries ask for, count as not set. */
const variables = [
  "MOXCONF",
  "MOX_DNS_SERVERS",
  "HOME",
  "XDG_CONFIG_HOME",
  "APPDATA",
  "TMPDIR",
  "TEMP",
  "TMP",
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
  "XDG_RUNTIME_DIR",
  // One for each flag of localserve.
  "MOX_LOCALSERVE_*",
];

/** Facts about the system that are asked for. Users: as who the server was started. */
const system = ["hostname", "networkInterfaces", "statfs", "uid", "gid"];

/** The flags, each one word. */
export const runtimeFlags: readonly string[] = [
  "--no-prompt",
  // New objects get 4 MB at a time, not 16: a page that is touched for the first time costs more than all that
  // is done in it where the machine is virtual (18 microseconds, a third of a FETCH), and memory that is used
  // again none.
  // Old objects may become twice as many before those are collected that nobody has. The runtime's own measure lets a small
  // heap grow fourfold: a flood that makes garbage took 100 MB that stayed.
  "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=100",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  `--allow-env=${variables.join(",")}`,
  "--ignore-env",
  `--allow-sys=${system.join(",")}`,
  // For dropping root's privileges, reading message files, and the certificate authorities of Windows; given back right
  // after.
  // Libraries are found by their names in folders of the system: no path can be given.
  "--allow-ffi",
];

/**
 * What else the runtime is told; it takes this from its environment alone. While there is always work, it looks at the
 * sockets after so many rounds of the loop, not after its own 61: with 3 ms of work in each round everybody waited 180 ms.
 */
export const runtimeEnvironment: Readonly<Record<string, string>> = {
  DENO_TOKIO_EVENT_INTERVAL: "4",
};

/** The same before a command, as shells and deno.json write it. */
export const runtimeAssignments: string = Object.entries(runtimeEnvironment)
  .map(([name, value]) => `${name}=${value}`).join(" ");

/** Flags where the program runs from its sources: packages in the versions of the lock file beside main.ts. */
export function lockFlags(main: string): string[] {
  return [`--lock=${joinPath([parentDir(main), "deno.lock"])}`, "--frozen"];
}

/** The same flags for folders that are known. */
export function narrowedFlags(
  to: { read?: readonly string[]; write?: readonly string[] },
): string[] {
  return runtimeFlags.map((flag) => {
    if (flag === "--allow-read" && to.read) return `${flag}=${to.read.join(",")}`;
    if (flag === "--allow-write" && to.write) return `${flag}=${to.write.join(",")}`;
    return flag;
  });
}
