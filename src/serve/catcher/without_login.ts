/** Pages without a login, in localserve: for whoever sits at the machine. @module */
import { localserveAccount, localserveAddress } from "../../config/mod.ts";
import { isLoopbackIp } from "../../net/mod.ts";
import type { WebRequest } from "../../web/http/mod.ts";
import type { DeveloperOptions } from "./developer.ts";

/** Names of this machine: others lead here only where somebody plays with the DNS. */
const ownNames = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Where the webmail leads to for checks of an account's messages; undefined where the API needs a login of its own. */
export function checksOf(
  options: DeveloperOptions | undefined,
): ((account: string) => string) | undefined {
  if (options === undefined || options.login) return undefined;
  return (account) =>
    `/caught/#m{id}${account === localserveAccount ? "" : `-${encodeURIComponent(account)}`}`;
}

/** Who a request is of, without a login; undefined where pages need one. */
export function withoutLogin(
  options: DeveloperOptions | undefined,
): ((req: WebRequest) => { account: string; login: string } | undefined) | undefined {
  if (options === undefined || options.login) return undefined;
  return (req) =>
    isLoopbackIp(req.remoteIp) && ownNames.test(req.url.hostname)
      ? { account: localserveAccount, login: localserveAddress }
      : undefined;
}
