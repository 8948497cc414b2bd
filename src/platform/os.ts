/** The operating system. Only the platform layer and this file ask for it. @module */

export const isWindows: boolean = Deno.build.os === "windows";
export const isLinux: boolean = Deno.build.os === "linux";

/** The form of paths: with drive letters and `\`, or only with `/`. */
export type PathFlavour = "posix" | "windows";

/** The flavour of this machine's paths. */
export const hostFlavour: PathFlavour = isWindows ? "windows" : "posix";
