/** Thread/get (RFC 8621 §3.1). @module */
import { threadState } from "../../../store/emails/changes.ts";
import { Capability } from "../../core/capabilities.ts";
import { askedIds, askedProperties, checkCount, getArgs, pick } from "../../core/get.ts";
import { defineMethod } from "../../core/method.ts";
import { slotId, threadIdOf, threadNumber } from "../../mail/ids.ts";
import { threadSlots } from "../../mail/threads.ts";
import { mailView } from "../../mail/view.ts";

export const threadGet = defineMethod({
  name: "Thread/get",
  capability: Capability.Mail,
  args: getArgs,
  async run(ctx, args) {
    const view = await mailView(await ctx.access(args.accountId));
    const properties = askedProperties(args.properties, ["id", "emailIds"]);
    let ids = askedIds(args.ids);
    if (ids === null) {
      const all = new Set<number>();
      for (const slot of view.index.order.slots) {
        if (view.visible(slot)) all.add(view.index.threadId[slot]);
      }
      checkCount(all.size);
      ids = [...all].map(threadIdOf);
    }
    const list: Record<string, unknown>[] = [];
    const notFound: string[] = [];
    for (const id of ids) {
      const slots = threadSlots(view, threadNumber(id));
      if (slots.length === 0) notFound.push(id);
      else list.push(pick({ id, emailIds: slots.map((s) => slotId(view.index, s)) }, properties));
    }
    return {
      accountId: args.accountId,
      state: String(threadState(view.account, view.index)),
      list,
      notFound,
    };
  },
});
