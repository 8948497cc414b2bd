/**
 * Pages with a login and a table of calls: routing of their requests, and the session cookie.
 *
 * @module
 */
import type { PanicPackage } from "../../metrics/mod.ts";
import {
  answerCall,
  type CallHandlers,
  type Calls,
  HttpError,
  type WebHandler,
  type WebRequest,
} from "../http/mod.ts";
import type { Login } from "./login.ts";
import type { FoundSession } from "./sessions.ts";

/** Context of a call's handler: the session (undefined for calls that need none), and the request. */
export interface PageContext {
  /** Of the admin page: the caller administers some domains only. */
  ofDomains?: boolean;
  session: FoundSession | undefined;
  req: WebRequest;
  /** Sets a cookie with the answer. */
  setCookie(value: string): void;
}

export interface PageOptions<C extends Calls> {
  login: Login;
  calls: C;
  handlers: CallHandlers<C, PageContext>;
  /** Calls that work without a login. */
  open: readonly (keyof C & string)[];
  /** The document at "/". */
  page: WebHandler;
  pkg: PanicPackage;
  /** Wraps each call of a logged-in user. */
  around?<T>(
    name: string,
    request: unknown,
    context: PageContext,
    run: () => Promise<T>,
  ): Promise<T>;
}

/** Answers the requests of a page. */
export function pageHandler<C extends Calls>(options: PageOptions<C>): WebHandler {
  const handlers = options.around ? aroundAll(options.handlers, options.around) : options.handlers;
  return async (req) => {
    if (!req.path.startsWith("/api/")) {
      if (req.path === "/") return await options.page(req);
      throw new HttpError(404, "not found");
    }
    const session = options.login.session(req);
    const cookies: string[] = [];
    const response = await answerCall({
      req,
      name: req.path.slice("/api/".length),
      calls: options.calls,
      handlers,
      context: (name): PageContext => {
        if (session === undefined && !options.open.includes(name)) {
          throw new HttpError(401, "not logged in");
        }
        return { session, req, setCookie: (value) => cookies.push(value) };
      },
      pkg: options.pkg,
    });
    for (const c of cookies) response.headers.append("Set-Cookie", c);
    return cookies.length > 0 ? response : options.login.renew(req, session, response);
  };
}

/** Wraps handlers. */
function aroundAll<C extends Calls>(
  handlers: CallHandlers<C, PageContext>,
  around: NonNullable<PageOptions<C>["around"]>,
): CallHandlers<C, PageContext> {
  const wrapped = Object.entries(handlers).map(([name, h]) => {
    const handle = h as (r: unknown, context: PageContext) => unknown;
    return [
      name,
      (request: unknown, context: PageContext) =>
        context.session === undefined
          ? handle(request, context)
          : around(name, request, context, async () => await handle(request, context)),
    ];
  });
  return Object.fromEntries(wrapped) as CallHandlers<C, PageContext>;
}
