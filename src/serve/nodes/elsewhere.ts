/**
 * Logins to accounts of other nodes: only a client that proves to be the user learns where the account is.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import { type AuthService, authServices } from "../../metrics/authentication.ts";
import { CallError } from "../../nodes/calls.ts";
import { NodeAway } from "../../nodes/link.ts";
import { SaslError, type SaslPeer } from "../../sasl/mod.ts";
import { HttpError } from "../../web/http/mod.ts";
import type { AskedLogin, LoginVerdict } from "./login_check.ts";

export interface ElsewhereServices {
  config: Config;
  /** Asks another node about a login; set where there are nodes. */
  askNode?: (node: string, login: AskedLogin) => Promise<LoginVerdict>;
}

const awayText = "the server of this account is away, try again later";
const limitedText = "too many failed logins, try again later";

/** The verdict of the node that has an account. @throws Error from `away` if that node can't be reached */
async function ask(
  services: ElsewhereServices,
  node: string,
  login: AskedLogin,
  away: (cause: Error) => Error,
): Promise<LoginVerdict> {
  try {
    return await services.askNode!(node, login);
  } catch (err) {
    if (!(err instanceof NodeAway) && !(err instanceof CallError)) throw err;
    throw away(err);
  }
}

/** The node that has an account, as text. */
function placeText(config: Config, node: string): string {
  const url = config.dynamic.Nodes.get(node)?.WebURL ?? "";
  return `this account is at another server: ${url === "" ? `node ${node}` : url}`;
}

/**
 * The account of a login name at the pages, if this node has it.
 * @throws HttpError 403 with the location of an account on another node, if the password is right; 429 after too
 * many tries; 503 if that node is away
 */
export async function accountHere(
  services: ElsewhereServices,
  service: AuthService,
  login: string,
  password: string,
  remoteIp: string,
): Promise<string | undefined> {
  const { config } = services;
  const name = config.accountFor(login);
  if (name === undefined || config.isHere(name)) return name;
  if (config.leaving.has(name)) {
    throw new HttpError(
      503,
      "this account is being moved to another server, try again in a moment",
    );
  }
  const node = config.nodeOf(name)!;
  const { result } = await ask(
    services,
    node,
    { service, login, remoteIp, password },
    (cause) => new HttpError(503, awayText, {}, { cause }),
  );
  if (result === "limited") throw new HttpError(429, limitedText);
  if (result === "wrong") return undefined;
  throw new HttpError(403, placeText(config, node));
}

/**
 * Checks whether a program has the right password at the wrong node. That is no guessing, and this may soon be the
 * right node, as while domains.conf is being distributed.
 * @throws SaslError "temporary" then, and if it can't be checked; "credentials" if the account's node says so
 */
export async function notElsewhere(
  services: ElsewhereServices,
  login: string,
  password: string,
  peer: SaslPeer | undefined,
): Promise<void> {
  const { config } = services;
  const name = config.accountFor(login);
  if (name === undefined || services.askNode === undefined || config.isHere(name)) return;
  const node = config.nodeOf(name);
  if (node === undefined) return;
  const service = authServices.find((s) => s === peer?.protocol) ?? "imap";
  const remoteIp = peer?.remoteIp ?? "";
  const { result } = await ask(
    services,
    node,
    { service, login, remoteIp, password },
    (cause) => new SaslError("temporary", awayText, { cause }),
  );
  if (result === "limited") throw new SaslError("temporary", limitedText);
  if (result === "wrong") throw new SaslError("credentials", "wrong user name or password");
  throw new SaslError("temporary", placeText(config, node));
}
