/** Versions of the program and of its runtime. @module */
import process from "node:process";
import config from "../../deno.json" with { type: "json" };

/** Version of mox. */
export const programVersion: string = config.version;

/** Versions of runtime parts and the platform, by name. */
export function runtimeVersions(): Record<string, string> {
  return {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    sqlite: process.versions.sqlite ?? "built in",
    platform: `${Deno.build.os}/${Deno.build.arch}`,
  };
}
