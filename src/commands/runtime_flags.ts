/**
 * The program's permissions: the single list of runtime flags for the executable, the portable archives, the
 * unit, the tasks in deno.json, the tests and the bench. A flag needed by a new part is added here and in
 * deno.json; a test compares the two.
 *
 * The files and addresses that the program uses depend on its configuration, so the operating system must restrict them
 * (see the systemd unit): `read` and `write` can't be narrower for everyone. They can be if
 * the folders are known: {@link narrowedFlags}.
 *
 * @module
 */
import { joinPath, parentDir } from "../platform/paths.ts";

/** Environment variables that are read. Others, which libraries ask for, count as unset. */
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
  // One per flag of localserve.
  "MOX_LOCALSERVE_*",
];

/** System information that is requested. Users: the one that started the server. */
const system = ["hostname", "networkInterfaces", "statfs", "uid", "gid"];

/** The flags, each one word. */
export const runtimeFlags: readonly string[] = [
  "--no-prompt",
  // New objects get 4 MB at a time, not 16: on a virtual machine the first access to a page costs more than all the
  // work done in it (18 microseconds, a third of a FETCH), while reused memory costs
  // nothing.
  // Old objects may double before garbage is collected. By default a small
  // heap may grow fourfold: a flood of garbage took 100 MB that stayed.
  "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=100",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  `--allow-env=${variables.join(",")}`,
  "--ignore-env",
  `--allow-sys=${system.join(",")}`,
  // For dropping root's privileges, reading message files, and the certificate authorities of Windows; revoked right
  // afterwards.
  // Libraries are found by name in system folders: a path can't be given.
  "--allow-ffi",
];

/**
 * Settings that the runtime only reads from its environment. Under constant load it checks the sockets after this many
 * rounds of the event loop, instead of 61: with 3 ms of work in each round everybody waited 180 ms.
 */
export const runtimeEnvironment: Readonly<Record<string, string>> = {
  DENO_TOKIO_EVENT_INTERVAL: "4",
};

/** The same as a prefix of a command, in the syntax of shells and deno.json. */
export const runtimeAssignments: string = Object.entries(runtimeEnvironment)
  .map(([name, value]) => `${name}=${value}`).join(" ");

/** Flags for running from the sources: with the package versions of the lock file next to main.ts. */
export function lockFlags(main: string): string[] {
  return [`--lock=${joinPath([parentDir(main), "deno.lock"])}`, "--frozen"];
}

/** The same flags for known folders. */
export function narrowedFlags(
  to: { read?: readonly string[]; write?: readonly string[] },
): string[] {
  return runtimeFlags.map((flag) => {
    if (flag === "--allow-read" && to.read) return `${flag}=${to.read.join(",")}`;
    if (flag === "--allow-write" && to.write) return `${flag}=${to.write.join(",")}`;
    return flag;
  });
}
