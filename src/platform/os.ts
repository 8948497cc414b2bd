/** Which operating system this is. Only the platform layer and what stands here asks. @module */

export const isWindows: boolean = Deno.build.os === "windows";
export const isLinux: boolean = Deno.build.os === "linux";
