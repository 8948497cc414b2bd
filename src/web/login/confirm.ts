/**
 * Asking again who is there, before ways to log in are changed: an open page, or a stolen cookie, is not enough.
 *
 * @module
 */
import type { AuthService } from "../../metrics/authentication.ts";
import type { LoginGuard } from "../../net/mod.ts";
import { UserError, type WebRequest } from "../http/mod.ts";
import { admitted, attemptResults, type LoginResult } from "./login.ts";

/** Whose password it is, and where it is asked for. */
export interface Confirmation {
  service: AuthService;
  login: string;
}

/**
 * Checks the password that was given again, and the code where there is a second factor, limited like logins.
 * @throws UserError with what is wrong or missing; HttpError 429
 */
export async function confirm(
  guard: LoginGuard,
  req: WebRequest,
  c: Confirmation,
  check: () => Promise<LoginResult>,
): Promise<void> {
  const admission = await admitted(guard, { ...c, remoteIp: req.remoteIp, cid: req.cid });
  let result: LoginResult | "error" = "error";
  try {
    result = await check();
  } finally {
    const failed = typeof result === "string" ? result : undefined;
    await admission.done(failed === undefined ? "ok" : attemptResults[failed], {
      mechanism: "confirm",
      client: req.headers.get("user-agent") ?? "",
      reason: failed,
    });
  }
  switch (result) {
    case "second":
      throw new UserError("the code of your second factor is needed");
    case "wrongCode":
      throw new UserError("the code is wrong, or was used before: wait for the next one");
    case "wrong":
      throw new UserError("the current password is wrong");
    case "disabled":
      throw new UserError("login is disabled for this account");
  }
}
