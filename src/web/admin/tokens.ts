/** Tokens of the API: created and revoked on the page. @module */
import type { tokenCalls } from "../../../webmail/admin/api/tokens.ts";
import { adminScopes } from "../../admin/mod.ts";
import { type CallHandlers, HttpError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import { type AdminPageOptions, confirmAdmin, withAdminErrors } from "./options.ts";

export function tokenHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof tokenCalls, PageContext> {
  return {
    Tokens: async () => ({
      tokens: await options.tokens.list(),
      scopes: [...adminScopes],
      secondFactor: (await options.factor.state()).on,
    }),
    async TokenAdd({ name, scopes, domains, days, ...given }, context) {
      await confirmAdmin(options, context, given);
      const { token } = await withAdminErrors(() =>
        options.tokens.add(
          { name, scopes, domains, days },
          (d) => options.config.domain(d) !== undefined,
        )
      );
      return { token };
    },
    async TokenRemove({ id }) {
      if (!await options.tokens.remove(id)) throw new HttpError(404, "the token is gone already");
      return {};
    },
  };
}
