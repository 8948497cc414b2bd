/** The nodes among which accounts are distributed. @module */
import type { nodeCalls } from "../../../webmail/admin/api/nodes.ts";
import { type CallHandlers, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import type { AdminPageOptions, NodesForAdmin } from "./options.ts";

export function nodeHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof nodeCalls, PageContext> {
  const nodes = (): NodesForAdmin => {
    const found = options.nodes?.();
    if (found === undefined) throw new UserError("this server is not one of several nodes");
    return found;
  };
  return {
    async Nodes() {
      const found = options.nodes?.();
      return { nodes: await found?.states() ?? [], moves: found?.moves() ?? [] };
    },
    NodesPush: async () => ({ nodes: await nodes().push() }),
    async NodeMove({ account, node }) {
      await nodes().move(account, node);
      return {};
    },
    async NodeMoveCancel({ account }) {
      await nodes().cancel(account);
      return {};
    },
  };
}
