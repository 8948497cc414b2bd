/** Logins over HTTP: limited, logged, and with a minimum time for failures. @module */
import type { AuthResult, AuthService } from "../../metrics/authentication.ts";
import { type LoginGuard, LoginLimited } from "../../net/mod.ts";
import { HttpError, type WebRequest } from "./types.ts";

/** How a check can fail. "second" asks for the code of the second factor. */
export type LoginFailure = "wrong" | "disabled" | "second" | "wrongCode";

/** A login attempt. */
export interface HttpLogin {
  service: AuthService;
  login: string;
  /** Such as "weblogin". */
  mechanism: string;
  /** The account, if it isn't identified by a login name. */
  account?: string;
  /** How "second" is logged: as a failure if no code can be given. */
  second?: "aborted" | "badcreds";
}

/**
 * Checks a login, counting it first. If the check determines the login name, it is logged under that.
 * @throws HttpError 429 if it may not be tried now; errors of `check`
 */
export async function limitedLogin<T extends { account: string; login?: string }>(
  guard: LoginGuard,
  req: WebRequest,
  l: HttpLogin,
  check: () => Promise<T | LoginFailure>,
): Promise<T | LoginFailure> {
  const { service, login, account, mechanism } = l;
  const client = req.headers.get("user-agent") ?? "";
  const attempt = { service, login, account, remoteIp: req.remoteIp, cid: req.cid };
  let admission;
  try {
    admission = await guard.admit(attempt);
  } catch (e) {
    if (!(e instanceof LoginLimited)) throw e;
    throw new HttpError(429, e.message, { "Retry-After": String(e.retryAfter) }, { cause: e });
  }
  let result: T | LoginFailure | "error" = "error";
  try {
    return result = await check();
  } finally {
    const reason: LoginFailure | "error" | undefined = typeof result === "string"
      ? result
      : undefined;
    if (typeof result !== "string" && result.login !== undefined) attempt.login = result.login;
    await admission.done(noted(reason, l), { mechanism, client, reason });
  }
}

function noted(reason: LoginFailure | "error" | undefined, login: HttpLogin): AuthResult {
  switch (reason) {
    case undefined:
      return "ok";
    case "second":
      return login.second ?? "aborted";
    case "wrong":
    case "wrongCode":
      return "badcreds";
    default:
      return reason;
  }
}
