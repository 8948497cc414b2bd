/** Tokens of the API: made and withdrawn on the page. @module */
import type { tokenCalls } from "../../../webmail/admin/api/tokens.ts";
import { adminScopes } from "../../admin/mod.ts";
import { type CallHandlers, HttpError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import { type AdminPageOptions, confirmAdmin, withAdminErrors } from "./options.ts";

export function tokenHandlers(o: AdminPageOptions): CallHandlers<typeof tokenCalls, PageContext> {
  return {
    Tokens: async () => ({
      tokens: await o.tokens.list(),
      scopes: [...adminScopes],
      secondFactor: (await o.factor.state()).on,
    }),
    async TokenAdd({ name, scopes, domains, days, ...given }, c) {
      await confirmAdmin(o, c, given);
      const { token } = await withAdminErrors(() =>
        o.tokens.add(
          { name, scopes, domains, days },
          (d) => o.config.domain(d) !== undefined,
        )
      );
      return { token };
    },
    async TokenRemove({ id }) {
      if (!await o.tokens.remove(id)) throw new HttpError(404, "the token is gone already");
      return {};
    },
  };
}
