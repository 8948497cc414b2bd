/** Errors for administrators. @module */
import { ConfigError } from "../config/mod.ts";

/** A request of an administrator can't be carried out; the message says why. */
export class AdminError extends Error {
  override name = "AdminError";
}

/** Changes the configuration; explains in plain words what the change would break. */
export async function changing<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (err) {
    if (!(err instanceof ConfigError)) throw err;
    // Line numbers of a file that was never written would be useless.
    throw new AdminError(err.problems.map((p) => p.message).join("; "), { cause: err });
  }
}
