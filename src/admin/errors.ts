/** Failures that an administrator reads. @module */
import { ConfigError } from "../config/mod.ts";

/** Something an administrator asked for can't be done; the message says why. */
export class AdminError extends Error {
  override name = "AdminError";
}

/** Runs a change of the configuration, with what it would break in plain words. */
export async function changing<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    // Lines of a file that was never written would tell nothing.
    throw new AdminError(err.problems.map((p) => p.message).join("; "), { cause: err });
  }
}
