/** A folder for temporary data: in memory if the session has a file system there. @module */

/**
 * Creates an empty folder: in XDG_RUNTIME_DIR, which on Linux with systemd is in memory, otherwise where
 * temporary files are. (The runtime lets no program write below /dev.)
 */
export async function makeMemoryFolder(): Promise<{ dir: string; inMemory: boolean }> {
  const options = { prefix: "mox-localserve-" };
  const runtimeDir = Deno.env.get("XDG_RUNTIME_DIR");
  if (runtimeDir) {
    try {
      return { dir: await Deno.makeTempDir({ ...options, dir: runtimeDir }), inMemory: true };
    } catch {
      // Missing, or not ours.
    }
  }
  return { dir: await Deno.makeTempDir(options), inMemory: false };
}
