/**
 * The web server for WebHandlers and WebDomainRedirects of domains.conf: static files, redirects, a
 * reverse proxy, and the mail server's own pages on other hosts.
 *
 * Imports config and http beside it. Called by serve/, which mounts it behind the other services.
 *
 * @module
 */
import {
  compileRegExp,
  type Config,
  type LinearRegExp,
  type StepBudget,
  type WebHandler as Configured,
} from "../../config/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import { compress } from "./compress.ts";
import { forward, forwardUpgrade } from "./forward.ts";
import {
  HttpError,
  redirect,
  requestHost,
  type UpgradeHandler,
  type WebHandler,
  type WebRequest,
} from "../http/mod.ts";
import { redirectTarget } from "./redirects.ts";
import { serveStatic } from "./static_files.ts";

/** The mail server's own pages, by the names that WebInternal has for them. */
export type InternalPages = Partial<Record<string, WebHandler>>;

/** A configured handler with what is worked out once. */
interface Prepared {
  config: Configured;
  domain: string;
  path: LinearRegExp;
  replacePath: LinearRegExp | undefined;
}

/** The web server. */
export interface Webserver {
  /** True for hosts that a handler or redirect is for. */
  host(name: string): boolean;
  handle: WebHandler;
  upgrade: UpgradeHandler;
}

/** Domains as requests name them. */
function asciiHost(name: string): string {
  return URL.parse(`http://${name}`)?.hostname ?? name.toLowerCase();
}

/**
 * Steps of the expressions of all handlers on one request: some 50 ms. Those that people write take a few for each
 * character of a path.
 */
const maxSteps = 1_000_000;

/** @throws HttpError 414 if matching a path took too many steps */
function checkBudget(budget: StepBudget): void {
  if (budget.left < 0) throw new HttpError(414, "the path takes too long to be matched");
}

/** Makes the web server; it follows changes of the configuration. @param outbound the way to servers behind it */
export function webserver(
  config: Config,
  internal: InternalPages,
  outbound: Outbound,
): Webserver {
  let handlers: Prepared[] = [];
  let redirects = new Map<string, string>();
  let hosts = new Set<string>();

  const prepare = () => {
    const { WebHandlers, WebDomainRedirects } = config.dynamic;
    handlers = WebHandlers.map((value) => ({
      config: value,
      domain: asciiHost(value.Domain),
      path: compileRegExp(value.PathRegexp),
      replacePath: value.WebRedirect?.OrigPathRegexp
        ? compileRegExp(value.WebRedirect.OrigPathRegexp)
        : undefined,
    }));
    redirects = new Map(
      [...WebDomainRedirects].map(([from, to]) => [asciiHost(from), asciiHost(to)]),
    );
    hosts = new Set([...redirects.keys(), ...handlers.map((h) => h.domain)]);
  };
  prepare();
  config.onChange((change) => {
    if (change.web) prepare();
  });

  /** Handlers that fit a request, in order. @throws HttpError 414 */
  function* fitting(
    req: WebRequest,
    budget: StepBudget,
  ): Generator<{ h: Prepared; matched: number }> {
    const host = requestHost(req);
    for (const h of handlers) {
      if (h.domain !== host) continue;
      const m = h.path.exec(req.path, 0, budget);
      checkBudget(budget);
      if (m !== undefined && m.start === 0) yield { h, matched: m.end };
    }
  }

  const handle: WebHandler = async (req) => {
    const elsewhere = redirects.get(requestHost(req));
    if (elsewhere !== undefined) {
      return redirect(308, `https://${elsewhere}${req.url.pathname}${req.url.search}`);
    }
    const budget: StepBudget = { left: maxSteps };
    for (const { h, matched } of fitting(req, budget)) {
      const c = h.config;
      if (!req.secure && !c.DontRedirectPlainHTTP) return redirect(308, httpsUrl(req));
      const response = await run(h, matched, req, budget);
      if (response !== undefined) return c.Compress ? compress(req, response) : response;
    }
    throw new HttpError(404, "not found");
  };

  async function run(
    prepared: Prepared,
    matched: number,
    req: WebRequest,
    budget: StepBudget,
  ): Promise<Response | undefined> {
    const { WebStatic, WebRedirect, WebForward, WebInternal } = prepared.config;
    if (WebStatic) return await serveStatic(req, WebStatic);
    if (WebForward) return await forward(outbound, req, WebForward, matched);
    if (WebRedirect) {
      const to = redirectTarget(req.url, WebRedirect, prepared.replacePath, budget);
      checkBudget(budget);
      if (to === "unmatched") throw new HttpError(404, "not found");
      return to === "same" ? undefined : redirect(WebRedirect.StatusCode as 308, to);
    }
    const page = internal[WebInternal?.Service ?? ""];
    if (page === undefined || !req.path.startsWith(WebInternal!.BasePath)) return undefined;
    return await page({ ...req, path: req.path.slice(WebInternal!.BasePath.length - 1) });
  }

  const upgrade: UpgradeHandler = async (req, socket, head) => {
    for (const { h, matched } of fitting(req, { left: maxSteps })) {
      if (!req.secure && !h.config.DontRedirectPlainHTTP) break;
      if (h.config.WebForward) {
        return await forwardUpgrade(outbound, req, h.config.WebForward, matched, socket, head);
      }
    }
    throw new HttpError(404, "not found");
  };

  return { host: (name) => hosts.has(name), handle, upgrade };
}

function httpsUrl(req: WebRequest): string {
  return `https://${req.url.hostname}${req.url.pathname}${req.url.search}`;
}
