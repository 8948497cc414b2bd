/** Pages without a login, in localserve: for anyone at this machine. @module */
import { localserveAccount, localserveAddress } from "../../config/mod.ts";
import { isLoopbackIp } from "../../net/mod.ts";
import type { WebRequest } from "../../web/http/mod.ts";
import type { DeveloperOptions } from "./developer.ts";

/** Names of this machine: other names lead here only by DNS rebinding. */
const ownNames = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Where the webmail links to for checks of an account's messages; undefined if the API needs its own login. */
export function checksOf(
  options: DeveloperOptions | undefined,
): ((account: string) => string) | undefined {
  if (options === undefined || options.login) return undefined;
  return (account) =>
    `/caught/#m{id}${account === localserveAccount ? "" : `-${encodeURIComponent(account)}`}`;
}

/** The account of a request without a login; undefined if pages need one. */
export function withoutLogin(
  options: DeveloperOptions | undefined,
): ((req: WebRequest) => { account: string; login: string } | undefined) | undefined {
  if (options === undefined || options.login) return undefined;
  return (req) =>
    isLoopbackIp(req.remoteIp) && ownNames.test(req.url.hostname)
      ? { account: localserveAccount, login: localserveAddress }
      : undefined;
}
