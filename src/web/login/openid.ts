/**
 * Logging in to a page with an OpenID provider: `oidc/NAME` sends the browser there, and it returns to
 * `oidc/callback`. The state in between is in a cookie that only this process can read.
 *
 * @module
 */
import { randomBytes } from "node:crypto";
import * as v from "valibot";
import { IdentityError, type OpenId, type Person } from "../../identity/mod.ts";
import type { LoginGuard } from "../../net/mod.ts";
import type { AuthService } from "../../metrics/authentication.ts";
import { limitedLogin } from "../http/limited_login.ts";
import { jsonResponse } from "../http/respond.ts";
import { seal, unseal } from "../http/seal.ts";
import { HttpError, type WebHandler, type WebRequest } from "../http/types.ts";
import type { Login } from "./login.ts";

export interface OpenIdLoginOptions {
  login: Login;
  service: AuthService;
  limiter: LoginGuard;
  /** Providers in use. */
  providers: () => readonly OpenId[];
  /** The account of a user; undefined if it may not log in. @throws IdentityError */
  accountOf(provider: OpenId, person: Person): Promise<string | undefined>;
}

/** Seconds for logging in at the provider. */
const patience = 600;
const key = randomBytes(32);

const Pending = v.object({
  provider: v.string(),
  state: v.string(),
  nonce: v.string(),
  verifier: v.string(),
  /** Milliseconds since the epoch. */
  until: v.number(),
});

const cookieName = (req: WebRequest) => `${req.secure ? "__Secure-" : ""}mox-oidc`;

/** The page's path: the request's path up to "/oidc/". */
const pagePath = (req: WebRequest) => req.url.pathname.slice(0, -req.path.length);

function cookie(req: WebRequest, value: string, maxAge: number): string {
  // Lax: the browser returns from another site.
  return `${cookieName(req)}=${value}; Path=${pagePath(req)}/oidc/; Max-Age=${maxAge}; HttpOnly; ` +
    `SameSite=Lax${req.secure ? "; Secure" : ""}`;
}

function pendingOf(req: WebRequest): v.InferOutput<typeof Pending> | undefined {
  for (const pair of (req.headers.get("cookie") ?? "").split(/; */)) {
    if (!pair.startsWith(`${cookieName(req)}=`)) continue;
    const text = unseal(key, pair.slice(pair.indexOf("=") + 1));
    if (text === undefined) continue;
    const read = v.safeParse(Pending, JSON.parse(text));
    if (read.success && read.output.until > Date.now()) return read.output;
  }
  return undefined;
}

const escapes: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** A page that leads back to the login form, immediately or by a link. */
function answer(status: number, text: string, goes: boolean): Response {
  const shown = text.replace(/[&<>"]/g, (c) => escapes[c]);
  // The session's cookie is same-site: it is sent with requests of this page, not with a redirect that
  // another site has started.
  const go = goes ? '<meta http-equiv="refresh" content="0; url=../">' : "";
  return new Response(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Login</title>${go}` +
      `<meta name="viewport" content="width=device-width"></head><body><main><p>${shown}</p>` +
      `<p><a href="../">${goes ? "Go on" : "Back to the login"}</a></p></main></body></html>`,
    {
      status,
      headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" },
    },
  );
}

/** Answers requests for logins with providers, and passes everything else on. */
export function withOpenId(options: OpenIdLoginOptions, handle: WebHandler): WebHandler {
  const redirectUri = (req: WebRequest) => `${req.origin}${pagePath(req)}/oidc/callback`;

  async function begin(req: WebRequest, name: string): Promise<Response> {
    const provider = options.providers().find((p) => p.name === name);
    if (provider === undefined) throw new HttpError(404, "not found");
    const { url, pending } = await provider.begin(redirectUri(req));
    const kept = { provider: name, ...pending, until: Date.now() + patience * 1000 };
    return new Response(null, {
      status: 303,
      headers: {
        Location: url.href,
        "Set-Cookie": cookie(req, seal(key, JSON.stringify(kept)), patience),
        "Cache-Control": "no-store",
      },
    });
  }

  async function finish(req: WebRequest): Promise<Response> {
    const pending = pendingOf(req);
    const provider = options.providers().find((p) => p.name === pending?.provider);
    if (pending === undefined || provider === undefined) {
      return answer(400, "The login took too long, or was begun in another browser.", false);
    }
    const current = new URL(redirectUri(req));
    current.search = req.url.search;
    let why = new IdentityError("wrong", "");
    const result = await limitedLogin(
      options.limiter,
      req,
      {
        service: options.service,
        login: `(${provider.name})`,
        // Failures of one address don't count for others.
        account: `(${provider.name}) ${req.remoteIp}`,
        mechanism: "openid",
      },
      async () => {
        try {
          const person = await provider.finish(current, pending);
          const account = await options.accountOf(provider, person);
          return account === undefined ? "disabled" : { account, login: person.address };
        } catch (err) {
          if (!(err instanceof IdentityError)) throw err;
          why = err;
          return "wrong";
        }
      },
    );
    const end = cookie(req, "", 0);
    let response: Response;
    if (typeof result !== "string") {
      response = answer(200, "You are logged in.", true);
      response.headers.append("Set-Cookie", options.login.loginAs(req, result));
    } else if (result === "disabled") {
      response = answer(403, "Login is disabled for this account.", false);
    } else if (why.reason === "away") {
      response = answer(503, "The provider can't be reached just now: try again later.", false);
    } else {
      response = answer(403, `You could not be logged in: ${why.message}.`, false);
    }
    response.headers.append("Set-Cookie", end);
    return response;
  }

  return async (req) => {
    if (!req.path.startsWith("/oidc/")) return await handle(req);
    const name = req.path.slice("/oidc/".length);
    if (req.method !== "GET" && req.method !== "HEAD") {
      throw new HttpError(405, "only GET", { Allow: "GET, HEAD" });
    }
    if (name === "providers") {
      return jsonResponse(200, options.providers().map((p) => ({ name: p.name, label: p.label })));
    }
    try {
      return await (name === "callback" ? finish(req) : begin(req, name));
    } catch (err) {
      if (!(err instanceof IdentityError)) throw err;
      return answer(503, "The provider can't be reached just now: try again later.", false);
    }
  };
}
