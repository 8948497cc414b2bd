/** Why a login by a provider or directory failed. @module */

/**
 * The failure of a login with a provider or a directory.
 * - `wrong`: the user is unknown, or the token, password or answer is invalid.
 * - `away`: it is unreachable, or its answer is unusable; it may work later.
 */
export class IdentityError extends Error {
  override name = "IdentityError";
  readonly reason: "wrong" | "away";
  constructor(reason: IdentityError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
