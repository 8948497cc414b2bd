/** Who calls the admin API: a session of the page, or a program with a token (RFC 6750). @module */
import { type Actor, administeredDomains, type AdminToken, mayUse } from "../../admin/mod.ts";
import { countAuthentication } from "../../metrics/authentication.ts";
import { HttpError, limitedLogin, type WebRequest } from "../http/mod.ts";
import type { FoundSession } from "../login/mod.ts";
import type { AdminPageOptions } from "./options.ts";
import { OwnDomains } from "./own_domains.ts";
import type { CallRule } from "./rules.ts";

/** An authenticated caller. */
export interface Caller {
  /** Name for the audit log. */
  actor: Actor;
  session: FoundSession | undefined;
  /** Including the token itself, with which stored answers are encrypted. */
  token?: AdminToken & { secret: string };
  /** Undefined for callers who see everything. */
  own: OwnDomains | undefined;
}

/** The login name to log, as there is none. Failures of one address don't count for others. */
const tokenLogin = (remoteIp: string) => ({ login: "(token)", account: `(token) ${remoteIp}` });

const challenge = { "WWW-Authenticate": 'Bearer realm="mox admin"' };

/** The token of a request; undefined without one. @throws HttpError 401 for credentials of another kind */
function bearer(req: WebRequest): string | undefined {
  const header = req.headers.get("authorization");
  if (header === null) return undefined;
  const match = /^bearer +([\x21-\x7e]{1,200}) *$/i.exec(header);
  if (match === null) {
    countAuthentication("webadmin", "httpbearer", "badprotocol");
    throw new HttpError(401, "this API takes tokens: Authorization: Bearer …", challenge);
  }
  return match[1];
}

const ownDomains = ({ config, accounts }: AdminPageOptions, names: readonly string[]) =>
  new OwnDomains(config, names, (account) => accounts.names().includes(account));

/** The owner of a request's token; undefined without one. @throws HttpError 401, 403, 429 */
export async function tokenCaller(
  options: AdminPageOptions,
  req: WebRequest,
): Promise<Caller | undefined> {
  const secret = bearer(req);
  if (secret === undefined) return undefined;
  // A page of another site has no token; a browser extension with a token is no such page.
  if (["cross-site", "same-site"].includes(req.headers.get("sec-fetch-site") ?? "")) {
    throw new HttpError(403, "calls from pages of other sites are refused");
  }
  let expired = false;
  const result = await limitedLogin(
    options.limiter,
    req,
    { service: "webadmin", ...tokenLogin(req.remoteIp), mechanism: "httpbearer" },
    async () => {
      const token = await options.tokens.find(secret, req.remoteIp);
      expired = token === "expired";
      return typeof token === "string" ? "wrong" as const : { account: "", token };
    },
  );
  if (typeof result === "string") {
    throw new HttpError(401, expired ? "the token has expired" : "no such token", challenge);
  }
  const { token } = result;
  return {
    actor: { who: `token ${token.name}`, from: req.remoteIp },
    session: undefined,
    token: { ...token, secret },
    own: token.domains.length > 0 ? ownDomains(options, token.domains) : undefined,
  };
}

/** The owner of a request's session. */
export function sessionCaller(
  options: AdminPageOptions,
  req: WebRequest,
  session: FoundSession | undefined,
): Caller {
  const account = session?.account ?? "";
  // Who logged in with a provider has a name.
  const administrator = ["administrator", session?.login ?? ""].join(" ").trim();
  return {
    actor: { who: account === "" ? administrator : account, from: req.remoteIp },
    session,
    own: account === ""
      ? undefined
      : ownDomains(options, administeredDomains(options.config, account)),
  };
}

/** Checks that a call is permitted. @throws HttpError 403 */
export function permit(caller: Caller, rule: CallRule): void {
  const { token } = caller;
  if (token !== undefined) {
    if (rule.pageOnly) {
      throw new HttpError(403, "tokens can't do this: it is done on the admin page");
    }
    if (!mayUse(token.scopes, rule.area, rule.kind)) {
      throw new HttpError(403, `the token lacks the scope ${rule.area}:${rule.kind}`);
    }
  }
  if (caller.own !== undefined && !rule.own) {
    throw new HttpError(403, "this is for the server's administrator");
  }
}
