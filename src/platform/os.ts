/** Which operating system this is. Only the platform layer and what stands here asks. @module */

export const isWindows: boolean = Deno.build.os === "windows";
export const isLinux: boolean = Deno.build.os === "linux";

/** How paths look: with drive letters and `\`, or with `/` alone. */
export type PathFlavour = "posix" | "windows";

/** The flavour of this machine's paths. */
export const hostFlavour: PathFlavour = isWindows ? "windows" : "posix";
