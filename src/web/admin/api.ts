/**
 * The admin API: `POST api/<Name>`, for the page with its session and for programs with tokens. All calls pass through
 * here, so that both have the same functions, permissions and audit log.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { adminCalls } from "../../../webmail/admin/api/mod.ts";
import { auditChanges } from "../../admin/mod.ts";
import { ConfigError, tryChange } from "../../config/mod.ts";
import {
  callError,
  callFailure,
  type CallHandlers,
  checkedRequest,
  checkSameSite,
  HttpError,
  jsonBody,
  jsonResponse,
  UserError,
  type WebHandler,
  type WebRequest,
} from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import { type Caller, permit, sessionCaller, tokenCaller } from "./caller.ts";
import { KeptAnswers } from "./kept_answers.ts";
import { adminApiPage, adminOpenApi } from "./openapi.ts";
import { type AdminPageOptions, withAdminErrors } from "./options.ts";
import { type MakeCall, originalCalls, originalError } from "./original_calls.ts";
import { checkOwn, cutToOwn } from "./own_domains.ts";
import { type AdminCallName, callRules } from "./rules.ts";

/** Calls that need no login. */
const open: ReadonlySet<string> = new Set(["Login", "Session", "Logout"]);
/** The original's functions that begin a session, before there is anything to protect against other sites. */
const beginning: ReadonlySet<string> = new Set(["LoginPrep", "Login"]);

/** Simultaneous calls of one token; more are refused. */
const maxRunning = 20;

/** Whether a call failed because domains.conf has mistakes already. */
function isFileMistake(err: unknown): boolean {
  for (let e = err; e instanceof Error; e = e.cause) {
    if (e instanceof ConfigError && e.inFile) return true;
  }
  return false;
}

export interface AdminApi {
  handle: WebHandler;
  close(): Promise<void>;
}

/** A request being answered. */
interface Asked {
  req: WebRequest;
  name: string;
  caller: Caller;
  cookies: string[];
}

/** Makes the API of the page's handlers. */
export function adminApi(
  options: AdminPageOptions,
  handlers: CallHandlers<typeof adminCalls, PageContext>,
): AdminApi {
  const kept = new KeptAnswers(options.config.dataDir);
  const running = new Map<number, number>();

  /** Carries out a call of ours. @throws HttpError */
  async function carryOut(asked: Asked, name: AdminCallName, json: unknown): Promise<unknown> {
    const { caller } = asked;
    const rule = callRules[name];
    if (!open.has(name)) permit(caller, rule);
    const request = checkedRequest(adminCalls[name].request, json);
    const { own } = caller;
    if (own !== undefined) await withAdminErrors(() => checkOwn(own, name, request));
    const context: PageContext = {
      session: caller.session,
      ofDomains: own !== undefined,
      req: asked.req,
      setCookie: (value) => asked.cookies.push(value),
    };
    const handle = handlers[name] as (r: unknown, context: PageContext) => unknown;
    const run = async () => {
      try {
        return await handle(request, context);
      } catch (err) {
        // The mistakes may be in what others have in the file.
        if (own === undefined || !isFileMistake(err)) throw err;
        throw new UserError(
          "domains.conf has mistakes: the server's administrator must correct them",
          {
            cause: err,
          },
        );
      }
    };
    const dryRun = asked.req.url.searchParams.getAll("dryRun");
    if (dryRun.length > 0) {
      // A caller who spells it differently doesn't want the change made either.
      if (dryRun.some((value) => value !== "1")) throw new HttpError(400, "dryRun must be 1");
      if (!rule.trial) throw new UserError(`${name} has no dry run`);
      const tried = await tryChange(run);
      return { dryRun: true, changes: auditChanges(tried?.before, tried?.after) };
    }
    const answer = rule.kind === "read" || open.has(name)
      ? await run()
      : await options.audit.run(caller.actor, name, request, run);
    // A result that doesn't match its schema is a bug of ours, and must not reach the caller as if it were right.
    const right = v.parse(adminCalls[name].response, answer);
    return own === undefined ? right : cutToOwn(own, name, right);
  }

  /** A function of the original. @throws HttpError */
  async function original(asked: Asked, params: readonly unknown[]): Promise<unknown> {
    const { req, name } = asked;
    if (req.url.searchParams.has("dryRun")) {
      throw new UserError("dry runs are for calls in this server's own form");
    }
    const call: MakeCall = async (n, request) => await carryOut(asked, n, request) as never;
    if (name === "LoginPrep" || name === "Login") return await logIn(asked, params);
    if (name === "Logout") return void await call("Logout", {});
    if (!Object.hasOwn(originalCalls, name)) throw new HttpError(404, `no function ${name}`);
    return await originalCalls[name](params, { call, config: options.config });
  }

  /** LoginPrep gives a cookie with a token, Login wants both: so another site can't log a browser in. */
  async function logIn(asked: Asked, params: readonly unknown[]): Promise<unknown> {
    const { req } = asked;
    const path = req.url.pathname.slice(0, -req.path.length) || "";
    const cookie = (value: string, age: number) =>
      `webadminlogin=${value}; Path=${path}/; Max-Age=${age}; HttpOnly; SameSite=Strict${
        req.secure ? "; Secure" : ""
      }`;
    const token = randomBytes(24).toString("base64url");
    if (asked.name === "LoginPrep") {
      asked.cookies.push(cookie(token, 300));
      return token;
    }
    const [given, password] = params;
    if (typeof given !== "string" || typeof password !== "string" || params.length !== 2) {
      throw new HttpError(400, "a token of LoginPrep and a password are expected");
    }
    const sent = (req.headers.get("cookie") ?? "").split(/; */);
    if (given.length < 20 || !sent.includes(`webadminlogin=${given}`)) {
      throw new HttpError(401, "call LoginPrep first, and send its cookie");
    }
    const login = await options.login.login(req, { username: "", password });
    asked.cookies.push(cookie("", 0), login.cookie);
    // Replaces the header field that a page of another site can't add: any value will do.
    return token;
  }

  async function answer(asked: Asked, body: unknown): Promise<unknown> {
    const params = paramsOf(body);
    if (params !== undefined) return { result: await original(asked, params) ?? null };
    if (!Object.hasOwn(adminCalls, asked.name)) {
      throw new HttpError(404, `there is no call ${asked.name}`);
    }
    const name = asked.name as AdminCallName;
    return await carryOut(asked, name, body) ?? null;
  }

  /** Runs once for each Idempotency-Key of a token. */
  async function answerOnce(asked: Asked, body: unknown): Promise<unknown> {
    const key = asked.req.headers.get("idempotency-key");
    const { token } = asked.caller;
    const run = () => answer(asked, body);
    if (key === null || token === undefined || asked.req.url.searchParams.has("dryRun")) {
      return await run();
    }
    return await kept.once(token.secret, key, JSON.stringify([asked.name, body]), run);
  }

  /** Limits the simultaneous calls of a token. */
  async function limited<T>(caller: Caller, run: () => Promise<T>): Promise<T> {
    const id = caller.token?.id;
    if (id === undefined) return await run();
    const count = running.get(id) ?? 0;
    if (count >= maxRunning) {
      throw new HttpError(429, `more than ${maxRunning} calls at a time`, { "Retry-After": "1" });
    }
    running.set(id, count + 1);
    try {
      return await run();
    } finally {
      if (count === 0 && running.get(id) === 1) running.delete(id);
      else running.set(id, running.get(id)! - 1);
    }
  }

  async function handleCall(req: WebRequest, name: string): Promise<Response> {
    const cookies: string[] = [];
    let session;
    let inOriginalForm = false;
    let response: Response;
    try {
      if (req.method !== "POST") {
        throw new HttpError(405, "calls are made with POST", { Allow: "POST" });
      }
      let caller = await tokenCaller(options, req);
      let onlyOriginal = false;
      if (caller === undefined) {
        checkSameSite(req);
        const marked = req.headers.has("x-mox-request") || req.headers.has("x-mox-csrf");
        if (!marked && !beginning.has(name)) {
          throw new HttpError(403, "calls need a token, or the header field x-mox-request");
        }
        onlyOriginal = !marked;
        session = options.login.session(req);
        caller = sessionCaller(options, req, session);
        if (session === undefined && !open.has(name) && !beginning.has(name)) {
          inOriginalForm = req.headers.has("x-mox-csrf");
          throw new HttpError(401, "not logged in");
        }
      }
      const body = await jsonBody(req);
      inOriginalForm = paramsOf(body) !== undefined;
      if (onlyOriginal && !inOriginalForm) {
        throw new HttpError(403, "calls need a token, or the header field x-mox-request");
      }
      const asked: Asked = { req, name, caller, cookies };
      response = jsonResponse(200, await limited(asked.caller, () => answerOnce(asked, body)));
    } catch (e) {
      const failure = callFailure(e, { req, name, pkg: "admin" });
      response = inOriginalForm
        ? jsonResponse(200, { error: originalError(failure, name) })
        : callError(failure);
    }
    for (const c of cookies) response.headers.append("Set-Cookie", c);
    return cookies.length > 0 ? response : options.login.renew(req, session, response);
  }

  return {
    handle(req) {
      const name = req.path.slice("/api/".length);
      if (req.method === "GET" || req.method === "HEAD") {
        const described = describe(options, req, name);
        if (described !== undefined) return described;
      }
      return handleCall(req, name);
    },
    close: () => kept.close(),
  };
}

/** The parameters of a body in the original's format. */
function paramsOf(body: unknown): unknown[] | undefined {
  if (body === null || typeof body !== "object" || Array.isArray(body)) return undefined;
  const { params, ...more } = body as { params?: unknown };
  return Array.isArray(params) && Object.keys(more).length === 0 ? params : undefined;
}

/** The API's description, for people and for programs; it contains nothing secret. */
function describe(options: AdminPageOptions, req: WebRequest, name: string): Response | undefined {
  if (name === "openapi.json") {
    const path = req.url.pathname.slice(0, -"/openapi.json".length);
    return jsonResponse(200, adminOpenApi(options.version, path));
  }
  if (name !== "") return undefined;
  return new Response(adminApiPage(), {
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-cache",
      "Content-Security-Policy":
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    },
  });
}
