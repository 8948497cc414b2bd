/** Who calls the web API: HTTP basic authentication (RFC 7617). @module */
import { Buffer } from "node:buffer";
import { countAuthentication } from "../../metrics/authentication.ts";
import type { WebRequest } from "../http/mod.ts";
import type { LoginForm } from "../login/mod.ts";
import { ApiError } from "./errors.ts";
import type { WebApiServices } from "./services.ts";

/** Name and password of the header field; undefined if there are none that can be read. */
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
  s: WebApiServices,
  req: WebRequest,
): Promise<{ account: string; login: string }> {
  const kind = "webapi";
  // Before the password is looked at, which costs.
  if (!s.limiter.mayTry(req.remoteIp, kind)) {
    throw new ApiError(
      "user",
      "too many failed logins from your network, try again in some minutes",
      {
        status: 429,
      },
    );
  }
  const form = basicCredentials(req.headers.get("authorization"));
  if (form === undefined) {
    countAuthentication(kind, "httpbasic", "badprotocol");
    throw new ApiError("user", "log in with an email address and password (HTTP basic)", {
      status: 401,
    });
  }
  const result = await s.checkLogin(form, req.remoteIp);
  s.limiter.attempted({
    service: kind,
    mechanism: "httpbasic",
    result: typeof result !== "string" ? "ok" : result === "disabled" ? result : "badcreds",
    login: form.username,
    remoteIp: req.remoteIp,
    client: req.headers.get("user-agent") ?? "",
  });
  if (typeof result === "string") {
    s.limiter.failed(req.remoteIp);
    countAuthentication(kind, "httpbasic", result === "disabled" ? "disabled" : "badcreds");
    req.log.info("failed login", {
      service: kind,
      login: form.username,
      remote: req.remoteIp,
      result,
    });
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
  s.limiter.succeeded(req.remoteIp);
  countAuthentication(kind, "httpbasic", "ok");
  return { account: result.account, login: form.username };
}
