/** Authentication of callers of the web API: HTTP basic authentication (RFC 7617). @module */
import { Buffer } from "node:buffer";
import { countAuthentication } from "../../metrics/authentication.ts";
import { HttpError, limitedLogin, type WebRequest } from "../http/mod.ts";
import type { LoginForm } from "../login/mod.ts";
import { ApiError } from "./errors.ts";
import type { WebApiServices } from "./services.ts";

/** Name and password of the header field; undefined if missing or malformed. */
export function basicCredentials(header: string | null): LoginForm | undefined {
  const match = /^basic[ ]+([A-Za-z0-9+/]{1,8192}={0,2})[ ]*$/i.exec(header ?? "");
  if (match === null) return undefined;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(match[1], "base64"));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  if (colon <= 0) return undefined;
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** Checks the caller's name and password. @throws ApiError 401, 429 */
export async function authenticate(
  services: WebApiServices,
  req: WebRequest,
): Promise<{ account: string; login: string }> {
  const form = basicCredentials(req.headers.get("authorization"));
  if (form === undefined) {
    countAuthentication("webapi", "httpbasic", "badprotocol");
    throw new ApiError("user", "log in with an email address and password (HTTP basic)", {
      status: 401,
    });
  }
  const result = await limitedLogin(
    services.limiter,
    req,
    { service: "webapi", login: form.username, mechanism: "httpbasic", second: "badcreds" },
    () => services.checkLogin(form, req.remoteIp),
  ).catch((cause) => {
    if (!(cause instanceof HttpError) || cause.status !== 429) throw cause;
    const retryAfter = Number(cause.headers["Retry-After"]);
    throw new ApiError("user", cause.message, { cause, status: 429, retryAfter });
  });
  if (typeof result === "string") {
    throw new ApiError(
      "user",
      result === "disabled"
        ? "login is disabled for this account"
        : result === "second"
        ? "this account has a second factor: log in with an app password, made on the account page"
        : "wrong name or password",
      { status: result === "disabled" ? 403 : 401 },
    );
  }
  return { account: result.account, login: form.username };
}
