/**
 * Authentication of programs: HTTP basic authentication (RFC 7617), or a bearer token (RFC 6750), which has the same
 * content: address and password in base64. Programs of accounts with a second factor
 * use an app password in both.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type AuthService, countAuthentication } from "../../metrics/authentication.ts";
import type { LoginGuard } from "../../net/mod.ts";
import { limitedLogin } from "./limited_login.ts";
import { HttpError, type WebRequest } from "./types.ts";

/** A program's login: the account, or why there is none. */
export type ProgramLogin =
  | { account: string; credential: string }
  | "wrong"
  | "wrongCode"
  | "second"
  | "disabled";

interface Credentials {
  username: string;
  password: string;
  mechanism: "httpbasic" | "httpbearer";
}

/** Name and password in a header field; undefined if there are none or they can't be parsed. */
export function credentialsOf(header: string | null): Credentials | undefined {
  const match = /^(basic|bearer)[ ]+([A-Za-z0-9+/_-]{1,8192}={0,2})[ ]*$/i.exec(header ?? "");
  if (match === null) return undefined;
  let text: string;
  try {
    const base64 = match[2].replaceAll("-", "+").replaceAll("_", "/");
    text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(base64, "base64"));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  if (colon <= 0) return undefined;
  return {
    username: text.slice(0, colon),
    password: text.slice(colon + 1),
    mechanism: match[1].toLowerCase() === "basic" ? "httpbasic" : "httpbearer",
  };
}

/** Checks logins. */
export interface ProgramLogins {
  limiter: LoginGuard;
  checkLogin(
    form: { username: string; password: string },
    remoteIp: string,
  ): Promise<ProgramLogin>;
  /** Checks an access token of a provider; undefined if none is configured. */
  checkToken?: (token: string) => Promise<ProgramUser | "wrong">;
}

/** An authenticated program. */
export interface ProgramUser {
  account: string;
  credential: string;
  login: string;
}

/** Checks under way, by service, address and credentials. */
const underWay = new WeakMap<ProgramLogins, Map<string, Promise<ProgramLogin>>>();

/**
 * A check of credentials, or the one of the same that is under way: programs send many requests at a time, which
 * are one attempt, not as many guesses.
 */
function once(
  logins: ProgramLogins,
  key: string,
  check: () => Promise<ProgramLogin>,
): Promise<ProgramLogin> {
  let list = underWay.get(logins);
  if (list === undefined) underWay.set(logins, list = new Map());
  const there = list.get(key);
  if (there !== undefined) return there;
  const made = check().finally(() => list.delete(key));
  list.set(key, made);
  return made;
}

/** Checks name and password of a request. @throws HttpError 401, 403, 429 */
export async function programLogin(
  logins: ProgramLogins,
  req: WebRequest,
  service: AuthService,
): Promise<ProgramUser> {
  const unauthorized = (message: string) =>
    new HttpError(401, message, {
      "WWW-Authenticate": `Basic realm="mox ${service}", charset="UTF-8"`,
    });
  const header = req.headers.get("authorization");
  const form = credentialsOf(header);
  const token = form === undefined ? /^bearer +([\x21-\x7e]+) *$/i.exec(header ?? "") : null;
  if (token !== null && logins.checkToken !== undefined) {
    const { checkToken } = logins;
    const result = await limitedLogin(
      logins.limiter,
      req,
      // There is no name yet, and failures of one address don't count for others.
      {
        service,
        login: "(token)",
        account: `(token) ${req.remoteIp}`,
        mechanism: "httpbearer",
      },
      () => checkToken(token[1]),
    );
    if (typeof result === "string") throw unauthorized("the token is not valid here");
    return result;
  }
  if (form === undefined) {
    if (header !== null) countAuthentication(service, "httpbasic", "badprotocol");
    throw unauthorized("log in with an email address and password");
  }
  const { mechanism, username } = form;
  const key = JSON.stringify([service, req.remoteIp, mechanism, username, form.password]);
  const result = await once(logins, key, () =>
    limitedLogin(
      logins.limiter,
      req,
      { service, login: username, mechanism, second: "badcreds" },
      () => logins.checkLogin(form, req.remoteIp),
    ));
  if (result === "disabled") throw new HttpError(403, "login is disabled for this account");
  if (typeof result === "string") {
    throw unauthorized(
      result === "second"
        ? "this account has a second factor: log in with an app password, made on the account page"
        : "wrong name or password",
    );
  }
  return { account: result.account, login: username, credential: result.credential };
}
