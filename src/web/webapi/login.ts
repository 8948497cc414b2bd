/** Who calls the web API: HTTP basic authentication (RFC 7617). @module */
import { Buffer } from "node:buffer";
import { type Admission, LoginLimited } from "../../net/mod.ts";
import type { WebRequest } from "../http/mod.ts";
import type { LoginForm, LoginResult } from "../login/mod.ts";
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
  const form = basicCredentials(req.headers.get("authorization"));
  const client = req.headers.get("user-agent") ?? "";
  const who = { service: "webapi", remoteIp: req.remoteIp, cid: req.cid } as const;
  if (form === undefined) {
    s.limiter.note({ ...who, login: "" }, "badprotocol", { mechanism: "httpbasic", client });
    throw new ApiError("user", "log in with an email address and password (HTTP basic)", {
      status: 401,
    });
  }
  let admission: Admission;
  try {
    // Before the password is looked at, which costs.
    admission = await s.limiter.admit({ ...who, login: form.username });
  } catch (cause) {
    if (!(cause instanceof LoginLimited)) throw cause;
    throw new ApiError("user", cause.message, {
      cause,
      status: 429,
      retryAfter: cause.retryAfter,
    });
  }
  let result: LoginResult | "error" = "error";
  try {
    result = await s.checkLogin(form, req.remoteIp);
  } finally {
    const failed = typeof result === "string" ? result : undefined;
    await admission.done(failed === undefined ? "ok" : results[failed], {
      mechanism: "httpbasic",
      client,
      reason: failed,
    });
  }
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

/** How attempts that didn't get in are noted. */
const results = {
  wrong: "badcreds",
  disabled: "disabled",
  second: "badcreds",
  wrongCode: "badcreds",
  error: "error",
} as const;
