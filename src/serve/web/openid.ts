/** Logging in to a page with a provider: finding the account. @module */
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
