/** Why somebody could not be let in from elsewhere. @module */

/**
 * What came of a login with a provider or a directory.
 * - `wrong`: they don't know the person, or the token, password or answer isn't right.
 * - `away`: they can't be reached, or answer what can't be used; it may work later.
 */
export class IdentityError extends Error {
  override name = "IdentityError";
  readonly reason: "wrong" | "away";
  constructor(reason: IdentityError["reason"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
