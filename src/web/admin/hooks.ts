/** Webhooks: pending and past calls. @module */
import type { hookCalls } from "../../../webmail/admin/api/hooks.ts";
import { type CallHandlers, HttpError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import type { AdminPageOptions } from "./options.ts";

/** Calls shown of each list. */
const maxShown = 500;

export function hookHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof hookCalls, PageContext> {
  const hooks = options.webhooks;
  return {
    Hooks: () => ({
      waiting: hooks?.list({}, maxShown).map((h) => ({ ...h, next: h.nextAttempt })) ?? [],
      total: hooks?.count() ?? 0,
      retired: hooks?.retired({}, maxShown) ?? [],
    }),
    async HooksAct({ ids, action }) {
      if (hooks === undefined) return { count: 0 };
      return {
        count: action === "now"
          ? await hooks.schedule({ ids }, { time: Date.now() })
          : await hooks.cancel({ ids }),
      };
    },
    HookPayload({ id, retired }) {
      const [found] = (retired ? hooks?.retired({ ids: [id] }) : hooks?.list({ ids: [id] })) ?? [];
      if (found === undefined) throw new HttpError(404, "the call is gone");
      return { payload: found.payload };
    },
  };
}
