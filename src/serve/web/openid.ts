/** Logging in to a page with a provider: finding the account. @module */
import { administeredDomains } from "../../admin/mod.ts";
import { IdentityError } from "../../identity/mod.ts";
import type { AuthService } from "../../metrics/authentication.ts";
import type { LoginGuard } from "../../net/mod.ts";
import type { WebHandler } from "../../web/http/mod.ts";
import { type Login, withOpenId } from "../../web/login/mod.ts";
import { loginAccount, type LoginServices } from "../logins.ts";

/** A page's handler with logins by the providers of the configuration. */
export function withProviders(
  s: { logins: LoginServices; limiter: LoginGuard },
  login: Login,
  service: AuthService,
  handle: WebHandler,
): WebHandler {
  const { identities, config } = s.logins;
  if (identities === undefined) return handle;
  return withOpenId({
    login,
    service,
    limiter: s.limiter,
    providers: () => identities.providers,
    async accountOf(provider, person) {
      const account = await identities.account(provider, person);
      return loginAccount(config, person.address) === account ? account : undefined;
    },
  }, handle);
}

/**
 * The same for the admin page: the server's administrators that providers name, and accounts that administer domains. No
 * account is created.
 */
export function withAdminProviders(
  s: { logins: LoginServices; limiter: LoginGuard },
  login: Login,
  handle: WebHandler,
): WebHandler {
  const { identities, config } = s.logins;
  if (identities === undefined) return handle;
  return withOpenId({
    login,
    service: "webadmin",
    limiter: s.limiter,
    providers: () => identities.adminProviders,
    accountOf(provider, person) {
      return Promise.resolve().then(() => {
        const account = identities.administrator(provider, person);
        if (account === "") return account;
        if (loginAccount(config, person.address) !== account) return undefined;
        if (administeredDomains(config, account).length === 0) {
          throw new IdentityError("wrong", `${person.address} administers nothing here`);
        }
        return account;
      });
    },
  }, handle);
}
