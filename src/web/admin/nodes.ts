/** The nodes that accounts are spread over. @module */
import type { AdminNode, nodeCalls } from "../../../webmail/admin/api/nodes.ts";
import { type CallHandlers, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import type { AdminPageOptions } from "./options.ts";

/** What the page asks of a server that is a node. */
export interface NodesForAdmin {
  states(): Promise<AdminNode[]>;
  push(): Promise<{ name: string; error: string }[]>;
  moves(): { account: string; to: string; begun: number; decided: boolean; error: string }[];
  /** Resolves when the move is under way. @throws Error saying why it can't be */
  move(account: string, node: string): Promise<void>;
  /** @throws Error saying why not */
  cancel(account: string): Promise<void>;
}

export function nodeHandlers(o: AdminPageOptions): CallHandlers<typeof nodeCalls, PageContext> {
  const nodes = (): NodesForAdmin => {
    const found = o.nodes?.();
    if (found === undefined) throw new UserError("this server is not one of several nodes");
    return found;
  };
  return {
    async Nodes() {
      const found = o.nodes?.();
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
