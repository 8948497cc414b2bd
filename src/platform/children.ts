/** Programs that this one starts and watches. @module */

/** A running program; its output goes where this one's goes. */
export interface Child {
  /** Resolves with its exit status when it has ended. */
  ended: Promise<number>;
  /** Asks it to end; does nothing if it has ended. */
  stop(): void;
}

/** Whether this process may start a program. */
export function mayStart(program: string): boolean {
  return Deno.permissions.querySync({ name: "run", command: program }).state === "granted";
}

/** Starts a program. @throws Deno.errors.NotFound, Deno.errors.NotCapable */
export function startChild(program: string, args: readonly string[]): Child {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  return {
    ended: child.status.then(({ code }) => code),
    stop() {
      try {
        child.kill("SIGTERM");
      } catch {
        // It has ended.
      }
    },
  };
}
