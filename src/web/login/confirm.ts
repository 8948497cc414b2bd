/**
 * Renewed authentication before logins are changed: an open page, or a stolen cookie, is not enough.
 *
 * @module
 */
import type { AuthService } from "../../metrics/authentication.ts";
import type { LoginGuard } from "../../net/mod.ts";
import { UserError, type WebRequest } from "../http/mod.ts";
import { limitedLogin, type LoginFailure } from "../http/limited_login.ts";

/** Whose password it is, and which page asks for it. */
export interface Confirmation {
  service: AuthService;
  login: string;
}

const texts: Record<LoginFailure, string> = {
  wrong: "the current password is wrong",
  wrongCode: "the code is wrong, or was used before: wait for the next one",
  second: "the code of your second factor is needed",
  disabled: "login is disabled for this account",
};

/**
 * Checks the password given again, and the code if there is a second factor, limited like logins.
 * @throws UserError with what is wrong or missing; HttpError 429
 */
export async function confirm(
  guard: LoginGuard,
  req: WebRequest,
  confirmation: Confirmation,
  check: () => Promise<{ account: string } | LoginFailure>,
): Promise<void> {
  const result = await limitedLogin(guard, req, { ...confirmation, mechanism: "confirm" }, check);
  if (typeof result === "string") throw new UserError(texts[result]);
}
