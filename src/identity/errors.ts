/** Why an external login failed. @module */

/**
 * Why a login through a provider or a directory failed.
 * - `wrong`: they don't know the person, or the token, password or answer is wrong.
 * - `away`: they can't be reached, or their answer can't be used; it may work later.
 */
export class IdentityError extends Error {
  override name = "IdentityError";
  readonly reason: "wrong" | "away";
  constructor(reason: IdentityError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
