/**
 * Who asks: HTTP basic authentication (RFC 7617), or a bearer token (RFC 6750), which is what basic authentication
 * has behind its name: address and password in base64. Programs with a second factor use an app password in both.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { countAuthentication } from "../../metrics/authentication.ts";
import { HttpError, limitedLogin, type WebRequest } from "../../web/http/mod.ts";

import type { LoggedInUser } from "../core/method.ts";
import type { JmapServices } from "../services.ts";

interface Credentials {
  username: string;
  password: string;
  mechanism: "httpbasic" | "httpbearer";
}

/** Name and password of a header field; undefined if there are none that can be read. */
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

function unauthorized(message: string): HttpError {
  return new HttpError(401, message, {
    "WWW-Authenticate": 'Basic realm="mox jmap", charset="UTF-8"',
  });
}

/** Checks an access token of a provider. */
async function byToken(s: JmapServices, req: WebRequest, token: string): Promise<LoggedInUser> {
  const result = await limitedLogin(
    s.limiter,
    req,
    // There is no name yet, and failures of one place are nobody else's.
    {
      service: "jmap",
      login: "(token)",
      account: `(token) ${req.remoteIp}`,
      mechanism: "httpbearer",
    },
    () => s.checkToken!(token),
  );
  if (typeof result === "string") throw unauthorized("the token is not valid here");
  return result;
}

/** Checks name and password of a request. @throws HttpError 401, 403, 429 */
export async function authenticate(s: JmapServices, req: WebRequest): Promise<LoggedInUser> {
  const header = req.headers.get("authorization");
  const form = credentialsOf(header);
  const token = form === undefined ? /^bearer +([\x21-\x7e]+) *$/i.exec(header ?? "") : null;
  if (token !== null && s.checkToken !== undefined) return await byToken(s, req, token[1]);
  if (form === undefined) {
    if (header !== null) countAuthentication("jmap", "httpbasic", "badprotocol");
    throw unauthorized("log in with an email address and password");
  }
  const { mechanism, username } = form;
  const result = await limitedLogin(
    s.limiter,
    req,
    { service: "jmap", login: username, mechanism, second: "badcreds" },
    () => s.checkLogin(form, req.remoteIp),
  );
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
