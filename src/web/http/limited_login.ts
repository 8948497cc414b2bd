/** Logins over HTTP: limited, noted, and answered no sooner than failures may be. @module */
import type { AuthResult, AuthService } from "../../metrics/authentication.ts";
import { type LoginGuard, LoginLimited } from "../../net/mod.ts";
import { HttpError, type WebRequest } from "./types.ts";

/** How a check can end without somebody being in. "second" asks for the code of the second factor. */
export type LoginFailure = "wrong" | "disabled" | "second" | "wrongCode";

/** A try to log in. */
export interface HttpLogin {
  service: AuthService;
  login: string;
  /** Such as "weblogin". */
  mechanism: string;
  /** The account, where it isn't a login name that says it. */
  account?: string;
  /** How "second" is noted: as a failure where no code can be given. */
  second?: "aborted" | "badcreds";
}

/**
 * Checks a login, counted before it is checked. If the check finds out the login name, it is noted under that.
 * @throws HttpError 429 if it may not be tried now; what `check` throws
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
