/**
 * Logging in to a page, and identifying the user of a request.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type AuthService, countAuthentication } from "../../metrics/authentication.ts";
import type { LoginGuard } from "../../net/mod.ts";
import { HttpError, type WebRequest } from "../http/types.ts";
import { limitedLogin, type LoginFailure } from "../http/limited_login.ts";
import { Challenges, type PasskeyAnswer, type PasskeyPlace } from "./webauthn.ts";
import type { FoundSession, LoginService, Sessions } from "./sessions.ts";

/** The user's input. */
export interface LoginForm {
  username: string;
  password: string;
  /** Code of a second factor, if there is one. */
  code?: string;
}

/** How a login ended. */
export type LoginResult = { account: string } | LoginFailure;

/** A passkey's answer at a login. */
export interface PasskeyLogin extends PasskeyAnswer {
  signature: string;
  /** The account's name, base64url. */
  userHandle: string;
}

/** Logins of one page. */
export interface LoginOptions {
  service: LoginService;
  sessions: Sessions;
  limiter: LoginGuard;
  /** Checks the input; takes the same time whether or not the name exists. */
  check(form: LoginForm, remoteIp: string): Promise<LoginResult>;
  /** Checks a passkey's answer and finds its owner; undefined if passkeys are not supported. */
  checkPasskey?(
    answer: PasskeyLogin,
    place: PasskeyPlace,
    challenges: Challenges,
  ): Promise<{ account: string; login: string } | "wrong" | "disabled">;
  /**
   * The account logged in without credentials; undefined for none. For localserve, where anyone at
   * the machine may see all mail.
   */
  withoutLogin?(req: WebRequest): { account: string; login: string } | undefined;
  /** Checked at each request: false ends sessions of accounts that were removed or may not log in. */
  allowed(session: { account: string; login: string }): boolean;
}

const authNames: Record<LoginService, AuthService> = {
  webmail: "webmail",
  account: "webaccount",
  admin: "webadmin",
};

/** The account named by a passkey. */
export function accountOfPasskey(answer: PasskeyLogin): string {
  return Buffer.from(answer.userHandle, "base64url").toString();
}

/** Where a passkey is asked for. */
export function placeOf(req: WebRequest): PasskeyPlace {
  return { host: req.url.host, hostname: req.url.hostname };
}

/** Logins and the cookie of one page. */
export class Login {
  readonly #o: LoginOptions;
  /** Open challenges for passkeys. */
  readonly challenges = new Challenges();

  constructor(options: LoginOptions) {
    this.#o = options;
  }

  /** Name of the cookie: different for HTTP and HTTPS, which may share a host. */
  #cookieName(req: WebRequest): string {
    return `${req.secure ? "__Secure-" : ""}mox-${this.#o.service}`;
  }

  #setCookie(req: WebRequest, value: string, maxAge: number): string {
    const path = req.url.pathname.slice(0, req.url.pathname.length - req.path.length + 1) || "/";
    return `${this.#cookieName(req)}=${value}; Path=${path}; Max-Age=${maxAge}; HttpOnly; ` +
      `SameSite=Strict${req.secure ? "; Secure" : ""}`;
  }

  #token(req: WebRequest): string | undefined {
    const name = this.#cookieName(req);
    for (const pair of (req.headers.get("cookie") ?? "").split(";")) {
      const eq = pair.indexOf("=");
      if (eq > 0 && pair.slice(0, eq).trim() === name) return pair.slice(eq + 1).trim();
    }
    return undefined;
  }

  /**
   * Logs in; returns the account and the cookie to set.
   * @throws HttpError 429 for too many failed attempts, 401 for wrong credentials, 403 for a login
   * that is disabled; 401 with the header field X-Mox-Second-Factor if its code is missing.
   */
  async login(req: WebRequest, form: LoginForm): Promise<{ account: string; cookie: string }> {
    const { service, sessions, limiter } = this.#o;
    const client = req.headers.get("user-agent") ?? "";
    const result = await limitedLogin(
      limiter,
      req,
      {
        service: authNames[service],
        login: form.username || "(admin)",
        mechanism: "weblogin",
      },
      () => this.#o.check(form, req.remoteIp),
    );
    switch (result) {
      case "second":
      case "wrongCode":
        throw new HttpError(
          401,
          result === "second"
            ? "the code of your second factor is needed"
            : "the code is wrong, or was used before: wait for the next one",
          { "X-Mox-Second-Factor": "required" },
        );
      case "disabled":
        throw new HttpError(403, "login is disabled for this account");
      case "wrong":
        throw new HttpError(401, "wrong name or password");
    }
    const token = sessions.create({
      service,
      account: result.account,
      login: form.username,
      remoteIp: req.remoteIp,
      userAgent: client,
    });
    return { account: result.account, cookie: this.#setCookie(req, token, 90 * 86_400) };
  }

  /** Starts a session for a user authenticated in another way; returns the cookie to set. */
  loginAs(req: WebRequest, who: { account: string; login: string }): string {
    const { service, sessions } = this.#o;
    const userAgent = req.headers.get("user-agent") ?? "";
    const token = sessions.create({ service, ...who, remoteIp: req.remoteIp, userAgent });
    return this.#setCookie(req, token, 90 * 86_400);
  }

  /** A challenge for a passkey. */
  challenge(): string {
    return this.challenges.make();
  }

  /** Logs in with a passkey. @throws HttpError 429, 401, 403 as `login` does */
  async loginWithPasskey(
    req: WebRequest,
    answer: PasskeyLogin,
  ): Promise<{ account: string; login: string; cookie: string }> {
    const { service, sessions, limiter } = this.#o;
    const client = req.headers.get("user-agent") ?? "";
    const account = accountOfPasskey(answer);
    const place = placeOf(req);
    const result = await limitedLogin(
      limiter,
      req,
      { service: authNames[service], login: account, account, mechanism: "passkey" },
      async () => await this.#o.checkPasskey?.(answer, place, this.challenges) ?? "wrong",
    );
    if (result === "disabled") throw new HttpError(403, "login is disabled for this account");
    if (typeof result === "string") {
      throw new HttpError(401, "this passkey is not known here: log in with your password");
    }
    const token = sessions.create({
      service,
      ...result,
      remoteIp: req.remoteIp,
      userAgent: client,
    });
    return { ...result, cookie: this.#setCookie(req, token, 90 * 86_400) };
  }

  /** The session of a request; undefined if nobody is logged in. */
  session(req: WebRequest): FoundSession | undefined {
    const token = this.#token(req);
    if (token === undefined) return this.#opened(req);
    const s = this.#o.sessions.find(this.#o.service, token);
    if (s === undefined) {
      const opened = this.#opened(req);
      if (opened !== undefined) return opened;
      countAuthentication(authNames[this.#o.service], "websessionuse", "badcreds");
      return undefined;
    }
    if (!this.#o.allowed(s)) {
      this.#o.sessions.end(s.account, s.id);
      return undefined;
    }
    return s;
  }

  /** A session that starts without a login; `renew` sets its cookie. */
  #opened(req: WebRequest): FoundSession | undefined {
    const who = this.#o.withoutLogin?.(req);
    if (who === undefined || !this.#o.allowed(who)) return undefined;
    const { service, sessions } = this.#o;
    const userAgent = req.headers.get("user-agent") ?? "";
    const newToken = sessions.create({ service, ...who, remoteIp: req.remoteIp, userAgent });
    const found = sessions.find(service, newToken);
    return found && { ...found, newToken };
  }

  /** The session of a request. @throws HttpError 401 */
  require(req: WebRequest): FoundSession {
    const s = this.session(req);
    if (s === undefined) throw new HttpError(401, "not logged in");
    return s;
  }

  /** Adds the cookie to an answer if the session got a new token. */
  renew(req: WebRequest, session: FoundSession | undefined, response: Response): Response {
    if (session?.newToken !== undefined) {
      response.headers.append("Set-Cookie", this.#setCookie(req, session.newToken, 90 * 86_400));
    }
    return response;
  }

  /** Ends the request's session; returns the cookie that removes the token. */
  logout(req: WebRequest): string {
    const s = this.session(req);
    if (s !== undefined) this.#o.sessions.end(s.account, s.id);
    return this.#setCookie(req, "", 0);
  }
}
