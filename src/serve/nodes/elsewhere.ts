/**
 * Logins over HTTP to accounts of other nodes: who proves to be the user is told where the account is; nobody else
 * learns it.
 *
 * @module
 */
import type { AuthService } from "../../metrics/authentication.ts";
import { CallError } from "../../nodes/calls.ts";
import { NodeAway } from "../../nodes/link.ts";
import { HttpError } from "../../web/http/mod.ts";
import type { LoginServices } from "../logins.ts";

/**
 * The account of a login name, if this node has it.
 * @throws HttpError 403 with the place of an account that another node has, if the password is its; 429 after too
 * many tries; 503 if that node is away
 */
export async function accountHere(
  services: LoginServices,
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
  let result: string;
  try {
    result = (await services.askNode!(node, { service, login, remoteIp, password })).result;
  } catch (err) {
    if (!(err instanceof NodeAway) && !(err instanceof CallError)) throw err;
    throw new HttpError(503, "the server of this account is away, try again later", {}, {
      cause: err,
    });
  }
  if (result === "limited") throw new HttpError(429, "too many failed logins, try again later");
  if (result === "wrong") return undefined;
  const url = config.dynamic.Nodes.get(node)?.WebURL ?? "";
  throw new HttpError(
    403,
    `this account is at another server: ${url === "" ? `node ${node}` : url}`,
  );
}
