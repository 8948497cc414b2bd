/**
 * The web API: programs send mail and work with messages over HTTP with JSON, at /webapi/v0/<method>.
 *
 * May import the store, mail, queue and config below it, and http/, login/ and webmail/ beside it;
 * serve/ gives it submission and puts it on listeners.
 *
 * @module
 */
import { counter, countPanic, histogram } from "../../metrics/mod.ts";
import { giveWay } from "../../platform/turns.ts";
import { isStorageFull } from "../../platform/storage_errors.ts";
import type { Account } from "../../store/account/account.ts";
import {
  diskFull,
  HttpError,
  jsonResponse,
  type WebHandler,
  type WebRequest,
} from "../http/mod.ts";
import { readRequest } from "./body.ts";
import { ApiError } from "./errors.ts";
import { authenticate } from "./login.ts";
import { runMethod } from "./methods.ts";
import { largeBody, LargeRequests } from "./large_requests.ts";
import { openApi } from "./openapi.ts";
import { documentationPage } from "./page.ts";
import { type Method, type MethodName, methods } from "./schemas.ts";
import { SeenRequests } from "./seen_requests.ts";
import type { WebApiServices } from "./services.ts";

export { ApiError } from "./errors.ts";
export type { ApiSubmission, WebApiServices } from "./services.ts";

/** Header field of webhook calls. */
export const webhookIdHeader = "x-mox-webhook-id";

const calls = counter("mox_webapi_requests_total", "Calls of the web API, by method and result.", {
  method: Object.keys(methods),
  result: ["ok", "user", "auth", "server"],
});
const durations = histogram(
  "mox_webapi_duration_seconds",
  "Time of calls of the web API, by method.",
  ["method"],
  [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
);

/** Calls of one account that run at a time; more are refused. */
const maxRunning = 20;

export interface WebApi {
  handle: WebHandler;
  close(): Promise<void>;
}

/** Opens the API. */
export async function openWebApi(services: WebApiServices): Promise<WebApi> {
  const seen = await SeenRequests.open(services.config.dataDir);
  const running = new Map<string, number>();
  const large = new LargeRequests();
  return {
    handle: (req) => route(services, seen, running, large, req),
    close: () => seen.close(),
  };
}

function errorAnswer(err: ApiError): Response {
  const headers: Record<string, string> = {};
  if (err.status === 401) headers["WWW-Authenticate"] = 'Basic realm="mox webapi", charset="UTF-8"';
  if (err.status === 429) headers["Retry-After"] = String(err.retryAfter ?? 60);
  return jsonResponse(err.status, { Code: err.code, Message: err.message }, headers);
}

async function route(
  services: WebApiServices,
  seen: SeenRequests,
  running: Map<string, number>,
  large: LargeRequests,
  req: WebRequest,
): Promise<Response> {
  if (req.path === "/") return new Response(null, { status: 307, headers: { Location: "v0/" } });
  if (!req.path.startsWith("/v0/")) throw new HttpError(404, "not found");
  const name = req.path.slice(4);
  if (name === "" || name === "openapi.json") return description(services, req, name);
  if (!Object.hasOwn(methods, name)) {
    return errorAnswer(new ApiError("protocol", "there is no such method", { status: 404 }));
  }
  const method = name as MethodName;
  if (req.method !== "POST") {
    const r = errorAnswer(
      new ApiError("protocol", "methods are called with POST", { status: 405 }),
    );
    r.headers.set("Allow", "POST");
    return r;
  }
  const start = performance.now();
  try {
    const response = await answer(services, seen, running, large, req, method);
    calls.inc({ method, result: "ok" });
    return response;
  } catch (err) {
    if (err instanceof ApiError) {
      calls.inc({ method, result: [401, 403].includes(err.status) ? "auth" : "user" });
      return errorAnswer(err);
    }
    if (err instanceof HttpError) {
      calls.inc({ method, result: "user" });
      return errorAnswer(new ApiError("protocol", err.message, { cause: err, status: err.status }));
    }
    calls.inc({ method, result: "server" });
    if (isStorageFull(err)) {
      req.log.error("method can't be carried out", { method, err: err as Error });
      const { message, status } = diskFull();
      return errorAnswer(new ApiError("server", message, { cause: err, status }));
    }
    countPanic("webapi");
    req.log.error("unhandled error in a method", {
      method,
      err: err instanceof Error ? err : new Error(String(err)),
      stack: err instanceof Error ? err.stack : undefined,
    });
    return errorAnswer(
      new ApiError("server", "something went wrong in the server; its log says more", {
        cause: err,
        status: 500,
      }),
    );
  } finally {
    durations.observe({ method }, (performance.now() - start) / 1000);
  }
}

/** The description, for people and for programs; it has nothing secret. */
function description(services: WebApiServices, req: WebRequest, name: string): Response {
  if (req.method !== "GET" && req.method !== "HEAD") {
    throw new HttpError(405, "only GET", { Allow: "GET, HEAD" });
  }
  if (name === "openapi.json") {
    const path = req.url.pathname.slice(0, -"/openapi.json".length);
    return jsonResponse(200, openApi(services.version, path));
  }
  return new Response(documentationPage(), {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-cache",
      "Content-Security-Policy":
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    },
  });
}

async function answer(
  services: WebApiServices,
  seen: SeenRequests,
  running: Map<string, number>,
  large: LargeRequests,
  req: WebRequest,
  name: MethodName,
): Promise<Response> {
  // Other sites must not be able to make calls with a browser that knows the password.
  if (["cross-site", "same-site"].includes(req.headers.get("sec-fetch-site") ?? "")) {
    throw new ApiError("protocol", "calls from pages of other sites are refused", { status: 403 });
  }
  // A webhook that calls the API, whose message calls the webhook again, would never end.
  if (req.headers.has(webhookIdHeader)) {
    throw new ApiError("protocol", "a webhook can't call this API", { status: 403 });
  }
  const caller = await authenticate(services, req);
  const count = running.get(caller.account) ?? 0;
  if (count >= maxRunning) {
    throw new ApiError("user", `more than ${maxRunning} calls at a time`, { status: 429 });
  }
  running.set(caller.account, count + 1);
  let account: Account | undefined;
  let leave: (() => void) | undefined;
  try {
    const m: Method = methods[name];
    // Base64 takes a third more, and JSON escapes some characters.
    const limit = m.files ? Math.min(2 * services.maxMessageSize, 200 * 1024 * 1024) : 256 * 1024;
    // Without a length, as with chunks, it may be of any size.
    if (Number(req.headers.get("content-length") ?? limit) > largeBody) {
      leave = await large.enter(caller.account, req.signal);
    }
    const { request, hash } = await readRequest(req, m, limit);
    await giveWay();
    const conf = services.config.account(caller.account);
    if (conf === undefined) throw new ApiError("user", "the account is gone", { status: 401 });
    account = await services.accounts.open(caller.account);
    return await runMethod(services, seen, {
      name,
      request,
      hash,
      req,
      caller: { account, conf, login: caller.login },
    });
  } finally {
    leave?.();
    account?.close();
    const left = running.get(caller.account)! - 1;
    if (left > 0) running.set(caller.account, left);
    else running.delete(caller.account);
  }
}
