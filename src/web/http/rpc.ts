/**
 * Calls of pages: `POST <name>` with a JSON body, checked against the same schemas as in the page.
 *
 * An answer has status 200 and the response as JSON, or another status and
 * `{"error": {"code": …, "message": …}}`: "request" (400, does not fit the schema), "login" (401),
 * "forbidden" (403), "missing" (404), "conflict" (409), "size" (413), "limit" (429),
 * "user" (422, the message is for the user), "internal" (500, and 507 where the disk is full).
 *
 * @module
 */
import * as v from "valibot";
import { counter, countPanic, type PanicPackage } from "../../metrics/mod.ts";
import { JsonError } from "./json.ts";
import { parseJsonBody } from "./large_json.ts";
import { jsonResponse } from "./respond.ts";
import { checkCall } from "./same_site.ts";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { diskFull, HttpError, type WebRequest } from "./types.ts";

/** Schemas of one call. */
export interface CallSchemas {
  request: v.GenericSchema;
  response: v.GenericSchema;
}
export type Calls = Record<string, CallSchemas>;

/** Functions for all calls of a table. */
export type CallHandlers<C extends Calls, Context> = {
  [K in keyof C]: (
    request: v.InferOutput<C[K]["request"]>,
    context: Context,
  ) => v.InferInput<C[K]["response"]> | Promise<v.InferInput<C[K]["response"]>>;
};

/** An action that can't be done; the message tells the user why and what to do. */
export class UserError extends HttpError {
  constructor(message: string, options?: ErrorOptions) {
    super(422, message, {}, options);
    this.name = "UserError";
  }
}

const codes: Record<number, string> = {
  400: "request",
  401: "login",
  403: "forbidden",
  404: "missing",
  409: "conflict",
  413: "size",
  422: "user",
  429: "limit",
};

/** An error in the form of a call's answer. */
export function callError(err: HttpError): Response {
  const code = codes[err.status] ?? (err.status < 500 ? "request" : "internal");
  return jsonResponse(err.status, { error: { code, message: err.message } }, err.headers);
}

/** Most bytes of a call's body. */
export const maxCallBody = 2 * 1024 * 1024;

/** Calls that failed by a fault of the server, named as in the original's alerting rules. */
const serverErrors = counter(
  "sherpa_errors_total",
  "Calls of the pages that failed by a fault of the server.",
  { api: ["moxaccount", "moxadmin", "moxwebmail"], code: ["server:error"] },
);
const webmailErrors = counter(
  "mox_webmail_errors_total",
  "Calls of the webmail that failed by a fault of the server.",
);

/** Reads a call's body. @throws HttpError 400, 413 */
export async function jsonBody(req: WebRequest): Promise<unknown> {
  const type = (req.headers.get("content-type") ?? "").split(";", 1)[0].trim().toLowerCase();
  if (type !== "application/json") throw new HttpError(400, "a call's body is application/json");
  const bytes = await req.body(maxCallBody);
  try {
    return await parseJsonBody(bytes);
  } catch (e) {
    if (!(e instanceof JsonError)) throw e;
    throw new HttpError(400, e.message);
  }
}

/** A call's input, if it matches the schema. @throws HttpError 400 that names the field */
export function checkedRequest<S extends v.GenericSchema>(
  schema: S,
  json: unknown,
): v.InferOutput<S> {
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) {
    const at = v.getDotPath(parsed.issues[0]);
    throw new HttpError(400, `${at === null ? "" : `${at}: `}${parsed.issues[0].message}`);
  }
  return parsed.output;
}

/** Reads and checks a call's body. */
export async function callBody<S extends v.GenericSchema>(
  req: WebRequest,
  schema: S,
): Promise<v.InferOutput<S>> {
  return checkedRequest(schema, await jsonBody(req));
}

/**
 * The answer to a failed call. Errors that aren't the caller's fault are logged and counted.
 */
export function callFailure(
  e: unknown,
  o: { req: WebRequest; name: string; pkg: PanicPackage },
): HttpError {
  const { req, name, pkg } = o;
  if (e instanceof HttpError) return e;
  serverErrors.inc({ api: `mox${pkg}`, code: "server:error" });
  if (pkg === "webmail") webmailErrors.inc();
  if (isStorageFull(e)) {
    req.log.error("call can't be carried out", { call: name, err: e as Error });
    return diskFull();
  }
  countPanic(pkg);
  req.log.error("unhandled error in a call", {
    call: name,
    err: e instanceof Error ? e : new Error(String(e)),
    stack: e instanceof Error ? e.stack : undefined,
  });
  return new HttpError(500, "something went wrong in the server; its log says more");
}

/**
 * Answers a call. `context` checks that the caller may call (otherwise throws HttpError 401) before
 * the body is read.
 */
export async function answerCall<C extends Calls, Context>(
  o: {
    req: WebRequest;
    name: string;
    calls: C;
    handlers: CallHandlers<C, Context>;
    context: (name: keyof C & string) => Context | Promise<Context>;
    pkg: PanicPackage;
  },
): Promise<Response> {
  const { req, name, calls, handlers } = o;
  try {
    if (!Object.hasOwn(calls, name)) throw new HttpError(404, `there is no call ${name}`);
    if (req.method !== "POST") {
      throw new HttpError(405, "calls are made with POST", { Allow: "POST" });
    }
    checkCall(req);
    const context = await o.context(name);
    const request = await callBody(req, calls[name].request);
    const response = await handlers[name as keyof C](request, context);
    // A result that doesn't match its schema is a bug of ours, and must not reach the page as if it were right.
    return jsonResponse(200, v.parse(calls[name].response, response) ?? null);
  } catch (e) {
    return callError(callFailure(e, o));
  }
}
